"""Capacity of a channel out of what was sent and what was read."""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What got across a way out.

    Attributes:
        symbols: how many numbers were agreed on.
        bits: a request, of the channel that makes its errors evenly.
        bits_per_s: the same by the time it took, as the sender waits for an answer.
        error_rate: share of numbers read wrong.
        counted: the most that the core counted for one of these requests.
        sent: requests.
    """

    symbols: int
    bits: float
    bits_per_s: float
    error_rate: float
    counted: int
    sent: int


def carried_bits(symbols: int, error_rate: float) -> float:
    """Of a symmetric channel: log2 M - H(p) - p log2(M - 1); none below guessing."""
    if symbols < 2 or error_rate >= 1 - 1 / symbols:
        return 0.0
    lost = sum(-p * math.log2(p) for p in (error_rate, 1 - error_rate) if p)
    return max(0.0, math.log2(symbols) - lost - error_rate * math.log2(max(symbols - 1, 1)))


def nearest(codebook: Sequence[tuple[float, int]], value: float) -> int:
    """The number whose value in training was nearest."""
    return min(codebook, key=lambda known: abs(known[0] - value))[1]


def exactly(codebook: Sequence[tuple[Hashable, int]]) -> Callable[[Hashable], int]:
    """The number that showed the same in training; -1 for what never did."""
    known = dict(codebook)
    return lambda seen: known.get(seen, -1)
