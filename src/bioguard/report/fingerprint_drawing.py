"""A picture of a fingerprint comparison: both minutiae sets, the pairs, and how well they agree. SVG, written here.

Rules:
* The picture works alone: no script, no font, no reference to anything outside it; light and dark by media query.
* Color is never the only sign: print A is drawn with discs, print B with squares, and pairs carry their number.
* Drawn 360 units wide, so that text is readable on a phone at one unit a pixel.
* For files outside the secure world only. It shows minutiae in clear; it must not be made of enrolled templates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bioguard.printable import printable
from bioguard.records import FingerprintTemplate
from bioguard.report.fingerprint_drawing_style import STYLE

WIDTH = 360
MARGIN = 12
PANEL_MAX_HEIGHT = 360
PAD_PX500 = 12.0
LABELED_PAIRS = 12
"""Numbers on more pairs than this cover each other at phone width."""
MAX_NAME = 44
TICK = 9.0
FULL_AGREEMENT = 0.5
"""Weight from which a line has its full width. On development pairs true pairs end at 0.6 to 0.7, chance pairs of two
fingers near 0.1, so a picture of two fingers stays pale."""
MM_PER_PX500 = 25.4 / 500


Floats = NDArray[np.float64]


class PairedMinutiae(Protocol):
    """What the comparator tells: `bioguard.match.fingerprint.explain.explain` gives one.

    pairs: int64 [n, 2], index into A and into B; weights: float [n], 0..1, agreement with the other pairs;
    score_fmr_band: words for people, for instance "rarer than 1 in 10 000 impostors".
    """

    @property
    def pairs(self) -> NDArray[np.int64]: ...
    @property
    def weights(self) -> NDArray[np.floating]: ...
    @property
    def score_fmr_band(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Alignment:
    """Rigid motion that lays B on A, fitted to the pairs. Pixels at 500 dpi, y down.

    Attributes:
        turn_rad: counter-clockwise as seen in the image.
        shift_x_px500, shift_y_px500: added after the turn.
    """

    turn_rad: float
    shift_x_px500: float
    shift_y_px500: float

    def apply(
        self, x: NDArray[np.floating], y: NDArray[np.floating]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """B's coordinates in A's image."""
        c, s = np.cos(self.turn_rad), np.sin(self.turn_rad)
        return c * x + s * y + self.shift_x_px500, -s * x + c * y + self.shift_y_px500


def align(
    a: FingerprintTemplate, b: FingerprintTemplate, pairs: NDArray[np.int64], weights: NDArray[np.floating]
) -> Alignment:
    """Weighted least squares over the pairs; without any, the prints are laid center on center."""
    total = float(weights.sum()) if len(pairs) else 0.0
    if total <= 0:
        center = [(float(t.width_px500) / 2, float(t.height_px500) / 2) for t in (a, b)]
        return Alignment(0.0, center[0][0] - center[1][0], center[0][1] - center[1][1])
    w = weights.astype(np.float64) / total
    # Complex numbers with y up: a turn is one multiplication.
    za = a.x_px500[pairs[:, 0]].astype(np.float64) - 1j * a.y_px500[pairs[:, 0]]
    zb = b.x_px500[pairs[:, 1]].astype(np.float64) - 1j * b.y_px500[pairs[:, 1]]
    ma, mb = (w * za).sum(), (w * zb).sum()
    spread = (w * (za - ma) * np.conj(zb - mb)).sum()
    if abs(spread) < 1e-9:
        turns = a.angle_rad[pairs[:, 0]].astype(np.float64) - b.angle_rad[pairs[:, 1]]
        spread = (w * np.exp(1j * turns)).sum()
    turn = float(np.angle(spread))
    shift = ma - np.exp(1j * turn) * mb
    return Alignment(turn, float(shift.real), float(-shift.imag))


@dataclass(frozen=True, slots=True)
class _Panel:
    """A rectangle of the drawing and how pixels at 500 dpi map into it."""

    top: float
    scale: float
    left: float
    x0: float
    y0: float
    height: float

    @classmethod
    def around(cls, top: float, xs: Floats, ys: Floats) -> "_Panel":
        if not xs.size:
            xs = ys = np.array([0.0, 100.0])
        x0, x1, y0, y1 = float(xs.min()), float(xs.max()), float(ys.min()), float(ys.max())
        x0, y0, w, h = x0 - PAD_PX500, y0 - PAD_PX500, x1 - x0 + 2 * PAD_PX500, y1 - y0 + 2 * PAD_PX500
        inner = WIDTH - 2 * MARGIN
        scale = min(inner / w, PANEL_MAX_HEIGHT / h)
        return cls(top, scale, MARGIN + (inner - w * scale) / 2, x0, y0, h * scale)

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.left + (x - self.x0) * self.scale, self.top + (y - self.y0) * self.scale


def _tick(x: float, y: float, angle_rad: float, css: str) -> str:
    return (
        f'<line class="{css}" x1="{x:.1f}" y1="{y:.1f}" '
        f'x2="{x + TICK * np.cos(angle_rad):.1f}" y2="{y - TICK * np.sin(angle_rad):.1f}"/>'
    )


def _mark(x: float, y: float, angle_rad: float, css: str) -> str:
    """One minutia: disc (a) or square (b), with a tick along its ridge."""
    shape = (
        f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="3.4"/>'
        if css.startswith("a")
        else f'<rect class="{css}" x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6"/>'
    )
    return _tick(x, y, angle_rad, css) + shape


def _clean(name: str) -> str:
    """A file name as text: control characters and undecodable bytes do not exist in XML."""
    return printable(name)


def _short(name: str) -> str:
    """A name that fits the width: the end of a path says more than its start."""
    return name if len(name) <= MAX_NAME else "..." + name[3 - MAX_NAME :]


def _text(x: float, y: float, text: str, css: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{f" class={css!r}" if css else ""}>{escape(text)}</text>'


def _print(
    panel: _Panel,
    xs: Floats,
    ys: Floats,
    angles: NDArray[np.floating],
    css: str,
    paired: Sequence[int],
    numbered: bool,
) -> list[str]:
    rank = {minutia: k for k, minutia in enumerate(paired)}
    order = sorted(range(xs.size), key=lambda i: (i in rank, i))
    parts, labels = [], []
    for i in order:
        x, y = panel.at(float(xs[i]), float(ys[i]))
        parts.append(_mark(x, y, float(angles[i]), css if i in rank else f"{css} lone"))
        if numbered and rank.get(i, LABELED_PAIRS) < LABELED_PAIRS:
            labels.append(_text(x + 5, y - 5, str(rank[i] + 1), "n"))
    return parts + labels


def _overlay(
    panel: _Panel,
    first: tuple[Floats, Floats],
    second: tuple[Floats, Floats],
    pairs: NDArray[np.int64],
    weights: NDArray[np.floating],
) -> list[str]:
    lines = []
    for (i, j), weight in zip(pairs.tolist(), weights.tolist(), strict=True):
        xa, ya = panel.at(float(first[0][i]), float(first[1][i]))
        xb, yb = panel.at(float(second[0][j]), float(second[1][j]))
        share = min(1.0, max(0.0, weight / FULL_AGREEMENT))
        lines.append(
            f'<line class="pair" x1="{xa:.1f}" y1="{ya:.1f}" x2="{xb:.1f}" y2="{yb:.1f}" '
            f'stroke-width="{1.5 + 8.5 * share:.1f}" stroke-opacity="{0.2 + 0.5 * share:.2f}"/>'
        )
    return lines


def draw_explanation(
    a: FingerprintTemplate, b: FingerprintTemplate, explanation: PairedMinutiae, *, names: tuple[str, str] = ("A", "B")
) -> str:
    """The SVG text. Deterministic: the same input gives the same bytes.

    Args:
        names: shown above the panels, for instance file names.
    """
    names = _clean(names[0]), _clean(names[1])
    order = np.argsort(-np.asarray(explanation.weights, np.float64), kind="stable")
    pairs, weights = np.asarray(explanation.pairs, np.int64).reshape(-1, 2)[order], explanation.weights[order]
    motion = align(a, b, pairs, weights)
    ax, ay = a.x_px500.astype(np.float64), a.y_px500.astype(np.float64)
    bx, by = b.x_px500.astype(np.float64), b.y_px500.astype(np.float64)
    laid = motion.apply(bx, by)
    distance = np.hypot(ax[pairs[:, 0]] - laid[0][pairs[:, 1]], ay[pairs[:, 0]] - laid[1][pairs[:, 1]])
    facts = [
        explanation.score_fmr_band,
        f"{len(pairs)} pairs of {len(a)} minutiae in A and {len(b)} in B",
        f"B is turned by {round(float(np.degrees(motion.turn_rad)))} degrees to lie on A",
    ]
    if len(pairs):
        facts.append(f"half of the pairs then lie within {float(np.median(distance)) * MM_PER_PX500:.2f} mm")
    first, second = [int(i) for i in pairs[:, 0]], [int(j) for j in pairs[:, 1]]
    parts, y = [_text(MARGIN, 24, "Fingerprint comparison", "h")], 44.0
    for fact in facts:
        parts.append(_text(MARGIN, y, fact))
        y += 17
    parts += [_mark(MARGIN + 4, y - 4, 0.6, "a"), _text(MARGIN + 18, y, f"A: {_short(names[0])}")]
    y += 17
    parts += [_mark(MARGIN + 4, y - 4, 0.6, "b"), _text(MARGIN + 18, y, f"B: {_short(names[1])}")]
    y += 17
    parts.append(_text(MARGIN, y, "pale mark: no partner", "s"))
    y += 15
    parts.append(_text(MARGIN, y, "line: the gap of a pair; thick when others support it", "s"))

    y += 26
    parts.append(_text(MARGIN, y, "B laid on A", "h"))
    panel = _Panel.around(y + 8, np.concatenate([ax, laid[0]]), np.concatenate([ay, laid[1]]))
    parts += _overlay(panel, (ax, ay), laid, pairs, weights)
    parts += _print(panel, ax, ay, a.angle_rad, "a", first, numbered=False)
    parts += _print(panel, *laid, b.angle_rad + motion.turn_rad, "b", second, numbered=False)
    y = panel.top + panel.height
    for title, xs, ys, angles, css, paired in (
        ("A alone, the best pairs numbered", ax, ay, a.angle_rad, "a", first),
        ("B alone, as it was captured", bx, by, b.angle_rad, "b", second),
    ):
        y += 28
        parts.append(_text(MARGIN, y, title, "h"))
        panel = _Panel.around(y + 8, xs, ys)
        parts += _print(panel, xs, ys, angles, css, paired, numbered=True)
        y = panel.top + panel.height
    height = int(np.ceil(y + MARGIN))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="100%" role="img" '
        f'aria-labelledby="t d" style="max-width:{2 * WIDTH}px">'
        f'<title id="t">Fingerprint comparison: {escape(names[0])} and {escape(names[1])}</title>'
        f'<desc id="d">{escape("; ".join(facts))}</desc><style>{STYLE}</style>'
        f'<rect class="bg" width="{WIDTH}" height="{height}"/>' + "\n".join(parts) + "</svg>\n"
    )
