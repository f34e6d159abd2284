"""Train the fingerprint projection and the score, and report how both do on databases they have not seen.

    python -m bench.calibration.train_projection --fingerprints DIR [--write]

DIR holds `<extractor>/<database>/<finger>_<impression>.iso`. Every figure is leave-one-database-out: the projection and
the regression that score a database come from the others, all extractors. `--also DIR` scores minutiae of further
extractors by the same models; nothing is learned from them. `--write` trains on everything, writes
`projection.bin` and prints the values for `parameters.ScoreParameters`; figures of that projection on its own training
sets are not reported because they would be too good.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.calibration.fingerprint_data import load_sets, pairs
from bench.calibration.fingerprint_training import Material, discriminants, material, train, unseen
from bench.import_options import add_import_options, import_options_of
from bench.metrics.rates import headline
from bioguard.match.fingerprint.backends import NUMPY, backends
from bioguard.match.fingerprint.calibration import FACTORS, bounded, factors
from bioguard.match.fingerprint.native_backend import PackedTemplates, compare
from bioguard.match.fingerprint.numpy_backend import N_EVIDENCE
from bioguard.match.fingerprint.parameters import ALIGNMENT, SCORE
from bioguard.match.fingerprint.prepared import prepare_all
from bioguard.match.fingerprint.projection import Projection

RIDGE = 1.0
"""Gaussian prior on the standardized regression weights: far too weak to matter except where factors are redundant."""
PROJECTION = Path(__file__).resolve().parents[2] / "src/bioguard/match/fingerprint/projection.bin"

Evidence = tuple[NDArray[np.float32], NDArray[np.bool_]]


def evidence_of(part: Material, using: Projection) -> Evidence:
    """Evidence of all pairs i < j of a set, float32 [pairs, 6], and whether they are of one finger."""
    prepared = prepare_all(part.source.templates, using)
    records = PackedTemplates.of(prepared, using.dimensions)
    i, j, same = pairs(part.source.fingers)
    out = np.zeros((len(prepared), len(prepared), N_EVIDENCE), np.float32)
    for row, probe in enumerate(prepared):
        out[row] = compare(probe, [records], backends()[0])
    return out[i, j], same


def fit_score(seen: list[Evidence]) -> NDArray[np.float64]:
    """Intercept and weights, float64 [1 + factors], of the decimal log likelihood ratio; iteratively reweighted.

    Genuine and impostor pairs weigh the same in sum; the share of each that reaches the alignment is added afterwards.
    """
    evidence = np.concatenate([e for e, _ in seen])
    same = np.concatenate([s for _, s in seen])
    passed = evidence[:, 0] >= np.float32(ALIGNMENT.gate)
    x, y = factors(evidence[passed]).astype(np.float64), same[passed]
    mean, scale = x.mean(axis=0), x.std(axis=0)
    design = np.column_stack([np.ones(len(x)), (x - mean) / scale])
    weight = np.where(y, 0.5 / y.sum(), 0.5 / (~y).sum()) * len(y)
    ridge = np.diag([0.0] + [RIDGE] * x.shape[1])
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (weight * (y - p)) - ridge @ beta
        beta += np.linalg.solve((design * (weight * p * (1 - p))[:, None]).T @ design + ridge, gradient)
    slopes = beta[1:] / scale
    intercept = beta[0] - slopes @ mean + np.log(passed[same].mean() / passed[~same].mean())
    fitted: NDArray[np.float64] = np.concatenate([[intercept], slopes]) / np.log(10)
    return fitted


def scored(evidence: NDArray[np.float32], fitted: NDArray[np.float64]) -> NDArray[np.float32]:
    """As `calibration.calibrated`, with weights that are given."""
    passed = evidence[:, 0] >= np.float32(ALIGNMENT.gate)
    out = SCORE.lowest - 1 + evidence[:, 0].astype(np.float64) / ALIGNMENT.gate
    values = out.astype(np.float32)
    values[passed] = bounded((fitted[0] + factors(evidence[passed]) @ fitted[1:]).astype(np.float32), evidence[passed])
    return values


def report(scores: Mapping[tuple[str, str], Evidence]) -> None:
    for extractor in sorted({e for e, _ in scores}):
        rows = []
        print(f"{extractor}: database, EER %, FNMR % at FMR 1e-2 and 1e-3")
        for (_, database), (values, same) in sorted((k, v) for k, v in scores.items() if k[0] == extractor):
            genuine, impostor = values[same], values[~same]
            rates = headline(genuine, impostor)
            rows.append(rates)
            print(f"  {database:16s} " + " ".join(f"{100 * r:6.2f}" for r in rates))
        print("  mean             " + " ".join(f"{100 * r:6.2f}" for r in np.mean(rows, axis=0)))
        values = np.concatenate([v for k, (v, _) in scores.items() if k[0] == extractor])
        same = np.concatenate([s for k, (_, s) in scores.items() if k[0] == extractor])
        rates = headline(values[same], values[~same])
        print("  one threshold    " + " ".join(f"{100 * r:6.2f}" for r in rates))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--fingerprints", type=Path, required=True)
    parser.add_argument("--also", type=Path, help="further extractors on the same databases, scored by the same models")
    parser.add_argument("--write", action="store_true")
    add_import_options(parser)
    options = parser.parse_args()
    if backends()[0] == NUMPY:
        parser.error("the compiled kernel is needed: reinstall with a C compiler")

    reading = import_options_of(parser, options)
    parts, using = train(load_sets(options.fingerprints, reading))
    also = [material(one) for one in load_sets(options.also, reading)] if options.also else []
    print(f"{sum(len(m[2]) for p in parts for m in p.matched)} corresponding minutiae")

    evidence: dict[tuple[str, str], Evidence] = {}
    for part, others in unseen(parts):
        evidence[part.source.extractor, part.source.database] = evidence_of(part, others)
    further: dict[tuple[str, str], Evidence] = {}
    for part in also:
        others = discriminants([one for one in parts if one.source.database != part.source.database])
        further[part.source.extractor, part.source.database] = evidence_of(part, others)
    scores = {}
    for key, (values, same) in (evidence | further).items():
        fitted = fit_score([e for (_, other), e in evidence.items() if other != key[1]])
        scores[key] = scored(values, fitted), same
    report(scores)
    if options.write:
        PROJECTION.write_bytes(using.to_bytes())
        fitted = fit_score(list(evidence.values()))
        print("\n".join(f"    {n}: float = {v:.4f}" for n, v in zip(("intercept", *FACTORS), fitted, strict=True)))


if __name__ == "__main__":
    main()
