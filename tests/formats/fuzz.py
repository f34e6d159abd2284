"""Mutational fuzzer of every feature file parser. Invariant: a result or InputRefused, in bounded time and memory.

    python tests/formats/fuzz.py --seconds 600 --seed 1

Seeds are the vectors. A mutation flips bits, cuts, repeats, splices two files, or sets an integer to a corner value.
Prints one line with counts; a violation prints the bytes and exits 1. The tests run it for a moment.
"""

import argparse
import json
import random
import sys
import time
import tracemalloc
from pathlib import Path

from bioguard.errors import InputRefused
from bioguard.formats import load_bytes, parse_minutiae

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "formats"
CORNERS = (0, 1, 0x7F, 0x80, 0xFF, 0x3FFF, 0x4000, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
MAX_CPU_SECONDS = 2.0
"""Per input, in the long campaign only: a test asserts no absolute time."""
MAX_PEAK_BYTES = 64 << 20
MAX_SEED_BYTES = 20_000


def corpus() -> list[tuple[str, bytes]]:
    names = sorted(json.loads((VECTORS / "index.json").read_text()))
    seeds = [(name, (VECTORS / name).read_bytes()) for name in names]
    return [(name, octets) for name, octets in seeds if 0 < len(octets) <= MAX_SEED_BYTES]


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


def mutate(rng: random.Random, seeds: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    name, content = rng.choice(seeds)
    octets = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        rng.choice(MUTATIONS)(rng, octets)
    if rng.random() < 0.1:
        octets += rng.choice(seeds)[1]
    if rng.random() < 0.6:
        _repair_length(rng, octets)
    return name, bytes(octets)


def check(name: str, octets: bytes) -> bool:
    """True if accepted. Raises AssertionError, or whatever the parser wrongly raised."""
    try:
        result = load_bytes(octets, name)
    except InputRefused as error:
        assert error.code.startswith(("format.", "input."))
        assert error.hint
        assert "\n" not in error.message
        return False
    assert result.features
    assert all(type(f).from_bytes(f.to_bytes()) == f for f in result.features)
    if octets.startswith(b"FMR\0"):
        assert parse_minutiae(octets).to_bytes() == octets
    return True


def run(seconds: float, seed: int, max_cpu_seconds: float = float("inf")) -> dict[str, int]:
    rng, seeds = random.Random(seed), corpus()
    counts = {"inputs": 0, "accepted": 0, "slowest_ms": 0, "peak_kib": 0}
    end = time.monotonic() + seconds
    tracemalloc.start()
    try:
        while time.monotonic() < end:
            name, octets = mutate(rng, seeds)
            tracemalloc.reset_peak()
            start = time.process_time()
            try:
                counts["accepted"] += check(name, octets)
                took, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1]
                assert took < max_cpu_seconds, f"took {took:.1f} s"
                assert peak < MAX_PEAK_BYTES, f"peak {peak} bytes"
            except Exception as error:
                error.add_note(f"{name}: {octets.hex()}")
                raise
            counts["inputs"] += 1
            counts["slowest_ms"] = max(counts["slowest_ms"], round(took * 1000))
            counts["peak_kib"] = max(counts["peak_kib"], peak >> 10)
    finally:
        tracemalloc.stop()
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    sys.stdout.write(json.dumps(run(arguments.seconds, arguments.seed, MAX_CPU_SECONDS)) + "\n")
