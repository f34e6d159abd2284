"""Fit the fingerprint thresholds and write them to src/bioguard/match/profiles/.

    python -m bench.calibration.calibrate_fingerprints --fingerprints DIR [--out FOLDER]
        [--people 8000] [--protected-people 1500]

Real points: all pairs of different fingers of every set, scored by a projection and a regression that were trained
without that database; the interval resamples fingers. A rate is measured only where at least 20 false matches lie
beyond it. Below that the synthetic population takes over, shifted up to the upper end of the interval of the last
measured point (never down), and below 30 false matches there a straight line over the logarithm of the rate, as
steep as the last measured decade or the last two synthetic ones, whichever is steeper: what cannot be measured errs
on the strict side. The protected score is calibrated with one key for everybody: the case of a stolen key.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.calibration.fingerprint_data import load_sets, pairs
from bench.calibration.fingerprint_training import train, unseen
from bench.calibration.threshold_file import FOLDER, path_of, write_tables
from bench.calibration.train_projection import Evidence, evidence_of, fit_score, scored
from bench.import_options import add_import_options, import_options_of
from bioguard.formats import ImportOptions
from bioguard.match import FingerprintGallery
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare_all
from bioguard.match.protected.finger_codes import FingerCoder, protected_scores
from bioguard.records.comparison_profile import CalibrationData, RatePoint, ScoreTable
from bioguard.records.scores import Basis, Score
from bioguard.simulate.people.fingers import FingerPopulation

RATES = (1e-1, 1e-2, 1e-3, 1e-4, 2e-5, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12)
MIN_REAL = 20
MIN_SYNTHETIC = 30
REPLICATES = 200
SEED = 20240611
KEY = bytes(range(32))

Scored = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]  # scores and the two finger numbers


def threshold_at(ordered: NDArray[np.float32], weights: NDArray[np.float64], rate: float) -> float:
    """Just above the score at and above which more than this share of the weight lies; scores descending."""
    total = np.cumsum(weights)
    at = int(np.searchsorted(total, rate * total[-1], side="right"))
    return float(np.nextafter(ordered[min(at, ordered.size - 1)], np.float32(np.inf)))


def real_scores(root: Path, options: ImportOptions) -> tuple[list[Scored], list[Scored]]:
    """Impostor scores of every set, full and protected, by models that have not seen the database."""
    parts, _ = train(load_sets(root, options))
    numbers = {name: number for number, name in enumerate(sorted({p.source.database for p in parts}))}
    evidence: dict[tuple[str, str], Evidence] = {}
    protected, coder = [], FingerCoder(KEY)
    fingers = {}
    for part, others in unseen(parts):
        key = part.source.extractor, part.source.database
        evidence[key] = evidence_of(part, others)
        i, j, same = pairs(part.source.fingers)
        ids = part.source.fingers + 1000 * numbers[part.source.database]
        fingers[key] = ids[i][~same], ids[j][~same]
        codes = [coder.encode(t) for t in prepare_all(part.source.templates, others)]
        table = np.stack([protected_scores(c, codes) for c in codes])
        protected.append((table[i, j][~same], *fingers[key]))
    full = []
    for key, (values, same) in evidence.items():
        fitted = fit_score([e for (_, other), e in evidence.items() if other != key[1]])
        full.append((scored(values, fitted)[~same], *fingers[key]))
    return full, protected


def measured(sets: list[Scored]) -> list[RatePoint]:
    """Points where real impostors reach, with intervals over resampled fingers."""
    scores, a, b = (np.concatenate([s[k] for s in sets]) for k in range(3))
    order = np.argsort(-scores)
    scores = scores[order]
    names, both = np.unique(np.stack([a[order], b[order]]), return_inverse=True)
    first, second = both.reshape(2, -1)
    rng = np.random.default_rng(SEED)
    drawn = [np.bincount(rng.integers(0, names.size, names.size), minlength=names.size) for _ in range(REPLICATES)]
    weights = [(w[first] * w[second]).astype(np.float64) for w in drawn]
    points = []
    for rate in RATES:
        if rate * scores.size < MIN_REAL:
            break
        samples = [threshold_at(scores, w, rate) for w in weights]
        low, high = np.quantile(samples, [0.025, 0.975])
        point = threshold_at(scores, np.ones(scores.size), rate)
        points.append(
            RatePoint.of(
                rate, point, Basis.MEASURED, low=float(low), high=float(high),
                false_matches=int((scores >= point).sum()), impostors=scores.size,
            )
        )  # fmt: skip
    return points


def synthetic_full(prepared: list[PreparedTemplate], keep: int) -> tuple[NDArray[np.float32], int]:
    """The highest impostor scores of a population, descending, and the number of comparisons."""
    top = np.zeros(0, np.float32)
    chunk, count = 500, 0
    for start in range(chunk, len(prepared), chunk):
        gallery = FingerprintGallery(prepared[:start])
        floor = top[-1] if top.size == keep else np.float32(-np.inf)
        new = [scores[scores > floor] for scores in map(gallery.scores, prepared[start : start + chunk])]
        count += start * len(new)
        top = np.sort(np.concatenate([top, *new]))[::-1][:keep]
    return top, count


def synthetic_protected(prepared: list[PreparedTemplate]) -> tuple[NDArray[np.float32], int]:
    coder = FingerCoder(KEY)
    codes = [coder.encode(t) for t in prepared]
    scores = np.concatenate([protected_scores(c, codes[:i]) for i, c in enumerate(codes) if i])
    return np.sort(scores)[::-1], scores.size


def extended(points: list[RatePoint], top: NDArray[np.float32], count: int) -> list[RatePoint]:
    """Measured points followed by synthetic and extrapolated ones, never falling."""
    last = points[-1]

    def synthetic(rate: float) -> float:
        return float(np.nextafter(top[int(rate * count)], np.float32(np.inf)))

    shift = max(0.0, (last.high or last.threshold) - synthetic(last.rate))
    out = list(points)
    finest = max(r for r in RATES if r * count < MIN_SYNTHETIC)
    anchor = [r for r in RATES if r < last.rate and r > finest][-1]
    slope = max((synthetic(anchor) - synthetic(100 * anchor)) / 2, last.threshold - points[-2].threshold)
    for rate in RATES[len(points) :]:
        if rate > finest:
            out.append(RatePoint.of(rate, synthetic(rate) + shift, Basis.SYNTHETIC))
        else:
            decades = np.log10(anchor / rate)
            out.append(RatePoint.of(rate, synthetic(anchor) + shift + slope * decades, Basis.EXTRAPOLATED))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--fingerprints", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--people", type=int, default=8000)
    parser.add_argument("--protected-people", type=int, default=1500)
    add_import_options(parser)
    options = parser.parse_args()

    full, protected = real_scores(options.fingerprints, import_options_of(parser, options))
    population = FingerPopulation(SEED)
    prepared = prepare_all([population.impression(person, 2, 0) for person in range(options.people)])
    top, count = synthetic_full(prepared, 400_000)
    codes, n_codes = synthetic_protected(prepared[: options.protected_people])
    for name, sets, best, n in (("full", full, top, count), ("protected", protected, codes, n_codes)):
        real = np.sort(np.concatenate([s[0] for s in sets]))[::-1]
        for rate in (1e-2, 1e-3):
            print(f"{name}: threshold at {rate:g}: real {real[int(rate * real.size)]:.3f}, ", end="")
            print(f"synthetic {best[int(rate * n)]:.3f} of {n} comparisons")
    n_real = sum(s[0].size for s in full)
    source = (
        f"FVC2002 DB1_B DB3_B, FVC2004 DB2_B DB3_B, two extractors, "
        f"{n_real} impostor pairs, models trained without the database; {options.people} synthetic fingers"
    )
    fitted = [
        ScoreTable(score=Score.LIKELIHOOD_RATIO, points=tuple(extended(measured(full), top, count))),
        ScoreTable(score=Score.PROTECTED, points=tuple(extended(measured(protected), codes, n_codes))),
    ]
    fingers = len({(int(finger), part) for part, s in enumerate(full) for finger in s[1]})
    data = CalibrationData(description=source, people=fingers, samples=0, impostors=n_real)
    write_tables(path_of(options.out, "minutiae-pooled"), fitted, data)
    for table in fitted:
        for point in table.points:
            print(f"{table.score.word} {point.rate:g} {point.basis.word}: {point.threshold:.4f}")


if __name__ == "__main__":
    main()
