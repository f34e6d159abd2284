"""`bioguard clock`: the time a device lives in."""

import click

from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.device import Device
from bioguard.device import clock as clocks
from bioguard.device.durations import parse_duration
from bioguard.text import iso
from tee_sim.shared.clock import Moment


@click.group()
def clock() -> None:
    """Show the device's time, and move a clock that steps (docs/limitations.md says which time each rule uses)."""


def _result(device: Device, outcome: str, at: Moment) -> Result:
    kind = device.running.ready.clock.word
    return Result(
        outcome=outcome,
        data={"clock": kind, "wall": iso(at.wall_ms), "wall_ms": at.wall_ms, "boot_ms": at.boot_ms},
        lines=[f"clock:           {kind}", f"wall time:       {iso(at.wall_ms)}", f"since the boot:  {at.boot_ms} ms"],
    )


@clock.command()
@pass_state
def show(state: CliState) -> Result:
    """Show which clock the device runs on, its wall time, and the time since its boot."""
    with state.device() as device:
        return _result(device, "shown", clocks.now(device))


@clock.command()
@click.argument("duration")
@pass_state
def advance(state: CliState, duration: str) -> Result:
    """Move a stepped clock forward by DURATION, for good. Waits, retention and tokens go by it.

    DURATION: 31s, 5m, 2h30m, 3d, 250ms, or ISO 8601 (PT31S). A device on the host's clock refuses.

    \b
    Examples:
      bioguard device init --clock fixed:2026-01-31T12:00:00Z
      bioguard clock advance 31s
    """
    ms = parse_duration(duration)
    with state.device() as device:
        return _result(device, "advanced", clocks.advance(device, ms))
