"""`bioguard enroll`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bioguard.cli.import_options import import_options
from bioguard.cli.on_sensor import on_sensor_option, on_words
from bioguard.cli.output import Result
from bioguard.cli.pictures import are_pictures, capture_all
from bioguard.cli.read_samples import read_samples
from bioguard.cli.secrets import pin_file_option, read_pin
from bioguard.cli.state import CliState, note_testing, pass_state
from bioguard.commands.biometric import MAX_VIEWS
from bioguard.device.arguments import modality_of, sensor_of
from bioguard.device.pins import enrollment_token, has_pin
from bioguard.formats import ImportOptions
from bioguard.records.modality import Modality

if TYPE_CHECKING:
    from bioguard.device.captures import SensorSample
    from bioguard.records import Features

RECOMMENDED_VIEWS = 3
"""Fewer samples raise false non-matches: partial touches and turned heads are not covered (policy POL-01)."""


@click.command()
@click.argument("user")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--finger", help="right-thumb, right-index, ... left-little.")
@click.option("--face", is_flag=True, help="The files are of a face: embeddings or pictures.")
@click.option("--replace", is_flag=True, help="Replace the record of this finger, or the first face.")
@on_sensor_option
@pin_file_option
@import_options
@pass_state
def enroll(
    state: CliState,
    user: str,
    files: tuple[Path, ...],
    *,
    finger: str | None,
    face: bool,
    replace: bool,
    on_sensor: int | None,
    pin_file: Path | None,
    options: ImportOptions,
) -> Result:
    """Enroll one finger (several touches) or one face (several views), with the user's PIN.

    Files: ISO/IEC 19794-2 and ANSI 378 minutiae (.iso .fmr .ist .xyt), embeddings (.npy .npz .csv); pictures (PNG, BMP,
    TIFF, PGM, WSQ) where the device has a sensor, which takes nothing else then. Exit 3 if it makes no sample of one.

    \b
    Examples:
      bioguard enroll alice --finger right-index a1.iso a2.iso a3.iso
      bioguard enroll alice --face left.npy front.npy right.npy
      bioguard enroll alice --finger right-index a1.png a2.png a3.png --dpi 500
      bioguard enroll alice --finger right-index a1.iso a2.iso a3.iso --on-sensor 0
    """
    if face and finger:
        raise click.UsageError("choose --face or --finger, not both")
    pictures = are_pictures(files)
    if pictures and not (face or finger):
        raise click.UsageError("say of what the pictures are: --finger NAME or --face")
    modality = Modality.FINGERPRINT if finger else Modality.FACE
    samples: Sequence[Features | SensorSample] = ()
    model = ""
    if not pictures:
        samples, model = read_samples(files, state.output, options, finger=finger, max_views=MAX_VIEWS)
    with state.device() as device:
        note_testing(state, device)
        kind = modality if pictures else modality_of(samples)
        sensor = sensor_of(device.configuration, kind, on_sensor)
        token = b""
        if has_pin(device, user):
            token = enrollment_token(device, user, kind, read_pin(state, pin_file), sensor)
        if pictures:
            samples = capture_all(device, files, kind, options)
        new = device.enroll(user, samples, finger=finger, replace=replace, token=token, model=model, sensor=sensor)
        on = on_words(device.configuration, sensor)
    if new.views < RECOMMENDED_VIEWS:
        state.output.note(f"{new.views} sample(s); {RECOMMENDED_VIEWS} or more make false rejections rarer")
    return Result(
        outcome="enrolled",
        data={"user": user, "record_id": new.record_id, "digest": new.digest, "views": new.views, "sensor": sensor},
        lines=[f"enrolled record {new.record_id} of {user} ({new.views} views){on}", f"salted digest {new.digest}"],
        next_step=f"bioguard authenticate {user} FILE" + (f" --on-sensor {sensor}" if on_sensor is not None else ""),
    )
