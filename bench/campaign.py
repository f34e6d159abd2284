"""All pairs of a synthetic population, counted by Hamming distance: 10^9 comparisons in bounded memory.

Person i is enrolled with view 0 and seen again as view 1. Rows are enrolled codes, columns are probe codes; a block is
BLOCK x BLOCK people. Every ordered pair is compared: i = j is a genuine comparison, the rest are impostors. A block's
result is two histograms, so nothing grows with the number of pairs, and the sum does not depend on order, on who
computed a block, or on how often a run was interrupted.

    run(people=31_623, seed=1, state=Path("campaign.npz"))            # 10^9 pairs

With `scheduler` the same blocks run on Dask distributed (cluster.py). Workers and scheduler need the wheel of this
bioguard and the `cluster` extra, no checkout.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.blocks import Codes, Counts, code_digest, codes_of, histograms
from bench.cluster import Block, Job, connected, execute
from bench.environment import source_digest
from bioguard.errors import BioguardError
from bioguard.formats.npz import ARCHIVE_FAULTS
from bioguard.match.protected import CODE_BITS

BLOCK = 4096
Advance = Callable[[int], None]
Say = Callable[[str], None]
CACHED_BLOCKS = 256
"""Codes kept by a process: 256 blocks of 4096 codes of 128 bytes are 128 MiB."""


@lru_cache(maxsize=CACHED_BLOCKS)
def _codes(seed: int, people: int, size: int, block: int, view: int) -> Codes:
    return codes_of(seed, people, size, block, view)


def block_histograms(job: Job, block: Block, threads: int = 1) -> Counts:
    """Counts by distance of one block, int64 [2, CODE_BITS + 1]: genuine, impostor."""
    people, seed, size = job
    rows, columns = (_codes(seed, people, size, b, view) for view, b in enumerate(block))
    return histograms(rows, columns, block[0] == block[1], threads)


def run(
    *, people: int, seed: int, state: Path | None = None, scheduler: str | None = None, threads: int = 1,
    block: int = BLOCK, advance: Advance = lambda _: None, say: Say = lambda _: None,
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
        say: told why counts that are kept are not taken up.

    Returns:
        int64 [2, CODE_BITS + 1]: genuine, impostor.

    Raises:
        InputRefused: see cluster.py; what is counted stays in `state`, and the message says how much it is.
    """
    job = people, seed, block
    run_id = [*map(str, (*job, CODE_BITS)), f"{source_digest()} {code_digest()}"]
    done, total = _load(state, run_id, -(-people // block), say)
    advance(int(done.sum()))
    waiting = [(int(r), int(c)) for r, c in np.argwhere(~done)]
    try:
        with _counted(job, waiting, scheduler, threads) as blocks:
            for (row, column), counts in blocks:
                total += counts
                done[row, column] = True
                if state is not None:
                    _save(state, run_id, done, total)
                advance(1)
    except BioguardError as error:
        kept = f"{int(done.sum()) if state is not None else 0} of {done.size} blocks kept"
        raise type(error)(f"{error.message}; {kept}", hint=error.hint, code=error.code) from error
    return total


@contextmanager
def _counted(
    job: Job, blocks: list[Block], scheduler: str | None, threads: int
) -> Iterator[Iterator[tuple[Block, Counts]]]:
    if scheduler is None:
        yield ((block, block_histograms(job, block, threads)) for block in blocks)
        return
    with connected(scheduler) as client:
        yield execute(client, job, blocks)


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


def _load(state: Path | None, run_id: list[str], side: int, say: Say) -> tuple[NDArray[np.bool_], Counts]:
    """What is counted already; nothing if it was counted by another run or by other code, which is said."""
    fresh = np.zeros((side, side), bool), np.zeros((2, CODE_BITS + 1), np.int64)
    if state is None or not state.exists():
        return fresh
    try:
        with state.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            run, done, total = (file[name] for name in ("run", "done", "total"))
    except (*ARCHIVE_FAULTS, KeyError, TypeError):
        say(f"{state.name} is damaged: its counts are not used, the run begins anew")
        return fresh
    if run.tolist()[:-1] != run_id[:-1]:
        say(f"{state.name} is of another run: its counts are not used, the run begins anew")
    elif run.tolist() != run_id:
        say(f"{state.name} was counted by other code: its {int(done.sum())} blocks are not used, the run begins anew")
    elif done.shape != fresh[0].shape or total.shape != fresh[1].shape or int(total.sum()) != _pairs(done, run_id):
        say(f"{state.name} is damaged: its counts are not used, the run begins anew")
    else:
        return done, total
    return fresh


def _pairs(done: NDArray[np.bool_], run_id: list[str]) -> int:
    """Comparisons in the blocks that are done."""
    people, size = int(run_id[0]), int(run_id[2])
    sides = np.minimum(size, people - size * np.arange(len(done)))
    return int((done * np.outer(sides, sides)).sum())


def _save(state: Path, run_id: list[str], done: NDArray[np.bool_], total: Counts) -> None:
    state.parent.mkdir(parents=True, exist_ok=True)
    temporary = state.with_suffix(".tmp")
    with temporary.open("wb") as file:
        np.savez(file, run=np.array(run_id), done=done, total=total)
    temporary.replace(state)
