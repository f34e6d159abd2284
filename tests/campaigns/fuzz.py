"""`python -m tests.campaigns.fuzz [--seconds N] [--seed S] [--only TARGET ...]`: decoders of bytes from elsewhere.

Invariant: a value or an error of ours, in bounded time and memory; what opens is what was stored; no request ends a
trusted application. Seeds are real messages, frames, pages, files and requests; a mutation flips, cuts, repeats,
splices, or sets a length. Each target draws from its own seeded sequence, so that an attempt can be found again. Prints
one line per target; a violation prints where it is and exits with 3.
"""

import argparse
import random
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tee_sim.shared.errors import TeeError
from tests.campaigns import fuzz_hosts, fuzz_storage, fuzz_worlds

MAX_SECONDS = 5.0
"""Of processor time for one attempt. Making a new device for the requests takes one or two."""
MAX_PEAK_BYTES = 64 << 20
Target = Callable[[], None]
MAKERS: dict[str, Callable[[Path, random.Random], Target]] = {
    **fuzz_storage.MAKERS,
    **fuzz_worlds.MAKERS,
    **fuzz_hosts.MAKERS,
}
"""Name of each target -> makes one attempt function, from a directory to work in and randomness."""


def attempt(target: Target) -> bool:
    """One attempt. Return whether it was accepted. Raises whatever is neither a value nor our error."""
    try:
        target()
    except TeeError:
        return False
    return True


@contextmanager
def _traced_memory() -> Iterator[Callable[[], int]]:
    """Gives what tells the peak of traced memory, in bytes."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def run(name: str, seconds: float, seed: int) -> str:
    """Play one target; return its line.

    Raises:
        AssertionError: a violation; the text says which attempt.
    """
    count, accepted, slowest = 0, 0, 0.0
    with tempfile.TemporaryDirectory() as directory, _traced_memory() as peak_bytes:
        target = MAKERS[name](Path(directory), random.Random(f"{seed} {name}"))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            begin = time.process_time()
            try:
                accepted += attempt(target)
            except Exception as error:
                raise AssertionError(f"seed {seed}, attempt {count}: {type(error).__name__}: {error}") from error
            slowest = max(slowest, time.process_time() - begin)
            count += 1
        peak = peak_bytes()
    if slowest > MAX_SECONDS or peak > MAX_PEAK_BYTES:
        raise AssertionError(f"out of bounds: {slowest:.1f} s, {peak / 1e6:.0f} MB")
    return (
        f"{name:20}{count:9} inputs{accepted:9} accepted, slowest {slowest * 1000:7.1f} ms, peak {peak / 1e6:5.1f} MB"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=MAKERS, nargs="+", default=list(MAKERS))
    options = parser.parse_args(arguments)
    for name in options.only:
        try:
            line = run(name, options.seconds, options.seed)
        except AssertionError as error:
            sys.stderr.write(f"{name}: {error}\n")
            return 3
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
