"""Minutiae as an engine found them, and the template that is made of them."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioguard.formats.normalize import keep_best
from bioguard.records import MAX_MINUTIAE, FingerprintTemplate
from tee_sim.shared.dataclass import dataclass

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Minutiae of one view.

    Attributes:
        rows: float64 [n, 5]: x and y in px (the middle of the first pixel is 0), direction in radians counter-clockwise
            from the x axis along the ridge, kind (0 other, 1 ending, 2 bifurcation), confidence 0..1.
    """

    rows: Floats

    @classmethod
    def of(cls, rows: ArrayLike) -> Self:
        return cls(np.asarray(rows, np.float64).reshape(-1, 5))

    def __len__(self) -> int:
        return len(self.rows)

    def scaled(self, factor: float) -> Self:
        """In the pixels of a picture that is `factor` as large; pixels have an extent, so their middles move."""
        rows = self.rows.copy()
        rows[:, :2] = (rows[:, :2] + 0.5) * factor - 0.5
        return type(self)(rows)

    def template(self, width_px500: int, height_px500: int) -> FingerprintTemplate:
        """Of what lies in the picture; of more than 255 the best, as everywhere in the product (`keep_best`).

        Confidence becomes quality 1..100: 0 would say that none was reported.
        """
        x, y = self.rows[:, 0], self.rows[:, 1]
        inside = (x >= 0) & (y >= 0) & (x <= width_px500 - 1) & (y <= height_px500 - 1)
        kept = self.rows[inside & np.isfinite(self.rows).all(axis=1)]
        quality = np.clip(np.rint(kept[:, 4] * 100), 1, 100).astype(np.int64)
        if len(kept) > MAX_MINUTIAE:
            best = keep_best(kept[:, 0], kept[:, 1], quality)
            kept, quality = kept[best], quality[best]
        return FingerprintTemplate.from_minutiae(
            kept[:, 0],
            kept[:, 1],
            kept[:, 2] % (2 * np.pi),
            kind=kept[:, 3].astype(np.int64),
            quality=quality,
            width_px500=width_px500,
            height_px500=height_px500,
        )


def _agreeing(one: Found, other: Found, distance_px: float, turn_rad: float) -> dict[int, int]:
    """Which minutia of `other` is which of `one`: one to one, the most alike first."""
    a, b = one.rows, other.rows
    away = np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1])
    turned = np.abs((a[:, None, 2] - b[None, :, 2] + np.pi) % (2 * np.pi) - np.pi)
    rows, columns = np.nonzero((away <= distance_px) & (turned <= turn_rad))
    unlike = away[rows, columns] / distance_px + turned[rows, columns] / turn_rad
    pairs: dict[int, int] = {}
    for k in np.argsort(unlike, kind="stable").tolist():
        row, column = int(rows[k]), int(columns[k])
        if row not in pairs and column not in pairs.values():
            pairs[row] = column
    return pairs


def agreed(views: Sequence[Found], *, distance_px: float, turn_rad: float) -> Found:
    """What at least two views of one picture have, each in the pixels of the first.

    A minutia of an earlier view takes those of later ones that agree with it; position and direction are the means, the
    kind is the first's, the confidence the highest.
    """
    taken: list[set[int]] = [set() for _ in views]
    groups: list[Floats] = []
    for number, view in enumerate(views):
        later = range(number + 1, len(views))
        partners = {k: _agreeing(view, views[k], distance_px, turn_rad) for k in later}
        for row in range(len(view)):
            if row in taken[number]:
                continue
            own = {k: pairs[row] for k, pairs in partners.items() if row in pairs and pairs[row] not in taken[k]}
            if own:
                for k, partner in own.items():
                    taken[k].add(partner)
                groups.append(np.stack([view.rows[row], *(views[k].rows[partner] for k, partner in own.items())]))
    return Found.of([_mean(group) for group in groups])


def _mean(group: Floats) -> Floats:
    x, y = group[:, :2].mean(axis=0)
    direction = np.arctan2(np.sin(group[:, 2]).sum(), np.cos(group[:, 2]).sum())
    return np.array([x, y, direction % (2 * np.pi), group[0, 3], group[:, 4].max()])
