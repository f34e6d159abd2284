"""Impostor scores of sets too large to hold and sort them: counted, the highest kept, the rest asked for when needed.

Scores are float32, of which the bits can be ordered as integers of 32 bits. A first pass over all comparisons counts
them by the upper 16; a second keeps the highest. Every number that is asked for is exact: a rank or a threshold below
those that are kept costs a pass that looks into the bins it falls into.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Blocks = Callable[[], Iterator[tuple[Floats, Ints, Ints]]]
"""Scores of comparisons and their two people, some comparisons at a time; each call is a pass over all."""
BINS = LOWER = 1 << 16
KEPT = 1 << 24
"""Highest scores kept, with their people: 12 bytes each, 192 MiB."""
BINS_A_PASS = 128
"""Bins that are looked into at once: 64 MiB of counts."""


class CountedScores:
    """Impostor scores in ascending order, to be indexed and searched like a sorted array.

    Attributes:
        size: how many they are.
        genuine: the other scores, float32 in the order of the comparisons, and `genuine_people`, int64.
        cut: every impostor score from here on is in `high`.
        high: the highest scores, float32, ascending.
        high_people: the two people of each of them, int32.
    """

    def __init__(self, blocks: Blocks, *, kept: int = KEPT) -> None:
        """Two passes.

        Args:
            blocks: all comparisons, genuine ones too.
            kept: how many of the highest scores are held at most; fewer where many are equal in 16 bits.
        """
        self._blocks = blocks
        self._inside: dict[int, Ints] = {}
        self._count()
        self._below = np.append(0, np.cumsum(self._bins))  # how many lie in lower bins
        first = int(np.searchsorted(self._below, self.size - kept, "left"))
        self.cut = float(_score_of(np.array([min(first, BINS - 1) << 16], np.uint32))[0]) if first else -np.inf
        self._asked = np.unique(self.genuine[self.genuine < self.cut])
        self._answers = np.zeros((2, self._asked.size), np.int64)
        self._keep_high()

    def _count(self) -> None:
        self._bins = np.zeros(BINS, np.int64)
        genuine, people = [np.empty(0, np.float32)], [np.empty(0, np.int64)]
        total = squares = 0.0
        for scores, a, b in self._blocks():
            same = a == b
            genuine.append(scores[same])
            people.append(a[same])
            other = scores[~same]
            self._bins += np.bincount(_keys(other) >> 16, minlength=BINS)
            wide = other.astype(np.float64)
            total, squares = total + float(wide.sum()), squares + float((wide**2).sum())
        self.genuine, self.genuine_people = np.concatenate(genuine), np.concatenate(people)
        self.size = int(self._bins.sum())
        self._mean, self._square = total / max(self.size, 1), squares / max(self.size, 1)

    def _keep_high(self) -> None:
        """The highest scores; and the places of all genuine scores among the others, which every figure asks for."""
        high, a_of, b_of = [np.empty(0, np.float32)], [np.empty(0, np.int32)], [np.empty(0, np.int32)]
        for scores, a, b in self._blocks():
            other = a != b
            above = other & (scores >= self.cut)
            high.append(scores[above])
            a_of.append(a[above].astype(np.int32))
            b_of.append(b[above].astype(np.int32))
            if self._asked.size:
                rest = np.sort(scores[other & ~above])
                self._answers[0] += np.searchsorted(rest, self._asked, "left")
                self._answers[1] += np.searchsorted(rest, self._asked, "right")
        joined = np.concatenate(high)
        order = np.argsort(joined, kind="stable")
        self.high: Floats = joined[order]
        self.high_people = np.concatenate(a_of)[order], np.concatenate(b_of)[order]

    def __getitem__(self, ranks: Any) -> Any:
        """Scores at ranks, 0 is the lowest."""
        wanted = np.asarray(ranks, np.int64)
        flat = wanted.ravel()
        found = np.empty(flat.size, np.float32)
        rest = self.size - self.high.size
        found[flat >= rest] = self.high[flat[flat >= rest] - rest]
        low = np.flatnonzero(flat < rest)
        bins = np.searchsorted(self._below, flat[low], "right") - 1
        for part in self._looked_into(bins):
            here = np.isin(bins, part)
            for place, number in zip(low[here].tolist(), bins[here].tolist(), strict=True):
                lower = int(np.searchsorted(self._inside[number], flat[place] - self._below[number], "right")) - 1
                found[place] = _score_of(np.array([(number << 16) + lower], np.uint32))[0]
        return found.reshape(wanted.shape) if wanted.ndim else found[0]

    def searchsorted(self, values: ArrayLike, side: str = "left") -> Any:
        """How many scores are below each value, or not above it with side "right"; as of a sorted array."""
        wanted = np.asarray(values, np.float64)
        flat = wanted.ravel()
        found = np.empty(flat.size, np.int64)
        above = flat >= self.cut
        found[above] = np.searchsorted(self.high, flat[above], side)  # type: ignore[call-overload]
        found[above] += self.size - self.high.size
        place = np.minimum(np.searchsorted(self._asked, flat), max(self._asked.size - 1, 0))
        asked = ~above & (self._asked[place] == flat) if self._asked.size else np.zeros(flat.size, np.bool_)
        found[asked] = self._answers[int(side == "right")][place[asked]]
        all_of = ~above & (flat == np.inf) & (side == "right")
        found[all_of] = self.size
        low = np.flatnonzero(~above & ~asked & ~all_of)
        # the lowest float32 that is not below the value, or that is above it: the scores below that one are counted
        edges = flat[low].astype(np.float32)
        short = (edges < flat[low]) | ((side == "right") & (edges == flat[low]))
        keys = _keys(np.where(short, np.nextafter(edges, np.float32(np.inf)), edges))
        bins = (keys >> 16).astype(np.int64)
        for part in self._looked_into(bins):
            here = np.isin(bins, part)
            for at, number, key in zip(low[here].tolist(), bins[here].tolist(), keys[here].tolist(), strict=True):
                found[at] = self._below[number] + self._inside[number][key & 0xFFFF]
        return found.reshape(wanted.shape) if wanted.ndim else found[0]

    def at_least(self, threshold: float) -> int:
        """How many match at a threshold."""
        return self.size - int(self.searchsorted(threshold))

    def mean(self, dtype: object = None) -> np.float64:
        return np.float64(self._mean)

    def var(self, dtype: object = None) -> np.float64:
        return np.float64(self._square - self._mean**2)

    def quantiles(self, levels: Sequence[float]) -> list[float]:
        """As `numpy.quantile`, between two scores in proportion; the lower one if a score is not finite."""
        places = np.asarray(levels) * (self.size - 1)
        low = np.floor(places).astype(np.int64)
        scores = self[np.stack([low, np.minimum(low + 1, self.size - 1)])].astype(np.float64)
        part = places - low
        with np.errstate(invalid="ignore"):
            between = scores[0] + (scores[1] - scores[0]) * part
        return [float(b) if np.isfinite(b) else float(a) for a, b in zip(scores[0], between, strict=True)]

    def thinned(self, count: int) -> Floats:
        """About so many scores, evenly over the ranks, for pictures: to 8 bits of their digits."""
        ranks = np.linspace(0, self.size - 1, count).astype(np.int64)
        bins = np.searchsorted(self._below, ranks, "right") - 1
        return _score_of(((bins << 16) + (1 << 15)).astype(np.uint32))

    def _looked_into(self, bins: Ints) -> Iterator[Ints]:
        """The bins, some at a time; `_inside` has how many of their scores lie below each, int64 [LOWER + 1].

        Those that are not there yet cost a pass.
        """
        wanted = np.unique(bins)
        for start in range(0, wanted.size, BINS_A_PASS):
            part = wanted[start : start + BINS_A_PASS]
            missing = np.array([b for b in part.tolist() if b not in self._inside], np.int64)
            if missing.size:
                if len(self._inside) + missing.size > BINS_A_PASS:
                    self._inside = {b: c for b, c in self._inside.items() if b in part}
                self._inside.update(zip(missing.tolist(), self._pass(missing), strict=True))
            yield part

    def _pass(self, bins: Ints) -> NDArray[np.int64]:
        place = np.full(BINS, -1, np.int64)
        place[bins] = np.arange(bins.size)
        counts = np.zeros(bins.size * LOWER, np.int64)
        if self._bins[bins].any():
            for scores, a, b in self._blocks():
                keys = _keys(scores[a != b])
                of = place[keys >> 16]
                codes, many = np.unique(of[of >= 0] * LOWER + (keys[of >= 0] & 0xFFFF), return_counts=True)
                counts[codes] += many
        sums = np.zeros((bins.size, LOWER + 1), np.int64)
        np.cumsum(counts.reshape(bins.size, LOWER), axis=1, out=sums[:, 1:])
        return sums


def matches(impostor: Floats | CountedScores, threshold: float) -> int:
    """How many impostor scores are at or above a threshold."""
    return impostor.at_least(threshold) if isinstance(impostor, CountedScores) else int((impostor >= threshold).sum())


def _keys(scores: Floats) -> NDArray[np.uint32]:
    """The bits of float32, ordered as the numbers are; both zeros are one."""
    bits = np.ascontiguousarray(scores + np.float32(0)).view(np.uint32)
    return bits ^ np.where(bits >> 31, np.uint32(0xFFFFFFFF), np.uint32(0x80000000))


def _score_of(keys: NDArray[np.uint32]) -> Floats:
    bits = keys ^ np.where(keys >> 31, np.uint32(0x80000000), np.uint32(0xFFFFFFFF))
    return bits.view(np.float32)
