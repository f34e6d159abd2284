"""`calibrate`: a comparison profile from a lab's own data."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bench.calibration.finger_scores import comparisons_of, shipped_blocks, unseen_blocks
from bench.calibration.fingerprint_data import FingerSet, load_sets, usable_sets
from bench.calibration.profile_maker import (
    Head,
    drawn_faces,
    face_profile,
    face_site,
    finger_profile,
    finger_site,
)
from bench.console import advancing, note, show
from bench.load import read_faces
from bioguard import __version__
from bioguard.cli.import_options import import_options
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions
from bioguard.records.comparison_profile import ComparisonProfile, RatePoint
from bioguard.records.modality import Modality
from bioguard.simulate.people.faces import EDGEFACE_XS, MOBILEFACENET, FacePreset

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
PRESETS: Mapping[str, FacePreset] = {"edgeface-xs": EDGEFACE_XS, "mobilefacenet": MOBILEFACENET}
DRAWN_PEOPLE = 20_000
"""200 million comparisons: 30 pairs beyond a rate of 1e-6 are there."""


@click.command()
@click.option("--fingerprints", type=FOLDER, help="Folders of <finger>_<impression>.iso below DIR.", metavar="DIR")
@click.option("--faces", type=FILE, help="embeddings [n, d] and labels [n].", metavar="FILE.npz")
@click.option("--synthetic", type=click.Choice(sorted(PRESETS)), help="Faces of people who do not exist.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="PROFILE")
@click.option("--name", help="Of the profile; the file's name if not given.")
@click.option("--model", help="Embedding model or extractor, as its files state it; the name if not given.")
@click.option("--made-by", help="Who answers for it; this program if not given.")
@click.option("--site-of", type=FILE, metavar="PROFILE", help="Add to PROFILE what 5 people with 3 views ask for.")
@click.option(
    "--leave-one-database-out",
    is_flag=True,
    help="The product was trained on these fingerprints: score each by what was trained without its database.",
)
@click.option("--trained-on", type=FOLDER, help="What it was trained on, if through another extractor.", metavar="DIR")
@click.option("--not-below", type=FILE, metavar="PROFILE", help="No threshold may lie below those of PROFILE.")
@click.option("--json", "as_json", is_flag=True, help="The profile as JSON on stdout.")
@import_options
def calibrate(
    fingerprints: Path | None, faces: Path | None, synthetic: str | None, out: Path, name: str | None,
    model: str | None, made_by: str | None, site_of: Path | None, leave_one_database_out: bool, trained_on: Path | None,
    not_below: Path | None, as_json: bool, options: ImportOptions,
) -> None:  # fmt: skip
    """Make a comparison profile: thresholds by rate for one model, from your own data.

    \b
    A threshold is the strict end of its 95 % interval over people; below the last rate that was counted a straight
    line. `bioguard device init --comparison-profile PROFILE` takes it.

    \b
    Examples:
      python -m bench calibrate --fingerprints data/prints --model acme-4.2 --out acme.profile
      python -m bench calibrate --faces faces.npz --model arcface-r50 --out arcface.profile
      python -m bench calibrate --fingerprints door-7 --site-of acme.profile --out door-7.profile
    """
    if sum(source is not None for source in (fingerprints, faces, synthetic)) != 1:
        raise click.UsageError("give one of --fingerprints, --faces and --synthetic")
    if trained_on is not None and not (leave_one_database_out and fingerprints):
        raise click.UsageError("--trained-on goes with --fingerprints and --leave-one-database-out")
    if not_below is not None and (fingerprints is None or site_of is not None):
        raise click.UsageError("--not-below goes with --fingerprints, and not with --site-of")
    base, least = None, None if not_below is None else ComparisonProfile.from_bytes(not_below.read_bytes())
    if site_of is not None:
        if synthetic is not None or leave_one_database_out:
            raise click.UsageError("--site-of takes real samples of the site, as the product scores them")
        base = ComparisonProfile.from_bytes(site_of.read_bytes())
        wanted = Modality.FINGERPRINT if fingerprints is not None else Modality.FACE
        if base.modality is not wanted:
            raise InputRefused(
                f"{base.name!r} is a profile of {base.modality.word}s, the data are {wanted.word}s",
                hint="give the profile of the same modality",
                code="bench.calibration",
            )
    head = _head(out, name, model, made_by, base)
    if fingerprints is not None:
        learned = load_sets(trained_on, options) if trained_on else []
        profile = _of_fingers(head, fingerprints, options, base, learned, least, leave_one_out=leave_one_database_out)
    elif faces is not None:
        profile = _of_faces(head, faces, base)
    else:
        profile = _of_nobody(head, str(synthetic))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(profile.to_bytes())
    note(f"{out}: {profile.digest.hex()}")
    show(as_data(profile), list(lines_of(profile)), as_json=as_json)


def _head(out: Path, name: str | None, model: str | None, made_by: str | None, base: ComparisonProfile | None) -> Head:
    name = name or re.sub(r"[^a-z0-9._-]", "-", out.stem.lower()).lstrip("._-")[:32] or "profile"
    return Head(
        name=name,
        model=model or (base.model if base else name),
        made_by=made_by or f"python -m bench calibrate, bioguard {__version__}",
        made_on=datetime.now(UTC).date().isoformat(),
    )


def _with_site(base: ComparisonProfile, head: Head, site: list[Any]) -> ComparisonProfile:
    if head.model != base.model:
        raise InputRefused(
            f"{base.name!r} is of the model {base.model!r}, not {head.model!r}",
            hint="a site is calibrated with the model of its profile: leave --model out",
            code="bench.calibration",
        )
    return replace(base, name=head.name, made_by=head.made_by, made_on=head.made_on, site=tuple(site))


def _of_fingers(
    head: Head, root: Path, options: ImportOptions, base: ComparisonProfile | None, learned: Sequence[FingerSet],
    least: ComparisonProfile | None, *, leave_one_out: bool,
) -> ComparisonProfile:  # fmt: skip
    data = usable_sets(root, options, note)
    if not data.sets:
        raise InputRefused(
            f"none of the files below {root} can be used", hint="the reasons stand above", code="bench.unusable"
        )
    if leave_one_out and len({one.database for one in learned or data.sets}) < 3:
        raise InputRefused(
            "two databases besides the one that is left out are needed", hint="give three at least",
            code="bench.calibration",
        )  # fmt: skip
    names, blocks = unseen_blocks(data, learned) if leave_one_out else shipped_blocks(data)
    with advancing("comparisons", 2 * comparisons_of(blocks)) as advance:
        if base is not None:
            return _with_site(base, head, finger_site(base, data, names, blocks, advance))
        how = "scored by models trained without the database" if leave_one_out else ""
        profile, same = finger_profile(head, data, names, blocks, how, advance, least)
    for one, other, median in same:
        note(f"{one} and {other} score like one finger (median {median:.2f}) and were left out")
    return profile


def _of_faces(head: Head, path: Path, base: ComparisonProfile | None) -> ComparisonProfile:
    rows = read_faces(path)
    for line in rows.lines(path.name):
        note(line)
    sha256 = hashlib.sha256(path.read_bytes()).digest()
    with advancing("faces", 2 * len(rows.rows)) as advance:
        if base is not None:
            return _with_site(base, head, face_site(base, rows, sha256, advance))
        return face_profile(head, rows, path.name, sha256, advance)


def _of_nobody(head: Head, preset: str) -> ComparisonProfile:
    rows = drawn_faces(PRESETS[preset], DRAWN_PEOPLE)
    with advancing("faces", 2 * len(rows.rows)) as advance:
        return face_profile(head, rows, f"synthetic people of the preset {preset}", None, advance, drawn=True)


def as_data(profile: ComparisonProfile) -> dict[str, Any]:
    """For JSON."""
    return {
        "command": "calibrate", "name": profile.name, "modality": profile.modality.word, "model": profile.model,
        "dimension": profile.dimension, "centered": profile.centered, "sha256": profile.digest.hex(),
        "made_by": profile.made_by, "made_on": profile.made_on,
        "data": {
            "description": profile.data.description, "people": profile.data.people, "samples": profile.data.samples,
            "impostors": profile.data.impostors,
            "sha256": profile.data.sha256.hex() if profile.data.sha256 else None,
        },
        "tables": [
            {"score": table.score.word, "cohort": table.cohort, "points": [_point(p) for p in table.points]}
            for table in profile.tables
        ],
        "site": [
            {
                "score": shift.score.word, "shift": shift.shift, "quantile": shift.quantile,
                "subjects": shift.subjects, "views": shift.views, "data_sha256": shift.data_sha256.hex(),
            }
            for shift in profile.site
        ],
    }  # fmt: skip


def _point(point: RatePoint) -> dict[str, Any]:
    return {
        "rate": point.rate, "threshold": point.threshold, "basis": point.basis.word, "low": point.low,
        "high": point.high, "false_matches": point.false_matches, "impostors": point.impostors,
    }  # fmt: skip


def lines_of(profile: ComparisonProfile) -> Any:
    """For people: the table, with basis and interval of every threshold."""
    data = profile.data
    yield f"{profile.name}: {profile.model}, {profile.modality.word}; {data.description}"
    yield f"{data.people} people, {data.samples} samples, {data.impostors} impostor comparisons"
    for table in profile.tables:
        held = f", held against a cohort of {table.cohort} templates" if table.cohort else ""
        yield f"{table.score.word}{held}"
        for p in table.points:
            interval = f"{p.low:8.4f} to {p.high:.4f}" if p.low is not None else ""
            counts = f"{p.false_matches} of {p.impostors} match" if p.impostors else ""
            yield f"  {p.rate:<8g} {p.threshold:9.4f}  {p.basis.word:12s} {interval:20s} {counts}".rstrip()
        yield f"  below {table.points[-1].rate:g}: extrapolated, on a straight line over the logarithm of the rate"
    for shift in profile.site:
        yield (
            f"site: {shift.score.word} + {shift.shift:.4f}, by {shift.subjects} people with {shift.views} views; "
            f"never downward"
        )
