"""`bioguard capture`: pictures to feature files, outside a device and its secure world, for quality assurance."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from bioguard.capture.engines import ENGINES, load_engine
from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.errors import InputRefused
from bioguard.exit_codes import ExitCode
from bioguard.formats.minutiae import MinutiaeFormat
from bioguard.formats.write import ViewToWrite, encode_record
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.records.modality import Modality
from bioguard.user_files import check_output, check_output_directory, read_input, write_output

if TYPE_CHECKING:  # the extra may be missing, and `--help` needs none of it
    from bioguard.capture.engine import Engine, Extraction

_SUFFIX = {Modality.FINGERPRINT: ".iso", Modality.FACE: ".npz"}
_FORMATS = {"iso2005": MinutiaeFormat.ISO_2005, "iso2011": MinutiaeFormat.ISO_2011}


def _octets(sample: FingerprintTemplate | FaceEmbedding, quality: int, model: str, to: str) -> bytes:
    """A record of one view. ISO/IEC 19794-2 has no field for an extractor, an archive states it as `model`."""
    if isinstance(sample, FingerprintTemplate):
        return encode_record(_FORMATS[to], [ViewToWrite(template=sample, quality=quality or None)])
    archive = io.BytesIO()
    np.savez(archive, embeddings=sample.vector[None], model=np.array(model))
    return archive.getvalue()


def _extracted(engine: "Engine", file: Path, dpi: int | None) -> "Extraction | InputRefused":
    """What came of one file; a picture that is refused does not end the run for the others."""
    from bioguard.capture.picture_bounds import BOUNDS  # noqa: PLC0415 - as below
    from bioguard.capture.pictures import decode  # noqa: PLC0415 - needs the extra

    try:
        data = read_input(file, most_bytes=BOUNDS[engine.modality].max_bytes, code="picture.unreadable")
        return engine.extract(decode(data, dpi, engine.modality))
    except InputRefused as refused:
        return refused


def _row(file: Path, found: "Extraction | InputRefused", out: Path) -> dict[str, Any]:
    if isinstance(found, InputRefused):
        return {"file": str(file), "out": None, "acquired": None, "quality": 0, "features": 0, "refused": found.code}
    sample = found.sample
    features = 0 if sample is None else len(sample) if isinstance(sample, FingerprintTemplate) else sample.vector.size
    return {
        "file": str(file),
        "out": None if sample is None else str(out),
        "acquired": found.acquired.word,
        "quality": found.quality,
        "features": features,
        "refused": None,
    }


def _line(row: dict[str, Any], found: "Extraction | InputRefused") -> str:
    if isinstance(found, InputRefused):
        return f"{row['file']}: refused [{found.code}]: {found.message} ({found.hint})"
    said = f"{row['file']}: {row['acquired'].replace('_', ' ')}, quality {row['quality']}"
    return f"{said}, {row['features']} features into {row['out']}" if row["out"] else f"{said}: nothing to write"


def _places(files: tuple[Path, ...], out: Path, suffix: str) -> list[Path]:
    """Where each file's features go, looked at before anything is done. Raises InputRefused."""
    if len(files) == 1 and out.suffix:
        check_output(out, new=True, code="capture.exists")
        return [out]
    names = [file.stem + suffix for file in files]
    if len(set(names)) < len(names):
        raise InputRefused(
            "two pictures have one name", hint="capture them into directories of their own", code="capture.names"
        )
    check_output_directory(out, code="capture.exists")
    return [out / name for name in names]


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--engine", default=ENGINES[0].name, show_default=True, help="nbis, leader, face, or module:Class.")
@click.option("--argument", default="", help="What the engine takes: of face the TOML file.", metavar="TEXT")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new directory; of one FILE a new file.")
@click.option("--dpi", type=click.IntRange(1, 10_000), help="Resolution of the scan.  [default: as the file says]")
@click.option(
    "--to", type=click.Choice(list(_FORMATS)), default="iso2005", show_default=True, help="Record of a finger."
)
@pass_state
def capture(
    state: CliState, files: tuple[Path, ...], engine: str, argument: str, out: Path, dpi: int | None, to: str
) -> Result:
    """Find the features in pictures and write them as ISO/IEC 19794-2 records, or .npz for faces.

    For quality assurance: this runs outside the secure world, on decoders and engines of others (docs/capture.md). It
    needs the extra: pip install 'bioguard[capture]'. Exit 3 unless every picture gave features.

    \b
    Examples:
      bioguard capture finger.png --out finger.iso --dpi 500
      bioguard capture scans/*.wsq --engine leader --out features
      bioguard capture me.png --engine face --argument models.toml --out me.npz
    """
    loaded = load_engine(engine, argument)
    places = _places(files, out, _SUFFIX[loaded.modality])
    rows, lines = [], []
    for number, (file, place) in enumerate(zip(files, places, strict=True), 1):
        state.output.tick(f"{number} of {len(files)}")
        found = _extracted(loaded, file, dpi)
        row = _row(file, found, place)
        if not isinstance(found, InputRefused) and found.sample is not None:
            place.parent.mkdir(exist_ok=True)
            write_output(place, _octets(found.sample, found.quality, loaded.identity.model, to), new=True)
        rows.append(row)
        lines.append(_line(row, found))
    captured = sum(row["out"] is not None for row in rows)
    return Result(
        outcome="captured" if captured == len(rows) else "not_all_captured",
        data={
            "engine": {
                "name": loaded.identity.name,
                "version": loaded.identity.version,
                "model": loaded.identity.model,
                "digest": loaded.identity.digest.hex(),
            },
            "captured": captured,
            "files": rows,
        },
        lines=[*lines, f"{captured} of {len(rows)} pictures gave features, by {loaded.identity.model}"],
        exit_code=ExitCode.OK if captured == len(rows) else ExitCode.NO,
    )
