"""Timing contenders in turn, call by call, so that the machine's mood meets all of them."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Call = Callable[[int], object]
LEAST, MOST = 12, 400


def in_turn(
    contenders: Mapping[str, Call], comparisons: int, *, seconds: float, keep: dict[str, list[float]] | None = None
) -> dict[str, Any]:
    """Time all contenders in turn until `seconds` are spent on each.

    Args:
        contenders: name to a function of the call number; the first is ours.
        comparisons: made by one call.
        seconds: for each contender, on average; at least 12 calls and at most 400.
        keep: receives the latencies in milliseconds, for plots.

    Returns:
        For each contender comparisons per second (of the median call), p50, p95, p99 in milliseconds and the number of
        calls; for each but the first `ours_times_faster`, the median over rounds of its time over ours.
    """
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for call in contenders.values():  # warm up caches and lazy set-up
        call(0)
    stop = time.perf_counter() + seconds * len(contenders)
    for turn in range(1, MOST + 1):
        for name, call in contenders.items():
            start = time.perf_counter()
            call(turn)
            samples[name].append(time.perf_counter() - start)
        if turn >= LEAST and time.perf_counter() > stop:
            break
    ours = next(iter(contenders))
    found: dict[str, Any] = {}
    for name, values in samples.items():
        p50, p95, p99 = (float(1000 * q) for q in np.quantile(values, [0.5, 0.95, 0.99]))
        found[name] = {
            "per_second": comparisons / statistics.median(values), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99,
            "calls": len(values),
        }  # fmt: skip
        if name != ours:
            ratios = [theirs / own for theirs, own in zip(values, samples[ours], strict=True)]
            found[name]["ours_times_faster"] = statistics.median(ratios)
        if keep is not None:
            keep[name] = [1000 * v for v in values]
    return found
