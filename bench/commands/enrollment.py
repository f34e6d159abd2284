"""`enrollment`: what does the gate of the enrollment refuse, and what gets past it?"""

from pathlib import Path
from typing import Any

import click
import numpy as np

from bench.console import note, show, write_json
from bench.enrollment_gate import face_gate, finger_gate
from bench.environment import environment
from bench.load import fingerprint_sets, read_faces
from bioguard.cli.import_options import import_options
from bioguard.formats import ImportOptions


@click.command()
@click.option(
    "--fingerprints", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Real impressions.",
    metavar="DIR",
)  # fmt: skip
@click.option(
    "--faces", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Embeddings and labels.",
    metavar="FILE.npz",
)  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR")
@click.option("--draws", type=click.IntRange(1), default=20_000, show_default=True, help="Groups of two people.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@import_options
def enrollment(
    fingerprints: Path | None, faces: Path | None, out: Path, draws: int, seed: int, as_json: bool,
    options: ImportOptions,
) -> None:  # fmt: skip
    """Groups of samples of one person, and of two, before the gate of the enrollment: enrollment.json."""
    if fingerprints is None and faces is None:
        raise click.UsageError("give --fingerprints, --faces or both")
    data: dict[str, Any] = {"command": "enrollment", "seed": seed, "environment": environment()}
    if faces is not None:
        read = read_faces(faces)
        for line in read.lines(faces.name):
            note(line)
        data["faces"] = face_gate(read.rows, read.subjects, seed, draws)
    if fingerprints is not None:
        data["fingerprints"] = _fingers(fingerprints, options, seed, draws)
    write_json(out / "enrollment.json", data)
    note(f"enrollment.json in {out}")
    show(data, [line for what in ("faces", "fingerprints") if what in data for line in _lines(what, data[what])],
         as_json=as_json)  # fmt: skip


def _fingers(root: Path, options: ImportOptions, seed: int, draws: int) -> dict[str, Any]:
    """All sets together; two fingers of different sets are different people as well."""
    templates, names = [], []
    for one in fingerprint_sets(root, options):
        for line in one.lines():
            note(line)
        kept = [(t, f"{one.name} {s}") for t, s in zip(one.templates, one.subjects, strict=True) if t is not None]
        templates += [template for template, _ in kept]
        names += [name for _, name in kept]
    return finger_gate(templates, np.unique(names, return_inverse=True)[1].astype(np.int64), seed, draws)


def _lines(what: str, found: dict[str, Any]) -> list[str]:
    lines = [f"{what}: {'samples':>7}  {'of':<24} {'groups':>7} {'refused':>9}  95 %                equal  poor"]
    for row in found["groups"]:
        low, high = (f"{100 * value:.2f}" for value in row["interval_95"])
        rate = "-" if row["refused"] is None else f"{100 * row['refused']:.2f} %"
        lines.append(
            f"{'':<{len(what)}}  {row['samples']:>7}  {row['of']:<24} {row['groups']:>7} {rate:>9}  "
            f"{f'[{low}, {high}]':<18} {row['equal']:>6} {row['poor']:>5}"
        )
    if "vectors" in found:
        lines.append(f"vectors: {found['vectors']}, not usable: {found['flawed_vectors'] or 'none'}")
    return lines
