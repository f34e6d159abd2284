"""What the exposure budget costs people, and what it leaves to an attacker: the figures of docs/protection.md.

    python -m bench.experiments.exposure --faces FILE.npz --fingerprints DIR

Development data only: the numbers in `bioguard.trusted.sensor.exposure` and `bioguard.trusted.biometric.levels` were
chosen on them. Three samples are enrolled, the rest are probes, the best of three counts.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.calibration.face_data import FaceSet, load_faces
from bench.calibration.fingerprint_data import load_sets
from bioguard.commands.configuration import Configuration
from bioguard.formats import ImportOptions
from bioguard.match import FingerprintGallery
from bioguard.match.protected.finger_codes import FingerCoder, protected_scores
from bioguard.match.thresholds import builtin_profile
from bioguard.records.modality import Modality
from bioguard.trusted.biometric.levels import Kind, Levels, levels
from bioguard.trusted.biometric.rates import claim_terms

Scores = list[NDArray[np.float64]]
"""For each person or finger, the score of each genuine probe."""
VIEWS = 3
LIMITS = (5, 10, 16, 30)
TURNS = 4_000
QUESTIONS = (0, 5, 10, 20, 30)
MAX_PROBES = 60


def face_scores(faces: FaceSet, least: int = 4) -> Scores:
    """Of people with at least so many views, at most MAX_PROBES of each."""
    found = []
    for person in np.unique(faces.labels):
        rows = np.flatnonzero(faces.labels == person)[:MAX_PROBES]
        if len(rows) >= least:
            views = faces.embeddings[rows].astype(np.float64)
            found.append((views[VIEWS:] @ views[:VIEWS].T).max(axis=1))
    return found


def finger_scores(root: Path, *, protected: bool) -> Scores:
    """Of every finger of every set."""
    coder, found = FingerCoder(bytes(32), epoch=1), []
    for one in load_sets(root, ImportOptions()):
        for finger in np.unique(one.fingers):
            touches = [t for t, f in zip(one.templates, one.fingers, strict=True) if f == finger]
            if protected:
                codes = [coder.encode(t) for t in touches]
                rows = [protected_scores(code, codes[:VIEWS]).max() for code in codes[VIEWS:]]
            else:
                gallery = FingerprintGallery(touches[:VIEWS])
                rows = [gallery.scores(touch).max() for touch in touches[VIEWS:]]
            found.append(np.array(rows, np.float64))
    return found


def zones(scores: Scores, at: Levels) -> tuple[float, float, float, float]:
    """Shares, mean over people: strong, near, refused; and of people who are never strong."""
    strong = np.array([(s >= at.strong).mean() for s in scores])
    near = np.mean([((s >= at.near) & (s < at.strong)).mean() for s in scores])
    refused = np.mean([(s < at.accept).mean() for s in scores])
    return float(strong.mean()), float(near), float(refused), float((strong == 0).mean())


def cost(scores: Scores, at: Levels, limit: int, rng: np.random.Generator) -> tuple[float, float]:
    """Share of attempts refused for a spent budget alone, mean over people, and of people who lose more than 5 %."""
    lost = []
    for own in scores:
        count, refused = 0, 0
        for score in rng.choice(own, TURNS):
            if score >= at.strong:
                count = 0
            elif score >= at.near:
                refused += score >= at.accept and count >= limit
                count += 1
        lost.append(refused / TURNS)
    return float(np.mean(lost)), float(np.mean(np.array(lost) > 0.05))


def climb(faces: FaceSet, at: Levels, questions: int, most: int = 400) -> NDArray[np.float64]:
    """Cosines that an attacker ends with who starts at a false match and gets so many ideal answers.

    Ideal: the distribution of faces is known exactly, and each answer is the sign of the victim's coordinate along the
    direction of most variance that is left, which takes a probe exactly on the threshold. No real attacker has either.
    """
    rows = faces.embeddings.astype(np.float64)
    people = np.array([np.flatnonzero(faces.labels == p)[0] for p in np.unique(faces.labels)])
    mean, covariance = rows[people].mean(axis=0), np.cov(rows[people].T)
    cosines = rows @ rows.T
    false = (cosines >= at.accept) & (cosines < at.accept + 0.06) & (faces.labels[:, None] != faces.labels[None, :])
    reached = []
    for victim, start in np.argwhere(false)[:most]:
        y, x = rows[victim], rows[start]
        moved = covariance @ x
        expected = mean + moved / (x @ moved) * (at.accept - mean @ x)
        spread, axes = np.linalg.eigh(covariance - np.outer(moved, moved) / (x @ moved))
        top, width = axes[:, ::-1][:, :questions], np.sqrt(np.maximum(spread[::-1][:questions], 0))
        estimate = expected + top @ (np.sign(top.T @ (y - expected)) * width * np.sqrt(2 / np.pi))
        reached.append(max(float(estimate @ y / np.linalg.norm(estimate)), float(x @ y)))
    return np.array(reached)


def tables(faces: FaceSet, fingerprints: Path) -> Iterator[str]:
    """The tables of the page, line by line."""
    terms, rng = claim_terms(Configuration(), 0), np.random.default_rng(1)
    face, finger = builtin_profile(Modality.FACE, 512), builtin_profile(Modality.FINGERPRINT)
    kinds = (
        ("faces", Kind(face, protected=False), face_scores(faces)),
        ("fingers", Kind(finger, protected=False), finger_scores(fingerprints, protected=False)),
        ("fingers, protected codes", Kind(finger, protected=True), finger_scores(fingerprints, protected=True)),
    )
    yield "| genuine samples | people or fingers | strong | near | refused | never strong |"
    yield "|---|---|---|---|---|---|"
    for name, kind, scores in kinds:
        strong, near, refused, never = zones(scores, levels(kind, terms, VIEWS))
        yield f"| {name} | {len(scores)} | {strong:.1%} | {near:.1%} | {refused:.1%} | {never:.1%} |"
    at = levels(kinds[0][1], terms, VIEWS)
    several = face_scores(faces, 8)
    yield f"\n| near decisions allowed | refused in addition ({len(several)} people) | people who lose more than 5 % |"
    yield "|---|---|---|"
    for limit in LIMITS:
        lost, hit = cost(several, at, limit, rng)
        yield f"| {limit} | {lost:.2%} | {hit:.1%} |"
    yield f"\n| ideal answers | mean cosine | 95 % of {len(climb(faces, at, 0))} false matches below | strong |"
    yield "|---|---|---|---|"
    for questions in QUESTIONS:
        reached = climb(faces, at, questions)
        share = (reached >= at.strong).mean()
        yield f"| {questions} | {reached.mean():.2f} | {np.quantile(reached, 0.95):.2f} | {share:.0%} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.experiments.exposure", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--faces", type=Path, required=True, metavar="FILE.npz")
    parser.add_argument("--fingerprints", type=Path, required=True, metavar="DIR")
    chosen = parser.parse_args()
    for line in tables(load_faces(chosen.faces).half("development"), chosen.fingerprints):
        print(line)


if __name__ == "__main__":
    main()
