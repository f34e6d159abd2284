"""What two threads gain in fingerprint search, next to what they gain in plain C, in one run.

    python -m bench.experiments.fingerprint_threads [--rows 2000 12800] [--rounds 30]

Synthetic fingers. The reference, `fingerprint_threads.c`, is the same comparison called from plain C with two POSIX
threads on half of the rows each; a C compiler builds it first. One round is: C with one thread, C with two, ours with
one, ours with two, and for `--against CHECKOUT` another checkout with one and two, all by wall time. Gains are ratios
within a round, so a machine that others use moves both sides; the share is ours over that of C. The medians over the
rounds are given, and the ratio of the shortest times of each, which waits for others disturb least.
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


def build(directory: Path) -> Path:
    """Compile the reference with the flags of the product."""
    program = directory / "reference"
    flags = ["-O3", "-std=gnu11", "-fno-trapping-math", "-fno-math-errno", f"-I{KERNEL}"]
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
    """Time searches with as many threads as each line of input says: this checkout's, or another's in its process."""
    probe, rows = fingers(n)
    galleries = {threads: FingerprintGallery(rows, threads=threads) for threads in (1, 2)}
    for line in sys.stdin:
        start = time.perf_counter()
        galleries[int(line)].search(probe, 10)
        print(time.perf_counter() - start, flush=True)


def ask(of: Stopwatch, threads: int) -> float:
    """Seconds of one search."""
    assert of.stdin is not None
    assert of.stdout is not None
    of.stdin.write(f"{threads}\n")
    of.stdin.flush()
    return float(of.stdout.readline())


def start(command: list[str], **more: str) -> Stopwatch:
    """A process that times what it is asked."""
    environment = {**os.environ, **more}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def measure(n: int, rounds: int, against: Path | None, directory: Path) -> None:
    """One line a side."""
    data = directory / f"{n}.bin"
    dump(*fingers(n), data)
    own = [sys.executable, str(Path(__file__)), "--serve", str(n)]
    sides = {"plain C": start([str(build(directory)), str(data)])}
    for name, root in (("ours", Path(__file__).parents[2]), *((("before", against),) if against else ())):
        sides[name] = start(own, PYTHONPATH=f"{root / 'src'}:{root}")
    seconds: dict[str, dict[int, list[float]]] = {name: {1: [], 2: []} for name in sides}
    for turn in range(-1, rounds):
        for name, side in sides.items():
            for threads in (1, 2):
                took = ask(side, threads)
                if turn >= 0:
                    seconds[name][threads].append(took)
    for side in sides.values():
        assert side.stdin is not None
        side.stdin.close()
        side.wait()
    gains = {
        name: (
            statistics.median(one / two for one, two in zip(found[1], found[2], strict=True)),
            min(found[1]) / min(found[2]),
        )
        for name, found in seconds.items()
    }
    print(f"{n} rows, {rounds} rounds: shortest ms with 1 and 2 threads; gain, median and of the shortest; share of C")
    for name, found in seconds.items():
        gain, best = gains[name]
        print(
            f"  {name:8s} {1e3 * min(found[1]):8.2f} {1e3 * min(found[2]):8.2f}   {gain:.2f}  {best:.2f}"
            f"   {gain / gains['plain C'][0]:.2f}  {best / gains['plain C'][1]:.2f}",
            flush=True,
        )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.experiments.fingerprint_threads", description=(__doc__ or "").split("\n", maxsplit=1)[0]
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000, 12_800])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--against", type=Path, help="another checkout, measured in turn")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    rerun_single_threaded("bench.experiments.fingerprint_threads")
    with tempfile.TemporaryDirectory() as directory:
        for n in options.rows:
            measure(n, options.rounds, options.against, Path(directory))


if __name__ == "__main__":
    main()
