"""Comparisons per second, growth and memory of fingerprint search, and what the NumPy cascade loses.

    python -m bench.experiments.fingerprint_speed --fingerprints DIR [--rows 12800] [--largest 100000]

One thread, processor time, shuffled gallery of tiled real templates, 16 probes, backends in turn and five rounds, so
that noise of the machine meets all of them. Compare figures of one run only.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from bench.calibration.fingerprint_data import FingerSet, load_sets
from bench.import_options import add_import_options, import_options_of
from bench.single_thread import rerun_single_threaded
from bioguard.match import FingerprintGallery
from bioguard.match.fingerprint import PreparedTemplate, backends, prepare_all
from bioguard.match.fingerprint.extraction import describe
from bioguard.match.fingerprint.numpy_backend import quick_scores
from bioguard.match.fingerprint.parameters import CASCADE
from bioguard.match.thresholds import builtin_profile, threshold_for_fmr
from bioguard.records.modality import Modality
from bioguard.records.scores import Score

ROUNDS = 5
PROBES = 16
SEED = 1


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def search_all(gallery: FingerprintGallery, probes: list[PreparedTemplate], *, exhaustive: bool) -> None:
    for probe in probes:
        gallery.search(probe, 10, exhaustive=exhaustive)


def speed(prepared: list[PreparedTemplate], rows: int) -> None:
    rng = np.random.default_rng(SEED)
    order = rng.permutation(rows) % len(prepared)
    probes = [prepared[i] for i in rng.choice(len(prepared), PROBES, replace=False)]
    galleries = {name: FingerprintGallery([prepared[i] for i in order], backend=name) for name in backends()}
    small = FingerprintGallery([prepared[i] for i in order[:640]], backend="numpy")
    work: dict[str, tuple[int, Callable[[], object]]] = {
        f"{name}, exhaustive": (rows, partial(search_all, gallery, probes, exhaustive=True))
        for name, gallery in galleries.items()
        if name != "numpy"
    }
    work["numpy, exhaustive (640 rows)"] = 640, partial(search_all, small, probes, exhaustive=True)
    cascade = partial(search_all, galleries["numpy"], probes, exhaustive=False)
    work[f"numpy, cascade, best {CASCADE.share:.1%}"] = rows, cascade
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, (_, run) in work.items():
            times[name].append(seconds(run))
    print(f"{rows} rows, {PROBES} probes, comparisons per second of processor time: median (lowest .. highest)")
    for name, (n, _) in work.items():
        rates = sorted(n * PROBES / t for t in times[name])
        print(f"  {name:32s} {rates[ROUNDS // 2]:10,.0f} ({rates[0]:,.0f} .. {rates[-1]:,.0f})")
    for name, gallery in galleries.items():
        print(f"  {name:32s} {gallery.stats.bytes_per_template:10,.0f} bytes per template")


def growth(prepared: list[PreparedTemplate], largest: int) -> None:
    rng = np.random.default_rng(SEED)
    probe = prepared[int(rng.integers(len(prepared)))]
    print("rows, ms for one search, us per row")
    rows = 1000
    while rows <= largest:
        gallery = FingerprintGallery([prepared[i] for i in rng.integers(0, len(prepared), rows)])
        best = min(seconds(partial(gallery.search, probe, 10)) for _ in range(3))
        print(f"  {rows:9,d} {1000 * best:10.2f} {1e6 * best / rows:8.3f}")
        rows *= 10


def losses(sets: Sequence[FingerSet]) -> None:
    """Genuine pairs that the cascade drops: more than that share of the impostors look more alike at first sight."""
    threshold = threshold_for_fmr(1e-3, profile=builtin_profile(Modality.FINGERPRINT), score=Score.LIKELIHOOD_RATIO)
    for extractor in sorted({s.extractor for s in sets}):
        counts = {share: np.zeros(4) for share in (CASCADE.share, 0.05, 0.1)}
        for s in (s for s in sets if s.extractor == extractor):
            prepared = prepare_all(s.templates)
            exact = FingerprintGallery(prepared)
            leading = np.concatenate([t.codes[:, : CASCADE.dimensions] for t in prepared])
            sizes = np.array([len(t) for t in prepared])
            for i, probe in enumerate(prepared):
                quick = quick_scores(probe, leading, np.cumsum(sizes) - sizes, sizes)
                mates = (s.fingers == s.fingers[i]) & (np.arange(len(prepared)) != i)
                accepted = exact.scores(probe)[mates] >= threshold
                for share in counts:
                    lost = quick[mates] < np.quantile(quick[s.fingers != s.fingers[i]], 1 - share)
                    counts[share] += (mates.sum(), lost.sum(), accepted.sum(), (lost & accepted).sum())
        for share, (genuine, lost, kept, lost_kept) in counts.items():
            print(
                f"  {extractor}, best {share:.1%}: {100 * lost / genuine:.2f} % of genuine pairs are not in the list, "
                f"{100 * lost_kept / kept:.2f} % of those that the full comparison accepts at FMR 1e-3"
            )


def main() -> None:
    rerun_single_threaded("bench.experiments.fingerprint_speed")
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--fingerprints", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=12_800)
    parser.add_argument("--largest", type=int, default=100_000)
    add_import_options(parser)
    options = parser.parse_args()
    sets = load_sets(options.fingerprints, import_options_of(parser, options))
    templates = [t for s in sets if s.extractor == sets[0].extractor for t in s.templates]
    prepared = prepare_all(templates)
    print(f"mean {np.mean([len(t) for t in templates]):.1f} minutiae")
    for compiled in (True, False):
        rate = len(templates) / min(seconds(partial(describe, templates, compiled=compiled)) for _ in range(3))
        print(f"descriptor extraction, {'compiled' if compiled else 'numpy'}: {rate:,.0f} templates per second")
    speed(prepared, options.rows)
    growth(prepared, options.largest)
    print("cascade")
    losses(sets)


if __name__ == "__main__":
    main()
