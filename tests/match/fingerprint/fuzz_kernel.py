"""Fuzz a build of the fingerprint kernel against its NumPy twin; meant for a build with sanitizers.

    python -m tests.match.fingerprint.fuzz_kernel --kernel FILE.so [--seconds 600] [--seed 0]

Exits 0 when every comparison agreed. With AddressSanitizer the interpreter must preload its runtime; see
test_sanitized.py, which builds one and runs this for a few seconds.
"""

import argparse
import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np

from bioguard.match.fingerprint import backends, extraction, native_backend
from bioguard.match.fingerprint.extraction import describe
from bioguard.match.fingerprint.native_backend import PackedTemplates
from bioguard.match.fingerprint.numpy_backend import evidence_block
from bioguard.match.fingerprint.parameters import ALIGNMENT
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare_all
from bioguard.records import FingerprintTemplate

EDGE = 1e-4
"""Consistency this near the gate may fall on either side of it in the twin."""


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bioguard.match._cylinders", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def odd_template(rng: np.random.Generator) -> FingerprintTemplate:
    n = int(rng.choice([0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 30, 60, 254, 255]))
    side = int(rng.choice([1, 30, 300, 4095]))
    x, y, angle = rng.random(n) * side, rng.random(n) * side, rng.random(n) * 2 * np.pi
    shape = rng.integers(5)
    if shape == 0:
        x[:] = side / 2
    if shape == 1:
        y[:], angle[:] = x, 0
    if shape == 2:
        x, y, angle = np.floor(x / 40) * 40, np.floor(y / 40) * 40, np.round(angle)
    return FingerprintTemplate.from_minutiae(x, y, angle, width_px500=side, height_px500=side)


def odd_codes(rng: np.random.Generator, dimensions: int) -> PreparedTemplate:
    """What no extractor makes, but the kernel must survive: extreme codes, places and directions."""
    n = int(rng.integers(0, 256))
    codes = (
        rng.choice(np.array([-63, 0, 1, 63], np.int8), (n, dimensions))
        if rng.integers(2)
        else rng.integers(-63, 64, (n, dimensions))
    )
    places = rng.choice(np.array([-32768, -1, 0, 1, 32767], np.int16), (n, 4))
    return PreparedTemplate(codes.astype(np.int8), places)


def agree(mine: np.ndarray, twin: np.ndarray) -> bool:
    certain = np.abs(twin[:, 0] - ALIGNMENT.gate) > EDGE
    return bool(np.allclose(mine[certain, 0], twin[certain, 0], rtol=1e-4, atol=1e-4))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernel", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    module = load(options.kernel)
    for user in (backends, extraction, native_backend):
        setattr(user, "NATIVE", module)  # noqa: B010 - not exported
    rng = np.random.default_rng(options.seed)
    end, rounds = time.monotonic() + options.seconds, 0
    while time.monotonic() < end:
        templates = [odd_template(rng) for _ in range(8)]
        for a, b in zip(describe(templates), describe(templates, compiled=False), strict=True):
            if np.abs(a.astype(int) - b).max(initial=0) > 1:
                sys.stderr.write("descriptors differ" + "\n")
                return 1
        prepared = prepare_all(templates)
        dimensions = prepared[0].codes.shape[1]
        strange = [odd_codes(rng, dimensions) for _ in range(2)]
        records, wild = PackedTemplates.of(prepared, dimensions), PackedTemplates.of(strange, dimensions)
        for probe in (prepared[0], strange[0]):
            twin = evidence_block(probe, prepared)
            for variant in module.variants():
                both = native_backend.compare(probe, [wild, records], variant, threads=3)
                mine = native_backend.compare(probe, [records], variant)
                if not np.array_equal(both[len(wild) :], mine):
                    sys.stderr.write(f"{variant} differs with threads in round {rounds} of seed {options.seed}" + "\n")
                    return 1
                if probe is prepared[0] and not agree(mine, twin):
                    sys.stderr.write(f"{variant} differs from numpy in round {rounds} of seed {options.seed}" + "\n")
                    return 1
        rounds += 1
    sys.stdout.write(f"{rounds} rounds agreed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
