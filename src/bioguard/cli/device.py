"""`bioguard device`: life cycle of a device."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

import click
from click.core import ParameterSource

from bioguard.cli.output import Result
from bioguard.cli.rate import Rate
from bioguard.cli.sensors_shown import search_locks, sensor_lines, sensor_rows
from bioguard.cli.state import CliState, pass_state
from bioguard.commands.configuration import (
    DEFAULT_FMR_INVERSE,
    DEFAULT_FPIR_INVERSE,
    LockoutChoice,
    SensorSummary,
)
from bioguard.device import Device
from bioguard.device.boot_id import reboot as begin_boot
from bioguard.device.consent import log_key
from bioguard.device.directory import forget_caches
from bioguard.device.fuses import Fuses
from bioguard.device.lock import DeviceLock
from bioguard.device.settings import DeviceSettings
from bioguard.device.start import at_start
from bioguard.errors import InputRefused, NotPermitted
from bioguard.records.comparison_profile import MAX_PROFILE_BYTES, ComparisonProfile
from bioguard.records.modality import Profile
from bioguard.text import word
from bioguard.user_files import open_input

_LOCKOUTS = {word(c): c for c in LockoutChoice}
_PROFILES = {word(p): p for p in Profile}


def terms_of(device: Device) -> dict[str, object]:
    """What a device was made as, for JSON."""
    configuration = device.configuration
    return {
        "profile": word(configuration.profile),
        "lockout": word(configuration.lockout),
        "lockout_cascade": configuration.lockout_cascade,
        "require_pin": configuration.require_pin,
        "fmr": f"1/{configuration.fmr_inverse}",
        "fpir": f"1/{configuration.fpir_inverse}",
        "for_testing": configuration.for_testing,
        "comparison_profiles": [
            {
                "name": profile.name,
                "modality": profile.modality.word,
                "dimension": profile.dimension or None,
                "sha256": profile.digest.hex(),
            }
            for profile in device.profiles
        ],
        "sensor_table": sensor_rows(device),
        "uncalibrated": [modality.word for modality in configuration.uncalibrated],
        "sensors": [
            {
                "modality": sensor.modality.word,
                "extractor": sensor.extractor.name,
                "version": sensor.extractor.version,
                "weights_sha256": sensor.extractor.weights_sha256.hex()
                if any(sensor.extractor.weights_sha256)
                else None,
                "running": sensor.runs,
            }
            for sensor in device.sensors
        ],
    }


def terms_lines(device: Device) -> list[str]:
    """The same for people."""
    terms, configuration = terms_of(device), device.configuration
    rates = f"1:1 at {terms['fmr']}, 1:N at {terms['fpir']}"
    who = "with a PIN" if configuration.require_pin else "users without a PIN as well"
    lockout = f"{terms['lockout']} with the cascade" if configuration.lockout_cascade else terms["lockout"]
    terms_line = f"made as:       {terms['profile']}, lockout {lockout}, {rates}, enrolls {who}"
    testing = "FOR TESTING:   callers choose any rate; no token, no evidence about a person"
    any_model = f"UNCALIBRATED:  {' and '.join(m.word for m in configuration.uncalibrated)} of any model,"
    return [
        terms_line,
        *sensor_lines(device),
        *(f"compares by:   {p.modality.word} {p.name}, SHA-256 {p.digest.hex()[:16]}" for p in device.profiles),
        *(_sensor_line(device, sensor) for sensor in device.sensors),
        *(
            [f"{any_model} at the highest thresholds known: their rates are not known"]
            if configuration.uncalibrated
            else []
        ),
        *([testing] if configuration.for_testing else []),
    ]


def sensor_fault(device: Device, sensor: SensorSummary) -> str:
    """What is wrong with a sensor that the device was made with; empty if nothing."""
    if sensor.modality.word not in device.running.sensors:
        return "DOES NOT RUN"
    return "" if sensor.runs else "ANOTHER EXTRACTOR, its captures are refused"


def _sensor_line(device: Device, sensor: SensorSummary) -> str:
    measured = device.running.sensors.get(sensor.modality.word)
    state = (
        f"measured {measured[:16]}" if measured and sensor.runs else f"{sensor_fault(device, sensor)}: bioguard doctor"
    )
    return f"sensor:        {sensor.modality.word} {sensor.extractor.model}, {state}"


def read_profile(path: Path) -> ComparisonProfile:
    """Read a comparison profile. Raises InputRefused, with the path in the message."""
    try:
        with open_input(path) as stream:
            data = stream.read(MAX_PROFILE_BYTES + 1)
        return ComparisonProfile.from_bytes(data)
    except InputRefused as error:
        raise InputRefused(f"{path}: {error.message}", hint=error.hint, code=error.code) from error
    except OSError as error:
        raise InputRefused(
            f"{path}: {error.strerror or 'cannot be read'}", hint="check the path", code="input.unreadable"
        ) from error


@click.group()
def device() -> None:
    """Make, look at, restart and destroy a device."""


@device.command()
@click.option("--profile", type=click.Choice(list(_PROFILES)), default="standard", help="What an enrollment keeps.")
@click.option("--max-fingers", type=int, default=5, show_default=True, help="Fingers a user may enroll.")
@click.option("--max-faces", type=int, default=2, show_default=True, help="Faces a user may enroll.")
@click.option("--lockout", type=click.Choice(list(_LOCKOUTS)), default="android-13", help="Limits of failed attempts.")
@click.option("--lockout-cascade", is_flag=True, help="The lock of a sensor is the lock of those no stronger.")
@click.option(
    "--no-require-pin",
    "require_pin",
    flag_value=False,
    default=True,
    help="Users without a PIN may enroll; their matches give no token.",
)
@click.option("--fmr", type=Rate(), default=DEFAULT_FMR_INVERSE, help="False match rate of 1:1.  [default: 1/50000]")
@click.option(
    "--fpir",
    type=Rate(),
    default=DEFAULT_FPIR_INVERSE,
    help="False positive identification rate of 1:N.  [default: 1/100]",
)
@click.option(
    "--for-testing", is_flag=True, help="A laboratory's device: callers choose any rate, nobody gets a token."
)
@click.option(
    "--comparison-profile",
    "comparison_profiles",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Thresholds of your model or extractor, from `python -m bench calibrate`; one of faces, one of fingerprints.  "
    "[default: the built-in ones]",
)
@click.option(
    "--uncalibrated",
    type=click.Choice(["strict"]),
    help="Take features of any model, at the highest thresholds known; their rates are not known.",
)
@click.option(
    "--sensor",
    "sensors",
    multiple=True,
    metavar="KIND=ENGINE",
    help="fingerprint=nbis, fingerprint=leader, face=FILE.toml, or KIND=module:Class: samples of this kind come from "
    "pictures, through a locked sensor, and from nothing else.",
)
@click.option(
    "--scenario",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A scenario whose [device] and [[sensor]] say what the device is; no option says it again.",
)
@pass_state
def init(state: CliState, /, scenario: Path | None, **chosen: Any) -> Result:
    """Make a new device: burn its (simulated) fuses and create an empty sealed store.

    \b
    Example:
      bioguard device init --device ./phone
      bioguard device init --device ./phone --sensor fingerprint=nbis
      bioguard device init --device ./phone --scenario FILE.toml
    """
    beside: dict[str, Any] = {
        "comparison_profiles": [read_profile(path) for path in chosen.pop("comparison_profiles")],
        "sensors": chosen.pop("sensors"),
    }
    options, keep = state.options, None
    if scenario is None:
        settings = _settings(**chosen)
    else:
        from bioguard.cli.device_scenario import of_scenario  # noqa: PLC0415 - few devices are made of one

        options, settings, keep = of_scenario(scenario, options, _given(chosen))
    with Device.init(state.directory, options, settings, **beside) as new:
        status = {**new.running.status(), **terms_of(new), "log_vkey": log_key(new).vkey}
        lines = terms_lines(new)
    if keep is not None:
        keep(state.directory)
    return Result(
        outcome="initialized",
        data={"device": str(state.directory), **status},
        lines=[
            f"initialized a simulated device in {state.directory}",
            f"sandbox: {status['sandbox_level']}; anti-rollback level {status['anti_rollback_level']}",
            f"clock: {status['clock']}; randomness: {status['randomness']}",
            f"log key: {status['log_vkey']}",
            *lines,
        ],
        next_step="bioguard user add alice",
    )


def _given(chosen: Collection[str]) -> list[str]:
    """Those of the parameters that stand on the command line, as they are written there."""
    context = click.get_current_context()
    names = {parameter.name: parameter.opts[0] for parameter in context.command.params if parameter.name in chosen}
    return [names[name] for name in names if name and context.get_parameter_source(name) is not ParameterSource.DEFAULT]


def _settings(profile: str, lockout: str, fmr: int, fpir: int, uncalibrated: str | None, **more: Any) -> DeviceSettings:
    return DeviceSettings(
        profile=_PROFILES[profile],
        lockout=_LOCKOUTS[lockout],
        fmr_inverse=fmr,
        fpir_inverse=fpir,
        uncalibrated=uncalibrated is not None,
        **more,  # limits, cascade, require_pin, for_testing
    )


@device.command()
@pass_state
def status(state: CliState) -> Result:
    """Start the device and say how it is."""
    with state.device(caches=False) as running:  # it says what was measured
        locks = search_locks(running)
        facts = {
            **running.running.status(),
            **terms_of(running),
            **{f"search_lock_{name.replace('-', '_')}": lock for name, lock in locks.items()},
            "log_vkey": log_key(running).vkey,
            "device_cohort": running.cohort_fingers(),
            "erased_at_start": at_start(running).erased,
            "records_held": at_start(running).held,
            "log_bodies_held": at_start(running).log_held,
        }
        lines = terms_lines(running)
        records = sum(1 for _ in running.records())
        users = running.users()
    return Result(
        outcome="running",
        data={"device": str(state.directory), "users": len(users), "records": records, **facts},
        lines=[
            f"device:        {state.directory} (simulated)",
            f"sandbox:       {facts['sandbox_level']}",
            f"processes:     {_processes(facts['processes'])}",
            f"store epoch:   {facts['epoch']}, anti-rollback level {facts['anti_rollback_level']}",
            f"clock:         {facts['clock']}",
            f"randomness:    {facts['randomness']}",
            f"users:         {len(users)}",
            f"records:       {records}",
            f"log key:       {facts['log_vkey']}",
            f"cohort:        {facts['device_cohort'] or 'no'} other people's fingers that a finger is held against",
            f"1:N lock:      {', '.join(f'{name} {lock}' for name, lock in locks.items())}",
            *lines,
        ],
    )


def _processes(count: object) -> str:
    """`core, biometric 4, gatekeeper 4`: each application with its spares."""
    return ", ".join(("core", *(f"{name} {number}" for name, number in sorted(dict(cast("Any", count)).items()))))


@device.command()
@pass_state
def reboot(state: CliState) -> Result:
    """Start the secure world anew: the store is reopened and checked, per-boot keys change."""
    Fuses.read(state.directory)
    lock = DeviceLock(state.directory)  # a device that runs keeps its boot: it would end with the process, unseen
    try:
        begin_boot(state.directory)
    finally:
        lock.release()
    with state.device(caches=False) as running:
        facts = running.running.status()
    return Result(outcome="rebooted", data=facts, lines=[f"rebooted; store epoch {facts['epoch']}"])


@device.command()
@click.option("--force", is_flag=True, help="Do not ask.")
@click.option("--caches", is_flag=True, help="Remove only what starts have kept to be faster. The device stays.")
@pass_state
def wipe(state: CliState, force: bool, caches: bool) -> Result:
    """Destroy the device: its fuses first, so nothing left of the store can ever be opened."""
    if caches:
        forget_caches(state.directory)
        return Result(
            outcome="caches-wiped",
            data={"device": str(state.directory)},
            lines=[f"{state.directory} has no caches now: the next start probes and compiles anew"],
        )
    state.confirm(f"Destroy the device in {state.directory}?", force=force, code="device.wipe_unconfirmed")
    Device.wipe(state.directory)
    return Result(
        outcome="wiped",
        data={"device": str(state.directory)},
        lines=[f"wiped {state.directory}: fuses overwritten and removed, store removed"],
    )


@device.command()
@pass_state
def rekey(state: CliState) -> Result:
    """Renew the protected codes and the keys of every record; nobody enrolls again.

    Old codes and old keys are worth nothing afterwards. Interrupted, run it again.
    """
    with state.device() as running:
        records = running.rekey()
    return Result(
        outcome="rekeyed",
        data={"device": str(state.directory), "records_with_new_codes": records},
        lines=[f"renewed the codes of {records} record(s) and the keys of every stored object"],
    )


@device.command()
def backup() -> Result:
    """Refused, with the reason: a copy of a store is what a rollback looks like."""
    raise NotPermitted(
        "a device is not backed up: a restored copy could bring erased records and spent attempts back",
        hint="enroll again on a new device; `bioguard export USER` hands over a person's data without features",
        code="device.no_backup",
    )


@device.command()
def restore() -> Result:
    """Refused, with the reason: an old image fails as a rollback."""
    raise NotPermitted(
        "a device is not restored: an older image is refused by its write counter, as a rollback",
        hint="run: bioguard device wipe, then device init, and enroll again",
        code="device.no_restore",
    )
