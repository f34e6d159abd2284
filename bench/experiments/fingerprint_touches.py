"""Several touches per enrollment: best of the views against one merged template.

    python -m bench.experiments.fingerprint_touches --fingerprints DIR

Every set, every finger: the first four impressions are enrolled, the last four are probes; impostors are the last four
of all other fingers. The projection is the shipped one, so compare rows with each other, not with other tables.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.calibration.fingerprint_data import FingerSet, load_sets
from bench.import_options import add_import_options, import_options_of
from bench.metrics.rates import headline
from bioguard.match import FingerprintGallery
from bioguard.match.fingerprint.alignment import align, group_motion
from bioguard.match.fingerprint.pairing import Block, relax, select_pairs, similarities, starting_weights, support
from bioguard.match.fingerprint.prepared import prepare
from bioguard.records import FingerprintTemplate

Enroll = Callable[[list[FingerprintTemplate]], list[FingerprintTemplate]]
PLATE_PX500 = 2000


def merged(views: list[FingerprintTemplate]) -> list[FingerprintTemplate]:
    """One template: the first view, and what the others see that it does not, laid on it."""
    base = views[0]
    for view in views[1:]:
        one, block = Block.of([prepare(view)]), Block.of([prepare(base)])
        if not len(view) or not len(base):
            continue
        table = similarities(one, block)
        pairs = select_pairs(table.copy())
        agreement = support(one, block, pairs)
        weight = relax(agreement, starting_weights(pairs), pairs.count)
        _, matched, motion = align(one, block, table, group_motion(one, block, pairs, agreement, weight))
        if matched[0].sum() < 8:
            continue
        x, y, c, s = one.places[0][: len(view)][~matched[0].any(axis=1)].T
        m = motion.matrix[0]
        new_x, new_y = m[0, 0] * x + m[0, 1] * y + m[0, 2], m[1, 0] * x + m[1, 1] * y + m[1, 2]
        angle = np.arctan2(motion.s[0] * c + motion.c[0] * s, motion.c[0] * c - motion.s[0] * s)
        all_x, all_y = np.concatenate([base.x_px500, new_x]), np.concatenate([base.y_px500, -new_y])
        all_angle = np.concatenate([base.angle_rad, angle])[:255]
        all_x, all_y = (all_x - all_x.min())[:255], (all_y - all_y.min())[:255]
        base = FingerprintTemplate.from_minutiae(
            all_x, all_y, all_angle, width_px500=PLATE_PX500, height_px500=PLATE_PX500
        )
    return [base]


WAYS: dict[str, Enroll] = {
    "first touch": lambda views: views[:1],
    "best of the first two": lambda views: views[:2],
    "best of the first three": lambda views: views[:3],
    "best of four": lambda views: views,
    "four merged": merged,
    "best of four and four merged": lambda views: views + merged(views),
}


def scores(source: FingerSet, enroll: Enroll) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    fingers = np.unique(source.fingers)
    genuine: list[float] = []
    impostor: list[float] = []
    for finger in fingers:
        own = [t for t, f in zip(source.templates, source.fingers, strict=True) if f == finger]
        gallery = FingerprintGallery(enroll(own[:4]))
        for other in fingers:
            probes = [t for t, f in zip(source.templates, source.fingers, strict=True) if f == other][4:]
            best = [float(gallery.scores(p).max()) for p in probes]
            (genuine if other == finger else impostor).extend(best)
    return np.array(genuine, np.float32), np.array(impostor, np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--fingerprints", type=Path, required=True)
    add_import_options(parser)
    options = parser.parse_args()
    sets = load_sets(options.fingerprints, import_options_of(parser, options))
    print("pooled over all sets: EER %, FNMR % at FMR 1e-2 and 1e-3")
    for name, enroll in WAYS.items():
        parts = [scores(s, enroll) for s in sets]
        genuine, impostor = (np.concatenate([p[k] for p in parts]) for k in (0, 1))
        rates = headline(genuine, impostor)
        print(f"  {name:32s} " + " ".join(f"{100 * r:6.2f}" for r in rates))


if __name__ == "__main__":
    main()
