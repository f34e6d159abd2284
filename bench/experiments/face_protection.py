"""What protected face codes cost, leak and link: accuracy, reconstruction, linkage, each with and without the secret.

    python -m bench.experiments.face_protection --faces FILE.npz [--out face_protection.json] [--quick]

* loss: accepted genuine pairs at FMR 1e-3, 1e-4 and 1e-5 under each code against the cosine, each at its own threshold,
  in percentage points; development and test half apart, mean over epochs, interval over people. This is also the
  accuracy once the secret is stolen: an impostor who knows the secret still has to look like the victim.
* reconstruction: victims are people of the test half with two photographs, the attacker's prior are the people of the
  development half. Cosine to the enrolled photograph, and how often the estimate is accepted as *another* photograph of
  the victim at the published thresholds (type II attack). Once with the secret, once with a wrong one.
* linkage: D_sys between codes of two epochs, against the floor of the estimator; and what a thief of both secrets sees.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.calibration.face_data import FaceSet, load_faces
from bench.inversion import invert_scalar_codes, invert_sign_codes
from bench.linkage import equal_bins, integer_bins, linkage
from bench.metrics.rates import minimum_comparisons
from bench.metrics.resampling import Pairs, fnmr_loss
from bench.wording import NOT_MEASURABLE
from bioguard.match.protected import CodeContext, ScalarCoder, SignCoder
from bioguard.match.thresholds import builtin_profile, threshold_for_fmr
from bioguard.records.modality import Modality
from bioguard.records.scores import Score

RATES = (1e-3, 1e-4, 1e-5)
VIEWS = 5
SEED = 5

Figures = dict[str, object]


def context(epoch: int, dimension: int) -> CodeContext:
    """One epoch of one store."""
    secret = np.random.default_rng([SEED, epoch]).bytes(32)
    return CodeContext(secret=secret, dimension=dimension, model_id="bench", epoch=epoch)


def sign_similarities(rows: NDArray[np.float32], epoch: int, n_bits: int) -> NDArray[np.float32]:
    """1 - 2 h / b for all pairs, by one matrix product of +-1 vectors."""
    codes = SignCoder(context(epoch, rows.shape[1]), n_bits=n_bits).encode(rows)
    signs = 2 * np.unpackbits(codes, axis=1, bitorder="little").astype(np.float32) - 1
    similarities: NDArray[np.float32] = signs @ signs.T / np.float32(n_bits)
    return similarities


def scalar_similarities(rows: NDArray[np.float32], epoch: int) -> NDArray[np.float32]:
    """Similarities of all pairs of scalar codes."""
    coder = ScalarCoder(context(epoch, rows.shape[1]))
    decoded = coder.decode(coder.encode(rows))
    similarities: NDArray[np.float32] = decoded @ decoded.T
    return similarities


def pairs_of(faces: FaceSet, similarities: NDArray[np.float32]) -> Pairs:
    """All pairs of a similarity matrix [n, n] with their people."""
    people, person = np.unique(faces.labels, return_inverse=True)
    i, j = np.triu_indices(len(faces), 1)
    scores, same = similarities[i, j], person[i] == person[j]
    a, b = person[i[~same]], person[j[~same]]
    return Pairs(people.size, scores[same], person[i[same]], scores[~same], a, b, lambda w: float((w[a] * w[b]).sum()))


def losses(faces: FaceSet, epochs: int, replicates: int) -> Figures:
    """Loss of each code on one half."""
    rows = faces.embeddings
    cosine = pairs_of(faces, rows @ rows.T)
    figures: Figures = {
        "people": faces.people,
        "genuine_pairs": int(cosine.genuine.size),
        "impostor_pairs": int(cosine.impostor.size),
    }
    for name in ("scalar", "sign 1024"):
        for rate in RATES:
            if cosine.impostor.size < minimum_comparisons(rate):
                figures[f"{name} loss_pp at {rate:g}"] = NOT_MEASURABLE
                continue
            estimates, ends = [], []
            for epoch in range(epochs):
                similarities = (
                    scalar_similarities(rows, epoch) if name == "scalar" else sign_similarities(rows, epoch, 1024)
                )
                loss, low, high = fnmr_loss(
                    cosine,
                    pairs_of(faces, similarities),
                    rate,
                    seed=SEED,
                    replicates=replicates if epoch == 0 else 1,
                )
                estimates.append(100 * loss)
                if epoch == 0:
                    ends = [round(100 * low, 3), round(100 * high, 3)]
            figures[f"{name} loss_pp at {rate:g}"] = {
                "mean": round(float(np.mean(estimates)), 3),
                "epochs": [round(e, 3) for e in estimates],
                "interval_95_first_epoch": ends,
            }
    return figures


def two_views(faces: FaceSet) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """First and second photograph of everybody who has two."""
    capped = faces.capped(2)
    order = np.argsort(capped.labels, kind="stable")
    labels = capped.labels[order]
    pairs = np.flatnonzero(labels[:-1] == labels[1:])
    return capped.embeddings[order[pairs]], capped.embeddings[order[pairs + 1]]


def impostor_pairs(faces: FaceSet) -> int:
    """Pairs of photographs of two people: how many decide what rate such data can speak of."""
    counts = np.unique(faces.labels, return_counts=True)[1]
    return int((len(faces) ** 2 - (counts**2).sum()) // 2)


def attack(
    estimates: NDArray[np.float64], enrolled: NDArray[np.float32], others: NDArray[np.float32], impostors: int
) -> Figures:
    """Success of reconstructed embeddings, at the rates that as many impostor pairs can show."""
    same = np.sum(estimates * enrolled, axis=1)
    other = np.sum(estimates * others, axis=1)
    genuine = np.sum(enrolled * others, axis=1)
    figures: Figures = {
        "victims": len(same),
        "cosine_mean": round(float(same.mean()), 4),
        "cosine_standard_error": round(float(same.std() / np.sqrt(len(same))), 4),
    }
    profile = builtin_profile(Modality.FACE, enrolled.shape[1])
    for rate in RATES:
        if impostors < minimum_comparisons(rate):
            figures[f"accepted at {rate:g}"] = NOT_MEASURABLE
            continue
        threshold = threshold_for_fmr(rate, profile=profile, score=Score.COSINE)
        figures[f"accepted at {rate:g}"] = {
            "attack": round(float(np.mean(other >= threshold)), 4),
            "genuine": round(float(np.mean(genuine >= threshold)), 4),
        }
    return figures


def reconstruction(development: FaceSet, test: FaceSet) -> Figures:
    """Both codes, with the right and with a wrong secret."""
    enrolled, others = two_views(test)
    impostors = impostor_pairs(test)
    prior = development.embeddings.astype(np.float64)
    second_moment = prior.T @ prior / len(prior)
    right, wrong = context(0, enrolled.shape[1]), context(1, enrolled.shape[1])
    scalar_codes = ScalarCoder(right).encode(enrolled)
    figures: Figures = {}
    for n_bits in (64, 256, 1024):
        codes = SignCoder(right, n_bits=n_bits).encode(enrolled)
        figures[f"sign {n_bits}, secret stolen"] = attack(
            invert_sign_codes(right, codes, second_moment), enrolled, others, impostors
        )
        if n_bits == 1024:
            figures["sign 1024, secret unknown"] = attack(
                invert_sign_codes(wrong, codes, second_moment), enrolled, others, impostors
            )
    figures["scalar, secret stolen"] = attack(invert_scalar_codes(right, scalar_codes), enrolled, others, impostors)
    figures["scalar, secret unknown"] = attack(invert_scalar_codes(wrong, scalar_codes), enrolled, others, impostors)
    return figures


def unlinkability(faces: FaceSet, pairs_of_epochs: int, shuffles: int) -> Figures:
    """D_sys between epochs: mated are two photographs of one person, one code in each epoch."""
    first, second = two_views(faces)
    n, d = first.shape
    away = [(np.arange(n) + step) % n for step in range(1, 7)]
    scores: dict[str, tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]] = {
        name: ([], []) for name in ("sign", "scalar", "same epoch", "both stolen")
    }

    def collect(name: str, a: NDArray[np.float64], b: NDArray[np.float64]) -> None:
        scores[name][0].append(np.sum(a * b, axis=1))
        scores[name][1].extend(np.sum(a * b[other], axis=1) for other in away)

    for pair in range(pairs_of_epochs):
        old, new = context(2 * pair, d), context(2 * pair + 1, d)
        old_codes, new_codes = SignCoder(old).encode(first), SignCoder(new).encode(second)
        for name, codes in (("sign", new_codes), ("same epoch", SignCoder(old).encode(second))):
            mated = np.bitwise_count(old_codes ^ codes).sum(axis=1).astype(np.float64)
            scores[name][0].append(mated)
            scores[name][1].extend(np.bitwise_count(old_codes ^ codes[o]).sum(axis=1).astype(np.float64) for o in away)
        old_scalar, new_scalar = ScalarCoder(old), ScalarCoder(new)
        old_levels, new_levels = old_scalar.encode(first), new_scalar.encode(second)
        collect(
            "scalar", old_scalar.decode(old_levels).astype(np.float64), new_scalar.decode(new_levels).astype(np.float64)
        )
        collect("both stolen", invert_scalar_codes(old, old_levels), invert_scalar_codes(new, new_levels))
    figures: Figures = {}
    for name, (mated_parts, other_parts) in scores.items():
        mated, other = np.concatenate(mated_parts), np.concatenate(other_parts)
        edges = (integer_bins if name in {"sign", "same epoch"} else equal_bins)(mated, other)
        found = linkage(mated, other, edges, seed=SEED, shuffles=shuffles)
        figures[name] = {
            "people": n, "mated": int(mated.size), "non_mated": int(other.size), "d_sys": round(found.d_sys, 4),
            "floor_mean": round(found.floor_mean, 4), "floor_95": round(found.floor_95, 4), "linkable": found.linkable,
        }  # fmt: skip
    return figures


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.experiments.face_protection", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--faces", type=Path, required=True, help="embeddings and labels")
    parser.add_argument("--quick", action="store_true", help="few epochs and replicates")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    epochs, replicates = (1, 20) if options.quick else (5, 200)
    faces = load_faces(options.faces)
    development, test = faces.half("development"), faces.half("test")
    figures: Figures = {
        "linkage": unlinkability(faces, 2 if options.quick else 16, replicates),
        "reconstruction": reconstruction(development, test),
        "loss development": losses(development.capped(VIEWS), epochs, replicates),
        "loss test": losses(test.capped(VIEWS), epochs, replicates),
    }
    print(json.dumps(figures, indent=2))
    if options.out:
        options.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
