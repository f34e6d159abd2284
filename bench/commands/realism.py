"""`realism`: do synthetic people score like real ones?"""

from pathlib import Path
from typing import Any

import click
import numpy as np

from bench.console import advancing, note, show, write_json
from bench.environment import environment
from bench.load import FingerprintSet, fingerprint_sets, read_faces
from bench.matchers import cosines, fingerprint_comparisons, fingerprint_scores
from bench.metrics.comparisons import Comparisons, scores_of
from bench.metrics.rates import Scores
from bioguard.cli.import_options import import_options
from bioguard.formats import ImportOptions
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation, FingerPopulation

LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TAIL = (0.9, 0.99, 0.999, 0.9999)
FINGERS, TOUCHES = 80, 8
VIEWS = 2
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--fingerprints", type=FOLDER, help="Real impressions.", metavar="DIR")
@click.option(
    "--fitted", multiple=True, metavar="SET", help="Sets the fingers were fitted to; the others are the check."
)
@click.option("--faces", type=FILE, help="Real EdgeFace embeddings.", metavar="FILE.npz")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@import_options
def realism(
    fingerprints: Path | None,
    fitted: tuple[str, ...],
    faces: Path | None,
    out: Path,
    seed: int,
    as_json: bool,
    options: ImportOptions,
) -> None:
    """Score quantiles and error rates of real and synthetic people side by side: realism.json."""
    if fingerprints is None and faces is None:
        raise click.UsageError("give --fingerprints, --faces or both")
    data: dict[str, Any] = {"command": "realism", "seed": seed, "environment": environment()}
    lines = []
    if fingerprints is not None:
        data["fingerprints"] = _fingerprints(fingerprints, set(fitted), seed, options)
        lines += _lines("fingerprints", data["fingerprints"])
    if faces is not None:
        data["faces"] = _faces(faces, seed)
        lines += _lines("faces", data["faces"])
    write_json(out / "realism.json", data)
    note(f"realism.json in {out}")
    show(data, lines, as_json=as_json)


def _fingerprints(root: Path, fitted: set[str], seed: int, options: ImportOptions) -> dict[str, Any]:
    real = list(fingerprint_sets(root, options))
    for line in (line for one in real for line in one.lines()):
        note(line)
    groups = {
        "real, fitted": [s for s in real if s.name in fitted],
        "real, check": [s for s in real if s.name not in fitted],
        "synthetic": [_synthetic_fingers(seed)],
    }
    found = {}
    with advancing("fingerprints", len(real) + 1) as advance:
        for name, sets in groups.items():
            compared = []
            for one in sets:
                compared.append(fingerprint_comparisons(one, fingerprint_scores(one)))
                advance(1)
            if compared:
                found[name] = {"sets": [s.name for s in sets], **_figures(scores_of(compared))}
    return found


def _synthetic_fingers(seed: int) -> FingerprintSet:
    which = [(person, 2, touch) for person in range(FINGERS) for touch in range(TOUCHES)]
    touches = list(FingerPopulation(seed).stream(which))
    files = [f"{person}_{touch + 1}.iso" for person, _, touch in which]
    return FingerprintSet("synthetic", files, [str(person) for person, _, _ in which], touches)


def _faces(path: Path, seed: int) -> dict[str, Any]:
    faces = read_faces(path)
    for line in faces.lines(path.name):
        note(line)
    order = np.argsort(faces.subjects, kind="stable")
    place = np.arange(order.size) - np.searchsorted(faces.subjects[order], faces.subjects[order])
    kept = order[place < VIEWS]
    subjects = faces.subjects[kept]
    population = FacePopulation(EDGEFACE_XS, seed)
    people = int(subjects.max()) + 1
    rows = np.concatenate([population.embeddings(0, people, view) for view in range(VIEWS)])
    made = np.tile(np.arange(people, dtype=np.int64), VIEWS)
    pairs = {"real": (faces.rows[kept], subjects), "synthetic": (rows, made)}
    return {
        name: {"people": people, **_figures(scores_of([Comparisons(name, cosines(x), s, [""] * len(s))]))}
        for name, (x, s) in pairs.items()
    }


def _figures(scores: Scores) -> dict[str, Any]:
    rates = {
        t: scores.at_fmr(float(t)) for t in ("1e-2", "1e-3", "1e-4", "1e-5") if scores.impostor.size * float(t) >= 3
    }
    return {
        "genuine_quantiles": dict(zip(map(str, LEVELS), np.quantile(scores.genuine, LEVELS).tolist(), strict=True)),
        "impostor_quantiles": dict(zip(map(str, TAIL), np.quantile(scores.impostor, TAIL).tolist(), strict=True)),
        "eer": scores.eer().value,
        "thresholds": {t: p.threshold for t, p in rates.items()},
        "fnmr_at_fmr": {t: p.fnmr for t, p in rates.items()},
    }


def _lines(what: str, groups: dict[str, Any]) -> list[str]:
    head = [f"{'gen ' + q:>9}" for q in map(str, LEVELS)] + [f"{'imp ' + q:>11}" for q in map(str, TAIL)]
    lines = [f"{what:<14}" + "".join(head) + "      EER  FNMR@1e-2 @1e-3"]
    for name, r in groups.items():
        cells = [f"{v:>9.3f}" for v in r["genuine_quantiles"].values()]
        cells += [f"{v:>11.3f}" for v in r["impostor_quantiles"].values()]
        fnmr = "  ".join(f"{100 * v:.2f} %" for v in r["fnmr_at_fmr"].values())
        lines.append(f"{name:<14}" + "".join(cells) + f"  {100 * r['eer']:.2f} %  {fnmr}")
    return lines
