"""What two threads gain in fingerprint search, next to what they gain in plain C, in one run.

    python -m bench.experiments.fingerprint_threads [--rows 2000 12800] [--rounds 30]

Synthetic fingers. The reference, `fingerprint_threads.c`, is the same comparison called from plain C with two POSIX
threads on half of the rows each; a C compiler builds it first. One round is: C with one thread, C with two, ours with
one, ours with two. A gain is the time of one thread over that of two; the share is our gain over that of C. Given are
the medians over the rounds, by wall time and by the processor time of the thread that had most to do, which a machine
that others use disturbs less.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.single_thread import rerun_single_threaded
from bioguard.match import FingerprintGallery
from bioguard.match.fingerprint import PreparedTemplate, native_backend, prepare_all
from bioguard.match.fingerprint.native_backend import PackedTemplates
from bioguard.simulate.people import FingerPopulation

FINGERS = 256
"""Different synthetic fingers; larger galleries repeat them in random order."""
SEED = 1
SOURCE = Path(__file__).with_suffix(".c")
KERNEL = Path(native_backend.__file__).parents[1] / "native/fingers"
Stopwatch = subprocess.Popen[str]
Took = tuple[float, float]
"""Seconds of one search: wall time, and processor time of the thread that had most."""


def build(directory: Path) -> Path:
    """Compile the reference with the flags of the product."""
    program = directory / "reference"
    flags = ["-O3", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-fno-trapping-math", "-fno-math-errno", f"-I{KERNEL}"]
    compiler = os.environ.get("CC", "cc")
    subprocess.run(
        [compiler, *flags, str(SOURCE), str(KERNEL / "compare.c"), "-o", str(program), "-lm", "-pthread"], check=True
    )
    return program


def dump(probe: PreparedTemplate, rows: list[PreparedTemplate], path: Path) -> None:
    """What the reference reads."""
    dimensions = probe.codes.shape[1]
    packed = PackedTemplates.of(rows, dimensions)
    sizes = np.array([dimensions, len(probe), len(packed), packed.data.size], np.int64)
    arrays = (sizes, probe.codes, probe.places, native_backend._CONSTANTS, native_backend._KEPT)
    with path.open("wb") as file:
        for array in (*arrays, packed.data, packed.starts, packed.counts):
            file.write(np.ascontiguousarray(array).tobytes())


def fingers(n: int) -> tuple[PreparedTemplate, list[PreparedTemplate]]:
    """A probe, and n rows of which one is its mate."""
    people = prepare_all(list(FingerPopulation(SEED).stream((person, 2, 0) for person in range(FINGERS))))
    order = np.random.default_rng(SEED).permutation(n) % FINGERS
    return prepare_all(list(FingerPopulation(SEED).stream([(0, 2, 1)])))[0], [people[i] for i in order]


def serve(n: int) -> None:
    """Time searches with as many threads as each line of input says, one or two."""
    probe, rows = fingers(n)
    galleries = {threads: FingerprintGallery(rows, threads=threads) for threads in (1, 2)}
    for line in sys.stdin:
        wall, whole, own = time.perf_counter(), time.process_time(), time.thread_time()
        galleries[int(line)].search(probe, 10)
        whole, own, wall = time.process_time() - whole, time.thread_time() - own, time.perf_counter() - wall
        print(wall, max(own, whole - own), flush=True)


def ask(of: Stopwatch, threads: int) -> Took:
    """Have one search timed."""
    assert of.stdin is not None
    assert of.stdout is not None
    of.stdin.write(f"{threads}\n")
    of.stdin.flush()
    wall, most = map(float, of.stdout.readline().split())
    return wall, most


def start(command: list[str]) -> Stopwatch:
    """A process that times what it is asked."""
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def measure(n: int, rounds: int, directory: Path) -> None:
    """A line for each side and clock."""
    data = directory / f"{n}.bin"
    dump(*fingers(n), data)
    own = [sys.executable, "-m", "bench.experiments.fingerprint_threads", "--serve", str(n)]
    sides = {"plain C": start([str(build(directory)), str(data)]), "ours": start(own)}
    seconds: dict[str, tuple[list[Took], list[Took]]] = {name: ([], []) for name in sides}
    for turn in range(-1, rounds):
        for name, side in sides.items():
            for kept, threads in zip(seconds[name], (1, 2), strict=True):
                took = ask(side, threads)
                if turn >= 0:
                    kept.append(took)
    for side in sides.values():
        assert side.stdin is not None
        side.stdin.close()
        side.wait()
    print(f"{n} rows, {rounds} rounds: median ms with 1 and 2 threads, gain, share of the gain of C")
    for clock, what in enumerate(("wall time", "processor time of the busiest thread")):
        gains: dict[str, float] = {}
        for name, (one, two) in seconds.items():
            gains[name] = statistics.median(a[clock] / b[clock] for a, b in zip(one, two, strict=True))
            times = [1e3 * statistics.median(took[clock] for took in kept) for kept in (one, two)]
            share = gains[name] / gains["plain C"]
            print(f"  {name:8s} {times[0]:8.2f} {times[1]:8.2f}   {gains[name]:.2f}   {share:.2f}   {what}", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.experiments.fingerprint_threads", description=(__doc__ or "").split("\n", maxsplit=1)[0]
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000, 12_800])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    rerun_single_threaded("bench.experiments.fingerprint_threads")
    with tempfile.TemporaryDirectory() as directory:
        for n in options.rows:
            measure(n, options.rounds, Path(directory))


if __name__ == "__main__":
    main()
