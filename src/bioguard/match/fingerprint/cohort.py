"""Hold a comparison against other people's fingers on the same device: what a strange sensor makes alike counts less.

    cohort_of(views)                            # which fingers are the cohort
    cohort_statistic(scores)                    # [n, fingers, views] of probes or references against the cohort -> [n]
    penalty(c_probe, c_reference, scale)        # what two statistics take off a score, from 0 to `scale.most`
    normalized(scores, c_probe, c_reference, scale)

Prints of one sensor or extractor may be alike among each other and to nobody else's, which no other data show
(docs/fingerprint-matching.md, "The device cohort"). A penalty is never negative and never more than `most`, so whoever
enrolls fingers of any kind neither lets a score count for more than it is, nor shuts anybody out.

A statistic is the second highest of what the fingers of the cohort score at best: no single finger in it, a copy, a
twin's or a forged one, moves it beyond what the others say.

Data of every constant here: scores of the development databases with the projection and the regression of the other
three, 20 draws of cohorts; `python -m bench calibrate` fits the tables of thresholds to the same functions.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.records.scores import Score
from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CohortSize:
    """A cohort that there are tables of thresholds for: so many fingers of as many people, so many views of each."""

    fingers: int
    views: int

    @property
    def templates(self) -> int:
        """What its table is named by."""
        return self.fingers * self.views


SIZES: Final = (CohortSize(5, 3), CohortSize(3, 3), CohortSize(5, 1))
"""Worst of 16 development cells (database, extractor, within or across) at FMR 1e-2, without a cohort x3.2: x2.0, x2.4,
x2.3. Three fingers with a view each change nothing (x2.8). More than five gain nothing."""
LEAST_FINGERS: Final = min(size.fingers for size in SIZES)
MOST_FINGERS: Final = max(size.fingers for size in SIZES)
MOST_VIEWS: Final = max(size.views for size in SIZES)


@dataclass(frozen=True, slots=True)
class CohortScale:
    """What a statistic takes off a score of one kind.

    Attributes:
        floor: a statistic below it counts as this much. About the mean of the development sets: who is less like the
            others than usual gains nothing by it.
        share: of the excess of each of both statistics. A quarter, without a floor, measures the same and loses 0.3
            points of FNMR at 1e-3; 0.75 loses as much.
        most: a penalty is at most this: above 99 % of those of the development sets, and what is lost where a cohort
            is forged so that it is always reached.
    """

    floor: float
    share: float
    most: float


SCALES: Final = {Score.LIKELIHOOD_RATIO: CohortScale(-1.4, 0.5, 1.25), Score.PROTECTED: CohortScale(0.48, 0.5, 0.1)}
"""By what is compared. Faces are not normalized (docs/fingerprint-matching.md)."""


def cohort_of(
    views: Sequence[int], excluded: Collection[int] = (), *, sizes: Sequence[CohortSize] = SIZES
) -> tuple[CohortSize, list[int]] | None:
    """The best cohort that some fingers make, and which of them are in it: the first that do; None if they are too few.

    Args:
        views: of each finger, in the order of `one_of_each`.
        excluded: fingers that must not be in it: those of the person who is claimed, and the same finger again.
        sizes: those of SIZES that there are tables for, the best first.
    """
    for size in sizes:
        fit = [i for i, count in enumerate(views) if count >= size.views and i not in excluded]
        if len(fit) >= size.fingers:
            return size, fit[: size.fingers]
    return None


def cohort_statistic(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """How alike templates are to the fingers of a cohort, float32 [n].

    Args:
        scores: float32 [n, fingers, views], at least two fingers with a view each.
    """
    best = np.sort(scores.max(axis=2), axis=1)
    second: NDArray[np.float32] = best[:, -2]
    return second


def penalty(
    probe: NDArray[np.float32] | float, reference: NDArray[np.float32] | float, scale: CohortScale
) -> NDArray[np.float32]:
    """What the statistics of a probe and of a reference take off their score, float32, 0 to `scale.most`."""
    excess = np.maximum(np.subtract(probe, scale.floor), 0) + np.maximum(np.subtract(reference, scale.floor), 0)
    taken: NDArray[np.float32] = np.asarray(np.minimum(scale.share * excess, scale.most), np.float32)
    return taken


def normalized(
    scores: NDArray[np.float32],
    probe: NDArray[np.float32] | float,
    reference: NDArray[np.float32] | float,
    scale: CohortScale,
) -> NDArray[np.float32]:
    """Scores less what the statistics of both sides take off; shapes broadcast."""
    left: NDArray[np.float32] = scores - penalty(probe, reference, scale)
    return left


def one_of_each(records: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Which records (owner, id) the cohorts of a device are taken from: the first of each person, of the first people.

    One more than a cohort has, so that everybody finds one of others.

    Args:
        records: those that are in it already, then others in the order in which they were stored: who comes later
            displaces nobody.
    """
    chosen: dict[bytes, bytes] = {}
    for owner, record in records:
        if len(chosen) > MOST_FINGERS:
            break
        chosen.setdefault(owner, record)
    return list(chosen.items())
