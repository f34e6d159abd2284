"""Draw a fingerprint comparison: both minutiae sets, the pairs, and how well they agree.

Here everything gets its place; `templates/fingerprint_comparison.svg` makes it a picture.

Rules:
* The picture works alone: no script, no font, no reference to anything outside it; light and dark by media query.
* Color is never the only sign: print A is drawn with discs, print B with squares, and pairs carry their number.
* Drawn 360 units wide, so that text is readable on a phone at one unit a pixel.
* A picture of a print lies under its minutiae, inside the drawing as data.
* For files outside the secure world only. It shows minutiae in clear; it must not be made of enrolled templates.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bioguard.printable import printable
from bioguard.records import FingerprintTemplate
from bioguard.report.backdrop import Backdrop, Placed
from bioguard.report.jinja import environment
from tee_sim.shared.dataclass import dataclass

WIDTH = 360
MARGIN = 12
PANEL_MAX_HEIGHT = 360
PAD_PX500 = 12.0
LABELED_PAIRS = 12
"""Numbers on more pairs than this cover each other at phone width."""
MAX_NAME = 44
TICK = 9.0
TITLE_GAP = 8
"""Between the title of a panel and its upper edge."""
FULL_AGREEMENT = 0.5
"""Weight from which a line has its full width. On development pairs true pairs end at 0.6 to 0.7, chance pairs of two
fingers near 0.1, so a picture of two fingers stays pale."""
MM_PER_PX500 = 25.4 / 500

Floats = NDArray[np.float64]


class PairedMinutiae(Protocol):
    """What the comparator answers: `bioguard.match.fingerprint.explain.explain` returns one.

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
class _Mark:
    """One minutia: a disc (a) or a square (b), with a tick along its ridge; number 0: none is shown."""

    x: float
    y: float
    angle_rad: float
    css: str
    number: int = 0

    @property
    def tick_x(self) -> float:
        return self.x + TICK * float(np.cos(self.angle_rad))

    @property
    def tick_y(self) -> float:
        return self.y - TICK * float(np.sin(self.angle_rad))


@dataclass(frozen=True, slots=True)
class _Text:
    """A line above the panels, with the mark that it explains."""

    x: float
    y: float
    text: str
    css: str = ""
    mark: _Mark | None = None


@dataclass(frozen=True, slots=True)
class _PairLine:
    """The gap between two paired minutiae; share 0..1 of the full width."""

    x1: float
    y1: float
    x2: float
    y2: float
    share: float


@dataclass(frozen=True, slots=True)
class _Print:
    """One minutiae set, and the indices of its paired minutiae, the best first."""

    xs: Floats
    ys: Floats
    angles: NDArray[np.floating]
    css: str
    paired: Sequence[int]


