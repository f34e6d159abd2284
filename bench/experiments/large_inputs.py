"""What `accuracy` takes of large inputs: 50 000 synthetic faces, and a list of a million comparisons.

    python -m bench.experiments.large_inputs --samples 50000 --rows 1000000

For each: seconds, seconds of processor time, and the most memory that the process held (ru_maxrss), beside what two
matrices of all scores, float32 [samples, samples], would take alone.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from bioguard.simulate.people import EDGEFACE_XS, FacePopulation

VIEWS = 5
TOUCHES = 10


def _faces(path: Path, samples: int) -> None:
    people = samples // VIEWS
    population = FacePopulation(EDGEFACE_XS, 1)
    rows = np.concatenate([population.embeddings(0, people, view).astype(np.float32) for view in range(VIEWS)])
    np.savez(path, embeddings=rows, labels=np.tile(np.arange(people), VIEWS))


def _list(path: Path, rows: int) -> None:
    """Random comparisons of 4 000 fingers, a tenth of them genuine."""
    rng = np.random.default_rng(1)
    with path.open("w", encoding="utf-8") as file:
        file.write("probe,reference,score\n")
        for n in range(rows):
            probe, other = rng.integers(0, 4000, 2).tolist()
            reference = probe if n % 10 == 0 else other
            # every pair of touches is another one, so that no comparison stands there twice
            score = rng.normal(4 if probe == reference else 0)
            file.write(f"{probe}_{2 * n},{reference}_{2 * n + 1},{score:.4f}\n")


def _measured(*line: str) -> tuple[float, float, float]:
    """Seconds, seconds of processor time and MiB of one run."""
    started = time.monotonic()
    with subprocess.Popen([sys.executable, "-m", "bench", "accuracy", *line], stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise click.ClickException(f"accuracy ended with {process.returncode}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


@click.command()
@click.option("--samples", type=click.IntRange(0), default=50_000, show_default=True, help="Faces; 0 leaves them out.")
@click.option("--rows", type=click.IntRange(0), default=1_000_000, show_default=True, help="Of the list; 0 likewise.")
@click.option("--replicates", type=click.IntRange(20), default=200, show_default=True)
def main(samples: int, rows: int, replicates: int) -> None:
    """Make the inputs, run `accuracy` on each, print a line for each."""
    with tempfile.TemporaryDirectory(prefix="bioguard-large-") as folder:
        for what, size, make, option in (("faces", samples, _faces, "--faces"), ("rows", rows, _list, "--scores")):
            if not size:
                continue
            path = Path(folder) / ("faces.npz" if what == "faces" else "list.csv")
            make(path, size)
            out = Path(folder) / what
            seconds, processor, mib = _measured(option, str(path), "--out", str(out), "--replicates", str(replicates))
            beside = f", two matrices alone {2 * 4 * size**2 / 2**20:.0f} MiB" if what == "faces" else ""
            click.echo(f"{size} {what}: {seconds:.0f} s, {processor:.0f} s of processor time, {mib:.0f} MiB{beside}")


if __name__ == "__main__":
    main()
