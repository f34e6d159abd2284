"""DET curves and histograms."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.metrics.comparisons import Scored, pair_scores, scores_of
from bench.metrics.counted import CountedScores
from bench.metrics.rates import Scores
from bench.plots import det_plot, histogram_plot
from bioguard.report import Figure, Section

PLOT_SCORES = 200_000
"""Scores drawn in a histogram: evenly spaced order statistics, so no draw is needed."""


def curves(sets: Sequence[Scored], head: Mapping[str, Any], rows: Mapping[str, Any]) -> Section:
    """The curves of the sets and of all together, with the intervals over people that their rows have.

    Args:
        sets: the comparisons.
        head: figures of all together, or of the only set.
        rows: figures by set.
    """
    sides = {one.name: pair_scores([one]) for one in sets}
    separate = [(name, Scores(*pair)) for name, pair in sides.items() if all(side.size for side in pair)]
    if not separate:
        return Section(title="Curves", text=("No set has both genuine and impostor comparisons.",))
    drawn = [(name, *s.det(), s.impostor.size, s.genuine.size) for name, s in separate]
    marks = {
        t: p["threshold"]
        for t, p in head["fnmr_at_fmr"].items()
        if isinstance(p, dict) and isinstance(p["threshold"], float)
    }
    bands = {name: row["det_band"] for name, row in {**rows, "all": head}.items() if isinstance(row["det_band"], dict)}
    figures: list[Figure] = [det_plot(drawn, title="DET by set", bands=bands)]
    shown = separate[0][1]
    if len(separate) > 1 and "pooled" not in sides and head["genuine"] > separate[0][1].genuine.size:
        shown = scores_of(list(sets))
        together = [("all", *shown.det(), shown.impostor.size, shown.genuine.size)]
        figures.append(det_plot(together, title="DET, all sets under one threshold", bands=bands))
    figures.append(histogram_plot(_thinned(shown.genuine), _thinned(shown.impostor), marks, title="Scores"))
    left_out = [name for name in sides if name not in dict(separate)]
    text = (f"Not drawn, comparisons of one kind are missing: {', '.join(left_out)}.",) if left_out else ()
    return Section(title="Curves", text=text, figures=tuple(figures))


def _thinned(ordered: np.ndarray[Any, Any] | CountedScores) -> np.ndarray[Any, Any]:
    if isinstance(ordered, CountedScores):
        return ordered.thinned(PLOT_SCORES)
    return (
        ordered
        if ordered.size <= PLOT_SCORES
        else ordered[np.linspace(0, ordered.size - 1, PLOT_SCORES).astype(np.int64)]
    )
