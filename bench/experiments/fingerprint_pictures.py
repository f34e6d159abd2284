"""Draw the pictures of docs/fingerprint-matching.md from synthetic fingers (nobody's).

python -m bench.experiments.fingerprint_pictures [--out docs/images]
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import NDArray

from bioguard.match.fingerprint.cylinders import cylinders, frames
from bioguard.match.fingerprint.pairing import Block, relax, select_pairs, similarities, starting_weights, support
from bioguard.match.fingerprint.parameters import CYLINDER
from bioguard.match.fingerprint.prepared import canonical, prepare
from bioguard.simulate.people.fingers import FingerPopulation

DARK, WARM, COOL = "#333333", "#c44e00", "#1f5fa8"


def minutiae(axes: Axes, points: NDArray[np.float32], color: str) -> None:
    axes.plot(points[:, 0], points[:, 1], "o", mfc="none", color=color, ms=4)
    axes.quiver(points[:, 0], points[:, 1], points[:, 2], points[:, 3], color=color, width=0.003, scale=28, headwidth=1)
    axes.set_aspect("equal")
    axes.axis("off")


def cylinder(out: Path) -> None:
    """One minutia, its neighbors, the grid in its frame, and the saturated cells summed over directions."""
    print_ = canonical(FingerPopulation(3).impression(1, 2, 0))
    _, values, valid = next(iter(cylinders([print_])))
    points = frames(print_)
    rim = np.abs(points[:, :2] - points[:, :2].mean(axis=0)).sum(axis=1)
    i = int(np.argsort(rim)[len(rim) // 2])
    c, s = points[i, 2:]
    step = 2 * CYLINDER.radius_px500 / CYLINDER.cells_per_side
    axis = (np.arange(CYLINDER.cells_per_side) - (CYLINDER.cells_per_side - 1) / 2) * step
    x, y = np.meshgrid(axis, axis, indexing="ij")
    disc = np.hypot(x, y) <= CYLINDER.radius_px500
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4))
    minutiae(left, points, DARK)
    at = np.stack([points[i, 0] + c * x[disc] - s * y[disc], points[i, 1] + s * x[disc] + c * y[disc]])
    seen = valid[0, i] > 0
    left.plot(*at[:, seen], "s", ms=5, color=COOL, alpha=0.35)
    left.plot(*at[:, ~seen], "x", ms=5, color=WARM)
    left.plot(points[i, 0], points[i, 1], "o", color=WARM, ms=7)
    left.set_title("a minutia and its cells; x: outside the print", fontsize=9)
    picture = np.full(x.shape, np.nan)
    picture[disc] = np.where(seen, values[0, i].sum(axis=1), np.nan)
    right.imshow(picture.T, origin="lower", cmap="Blues", extent=(-70, 70, -70, 70))
    right.set_title("what it sees, all directions summed (px at 500 dpi)", fontsize=9)
    figure.savefig(out / "fingerprint-cylinder.svg")
    plt.close(figure)


def relaxation(out: Path) -> None:
    """Candidate pairs of two impressions before and after relaxation."""
    population = FingerPopulation(3)
    first, second = (prepare(population.impression(1, 2, n)) for n in (0, 1))
    one, block = Block.of([first]), Block.of([second])
    pairs = select_pairs(similarities(one, block))
    start = starting_weights(pairs)
    weight = relax(support(one, block, pairs), start, pairs.count)
    shift = np.array([420.0, 0.0])
    figure, both = plt.subplots(2, 1, figsize=(7, 9))
    for axes, weights, title in (
        (both[0], start, "candidates: similar descriptors"),
        (both[1], weight, "after relaxation"),
    ):
        a, b = one.places[0], block.places[0].copy()
        b[:, :2] += shift
        minutiae(axes, a, DARK)
        minutiae(axes, b, DARK)
        for k in range(int(pairs.count[0])):
            p, q = a[pairs.probe[0, k]], b[pairs.other[0, k]]
            strength = float(weights[0, k] / weights.max())
            axes.plot([p[0], q[0]], [p[1], q[1]], color=COOL if strength > 0.35 else WARM, lw=2 * strength + 0.2)
        axes.set_title(title, fontsize=9)
    figure.savefig(out / "fingerprint-relaxation.svg")
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    mpl.rcParams.update({"svg.hashsalt": "bioguard", "savefig.bbox": "tight", "svg.fonttype": "none"})
    cylinder(options.out)
    relaxation(options.out)


if __name__ == "__main__":
    main()
