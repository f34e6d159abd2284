"""Two-stage identification of one probe in two checkouts, search by search in turn.

    python -m bench.experiments.identify_against --against CHECKOUT [--people 10000 100000 1000000] [--rounds 100]

Codes of synthetic people, views in memory, the threshold of FPIR 1 %; one search is to make the probe's code, to search
for candidates, to take their views and to decide. Each checkout runs in a process of its own and says how much
processor time one search took. Given are the shortest and the median time of each, and the ratio of both.
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
from numpy.typing import NDArray

from bench.single_thread import rerun_single_threaded
from bioguard.match import CodeGallery
from bioguard.match.protected import CodeContext, SignCoder
from bioguard.match.thresholds import builtin_profile, threshold_for_fpir
from bioguard.match.twostage import identify
from bioguard.records.modality import Modality
from bioguard.records.scores import Score
from bioguard.simulate.people.faces import EDGEFACE_XS, FacePopulation

CHUNK = 20_000
PROBES = 200
"""Half of them are enrolled."""
VIEWS = 4096
"""Views that are held; row i of the gallery has view i modulo so many, but for the probes' own."""
CODER = SignCoder(CodeContext(secret=bytes(32), dimension=512, model_id="edgeface_xs", epoch=0))


def make(n: int, directory: Path) -> None:
    """Write codes uint8 [n, 128], views float32 [VIEWS, 512] and probes float32 [PROBES, 512]."""
    people = FacePopulation(EDGEFACE_XS, 1)
    codes = np.empty((n, 128), np.uint8)
    for start in range(0, n, CHUNK):
        codes[start : start + CHUNK] = CODER.encode(people.embeddings(start, min(CHUNK, n - start), 0))
    np.save(directory / "codes.npy", codes)
    np.save(directory / "views.npy", people.embeddings(0, VIEWS, 0))
    half = PROBES // 2
    np.save(directory / "probes.npy", np.concatenate([people.embeddings(0, half, 1), people.embeddings(n, half, 1)]))


def serve(directory: Path) -> None:
    """Answer each number of a probe with the seconds of its search, and the row that was found or -1."""
    codes, views, probes = (np.load(directory / f"{name}.npy") for name in ("codes", "views", "probes"))
    gallery = CodeGallery(codes)
    threshold = threshold_for_fpir(0.01, len(codes), profile=builtin_profile(Modality.FACE, 512), score=Score.COSINE)

    def open_views(rows: NDArray[np.int64]) -> NDArray[np.float32]:
        taken: NDArray[np.float32] = views[rows % VIEWS]
        return taken

    for line in sys.stdin:
        probe = probes[int(line)]
        start = time.thread_time()
        found = identify(probe, CODER.encode(probe), gallery, open_views, threshold)
        took = time.thread_time() - start
        print(took, -1 if found is None else found.index, flush=True)


def start(root: Path, directory: Path) -> subprocess.Popen[str]:
    """The searches of a checkout."""
    command = [sys.executable, str(Path(__file__)), "--serve", str(directory)]
    environment = {**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def ask(of: subprocess.Popen[str], probe: int) -> tuple[float, int]:
    """Seconds and the row that was found."""
    assert of.stdin is not None
    assert of.stdout is not None
    of.stdin.write(f"{probe}\n")
    of.stdin.flush()
    took, row = of.stdout.readline().split()
    return float(took), int(row)


def compare(n: int, against: Path, rounds: int) -> None:
    """One line for a size."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        make(n, directory)
        sides = [start(root, directory) for root in (Path(__file__).parents[2], against)]
        times: list[list[float]] = [[], []]
        differ = 0
        for turn in range(-5, rounds):
            answers = [ask(side, turn % PROBES) for side in sides]
            differ += answers[0][1] != answers[1][1]
            if turn >= 0:
                for kept, (took, _) in zip(times, answers, strict=True):
                    kept.append(1e3 * took)
        for side in sides:
            assert side.stdin is not None
            side.stdin.close()
            side.wait()
    ours, before = times
    ratio = statistics.median(b / o for o, b in zip(ours, before, strict=True))
    print(
        f"{n} people: ms now {min(ours):.3f} (median {statistics.median(ours):.3f}), there {min(before):.3f} "
        f"({statistics.median(before):.3f}); ratio {ratio:.2f}, of the shortest {min(before) / min(ours):.2f}; "
        f"{differ} answers differ",
        flush=True,
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.experiments.identify_against", description=(__doc__ or "").split("\n", maxsplit=1)[0]
    )
    parser.add_argument("--against", type=Path, help="the other checkout, installed in place")
    parser.add_argument("--people", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    if options.against is None:
        parser.error("--against is needed")
    rerun_single_threaded("bench.experiments.identify_against")
    for n in options.people:
        compare(n, options.against.resolve(), options.rounds)


if __name__ == "__main__":
    main()