@dataclass(slots=True)
class _Panel:
    """A rectangle of the drawing, how pixels at 500 dpi map into it, and what lies in it."""

    title: str
    title_y: float
    scale: float
    left: float
    x0: float
    y0: float
    height: float
    pairs: Sequence[_PairLine] = ()
    prints: Sequence[Sequence[_Mark]] = ()
    under: Placed | None = None

    @classmethod
    def around(cls, title: str, y: float, *shown: _Print, numbered: bool, backdrop: Backdrop | None = None) -> "_Panel":
        """Fit a panel below y around these prints; the backdrop is a picture of the first."""
        xs, ys = (np.concatenate([getattr(one, name) for one in shown]) for name in ("xs", "ys"))
        if not xs.size:
            xs = ys = np.array([0.0, 100.0])
        x0, x1, y0, y1 = float(xs.min()), float(xs.max()), float(ys.min()), float(ys.max())
        x0, y0, w, h = x0 - PAD_PX500, y0 - PAD_PX500, x1 - x0 + 2 * PAD_PX500, y1 - y0 + 2 * PAD_PX500
        inner = WIDTH - 2 * MARGIN
        scale = min(inner / w, PANEL_MAX_HEIGHT / h)
        panel = cls(title, y, scale, MARGIN + (inner - w * scale) / 2, x0, y0, h * scale)
        if backdrop is not None:
            panel.under = backdrop.cut((x0, y0, x0 + w, y0 + h), panel.at, scale)
        panel.prints = [panel._marks(one, numbered=numbered) for one in shown]
        return panel

    @property
    def bottom(self) -> float:
        return self.title_y + TITLE_GAP + self.height

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.left + (x - self.x0) * self.scale, self.title_y + TITLE_GAP + (y - self.y0) * self.scale

    def _marks(self, one: _Print, *, numbered: bool) -> list[_Mark]:
        """Marks of a print: those with a partner last, so that none hides them."""
        rank = {minutia: k for k, minutia in enumerate(one.paired)}
        labeled = {i: k + 1 for i, k in rank.items() if numbered and k < LABELED_PAIRS}
        return [
            _Mark(
                *self.at(float(one.xs[i]), float(one.ys[i])),
                float(one.angles[i]),
                one.css if i in rank else f"{one.css} lone",
                labeled.get(i, 0),
            )
            for i in sorted(range(one.xs.size), key=lambda i: (i in rank, i))
        ]

    def join(self, a: _Print, b: _Print, weights: NDArray[np.floating]) -> None:
        """Draw the pairs of two prints."""
        self.pairs = [
            _PairLine(
                *self.at(float(a.xs[i]), float(a.ys[i])),
                *self.at(float(b.xs[j]), float(b.ys[j])),
                min(1.0, max(0.0, weight / FULL_AGREEMENT)),
            )
            for i, j, weight in zip(a.paired, b.paired, weights.tolist(), strict=True)
        ]


def _short(name: str) -> str:
    """A name that fits the width: the end of a path says more than its start."""
    return name if len(name) <= MAX_NAME else "..." + name[3 - MAX_NAME :]


def _legend(facts: Sequence[str], names: Sequence[str]) -> list[_Text]:
    """Lines above the panels: heading, facts, what the signs mean."""
    y = 44.0 + 17 * len(facts)
    of_prints = [
        _Text(
            MARGIN + 18, y + 17 * k, f"{css.upper()}: {_short(name)}", "", _Mark(MARGIN + 4, y + 17 * k - 4, 0.6, css)
        )
        for k, (css, name) in enumerate(zip("ab", names, strict=True))
    ]
    return [
        _Text(MARGIN, 24, "Fingerprint comparison", "h"),
        *(_Text(MARGIN, 44.0 + 17 * k, fact) for k, fact in enumerate(facts)),
        *of_prints,
        _Text(MARGIN, y + 34, "pale mark: no partner", "s"),
        _Text(MARGIN, y + 49, "line: the gap of a pair; thick when others support it", "s"),
    ]


def draw_explanation(
    a: FingerprintTemplate,
    b: FingerprintTemplate,
    explanation: PairedMinutiae,
    *,
    names: tuple[str, str] = ("A", "B"),
    pictures: tuple[Backdrop | None, Backdrop | None] = (None, None),
) -> str:
    """The SVG text. Deterministic: the same input gives the same bytes.

    Args:
        names: shown above the panels, for instance file names.
        pictures: what the minutiae of A and of B were found in.
    """
    names = printable(names[0]), printable(names[1])  # control characters do not exist in XML
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
    one, other = _Print(ax, ay, a.angle_rad, "a", first), _Print(bx, by, b.angle_rad, "b", second)
    turned = _Print(*laid, b.angle_rad + motion.turn_rad, "b", second)
    legend = _legend(facts, names)
    overlay = _Panel.around("B laid on A", legend[-1].y + 26, one, turned, numbered=False, backdrop=pictures[0])
    overlay.join(one, turned, weights)
    panels = [overlay]
    titles = ("A alone, the best pairs numbered", "B alone, as it was captured")
    for title, alone, backdrop in zip(titles, (one, other), pictures, strict=True):
        panels.append(_Panel.around(title, panels[-1].bottom + 28, alone, numbered=True, backdrop=backdrop))
    return environment().get_template("fingerprint_comparison.svg").render(
        width=WIDTH, height=int(np.ceil(panels[-1].bottom + MARGIN)), margin=MARGIN,
        names=names, facts=facts, legend=legend, panels=panels,
    ) + "\n"  # fmt: skip
