"""Draw the pictures of docs/fingerprint-matching.md from synthetic fingers (nobody's).

python -m bench.experiments.fingerprint_pictures [--out docs/images]
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.experiments.svg import COOL, DARK, GRAY, WARM, Drawing
from bioguard.match.fingerprint.cylinders import cylinders, frames
from bioguard.match.fingerprint.pairing import Block, relax, select_pairs, similarities, starting_weights, support
from bioguard.match.fingerprint.parameters import CYLINDER
from bioguard.match.fingerprint.prepared import canonical, prepare
from bioguard.simulate.people.fingers import FingerPopulation

TICK_PX = 11
SHOWN = 0.35
"""Part of the strongest weight from which a pair is drawn as kept."""
Points = NDArray[np.float32]


def minutiae(page: Drawing, points: Points, place: tuple[float, float]) -> None:
    """A circle and its direction for each minutia; y of `points` is upward."""
    for x, y, c, s in points.astype(float):
        px, py = place[0] + x, place[1] - y
        page.add("circle", cx=px, cy=py, r=3, fill="none", stroke=DARK, stroke_width=1.2)
        page.line(px, py, px + TICK_PX * c, py - TICK_PX * s, DARK, 1.2)


def _shade(value: float) -> str:
    """From white to blue; 0..1."""
    white, blue = np.array([255, 255, 255]), np.array([8, 48, 107])
    red, green, rest = np.rint(white + (blue - white) * min(max(value, 0.0), 1.0)).astype(int)
    return f"#{red:02x}{green:02x}{rest:02x}"


def cylinder() -> Drawing:
    """One minutia, its neighbors, the grid in its frame, and the saturated cells summed over directions."""
    print_ = canonical(FingerPopulation(3).impression(1, 2, 0))
    _, values, valid = next(iter(cylinders([print_])))
    points = frames(print_)
    rim = np.abs(points[:, :2] - points[:, :2].mean(axis=0)).sum(axis=1)
    i = int(np.argsort(rim)[len(rim) // 2])
    c, s = points[i, 2:]
    side = CYLINDER.cells_per_side
    step = 2 * CYLINDER.radius_px500 / side
    axis = (np.arange(side) - (side - 1) / 2) * step
    x, y = np.meshgrid(axis, axis, indexing="ij")
    disc = np.hypot(x, y) <= CYLINDER.radius_px500
    page = Drawing(
        760, 390, title="A minutia and what it sees",
        description="Left: a minutia of a synthetic print, its grid of cells and its neighbors. Right: the cells.",
    )  # fmt: skip
    page.text(20, 24, "a minutia and its cells; a cross lies outside the print")
    place = (60.0 - float(points[:, 0].min()), 132.0 + float(points[:, 1].max()))
    minutiae(page, points, place)
    cells = np.stack([points[i, 0] + c * x[disc] - s * y[disc], points[i, 1] + s * x[disc] + c * y[disc]], axis=1)
    seen = valid[0, i] > 0
    for (ax, ay), inside in zip(cells.astype(float), seen, strict=True):
        px, py = place[0] + ax, place[1] - ay
        if inside:
            page.add("rect", x=px - 4, y=py - 4, width=8, height=8, fill=COOL, fill_opacity=0.35)
        else:
            page.line(px - 3.5, py - 3.5, px + 3.5, py + 3.5, WARM, 1.4)
            page.line(px - 3.5, py + 3.5, px + 3.5, py - 3.5, WARM, 1.4)
    page.add("circle", cx=place[0] + float(points[i, 0]), cy=place[1] - float(points[i, 1]), r=5, fill=WARM)

    page.text(430, 24, "what it sees, all directions summed")
    left, top, size = 430.0, 44.0, 34.0
    summed = values[0, i].sum(axis=1)
    strongest = float(summed[seen].max())
    rows, columns = np.nonzero(disc)
    for row, column, value, inside in zip(rows, columns, summed, seen, strict=True):
        fill = _shade(float(value) / strongest) if inside else "none"
        corner = {"x": left + size * float(row), "y": top + size * float(side - 1 - column)}
        page.add("rect", **corner, width=size, height=size, fill=fill, stroke=GRAY, stroke_width=0.5)
    middle = left + size * side / 2
    page.text(middle, top + size * side + 22, "along its direction, cells of 17.5 px at 500 dpi", text_anchor="middle")
    return page


def relaxation() -> Drawing:
    """Candidate pairs of two impressions before and after relaxation."""
    population = FingerPopulation(3)
    first, second = (prepare(population.impression(1, 2, n)) for n in (0, 1))
    one, block = Block.of([first]), Block.of([second])
    pairs = select_pairs(similarities(one, block))
    start = starting_weights(pairs)
    weight = relax(support(one, block, pairs), start, pairs.count)
    a, b = one.places[0], block.places[0].copy()
    b[:, 0] += 420
    both = np.concatenate([a, b])
    width, height = np.ptp(both[:, 0]) + 60, np.ptp(both[:, 1]) + 60
    page = Drawing(
        int(width), int(2 * height) + 40, title="Candidate pairs before and after relaxation",
        description="Two impressions of a synthetic finger side by side; lines join candidate pairs.",
    )  # fmt: skip
    titles = ("candidates: similar descriptors", "after relaxation: pairs that support each other keep their weight")
    for number, (weights, title) in enumerate(zip((start, weight), titles, strict=True)):
        top = number * (height + 20)
        page.text(20, top + 22, title)
        place = (30 - float(both[:, 0].min()), top + 50 + float(both[:, 1].max()))
        for k in range(int(pairs.count[0])):
            p, q = a[pairs.probe[0, k]], b[pairs.other[0, k]]
            strength = float(weights[0, k] / weights.max())
            ends = place[0] + float(p[0]), place[1] - float(p[1]), place[0] + float(q[0]), place[1] - float(q[1])
            page.line(*ends, COOL if strength > SHOWN else WARM, 2.4 * strength + 0.4)
        minutiae(page, a, place)
        minutiae(page, b, place)
    return page


PICTURES = {"fingerprint-cylinder.svg": cylinder, "fingerprint-relaxation.svg": relaxation}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        (options.out / name).write_text(draw().svg(), "utf-8")


if __name__ == "__main__":
    main()
