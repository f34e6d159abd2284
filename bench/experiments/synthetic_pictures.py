"""Pictures of synthetic fingers: write sets for `bench extract`, or see how many of their minutiae an engine finds.

python -m bench.experiments.synthetic_pictures --out DIR [--fingers 10] [--touches 8]    # DIR/<finger>_<touch>.png
python -m bench.experiments.synthetic_pictures --engine nbis --engine leader [--fingers 12] [--touches 2]

The second counts on clean touches: no grain, no damp or dry skin, but turned, shifted, stretched and cut off as always.
Counted are minutiae of the finger that have skin within RIM_PX all around; found is one that an engine reports within
PLACE_PX and TURN_RAD, each answer for one minutia, the nearest first.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bioguard.capture.engine import Picture
from bioguard.capture.engines import load_engine
from bioguard.records import FingerprintTemplate
from bioguard.report.png import write_png
from bioguard.simulate.people.pictures import CLEAN, FingerPictures

DPI = 500
RIGHT_INDEX = 2
FIRST_COUNTED = 300
"""People from here are counted; with earlier ones the growth was chosen."""
PLACE_PX = 12.0
TURN_RAD = np.radians(20)
RIM_PX = 12.0
RIDGE_BELOW = 150
NEAR_PX = 5


def found(truth: FingerprintTemplate, seen: FingerprintTemplate) -> NDArray[np.bool_]:
    """Which minutiae of truth [n] are among those seen, one to one."""
    hit = np.zeros(len(truth), bool)
    away = np.hypot(
        truth.x_px500[:, None].astype(float) - seen.x_px500, truth.y_px500[:, None].astype(float) - seen.y_px500
    )
    turned = np.angle(np.exp(1j * (truth.angle_rad[:, None].astype(float) - seen.angle_rad)))
    cost = np.where((away <= PLACE_PX) & (np.abs(turned) <= TURN_RAD), away, np.inf)
    while cost.size and np.isfinite(cost.min()):
        i, j = np.unravel_index(cost.argmin(), cost.shape)
        hit[i] = True
        cost[i], cost[:, j] = np.inf, np.inf
    return hit


def surrounded(pixels: NDArray[np.uint8], truth: FingerprintTemplate) -> NDArray[np.bool_]:
    """Which minutiae [n] have ridges on all sides, in a clean picture."""
    height, width = pixels.shape
    inside = np.ones(len(truth), bool)
    for step in np.arange(16) * np.pi / 8:
        columns = np.rint(truth.x_px500 + RIM_PX * np.cos(step)).astype(int)
        rows = np.rint(truth.y_px500 + RIM_PX * np.sin(step)).astype(int)
        inside &= (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        for i in np.flatnonzero(inside):
            part = pixels[
                max(0, rows[i] - NEAR_PX) : rows[i] + NEAR_PX + 1,
                max(0, columns[i] - NEAR_PX) : columns[i] + NEAR_PX + 1,
            ]
            inside[i] = part.min() < RIDGE_BELOW
    return inside


def count(word: str, fingers: int, touches: int) -> str:
    """One line: what an engine finds."""
    engine, pictures = load_engine(word), FingerPictures(1, CLEAN)
    minutiae = hits = reported = 0
    for person in range(FIRST_COUNTED, FIRST_COUNTED + fingers):
        for number in range(touches):
            pixels = pictures.picture(person, RIGHT_INDEX, number)
            truth = pictures.truth(person, RIGHT_INDEX, number)
            seen = engine.extract(Picture(pixels, DPI)).sample
            counted = surrounded(pixels, truth)
            minutiae += int(counted.sum())
            if isinstance(seen, FingerprintTemplate):
                hits += int((found(truth, seen) & counted).sum())
                reported += len(seen)
    rate = f"{hits} of {minutiae} minutiae found, {hits / minutiae:.1%}"
    return f"{word}: {rate}; {reported / (fingers * touches):.0f} reported a picture"


def write(out: Path, fingers: int, touches: int) -> None:
    """A set in FVC style: fingers from 101, impressions from 1."""
    out.mkdir(parents=True, exist_ok=True)
    pictures = FingerPictures(1)
    for person in range(fingers):
        for number in range(touches):
            png = write_png(pictures.picture(person, RIGHT_INDEX, number), DPI)
            (out / f"{101 + person}_{1 + number}.png").write_bytes(png)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write, or count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--engine", action="append", default=[])
    parser.add_argument("--fingers", type=int, default=10)
    parser.add_argument("--touches", type=int, default=8)
    given = parser.parse_args(arguments)
    if given.out is not None:
        write(given.out, given.fingers, given.touches)
    for word in given.engine:
        print(count(word, given.fingers, given.touches), flush=True)


if __name__ == "__main__":
    main()
