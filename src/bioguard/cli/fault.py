"""`bioguard fault`: scripted behavior and faults of a device."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from bioguard.cli.output import Result, table
from bioguard.cli.state import CliState, pass_state
from bioguard.device.fuses import Fuses
from bioguard.device.hooks import SCENARIO_FILE
from bioguard.device.lock import DeviceLock
from bioguard.errors import InputRefused, TeeUnavailable
from bioguard.hal.aidl_codes import FaceAcquired, FingerprintAcquired
from bioguard.records.modality import Modality
from bioguard.simulate.faults.faulty_transport import step_needs_stepped_clock
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.knobs.properties import SensorProperties, knob
from bioguard.simulate.knobs.table import KNOBS, ActsOn
from bioguard.simulate.virtual_hal.script_player import run_script
from tee_sim.shared.clock import ClockKind
from tee_sim.shared.manifest_values import MAX_I64


@click.group()
def fault() -> None:
    """Script what the sensor, the disk and the clock of a device do (docs/android-contract.md section 6)."""


@fault.command("list")
@pass_state
def show_knobs(state: CliState) -> Result:
    """List every knob, its value and its meaning."""
    scenario = Scenario.load(state.directory)
    changed = scenario.knobs.changed()
    rows = [
        (
            ("*" if k.name in changed else " ") + k.name,
            scenario.knobs.text(k.name) or '""',
            k.acts_on.value,
            k.read_at.value,
            k.meaning,
        )
        for k in KNOBS.values()
    ]
    commands = ", ".join(KNOBS["ta_panic"].choices[1:])
    return Result(
        outcome="listed",
        data={
            "seed": scenario.seed,
            "played": scenario.played,
            "changed": changed,
            "knobs": [
                {
                    "name": k.name,
                    "default": k.default,
                    "form": k.form.value,
                    "values": k.values,
                    "choices": list(k.choices),
                    "meaning": k.meaning,
                    "origin": k.origin,
                    "acts_on": k.acts_on.value,
                    "read": k.read_at.value,
                }
                for k in KNOBS.values()
            ],
        },
        lines=[
            *table(rows, header=(" knob", "value", "acts on", "read", "meaning")),
            f"commands for ta_panic: {commands}",
            f"seed {scenario.seed}; {scenario.played} captures played; * = changed",
        ],
    )


@fault.command("set")
@click.argument("assignments", nargs=-1, required=True, metavar="KNOB=VALUE...")
@click.option("--fault-seed", type=click.IntRange(0, MAX_I64), help="Seed of everything random in the faults.")
@pass_state
def set_knobs(state: CliState, assignments: tuple[str, ...], fault_seed: int | None) -> Result:
    """Set knobs of the device. They stay until cleared.

    \b
    Examples:
      bioguard fault set quality_sequence=2,5,1
      bioguard fault set next_enrollment=2:1000-[5,1],500:true storage=commit@3:enospc
    """
    wanted = SensorProperties(dict(_assignment(text) for text in assignments))
    if wanted.number("clock_step_ms"):
        with state.device() as device:
            if device.running.ready.clock is not ClockKind.STEPPED:
                raise step_needs_stepped_clock()
    with _scenario(state) as scenario:
        for name, value in (_assignment(text) for text in assignments):
            scenario.set(name, value)
        if fault_seed is not None:
            scenario.seed = fault_seed
    idle = [n for n in wanted.changed() if KNOBS[n].acts_on is ActsOn.VIRTUAL_HAL]
    if idle:
        state.output.note(f"no effect on a device, only in `bioguard fault play`: {', '.join(idle)}")
    return _changed(state, scenario, "set")


@fault.command()
@click.argument("names", nargs=-1)
@pass_state
def clear(state: CliState, names: tuple[str, ...]) -> Result:
    """Put knobs back to their defaults; without NAMES all of them."""
    with _scenario(state) as scenario:
        for name in names:
            scenario.knobs.clear(knob(name).name)
        if not names:
            scenario.forget()
    return _changed(state, scenario, "cleared")


@fault.command("play")
@click.argument("words", nargs=-1, required=True, metavar="STEP...")
@click.option(
    "--sensor", type=click.Choice([k.name.lower() for k in Modality]), default="fingerprint", show_default=True
)
@pass_state
def play_script(state: CliState, words: tuple[str, ...], sensor: str) -> Result:
    """Play a script on a virtual HAL with the device's knobs and print every callback. Needs no device.

    Steps: challenge, enroll, authenticate[=ID], detect, touch, look, ready, cancel, enumerate, authenticator-id,
    invalidate, remove=ID,..., reset-lockout, wait=MS, knob:NAME=VALUE.

    A knob that is read when the sensor or its session is made (`fault list`) stands before the first other step.

    \b
    Examples:
      bioguard fault play knob:next_enrollment=2:1000-[5,1],500:true challenge enroll touch enumerate
      bioguard fault play --sensor face knob:enrollments=1 knob:enrollment_hit=1 authenticate look
    """
    kind = Modality[sensor.upper()]
    scenario = Scenario.load(state.directory)
    elsewhere = [n for n in scenario.knobs.changed() if KNOBS[n].acts_on is ActsOn.DEVICE or kind not in KNOBS[n].kinds]
    if elsewhere:
        state.output.note(f"saved with the device, and nothing to a virtual {sensor} sensor: {', '.join(elsewhere)}")
    played = run_script(kind, scenario, words)
    for silent in played.unused:
        state.output.note(f"never fired: {silent}")
    rows = [(f"{t.at_ms} ms", t.name, _fields(kind, t.fields)) for t in played.callbacks]
    return Result(
        outcome="played",
        data={
            "callbacks": [{"at_ms": t.at_ms, "name": t.name, "fields": t.fields} for t in played.callbacks],
            "never_fired": list(played.unused),
        },
        lines=table(rows, header=("time", "callback", "fields")) if rows else ["no callbacks"],
    )


def _fields(kind: Modality, fields: dict[str, object]) -> str:
    """Fields of a callback, acquired codes with their names."""
    codes = FingerprintAcquired if kind is Modality.FINGERPRINT else FaceAcquired
    names: dict[object, str] = {code.value: f"{code.value} {code.name}" for code in codes}
    shown = {k: names.get(v, v) if k == "info" else v for k, v in fields.items()}
    return " ".join(f"{k}={v}" for k, v in shown.items())


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputRefused(
            f"{text[:60]!r} is not KNOB=VALUE", hint="for instance: lockout=true", code="fault.assignment"
        )
    return name, value


@contextmanager
def _scenario(state: CliState) -> Iterator[Scenario]:
    """The device's scenario, saved when the block ends without an error.

    The device is kept from starting meanwhile, and must not run: a running one has its own copy, and writes it back.
    """
    Fuses.read(state.directory)
    try:
        lock = DeviceLock(state.directory)
    except TeeUnavailable as error:
        hint = "wait for it to end; a server takes faults by its own method fault_set (91), docs/formats/serve-2.md"
        raise TeeUnavailable(error.message, hint=hint, code=error.code) from None
    try:
        scenario = Scenario.load(state.directory)
        yield scenario
        scenario.save(state.directory)
    finally:
        lock.release()


def _changed(state: CliState, scenario: Scenario, outcome: str) -> Result:
    changed = scenario.knobs.changed()
    return Result(
        outcome=outcome,
        data={"seed": scenario.seed, "changed": changed},
        lines=[f"{name} = {value}" for name, value in changed.items()] or ["no faults"],
        next_step=f"cat {state.directory / SCENARIO_FILE}" if changed else "",
    )
