"""`protection`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np

from bench import finger_codes
from bench.calibration.face_data import FaceSet, load_faces
from bench.console import advancing, note, show, write_json
from bench.dataset import Dataset
from bench.dataset_option import dataset_option
from bench.environment import environment
from bench.experiments.face_protection import VIEWS, context, losses, reconstruction, two_views, unlinkability
from bench.inputs import Reading
from bench.linkage import integer_bins, linkage
from bench.load import FingerprintSet, fingerprint_sets
from bench.protection_report import protection_report
from bioguard.cli.import_options import import_options
from bioguard.formats import ImportOptions
from bioguard.match.fingerprint import prepare_all
from bioguard.match.protected import SignCoder
from bioguard.report import render
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation, FingerPopulation

PEOPLE, FINGERS, TOUCHES = 1600, 60, 4
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR")
@click.option("--faces", type=FILE, help="embeddings and labels; synthetic people without it.", metavar="FILE.npz")
@click.option("--fingerprints", type=FOLDER, help="FVC-style folders; synthetic fingers without it.", metavar="DIR")
@dataset_option
@click.option("--quick", is_flag=True, help="Few epochs and draws.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="protection.json on stdout as well.")
@import_options
def protection(
    out: Path,
    faces: Path | None,
    fingerprints: Path | None,
    dataset: Dataset,
    quick: bool,
    seed: int,
    as_json: bool,
    options: ImportOptions,
) -> None:
    """What protected codes cost, leak and link, with and without the secret: protection.json and report.html.

    Irreversibility is measured by attacks (reconstruction), unlinkability as D_sys against its floor, renewability by
    old and new codes of the same sample, accuracy with the secret stolen by what an impostor who knows it achieves.
    """
    reading = Reading([*dataset.files, faces], fingerprints)
    people = load_faces(faces) if faces is not None else _synthetic_faces(seed)
    epochs, replicates, pairs = (1, 20, 2) if quick else (3, 100, 8)
    sets = list(fingerprint_sets(fingerprints, options)) if fingerprints is not None else []
    with advancing("protection", 6) as advance:
        development, test = people.half("development"), people.half("test")
        data: dict[str, Any] = {"command": "protection", "seed": seed, "environment": environment()}
        data["data"] = {
            "faces": faces.name if faces else "synthetic",
            "fingerprints": fingerprints.name if fingerprints else "synthetic",
        }
        data["dataset"] = dataset.as_data() if dataset.fields else None
        data["inputs"] = reading.done(sets).as_data()
        data["face_linkage"] = unlinkability(people, pairs, replicates)
        advance(1)
        data["face_renewal"] = _renewal(people, seed, replicates)
        advance(1)
        data["face_reconstruction"] = reconstruction(development, test)
        advance(1)
        data["face_accuracy_secret_stolen_development"] = losses(development.capped(VIEWS), epochs, replicates)
        advance(1)
        data["face_accuracy_secret_stolen_test"] = losses(test.capped(VIEWS), epochs, replicates)
        advance(1)
        prints = _prints(sets, quick) if sets else _synthetic_prints(seed, quick)
        data["fingerprint"] = finger_codes.measure(prints, seed=seed, shuffles=replicates)
        advance(1)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "protection.json", data)
    page = protection_report(data, dataset, created=datetime.now(UTC).isoformat(timespec="seconds"))
    (out / "report.html").write_text(render(page, "html"), encoding="utf-8")
    note(f"protection.json and report.html in {out}")
    show(data, [f"{c.status.label:<8}{c.title}: {c.summary}" for c in page.checks], as_json=as_json)


def _synthetic_faces(seed: int) -> FaceSet:
    population = FacePopulation(EDGEFACE_XS, seed)
    rows = np.concatenate([population.embeddings(0, PEOPLE, view) for view in range(2)])
    return FaceSet(rows, np.tile(np.arange(PEOPLE, dtype=np.int32), 2))


def _synthetic_prints(seed: int, quick: bool) -> list[finger_codes.Prints]:
    which = [(person, 2, touch) for person in range(FINGERS) for touch in range(2 if quick else TOUCHES)]
    ready = prepare_all(list(FingerPopulation(seed).stream(which)))
    return [[(str(person), t) for (person, _, _), t in zip(which, ready, strict=True)]]


def _prints(found: Sequence[FingerprintSet], quick: bool) -> list[finger_codes.Prints]:
    touches = 2 if quick else TOUCHES
    sets: list[finger_codes.Prints] = []
    for one in found:
        for line in one.lines():
            note(line)
        seen: dict[str, int] = {}
        kept = []
        for finger, template in zip(one.fingers, one.templates, strict=True):
            seen[finger] = seen.get(finger, 0) + 1
            if template is not None and seen[finger] <= touches:
                kept.append((finger, template))
        ready = prepare_all([template for _, template in kept])
        sets.append([(finger, t) for (finger, _), t in zip(kept, ready, strict=True)])
    return sets


def _renewal(people: FaceSet, seed: int, shuffles: int) -> dict[str, Any]:
    """The same photograph coded in an old and in a new epoch, against two people's."""
    rows = two_views(people)[0]
    old, new = (SignCoder(context(epoch, rows.shape[1])).encode(rows) for epoch in (900, 901))
    mated = np.bitwise_count(old ^ new).sum(axis=1).astype(np.float64)
    other = np.concatenate([np.bitwise_count(old ^ np.roll(new, k, axis=0)).sum(axis=1) for k in range(1, 7)]).astype(
        np.float64
    )
    found = linkage(mated, other, integer_bins(mated, other), seed=seed, shuffles=shuffles)
    return {
        "mean_share_of_bits_changed": float(mated.mean() / (8 * old.shape[1])),
        "people": len(mated),
        "d_sys": found.d_sys,
        "floor_mean": found.floor_mean,
        "floor_95": found.floor_95,
        "linkable": found.linkable,
    }
