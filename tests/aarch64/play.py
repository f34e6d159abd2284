"""What is played on aarch64 and here, and must come out alike. Run as a program it prints one JSON object.

On aarch64 the compiled kernels come from the folder in BIOGUARD_AARCH64, under their full names: the ones that lie in
the checkout are this machine's.
"""

import hashlib
import importlib.util
import json
import os
import platform
import random
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def place_kernels(folder: Path) -> None:
    """Load the compiled modules from another folder."""
    for name in ("_kernels", "_cylinders"):
        spec = importlib.util.spec_from_file_location(f"bioguard.match.{name}", folder / f"{name}.so")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[spec.name] = module


def _value(draw: random.Random, depth: int) -> object:
    """A value that the codec may carry."""
    kind = draw.randrange(5 if depth else 4)
    if kind == 0:
        return draw.randrange(-(2**40), 2**64 - 1)
    if kind == 1:
        return draw.randbytes(draw.randrange(70))
    if kind == 2:
        return "".join(chr(draw.randrange(32, 0x2FF)) for _ in range(draw.randrange(30)))
    if kind == 3:
        return draw.choice([True, False, None])
    return [_value(draw, depth - 1) for _ in range(draw.randrange(6))]


def codec() -> dict[str, Any]:
    """Encodings, and what is answered to bytes with one of them changed."""
    from tee_sim.shared import codec  # after the kernels have their place
    from tee_sim.shared.errors import TeeError

    draw, digest, refused = random.Random(5), hashlib.sha256(), 0
    for _ in range(400):
        value = _value(draw, 4)
        data = codec.encode(value)
        assert codec.decode(data) == value
        digest.update(data)
        for _ in range(5):
            bent = bytearray(data)
            bent[draw.randrange(len(bent))] ^= 1 << draw.randrange(8)
            try:
                digest.update(codec.encode(codec.decode(bytes(bent))))
            except TeeError as error:
                refused += 1
                digest.update(error.result.to_bytes(4, "big"))
    return {"digest": digest.hexdigest(), "refused": refused}


def filters() -> dict[str, Any]:
    """The filter this machine would load, interpreted for every number."""
    from tee_sim.shared.sandbox import bpf
    from tee_sim.shared.sandbox.filters import secure_world_program, this_arch, waiter_program
    from tee_sim.shared.sandbox.syscalls import ARCHITECTURES

    found: dict[str, Any] = {"machine": this_arch().machine}
    for machine in sorted(ARCHITECTURES):
        arch = ARCHITECTURES[machine]
        programs = [secure_world_program(machine, "strict", 3, 4), waiter_program(machine)]
        answers = [bpf.run(one, nr=nr, audit_arch=arch.audit) for one in programs for nr in range(600)]
        found[machine] = [one.sha256().hex() for one in programs]
        found[f"{machine} answers"] = hashlib.sha256(json.dumps(answers).encode()).hexdigest()
    return found


def codes() -> dict[str, Any]:
    """Searches of the compiled code kernel and of its NumPy twin."""
    import numpy as np

    from bioguard.match import CodeGallery
    from bioguard.match.kernels import choose
    from bioguard.match.numpy_codes import NumpyCodes

    draw = np.random.default_rng(3)
    rows, probes = draw.integers(0, 256, (700, 128), np.uint8), draw.integers(0, 256, (9, 128), np.uint8)
    twin = NumpyCodes(128)
    twin.append(rows)
    distances, places = CodeGallery(rows).search(probes, 20)
    other, there = twin.search(probes, 20, 1)
    assert np.array_equal(distances, other)
    assert np.array_equal(places, there)
    return {"kernel": choose(None), "digest": hashlib.sha256(distances.tobytes() + places.tobytes()).hexdigest()}


def fingers() -> dict[str, Any]:
    """Scores of synthetic fingers, by the compiled comparator."""
    from bioguard.match import FingerprintGallery
    from bioguard.match.fingerprint.backends import pick
    from bioguard.simulate.people.fingers import FingerPopulation

    population = FingerPopulation(3)
    gallery = FingerprintGallery([population.impression(person, 2, 0) for person in range(6)])
    scores = [gallery.scores(population.impression(person, 2, 1)) for person in range(3)]
    return {"kernel": pick(None), "scores": [[round(float(score), 6) for score in row] for row in scores]}


def faces() -> dict[str, Any]:
    """The best of a search over unit vectors: places, and scores to six digits."""
    import numpy as np

    from bioguard.match import FaceGallery

    draw = np.random.default_rng(4)
    rows, probes = draw.standard_normal((300, 512), np.float32), draw.standard_normal((5, 512), np.float32)
    scores, places = FaceGallery(rows).search(probes, 10)
    return {"places": places.tolist(), "scores": np.round(scores.astype(float), 5).tolist()}


def play() -> dict[str, Any]:
    """Everything."""
    parts = {"codec": codec, "filters": filters, "codes": codes, "fingers": fingers, "faces": faces}
    return {"machine": platform.machine()} | {name: part() for name, part in parts.items()}


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    if "BIOGUARD_AARCH64" in os.environ:
        place_kernels(Path(os.environ["BIOGUARD_AARCH64"]))
    sys.stdout.write(json.dumps(play()))
