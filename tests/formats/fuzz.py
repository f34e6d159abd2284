"""Mutational fuzzer of every feature file parser. Invariant: a result or InputRefused, in bounded time and memory.

    python tests/formats/fuzz.py --inputs 250000 --seed 1
    python tests/formats/fuzz.py --seconds 600

Seeds are the vectors and a corpus of valid but odd files. A mutation flips bits, cuts, repeats, splices two files, or
sets an integer to a corner value; each input is read with one of several sets of import options. Prints one line with
counts; a violation prints the bytes and exits 1. The tests run it for a moment.
"""

import argparse
import json
import random
import runpy
import sys
import time
import types
from pathlib import Path
from typing import Any

from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, Trailing, load_bytes, parse_minutiae
from bioguard.formats.convert import Target, convert
from bioguard.formats.options import flags_in

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors" / "formats"
CORNERS = (0, 1, 0x7F, 0x80, 0xFF, 0x3FFF, 0x4000, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
MAX_CPU_SECONDS = 2.0
"""Per input, in the long campaign only: a test asserts no absolute time."""
MAX_GROWTH_BYTES = 64 << 20
"""Resident memory of the whole run over its start, which bounds that of every input."""
LOOK_EVERY = 256
MAX_SEED_BYTES = 20_000
CORPUS = 400
STRICT, LENIENT = ImportOptions(), ImportOptions(lenient=True)
OPTIONS = (
    STRICT,
    LENIENT,
    ImportOptions(trailing=Trailing.KEEP),
    ImportOptions(lenient=True, xyt_m1=True, dpi=(500, 500)),
    ImportOptions(lenient=True, native_size_px=(300, 400)),
)
Seed = tuple[str, bytes]
memory = types.SimpleNamespace(**runpy.run_path(str(HERE / "memory.py")))


def seeds_of(seed: int) -> list[Seed]:
    names = sorted(json.loads((VECTORS / "index.json").read_text()))
    found = [(name, (VECTORS / name).read_bytes()) for name in names]
    found += [(c.name, c.octets) for c in runpy.run_path(str(HERE / "corpus.py"))["corpus"](CORPUS, seed)]
    return [(name, octets) for name, octets in found if 0 < len(octets) <= MAX_SEED_BYTES]


def _set_integer(rng: random.Random, octets: bytearray) -> None:
    size = rng.choice((1, 2, 4))
    at = rng.randrange(max(1, len(octets) - size + 1))
    value = rng.choice(CORNERS) if rng.random() < 0.7 else len(octets) + rng.randint(-3, 3)
    octets[at : at + size] = (value & (256**size - 1)).to_bytes(size, rng.choice(("big", "little")))


def _flip(rng: random.Random, octets: bytearray) -> None:
    if octets:
        octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)


def _cut(rng: random.Random, octets: bytearray) -> None:
    start = rng.randrange(len(octets) + 1)
    del octets[start : start + rng.randint(1, 40)]


def _repeat(rng: random.Random, octets: bytearray) -> None:
    start = rng.randrange(len(octets) + 1)
    octets[start:start] = octets[start : start + rng.randint(1, 60)] * rng.randint(1, 3)


def _noise(rng: random.Random, octets: bytearray) -> None:
    start = rng.randrange(len(octets) + 1)
    octets[start:start] = rng.randbytes(rng.randint(1, 8))


def _repair_length(rng: random.Random, octets: bytearray) -> None:
    """Make the total length true again, so that the mutation gets past the first check."""
    if octets[:4] == b"FMR\0" and len(octets) >= 12:
        short = octets[8:10] != b"\0\0"
        octets[8 : 10 if short else 12] = (len(octets) & 0xFFFF).to_bytes(2 if short else 4, "big")


MUTATIONS = (_set_integer, _set_integer, _flip, _cut, _repeat, _noise)


def mutate(rng: random.Random, seeds: list[Seed]) -> Seed:
    name, content = rng.choice(seeds)
    octets = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        rng.choice(MUTATIONS)(rng, octets)
    if rng.random() < 0.1:
        octets += rng.choice(seeds)[1]
    if rng.random() < 0.5:
        _repair_length(rng, octets)
    if rng.random() < 0.05:
        name = rng.choice(("x.iso", "x.npy", "x.npz", "x.csv", "x.xyt", "x.bin"))
    return name, bytes(octets)


def check(name: str, octets: bytes, options: ImportOptions, rng: random.Random) -> bool:
    """True if accepted. Raises AssertionError, or whatever the parser wrongly raised."""
    try:
        result = load_bytes(octets, name, options)
    except InputRefused as error:
        assert error.code.startswith(("format.", "input."))
        assert error.hint
        assert error.message.isprintable()
        assert error.hint.isprintable()
        if options is STRICT and flags_in(error.hint) == ("--lenient",) and "well-formed" in error.hint:
            load_bytes(octets, name, LENIENT)  # what the hint promises
        return False
    assert result.features
    assert all(type(f).from_bytes(f.to_bytes()) == f for f in result.features)
    assert all(w.message.isprintable() for w in result.warnings)
    if octets.startswith(b"FMR\0"):
        written = parse_minutiae(octets, options).to_bytes()
        assert octets.startswith(written)
        assert len(written) == len(octets) or options.keeps_trailing
    if rng.random() < 0.05:
        target = rng.choice([*Target])
        try:
            convert(result, target)
        except InputRefused as error:
            assert error.hint
    return True


def run(
    *, inputs: int = sys.maxsize, seconds: float = float("inf"), seed: int = 1, max_cpu_seconds: float = float("inf")
) -> dict[str, Any]:
    rng, seeds = random.Random(seed), seeds_of(seed)
    counts: dict[str, Any] = {"inputs": 0, "accepted": 0, "slowest_ms": 0, "growth_kib": 0}
    end = time.monotonic() + seconds
    memory.reset_peak()
    before = memory.status("VmRSS")
    while counts["inputs"] < inputs and time.monotonic() < end:
        name, octets = mutate(rng, seeds)
        options = rng.choice(OPTIONS)
        start = time.process_time()
        try:
            counts["accepted"] += check(name, octets, options, rng)
            took = time.process_time() - start
            assert took < max_cpu_seconds, f"took {took:.1f} s"
            if counts["inputs"] % LOOK_EVERY == 0:
                growth = memory.status("VmHWM") - before
                assert growth < MAX_GROWTH_BYTES, f"grew by {growth} bytes, here or in the {LOOK_EVERY} before"
                counts["growth_kib"] = growth >> 10
        except Exception as error:
            error.add_note(f"{name} {options}: {octets.hex()}")
            raise
        counts["inputs"] += 1
        counts["slowest_ms"] = max(counts["slowest_ms"], round(took * 1000))
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=sys.maxsize)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.inputs == sys.maxsize and arguments.seconds == float("inf"):
        parser.error("say how long: --inputs N or --seconds S")
    counts = run(
        inputs=arguments.inputs, seconds=arguments.seconds, seed=arguments.seed, max_cpu_seconds=MAX_CPU_SECONDS
    )
    sys.stdout.write(json.dumps(counts) + "\n")
