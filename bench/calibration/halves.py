"""Whether a table of faces holds on people it was not made from: each half of a set is tried by the other's table."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.calibration.face_scores import FaceScores, Progress, face_scores, vectors_of
from bench.calibration.rate_points import fitted
from bench.calibration.tally import at_most
from bench.load import FaceRows
from bench.metrics.rates import minimum_comparisons
from bench.names import numbered
from bioguard.records.scores import Score
from bioguard.simulate.people.counter_rng import uniforms

RATES = (1e-2, 1e-3, 1e-4, 1e-5)
FIT_DRAWS = 200
DRAWS = 200
DOMAIN = 0x522
SEED = 1
Rows = list[dict[str, Any]]


def halves(rows: FaceRows, score: Score, advance: Progress) -> dict[str, dict[str, Rows]]:
    """Rows of `ladder` for the rungs "counted" and "safe": people with even numbers, then those with odd ones.

    Raises:
        InputRefused: `bench.calibration`: a half carries no table.
    """
    parts = []
    for parity in (0, 1):
        at = rows.subjects % 2 == parity
        parts.append(face_scores(vectors_of(rows.rows[at], score), numbered(rows.subjects[at]), advance))
    found: dict[str, dict[str, Rows]] = {}
    for parity, name in enumerate(("even people", "odd people")):
        tried, table = parts[parity], parts[1 - parity]
        fit = fitted(table.impostors, draws=FIT_DRAWS)
        found[name] = {
            rung: [_row(tried, rate, fit.threshold(rate, plain=rung == "counted")) for rate in RATES]
            for rung in ("counted", "safe")
        }
    return found


def _row(tried: FaceScores, rate: float, threshold: float) -> dict[str, Any]:
    impostors = tried.impostors
    drawn = [impostors.share_above(threshold, _weights(impostors.people, draw)) / rate for draw in range(DRAWS)]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    if not impostors.above(threshold)[0]:
        high = at_most(impostors.people * (impostors.people - 1) // 2, rate)
    missed = tried.genuine < threshold
    weight = tried.genuine_weights
    return {
        "rate": rate, "false_matches": impostors.above(threshold)[0], "impostors": impostors.comparisons,
        "ratio": impostors.share_above(threshold) / rate, "interval_95": [float(low), float(high)],
        "measurable": impostors.comparisons >= minimum_comparisons(rate),
        "fnmr": float(weight[missed].sum() / weight.sum()) if weight.size else None,
    }  # fmt: skip


def _weights(people: int, draw: int) -> NDArray[np.float64]:
    chosen = (uniforms(SEED, DOMAIN, draw, 0, people)[0] * people).astype(np.int64)
    return np.bincount(chosen, minlength=people).astype(np.float64)
