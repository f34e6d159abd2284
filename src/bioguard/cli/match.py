"""`bioguard authenticate` (1:1) and `identify` (1:N)."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bioguard.cli.import_options import import_options
from bioguard.cli.on_sensor import on_sensor_option, on_words
from bioguard.cli.output import Result
from bioguard.cli.pictures import are_pictures, capture_all, modality_for
from bioguard.cli.rate import Rate
from bioguard.cli.read_samples import read_sample
from bioguard.cli.state import CliState, pass_state
from bioguard.cli.token_files import token_option
from bioguard.device import Device, clock
from bioguard.device.arguments import sensor_of
from bioguard.device.captures import SensorSample
from bioguard.device.strong_auth_times import record_unlock
from bioguard.exit_codes import ExitCode
from bioguard.formats import ImportOptions
from bioguard.user_files import check_output, write_output
from tee_sim.shared.limits import U64_MAX

if TYPE_CHECKING:
    from bioguard.records import Features


def testing_lines(rate: str, *, for_testing: bool) -> list[str]:
    """What a decision of a device for testing says about itself."""
    return (
        [f"decided by a device FOR TESTING, at {rate}: no token, and no evidence about a person"] if for_testing else []
    )


_face_option = click.option(
    "--face", is_flag=True, help="A picture is of a face.  [default: of a finger, if there is such a sensor]"
)


def _presented(
    device: Device,
    file: Path,
    read: "tuple[Features, str] | None",
    options: ImportOptions,
    *,
    face: bool,
    on_sensor: int | None,
) -> "tuple[Features | SensorSample, str, int]":
    """The sample, the model that its file states, and its sensor. A picture is seen only for one that there is."""
    kind = read[0].modality if read else modality_for(device, face=face, on_sensor=on_sensor)
    sensor = sensor_of(device.configuration, kind, on_sensor)
    if read:
        return *read, sensor
    (one,) = capture_all(device, [file], kind, options)
    return one, "", sensor


@click.command()
@click.argument("user")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--fmr", type=Rate(), default=0, help="A stricter false match rate that the device offers.")
@click.option(
    "--operation-id",
    type=click.IntRange(0, U64_MAX),
    default=0,
    help="Challenge of the auth token, for instance a key's operation.  [default: 0]",
)
@token_option
@_face_option
@on_sensor_option
@import_options
@pass_state
def authenticate(
    state: CliState,
    user: str,
    file: Path,
    *,
    fmr: int,
    operation_id: int,
    token_file: Path | None,
    face: bool,
    on_sensor: int | None,
    options: ImportOptions,
) -> Result:
    """1:1: is this sample of USER? Exit 0 for a match, 3 for none.

    A picture goes to the device's sensor; exit 3 if it makes no sample of it. Nothing was compared then.

    \b
    Example:
      bioguard authenticate alice probe.iso
      bioguard authenticate alice touch.png --dpi 500
      bioguard authenticate alice probe.iso --token t.bin && bioguard token verify t.bin
    """
    read = None if are_pictures([file]) else read_sample(file, state.output, options)
    if token_file is not None:
        check_output(token_file)
    with state.device() as device:
        sample, model, sensor = _presented(device, file, read, options, face=face, on_sensor=on_sensor)
        answer = device.authenticate(
            user, sample, fmr_inverse=fmr, operation_id=operation_id, model=model, sensor=sensor
        )
        on = on_words(device.configuration, sensor)
        record_unlock(device.directory, device.user_handle(user), clock.now(device).boot_ms, matched=answer.match)
    if token_file is not None and answer.token is not None:
        write_output(token_file, answer.token, private=True)
    elif token_file is not None and answer.match:
        why = "this is a device for testing" if answer.for_testing else "the user enrolled without a PIN"
        state.output.note(f"no token: {why}")
    return Result(
        outcome="match" if answer.match else "no_match",
        data={
            "user": user,
            "match": answer.match,
            "record_id": answer.record_id,
            "sensor": sensor,
            "target_fmr": answer.target_fmr,
            "for_testing": answer.for_testing,
            **asdict(answer.calibration),
            "token": answer.token is not None,
        },
        lines=[
            (f"match: {user}" if answer.match else f"no match: this sample is not accepted as {user}") + on,
            answer.calibration.words(),
            *testing_lines(answer.target_fmr, for_testing=answer.for_testing),
        ],
        exit_code=ExitCode.OK if answer.match else ExitCode.NO,
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--fpir",
    type=Rate(),
    default=0,
    help="A stricter false positive identification rate that the device offers.",
)
@_face_option
@on_sensor_option
@import_options
@pass_state
def identify(
    state: CliState, file: Path, *, fpir: int, face: bool, on_sensor: int | None, options: ImportOptions
) -> Result:
    """1:N: whose sample is this? Exit 0 when somebody is found, 3 otherwise.

    \b
    Example:
      bioguard identify probe.npy
    """
    read = None if are_pictures([file]) else read_sample(file, state.output, options)
    with state.device() as device:
        sample, model, sensor = _presented(device, file, read, options, face=face, on_sensor=on_sensor)
        answer = device.identify(sample, fpir_inverse=fpir, model=model, sensor=sensor)
        on = on_words(device.configuration, sensor)
    who = answer.user or "(a user without a name here)"
    return Result(
        outcome="match" if answer.match else "no_match",
        data={
            "match": answer.match,
            "user": answer.user,
            "record_id": answer.record_id,
            "sensor": sensor,
            "target_fpir": answer.target_fpir,
            "for_testing": answer.for_testing,
            **asdict(answer.calibration),
        },
        lines=[
            (f"match: {who}" if answer.match else "no match: nobody enrolled is accepted") + on,
            *([answer.calibration.words()] if answer.calibration.basis else []),
            *testing_lines(answer.target_fpir, for_testing=answer.for_testing),
        ],
        exit_code=ExitCode.OK if answer.match else ExitCode.NO,
    )
