"""Plots as inline SVG for the report: no script, no reference, colors that work on light and on dark paper."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray
from scipy.stats import norm

from bioguard.report import Figure

INK = "#010203"
"""Stands for the color of the text; replaced by `currentColor`."""
COLORS = ("#2f7fd6", "#d9782b", "#3f9c5b", "#c2508f", "#8a6fd1", "#a98b17", "#2aa3a3", "#d05050", "#7a8794", "#6b8e23")
DASHES = ("-", "--", "-.", ":")
STYLE: Any = {
    "svg.fonttype": "path",
    "svg.hashsalt": "bioguard",
    "font.size": 10,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#8a8a8a",
    "grid.alpha": 0.35,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "lines.linewidth": 1.8,
}
LEGEND_COLUMNS = 3
DET_TICKS = (1e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.5)
Floats = NDArray[np.float64]


def _svg(canvas: Canvas) -> str:
    """The bare element: no XML head, no metadata; ids made unique by the caller's order of drawing."""
    buffer = io.StringIO()
    canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    # width and height in points would not shrink on a phone; the viewBox stays
    text = re.sub(
        r'(<svg [^>]*?)\s(?:width|height)="[^"]*"',
        r"\1",
        re.sub(r'(<svg [^>]*?)\s(?:width|height)="[^"]*"', r"\1", text),
    )
    return text.replace(INK, "currentColor").rstrip()


def _canvas(height: float = 3.9) -> tuple[Canvas, Any]:
    canvas = Canvas(figsize=(6.4, height), layout="constrained")
    return canvas, canvas.subplots()


