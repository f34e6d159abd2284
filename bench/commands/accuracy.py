"""`scores` and `accuracy`."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from bench.accuracy import figures
from bench.accuracy_report import accuracy_report, summary_lines
from bench.console import advancing, note, show, write_json
from bench.dataset import Dataset
from bench.dataset_option import dataset_option
from bench.enrollment_gate import product_gate
from bench.environment import environment
from bench.inputs import NAME as INPUTS
from bench.inputs import Reading
from bench.load import FaceRows, FingerprintSet, fingerprint_sets, read_faces
from bench.matchers import (
    code_similarities,
    computed_code_similarities,
    computed_cosines,
    cosines,
    cross_scores,
    fingerprint_comparisons,
    fingerprint_scores,
)
from bench.metrics.attacks import presentation_attacks
from bench.metrics.comparisons import Comparisons, Identities, Scored
from bench.metrics.computed import ComputedScores
from bench.metrics.failures import Judge, enrollments
from bench.metrics.paired import paired
from bench.metrics.threshold_check import Labelled
from bench.resume import Partial
from bench.score_files import read_score_files
from bench.score_lists import FORMATS
from bench.shared_subjects import Shared, identities, shared_lines
from bench.threshold_check import across, across_rows, check_rows, labelled, profile_data, read_profile
from bioguard.cli.import_options import import_options
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions
from bioguard.match.thresholds import builtin_profile
from bioguard.records import FaceEmbedding
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.modality import Modality, Profile
from bioguard.records.scores import Score
from bioguard.report import render

MATRIX_SAMPLES = 8192
"""Samples whose scores are held as a matrix, 256 MiB; of more, rows are made when they are asked for."""
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _fingerprint_matrices(
    root: Path, partial: Partial, options: ImportOptions
) -> list[tuple[FingerprintSet, NDArray[np.float32]]]:
    sets = list(fingerprint_sets(root, options))
    for line in (line for one in sets for line in one.lines()):
        note(line)
    if not any(template is not None for one in sets for template in one.templates):
        refused = sum(len(one.files) for one in sets)
        raise InputRefused(
            f"none of the {refused} files below {root} can be used",
            hint="the reasons stand above; options that let some pass: --dpi, --trailing keep, --lenient",
            code="bench.unusable",
        )
    pairs = sum(len(s.files) ** 2 for s in sets)
    with advancing("fingerprints", pairs) as advance:
        return [(one, partial.array(_inputs(one), lambda one=one: fingerprint_scores(one, advance))) for one in sets]  # type: ignore[misc]


def _inputs(one: FingerprintSet) -> list[bytes]:
    return [b"" if t is None else t.to_bytes() for t in one.templates]


def _faces(path: Path) -> FaceRows:
    faces = read_faces(path)
    for line in faces.lines(path.name):
        note(line)
    return faces


def _face_scores(faces: FaceRows, seed: int) -> Mapping[str, NDArray[np.float32] | ComputedScores]:
    """Matrices; of many samples rows that are made when they are asked for."""
    if len(faces.rows) > MATRIX_SAMPLES:
        return {"cosine": computed_cosines(faces.rows), "code": computed_code_similarities(faces.rows, seed=seed)}
    return _face_matrices(faces, seed)


def _face_matrices(faces: FaceRows, seed: int) -> dict[str, NDArray[np.float32]]:
    n = len(faces.rows)
    with advancing("faces", 2 * n**2) as advance:
        return {
            "cosine": cosines(faces.rows, advance),
            "code": code_similarities(faces.rows, seed=seed, advance=advance),
        }


@click.command()
@click.option("--fingerprints", type=FOLDER, help="Folders of <finger>_<impression>.iso below DIR.", metavar="DIR")
@click.option("--faces", type=FILE, help="embeddings [n, d] and labels [n].", metavar="FILE.npz")
@dataset_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="F.npz")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Makes the secret of the codes.")
@click.option("--json", "as_json", is_flag=True, help="Summary as JSON.")
@import_options
def scores(
    fingerprints: Path | None, faces: Path | None, dataset: Dataset, out: Path, seed: int, as_json: bool,
    options: ImportOptions,
) -> None:  # fmt: skip
    """Write all scores of a data set, for others to judge.

    \b
    fingerprints: <relative dir>        float32 [n, n], row = probe, higher is more alike, -inf: unreadable file
                  <relative dir>:names  file names in order
    faces:        cosine, code          float32 [n, n];  labels [n]
    """
    if (fingerprints is None) == (faces is None):
        raise click.UsageError("give --fingerprints or --faces, one of them")
    arrays: dict[str, Any] = {}
    reading, templates = Reading([*dataset.files, faces], fingerprints), list[FingerprintSet]()
    if fingerprints is not None:
        partial = Partial(out.with_suffix(".partial"), note)
        for one, matrix in _fingerprint_matrices(fingerprints, partial, options):
            arrays[one.name], arrays[f"{one.name}:names"] = matrix, np.array(one.files)
            templates.append(one)
    elif faces is not None:
        read = _faces(faces)
        arrays = {**_face_matrices(read, seed), "labels": read.labels}
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    if fingerprints is not None:
        partial.done()
    shapes = {name: list(a.shape) for name, a in arrays.items()}
    described = {"dataset": dataset.as_data() if dataset.fields else None, "inputs": reading.done(templates).as_data()}
    show(
        {"command": "scores", "out": str(out), "arrays": shapes, **described},
        [f"{n}  {s}" for n, s in shapes.items()],
        as_json=as_json,
    )


def _face_sets(
    path: Path, seed: int, given: ComparisonProfile | None
) -> tuple[list[Scored], dict[str, Judge], ComparisonProfile | None]:
    """The sets, their judges, and the profile in use: without a known model there are no thresholds to check."""
    faces = _faces(path)
    if len(faces.rows) > MATRIX_SAMPLES:  # rows are made by 256: those of one person should lie together
        faces = faces.by_subject()
    matrices = _face_scores(faces, seed)
    dimension = faces.rows.shape[1]
    if given is not None and given.dimension != dimension:
        raise InputRefused(
            f"{path.name} holds vectors of {dimension} numbers, the comparison profile is of {given.dimension}",
            hint="give the profile of their model", code="bench.profile",
        )  # fmt: skip
    names = [f"{label}_{i}" for i, label in enumerate(faces.labels.tolist())]
    judges: dict[str, Judge] = {}
    profile = given
    try:
        profile = given or builtin_profile(Modality.FACE, dimension)
        judges = dict.fromkeys(matrices, product_gate([FaceEmbedding.from_features(r) for r in faces.rows], profile))
    except InputRefused as error:
        note(f"{path.name}: the gate of the enrollment cannot judge these vectors: {error.message}")
    if given is None and profile is not None:
        note(
            f"{path.name}: taken to be of {profile.model} by their {dimension} numbers; the thresholds of another "
            f"model are in a file for --comparison-profile"
        )
    return [Comparisons(name, m, faces.subjects, names) for name, m in matrices.items()], judges, profile


def _check_modality(given: ComparisonProfile | None, fingerprints: Path | None, faces: Path | None) -> None:
    wanted = {Modality.FINGERPRINT} if fingerprints else {Modality.FACE} if faces else set(Modality)
    if given is not None and given.modality not in wanted:
        raise InputRefused(
            f"the comparison profile {given.name} is of another modality",
            hint="give one that was made from data of this kind", code="bench.profile",
        )  # fmt: skip


def _judged(profile: ComparisonProfile) -> Score:
    """The score of a profile that a list of scores is of: what a device decides on that keeps features."""
    return Score.of(profile.modality, Profile.STANDARD)


def _across(
    templates: Sequence[FingerprintSet], sets: Sequence[Scored], who: Identities, checked: list[Labelled],
    partial: Partial, seed: int, replicates: int,
) -> dict[str, Any]:  # fmt: skip
    """Sensor against sensor."""
    pairs = sum(len(a.files) * len(b.files) for a, b in combinations(templates, 2))
    rows: dict[str, Any] = {}
    left_out: set[tuple[str, str]] = set()
    with advancing("across", pairs) as advance:

        def scored(a: FingerprintSet, b: FingerprintSet) -> NDArray[np.float32]:
            matrix = partial.array([b"across", *_inputs(a), b"and", *_inputs(b)], lambda: cross_scores(a, b))
            advance(matrix.size)
            return matrix

        for found in across(templates, who, checked, scored):
            rows |= across_rows(found, sets, checked, seed=seed, replicates=replicates)
            left_out |= set(found.one_person)
    for a, b in sorted(left_out):
        note(f"{a} and {b} are probably one person: more than half of their comparisons match at 1e-4; left out across")
    return {"across": rows, "left_out_across": [list(pair) for pair in sorted(left_out)]}


@click.command()
@click.option("--fingerprints", type=FOLDER, help="Folders of <finger>_<impression>.iso below DIR.", metavar="DIR")
@click.option("--faces", type=FILE, help="embeddings [n, d] and labels [n].", metavar="FILE.npz")
@click.option("--scores", "score_file", type=FILE, help="Scores of any matcher, .npz or text.", metavar="FILE")
@click.option("--format", "score_format", type=click.Choice(["npz", *FORMATS]), help="Of --scores; the file tells.")
@click.option(
    "--shared-subjects",
    type=click.Choice([how.value for how in Shared]),
    default=Shared.FOUND.value,
    show_default=True,
    help="Which sets hold the same subjects: as found, those of one name, or none.",
)
@click.option("--distance", is_flag=True, help="The score file holds distances: lower is more alike.")
@click.option("--against", type=FILE, help="Scores of another matcher on the same people.", metavar="FILE")
@click.option("--against-distance", is_flag=True, help="That file holds distances: lower is more alike.")
@click.option("--attacks", type=FILE, help="Presentation attack scenarios, .csv.", metavar="FILE")
@dataset_option
@click.option("--comparison-profile", type=FILE, help="Whose thresholds are checked; else built in.", metavar="FILE")
@click.option("--no-across", is_flag=True, help="Do not compare fingers of different folders, sensor against sensor.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--replicates", type=click.IntRange(20), default=200, show_default=True, help="Draws of people.")
@click.option("--json", "as_json", is_flag=True, help="accuracy.json on stdout as well.")
@import_options
def accuracy(
    fingerprints: Path | None, faces: Path | None, score_file: Path | None, score_format: str | None, distance: bool,
    against: Path | None, against_distance: bool, attacks: Path | None, dataset: Dataset,
    comparison_profile: Path | None, no_across: bool, out: Path, seed: int, replicates: int, shared_subjects: str,
    as_json: bool, options: ImportOptions,
) -> None:  # fmt: skip
    """Error rates with intervals: accuracy.json and report.html in DIR.

    \b
    Examples:
      python -m bench accuracy --fingerprints ../shared/data/fingerprints --out out/fingers
      python -m bench accuracy --faces faces.npz --out out/faces
      python -m bench accuracy --scores other.csv --distance --out out/other
      python -m bench accuracy --fingerprints ../shared/data/fingerprints --against other.npz --out out/both
    """
    sources = [s for s in (fingerprints, faces, score_file) if s is not None]
    if len(sources) != 1:
        raise click.UsageError("give one of --fingerprints, --faces and --scores")
    started = time.monotonic()
    reading = Reading([*dataset.files, attacks, against, faces, score_file], fingerprints)
    attacked = presentation_attacks(attacks) if attacks is not None else None
    partial = Partial(out / "partial", note)
    given = profile = read_profile(comparison_profile) if comparison_profile else None
    _check_modality(given, fingerprints, faces)
    checked: dict[str, list[Labelled]]
    files: dict[str, Any] = {}
    templates: list[FingerprintSet] = []
    sets: list[Scored]
    judges: dict[str, Judge] = {}
    if fingerprints is not None:
        matrices = _fingerprint_matrices(fingerprints, partial, options)
        sets = [fingerprint_comparisons(*pair) for pair in matrices]
        files = {one.name: one.as_data() for one, _ in matrices}
        finger = profile = given or builtin_profile(Modality.FINGERPRINT)
        judges = {one.name: product_gate(one.templates, finger) for one, _ in matrices}
        templates = [one for one, _ in matrices]
        checked = dict.fromkeys([s.name for s in sets], labelled(finger, Score.LIKELIHOOD_RATIO))
    elif faces is not None:
        sets, judges, profile = _face_sets(faces, seed, given)
        checked = {"cosine": labelled(profile, Score.COSINE)} if profile else {}
    else:
        sets = read_score_files(sources[0], distance=distance, named=score_format)
        for line in (line for one in sets for line in one.lines()):
            note(line)
        checked = dict.fromkeys([s.name for s in sets], labelled(given, _judged(given)) if given else [])
    others = read_score_files(against, distance=against_distance) if against is not None else []
    who = identities(sets, Shared(shared_subjects), templates)
    for line in shared_lines(sets, who):
        note(line)
    data = _measure(sets, checked, judges, dataset, who, seed=seed, replicates=replicates, pool=faces is None)
    data["comparison_profile"] = profile_data(profile) if profile else None
    if templates and not no_across:
        data |= _across(templates, sets, who, next(iter(checked.values())), partial, seed, replicates)
    if against is not None:
        data["against"] = {"file": against.name, **paired(sets, others, who=who, seed=seed, replicates=replicates)}
    digests = reading.done(templates)
    for line in _broken_thresholds(data):
        note(line)
    data["data"] = f"{sources[0].name}: {', '.join(s.name for s in sets)}"
    data |= {"dataset": dataset.as_data() if dataset.fields else None, "inputs": digests.as_data()}
    data |= {"files": files} if files else {}
    data |= {"presentation_attacks": attacked} if attacked else {}
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "accuracy.json", data)
    (out / INPUTS).write_text(digests.lines, encoding="utf-8", errors="surrogateescape")
    page = accuracy_report(data, sets, dataset, created=datetime.now(UTC).isoformat(timespec="seconds"))
    (out / "report.html").write_text(render(page, "html"), encoding="utf-8")
    partial.done()
    note(f"{time.monotonic() - started:.1f} s; accuracy.json, report.html and {INPUTS} in {out}")
    show(data, summary_lines(data), as_json=as_json)


def _broken_thresholds(data: Mapping[str, Any]) -> Iterator[str]:
    """A line for each threshold that lets through more than its label promises, beyond chance."""
    for name, rows in check_rows(data).items():
        for row in rows:
            if row["holds"] is False:
                yield (
                    f"{name}: the threshold for {row['label']} does not hold for these data: {row['false_matches']} of "
                    f"{row['impostors']} impostor comparisons match, {row['ratio']:.1f} times the label "
                    f"(95 % over people {row['interval_95'][0]:.1f} to {row['interval_95'][1]:.1f})"
                )


def _measure(
    sets: Sequence[Scored], checked: Mapping[str, list[Labelled]], judges: Mapping[str, Judge], dataset: Dataset,
    who: Identities, *, seed: int, replicates: int, pool: bool,
) -> dict[str, Any]:  # fmt: skip
    with advancing("rates", len(sets) + (pool and len(sets) > 1)) as advance:
        enrolled = {one.name: enrollments(one, judges.get(one.name), dataset.samples_to_enroll) for one in sets}
        more: dict[str, Any] = {
            "seed": seed,
            "replicates": replicates,
            "enrolled": enrolled,
            "dataset": dataset,
            "who": who,
        }
        alone = {}
        for one in sets:
            alone[one.name] = figures([one], thresholds=checked.get(one.name, ()), **more)
            advance(1)
        pooled = next(iter(alone.values())) if pool else None
        if pool and len(sets) > 1:
            pooled = figures(sets, thresholds=next(iter(checked.values()), ()), **more)
            advance(1)
    return {"command": "accuracy", "seed": seed, "environment": environment(), "sets": alone, "pooled": pooled}
