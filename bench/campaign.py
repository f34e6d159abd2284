"""All pairs of a synthetic population, counted by Hamming distance: 10^9 comparisons in bounded memory.

Person i is enrolled with view 0 and seen again as view 1. Rows are enrolled codes, columns are probe codes; a block is
BLOCK x BLOCK people. Every ordered pair is compared: i = j is a genuine comparison, the rest are impostors. A block's
result is two histograms, so nothing grows with the number of pairs, and the sum does not depend on order, on who
computed a block, or on how often a run was interrupted.

    run(people=31_623, seed=1, state=Path("campaign.npz"))            # 10^9 pairs

With `scheduler` the same blocks run on Dask distributed. Workers need this checkout and the `cluster` extra; what they
receive is numbers of blocks and a seed, what they return are counts.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioguard.match import CodeGallery
from bioguard.match.protected import CODE_BITS, CodeContext, SignCoder
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation
from bioguard.simulate.people.counter_rng import words

BLOCK = 4096
Counts = NDArray[np.int64]
Advance = Callable[[int], None]
CACHED_BLOCKS = 256
"""Codes kept by a process: 256 blocks of 4096 codes of 128 bytes are 128 MiB."""


@lru_cache(maxsize=CACHED_BLOCKS)
def _codes(seed: int, people: int, size: int, block: int, view: int) -> NDArray[np.uint8]:
    population = FacePopulation(EDGEFACE_XS, seed)
    secret = words(seed, 0x501, 0, 0, 8)[0].astype("<u4").tobytes()
    context = CodeContext(secret=secret, dimension=population.dimension, model_id="bench", epoch=0)
    first = block * size
    return SignCoder(context).encode(population.embeddings(first, min(size, people - first), view))


def block_histograms(seed: int, people: int, size: int, row: int, column: int, threads: int = 1) -> Counts:
    """Counts by distance of one block, int64 [2, CODE_BITS + 1]: genuine, impostor."""
    rows, columns = _codes(seed, people, size, row, 0), _codes(seed, people, size, column, 1)
    counts = np.zeros((2, CODE_BITS + 1), np.int64)
    counts[1] = CodeGallery(rows).histogram(columns, threads=threads)
    if row == column:
        distances = np.bitwise_count(rows ^ columns).sum(axis=1, dtype=np.int64)
        counts[0] = np.bincount(distances, minlength=CODE_BITS + 1)
        counts[1] -= counts[0]
    return counts


def run(
    *, people: int, seed: int, state: Path | None = None, scheduler: str | None = None, threads: int = 1,
    block: int = BLOCK, advance: Advance = lambda _: None,
) -> Counts:  # fmt: skip
    """All blocks.

    Args:
        people: compared with each other, people^2 pairs.
        seed: of the population and of the codes' secret.
        state: progress is kept here (one file, replaced atomically) and taken up again.
        scheduler: address of a Dask scheduler; without it this process does the work.
        threads: of this process.
        block: people on a side of a block.
        advance: told the number of finished blocks.

    Returns:
        int64 [2, CODE_BITS + 1]: genuine, impostor.
    """
    run_id = [people, seed, block, CODE_BITS]
    done, total = _load(state, run_id, -(-people // block))
    advance(int(done.sum()))
    waiting = [(int(r), int(c)) for r, c in np.argwhere(~done)]
    with _executor(scheduler, threads) as execute:
        for (row, column), counts in execute(run_id[:3], waiting):
            total += counts
            done[row, column] = True
            advance(1)
            if state is not None:
                _save(state, run_id, done, total)
    return total


def figures(counts: Counts) -> dict[str, Any]:
    """Error rates by distance, from the histograms alone."""
    genuine, impostor = (np.cumsum(c) / c.sum() for c in counts)  # share at distance <= d
    rates: dict[str, Any] = {}
    for target in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7):
        if counts[1].sum() * target < 3:
            rates[f"{target:g}"] = "not measurable"
            continue
        allowed = np.flatnonzero(impostor <= target)
        limit = int(allowed[-1]) if allowed.size else -1
        rates[f"{target:g}"] = {
            "distance": limit, "fnmr": float(1 - genuine[limit]) if limit >= 0 else 1.0,
            "false_matches": int(counts[1][: limit + 1].sum()), "false_non_matches": int(counts[0][limit + 1 :].sum()),
        }  # fmt: skip
    return {
        "genuine": int(counts[0].sum()), "impostor": int(counts[1].sum()), "fnmr_at_fmr": rates,
        "mean_distance": {
            name: float((c * np.arange(c.size)).sum() / c.sum())
            for name, c in zip(("genuine", "impostor"), counts, strict=True)
        },
        "histogram_genuine": counts[0].tolist(), "histogram_impostor": counts[1].tolist(),
    }  # fmt: skip


Execute = Callable[[list[int], list[tuple[int, int]]], Iterator[tuple[tuple[int, int], Counts]]]


@contextmanager
def _executor(scheduler: str | None, threads: int) -> Iterator[Execute]:
    if scheduler is None:
        yield lambda job, blocks: ((b, _block(job, b, threads)) for b in blocks)
        return
    distributed = import_module("distributed")  # extra `cluster`
    with distributed.Client(scheduler, set_as_default=False) as client:

        def execute(job: list[int], blocks: list[tuple[int, int]]) -> Iterator[tuple[tuple[int, int], Counts]]:
            # a worker that dies costs its blocks: Dask gives them to another
            futures = {client.submit(_block, job, block, pure=False, retries=3): block for block in blocks}
            for future, counts in distributed.as_completed(futures, loop=client.loop, with_results=True):
                yield futures[future], counts

        yield execute


def _block(job: list[int], block: tuple[int, int], threads: int = 1) -> Counts:
    people, seed, size = job
    return block_histograms(seed, people, size, *block, threads=threads)


def _load(state: Path | None, run_id: list[int], side: int) -> tuple[NDArray[np.bool_], Counts]:
    fresh = np.zeros((side, side), bool), np.zeros((2, CODE_BITS + 1), np.int64)
    if state is None or not state.exists():
        return fresh
    with np.load(state, allow_pickle=False) as file:
        return (file["done"], file["total"]) if file["run"].tolist() == run_id else fresh


def _save(state: Path, run_id: list[int], done: NDArray[np.bool_], total: Counts) -> None:
    state.parent.mkdir(parents=True, exist_ok=True)
    temporary = state.with_suffix(".tmp")
    with temporary.open("wb") as file:
        np.savez(file, run=np.array(run_id, np.uint64), done=done, total=total)
    temporary.replace(state)