def det_plot(
    curves: Sequence[tuple[str, Floats, Floats, int, int]],
    *,
    title: str,
    bands: Mapping[str, Mapping[str, Sequence[float]]],
) -> Figure:
    """DET on normal-deviate axes.

    Args:
        curves: name, FMR, FNMR, number of impostor and of genuine scores.
        title: heading.
        bands: by curve, 95 % intervals of FNMR over people: `at_fmr`, `low` and `high`.
    """
    with mpl.rc_context(STYLE):
        empty: list[str] = []
        shade = max(0.06, 0.22 / max(len(curves), 1))
        canvas, axes = _canvas(4.6 + 0.17 * -(-len(curves) // LEGEND_COLUMNS))
        for i, (name, fmr, fnmr, impostors, genuines) in enumerate(curves):
            shown = (fmr >= 1 / impostors) & (fnmr >= 1 / genuines) & (fmr < 0.6) & (fnmr < 0.9)
            if not shown.any():
                empty.append(name)
                continue
            color, dash = COLORS[i % len(COLORS)], DASHES[i // len(COLORS) % len(DASHES)]
            x = norm.ppf(fmr[shown])
            axes.plot(x, norm.ppf(fnmr[shown]), color=color, linestyle=dash, label=name)
            if name in bands:
                at, low, high = (norm.ppf(np.asarray(bands[name][key])) for key in ("at_fmr", "low", "high"))
                axes.fill_between(at, low, high, color=color, alpha=shade, linewidth=0)
        ticks = norm.ppf(DET_TICKS)
        labels = [f"{100 * t:g}" for t in DET_TICKS]
        axes.set_xticks(ticks, labels)
        axes.set_yticks(ticks, labels)
        lowest = min((float(c[1][c[1] > 0].min(initial=1.0)) for c in curves), default=1e-5)
        axes.set_xlim(norm.ppf(max(5e-6, lowest / 2)), norm.ppf(0.6))
        axes.set_ylim(norm.ppf(2e-4), norm.ppf(0.7))
        axes.axline((0, 0), slope=1, color=INK, linewidth=0.7, linestyle=":")
        axes.set(xlabel="false match rate, %", ylabel="false non-match rate, %")
        if len(curves) - len(empty) > 1:
            canvas.legend(fontsize=8, loc="outside lower center", ncols=LEGEND_COLUMNS)
        without = f"No curve, the errors of one side are gone before those of the other begin: {', '.join(empty)}."
        return Figure(
            title=title,
            svg=_svg(canvas),
            description="Detection error trade-off on normal-deviate axes. Lower left is better; dotted: FMR = FNMR.",
            note=" ".join(["Bands: 95 % intervals of FNMR over people."] * bool(bands) + [without] * bool(empty)),
        )


def histogram_plot(
    genuine: NDArray[np.generic], impostor: NDArray[np.generic], thresholds: dict[str, float], *, title: str
) -> Figure:
    """Both score distributions with the thresholds of some rates."""
    with mpl.rc_context(STYLE):
        canvas, axes = _canvas()
        genuine, impostor = genuine[np.isfinite(genuine)], impostor[np.isfinite(impostor)]
        both = np.concatenate([genuine, impostor, [0.0]] if not genuine.size + impostor.size else [genuine, impostor])
        low, high = float(both.min()), float(both.max())
        # scores that are all alike still need a width to be drawn over
        edges = np.linspace(low - 0.5, high + 0.5, 90) if low == high else np.linspace(low, high, 90)
        for scores, color, label in ((impostor, COLORS[1], "impostor"), (genuine, COLORS[0], "genuine")):
            if scores.size:  # nothing has no density
                axes.hist(scores, edges, density=True, color=color, alpha=0.6, label=label)
        top = axes.get_ylim()[1]
        for i, (name, threshold) in enumerate(thresholds.items()):
            axes.axvline(threshold, color=INK, linewidth=1, linestyle=DASHES[i % len(DASHES)], label=f"FMR {name}")
        axes.set(xlabel="score", ylabel="density", ylim=(0, top))
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, loc="upper right")
        return Figure(
            title=title,
            svg=_svg(canvas),
            description="Score distributions of genuine and impostor comparisons; vertical lines are thresholds.",
        )


def quality_plot(quarters: Mapping[str, Sequence[Mapping[str, Any]]], *, title: str) -> Figure:
    """Error by quarters of a quality, from the poorest on; whiskers are `interval_95`."""
    with mpl.rc_context(STYLE):
        canvas, axes = _canvas()
        for i, (name, rows) in enumerate(quarters.items()):
            shift = 0.12 * (i - (len(quarters) - 1) / 2)
            fnmr = 100 * np.array([row["fnmr"] for row in rows])
            ends = 100 * np.array([row["interval_95"] for row in rows]).T
            places = np.arange(1, len(rows) + 1) + shift
            whiskers = np.maximum([fnmr - ends[0], ends[1] - fnmr], 0)
            axes.errorbar(places, fnmr, whiskers, fmt="o-", color=COLORS[i % len(COLORS)], capsize=3, label=name)
        axes.set(xlabel="quarter of the genuine pairs, poorest first", ylabel="FNMR, %", xticks=range(1, 5))
        axes.set_ylim(bottom=0)
        canvas.legend(fontsize=8, loc="outside lower center", ncols=2)
        return Figure(
            title=title,
            svg=_svg(canvas),
            description="False non-matches by quarters of the quality of the poorer picture of a pair.",
        )


def latency_plot(samples_ms: Mapping[str, Sequence[float]], *, title: str) -> Figure:
    """Cumulative distribution of latencies, logarithmic time."""
    with mpl.rc_context(STYLE):
        canvas, axes = _canvas()
        for i, (name, values) in enumerate(samples_ms.items()):
            ordered = np.sort(np.asarray(values))
            axes.step(ordered, np.arange(1, ordered.size + 1) / ordered.size, color=COLORS[i % len(COLORS)], label=name)
        axes.set(xscale="log", xlabel="milliseconds", ylabel="share of calls", ylim=(0, 1.02))
        axes.xaxis.set_major_formatter(_compact)
        ends = np.concatenate([np.asarray(values) for values in samples_ms.values()])
        axes.xaxis.set_minor_formatter(_compact if ends.max() < 10 * ends.min() else "")
        axes.legend(fontsize=8, loc="lower right")
        return Figure(
            title=title, svg=_svg(canvas), description="Share of calls that took at most so many milliseconds."
        )


def _compact(value: float, _position: float) -> str:
    """A number on an axis as people write it: 4.53 M and not 4.53e+06."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def bars(values: dict[str, float], *, title: str, unit: str, description: str, log: bool = False) -> Figure:
    """Horizontal bars with their values."""
    with mpl.rc_context(STYLE):
        canvas, axes = _canvas(0.9 + 0.32 * len(values))
        names = list(values)[::-1]
        drawn = axes.barh(names, [values[n] for n in names], color=COLORS[0], log=log)
        axes.bar_label(drawn, [_compact(values[n], 0) for n in names], padding=3, fontsize=8)
        axes.margins(x=0.15)
        axes.set(xlabel=unit)
        axes.xaxis.set_major_formatter(_compact)
        axes.grid(axis="y", visible=False)
        return Figure(title=title, svg=_svg(canvas), description=description)
