"""FMR, FNMR, DET, EER and operating points of one set of scores (ISO/IEC 19795-1:2021; scores: higher is more alike).

Conventions, because others differ in them:
* a comparison matches if its score is at least the threshold: FMR(t) = share of impostor scores >= t, FNMR(t) =
  share of genuine scores < t;
* thresholds are the observed scores and plus infinity. The point at a target rate is the smallest threshold whose FMR
  is at most the target, so the target is never exceeded (pyeer takes the nearest FMR, and has no threshold above the
  best impostor);
* EER by the rule of FVC2000: at the first threshold where FMR <= FNMR, or the one before it if its sum of both is
  smaller, the middle of both rates. The two rates are given as an interval, and so is the crossing of the line between
  the two thresholds.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.metrics.counted import CountedScores

Floats = NDArray[np.float64]


def minimum_comparisons(fmr: float) -> int:
    """Impostor comparisons below which an FMR cannot be shown: the rule of 3, n = 3 / FMR."""
    return int(np.ceil(round(3 / fmr, 6)))


@dataclass(frozen=True, slots=True)
class Eer:
    """Equal error rate: the FVC2000 value, the two rates it lies between, the interpolated crossing, the threshold."""

    value: float
    low: float
    high: float
    interpolated: float
    threshold: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Counts at one threshold."""

    threshold: float
    false_matches: int
    impostors: int
    false_non_matches: int
    genuines: int

    @property
    def fmr(self) -> float:
        """False match rate."""
        return self.false_matches / self.impostors

    @property
    def fnmr(self) -> float:
        """False non-match rate."""
        return self.false_non_matches / self.genuines


