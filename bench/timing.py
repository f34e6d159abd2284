"""Timing contenders in turn, call by call, so that the machine's mood meets all of them."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Call = Callable[[int], object]
LEAST, MOST = 12, 400
DRAWS = 1000


def percentiles_ms(seconds: Sequence[float], *percentiles: int) -> dict[str, float]:
    """Percentiles of latencies, by name: p50_ms, p95_ms, ..."""
    return {f"p{p}_ms": float(1000 * np.quantile(seconds, p / 100)) for p in percentiles}


def in_turn(
    contenders: Mapping[str, Call],
    comparisons: int,
    *,
    seconds: float,
    least: int = LEAST,
    keep: dict[str, list[float]] | None = None,
    clock: Callable[[], float] | None = None,
) -> dict[str, Any]:
    """Time all contenders in turn until `seconds` are spent on each.

    Args:
        contenders: name to a function of the call number; the first is ours.
        comparisons: made by one call.
        seconds: for each contender, on average; at least `least` calls and at most 400.
        keep: receives the latencies in milliseconds, for plots.
        clock: wall time unless given.

    Returns:
        For each contender comparisons per second (of the median call), p50, p95, p99 in milliseconds and the number of
        calls; for each but the first `ours_times_faster`, the median over rounds of its time over the first one's, and
        `ours_times_faster_95`, its interval when rounds are drawn again.
    """
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    now = clock or time.perf_counter
    for call in contenders.values():  # warm up caches and lazy set-up
        call(0)
    stop = now() + seconds * len(contenders)
    for turn in range(1, MOST + 1):
        for name, call in contenders.items():
            start = now()
            call(turn)
            samples[name].append(now() - start)
        if turn >= least and now() > stop:
            break
    ours = next(iter(contenders))
    found: dict[str, Any] = {}
    for name, values in samples.items():
        found[name] = {
            "per_second": comparisons / statistics.median(values), **percentiles_ms(values, 50, 95, 99),
            "calls": len(values),
        }  # fmt: skip
        if name != ours:
            ratios = [theirs / own for theirs, own in zip(values, samples[ours], strict=True)]
            found[name]["ours_times_faster"] = statistics.median(ratios)
            found[name]["ours_times_faster_95"] = _interval_of_median(ratios)
        if keep is not None:
            keep[name] = [1000 * v for v in values]
    return found


def _interval_of_median(values: Sequence[float]) -> list[float]:
    """95 % interval of a median by drawing the values again; the same values give the same one."""
    drawn = np.random.default_rng(1).choice(np.asarray(values), (DRAWS, len(values)))
    return [float(end) for end in np.quantile(np.median(drawn, axis=1), (0.025, 0.975))]