class Scores:
    """Genuine and impostor scores, sorted once."""

    def __init__(self, genuine: ArrayLike, impostor: ArrayLike | CountedScores) -> None:
        """Copy and sort; what is counted already stays as it is.

        Raises:
            ValueError: a side is empty or holds NaN.
        """
        self.genuine = np.sort(np.asarray(genuine).ravel())
        counted = isinstance(impostor, CountedScores)
        held: Any = impostor if counted else np.sort(np.asarray(impostor).ravel())
        self.impostor = held
        if not self.genuine.size or not self.impostor.size:
            raise ValueError("rates need genuine and impostor scores")
        if np.isnan(self.genuine[-1]) or (not counted and np.isnan(self.impostor[-1])):
            raise ValueError("a score is NaN")

    def at(self, threshold: float) -> OperatingPoint:
        """Counts at a threshold."""
        return OperatingPoint(
            float(threshold),
            self.impostor.size - int(self.impostor.searchsorted(threshold, "left")),
            self.impostor.size,
            int(np.searchsorted(self.genuine, threshold, "left")),
            self.genuine.size,
        )

    def at_fmr(self, target: float) -> OperatingPoint:
        """The smallest threshold whose FMR is at most the target."""
        allowed = int(np.floor(target * self.impostor.size + 1e-9))
        if allowed >= self.impostor.size:
            return self.at(min(self.genuine[0], self.impostor[0]))
        return self.at(self._next_above(self.impostor[self.impostor.size - 1 - allowed]))

    def at_fnmr(self, target: float) -> OperatingPoint:
        """The largest threshold whose FNMR is at most the target."""
        allowed = int(np.floor(target * self.genuine.size + 1e-9))
        return self.at(np.inf if allowed >= self.genuine.size else self.genuine[allowed])

    def eer(self) -> Eer:
        """Equal error rate, see the module."""
        last_before, first_after = self._crossing()
        before, after = self.at(last_before), self.at(first_after)
        chosen = before if before.fmr + before.fnmr <= after.fmr + after.fnmr else after
        low, high = sorted((chosen.fmr, chosen.fnmr))
        gap_before, gap_after = before.fmr - before.fnmr, after.fmr - after.fnmr
        part = gap_before / (gap_before - gap_after) if gap_before > gap_after else 0.0
        crossing = before.fmr + part * (after.fmr - before.fmr)
        return Eer((low + high) / 2, low, high, crossing, chosen.threshold)

    def det(self, points: int = 400) -> tuple[Floats, Floats]:
        """FMR and FNMR along thresholds, thinned to about `points`, evenly over the logarithm of FMR."""
        n = self.impostor.size
        counts = np.unique(np.rint(np.geomspace(1, n, points)).astype(np.int64))
        thresholds = np.unique(
            np.concatenate([self.impostor[n - counts], self.genuine[:: max(1, self.genuine.size // points)]])
        )
        return self.rates(thresholds)

    def rates(self, thresholds: ArrayLike) -> tuple[Floats, Floats]:
        """FMR and FNMR at thresholds [k]."""
        matched = self.impostor.size - self.impostor.searchsorted(np.asarray(thresholds), "left")
        missed = np.searchsorted(self.genuine, thresholds, "left")
        # quotients of counts: equal rates are equal floats, which 1 - x would not be
        return matched / self.impostor.size, missed / self.genuine.size

    def auc(self) -> float:
        """Probability that a genuine score exceeds an impostor score, ties one half (Mann-Whitney)."""
        below = self.impostor.searchsorted(self.genuine, "left").astype(np.float64)
        not_above = self.impostor.searchsorted(self.genuine, "right").astype(np.float64)
        return float((below + not_above).mean() / 2 / self.impostor.size)

    def d_prime(self) -> float:
        """Difference of the means over the root mean of the variances; not finite if no score varies, or one is not."""
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = (self.genuine.var(dtype=np.float64) + self.impostor.var(dtype=np.float64)) / 2
            means = self.genuine.mean(dtype=np.float64) - self.impostor.mean(dtype=np.float64)
            return float(np.abs(means) / np.sqrt(spread))

    def _next_above(self, score: float) -> float:
        places = ((a, a.searchsorted(score, "right")) for a in (self.genuine, self.impostor))
        return min((float(a[i]) for a, i in places if i < a.size), default=float("inf"))

    def _crossing(self) -> tuple[float, float]:
        """Neighboring thresholds: FMR > FNMR at the first, FMR <= FNMR at the second."""
        steps = np.unique(self.genuine)
        fmr, fnmr = self.rates(steps)
        crossed = np.append(fmr <= fnmr, True)
        first = int(np.argmax(crossed))
        low = steps[first - 1] if first else -np.inf
        high = steps[first] if first < steps.size else np.inf
        if isinstance(self.impostor, CountedScores):
            between = self._around(self.impostor, float(low), float(high))
        else:
            start, end = self.impostor.searchsorted(low, "left"), self.impostor.searchsorted(high, "right")
            between = self.impostor[start:end]
        candidates = np.unique(np.concatenate([between, [low, high]]))
        fmr, fnmr = self.rates(candidates)
        second = int(np.argmax(fmr <= fnmr))
        return float(candidates[max(second - 1, 0)]), float(candidates[second])

    def _around(self, impostor: CountedScores, low: float, high: float) -> Floats:
        """The last threshold with FMR > FNMR and the next impostor score, if that is not above `high`.

        Args:
            low, high: genuine scores next to each other, or infinity: the FNMR of all thresholds above `low` is one.
        """
        missed = int(np.searchsorted(self.genuine, high, "left")) / self.genuine.size
        allowed = int(missed * impostor.size)
        while allowed / impostor.size > missed:
            allowed -= 1
        while allowed < impostor.size and (allowed + 1) / impostor.size <= missed:
            allowed += 1
        rank = impostor.size - 1 - allowed
        last = max(low, float(impostor[rank])) if rank >= 0 else low
        place = int(impostor.searchsorted(last, "right"))
        after = [float(impostor[place])] if place < impostor.size else []
        return np.array([v for v in (last, *after) if v <= high])


def headline(genuine: ArrayLike, impostor: ArrayLike) -> list[float]:
    """EER, and FNMR at an FMR of 1e-2 and of 1e-3: a line of a table."""
    scores = Scores(genuine, impostor)
    return [scores.eer().value, scores.at_fmr(1e-2).fnmr, scores.at_fmr(1e-3).fnmr]
