"""Share the options of every command that starts a machine, and the start itself."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from tee_sim.cli.named_commands import commands_of
from tee_sim.cli.refusal import refused
from tee_sim.normal.dev_kit import kit_folder
from tee_sim.normal.events import name_commands
from tee_sim.normal.machine.applications import Application, read_applications
from tee_sim.normal.machine.hosted import remember
from tee_sim.normal.machine.machine import Machine
from tee_sim.normal.machine.options import MachineOptions
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.normal.timeline import current
from tee_sim.shared.clock import MAX_WALL_MS
from tee_sim.shared.limits import MAX_TAS
from tee_sim.shared.manifest import refuse_twins
from tee_sim.shared.native_run import NativeRun, NativeTool
from tee_sim.shared.wire import LockProfile
from tee_sim.testing.faults.machine_faults import MachineFaults

F = TypeVar("F", bound=Callable[..., Any])
PATHS = click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
PATH = click.argument("path", metavar="PATH", type=click.Path(path_type=Path))


def machine_options(command: F) -> F:
    """Add --machine, --fault, --clock, --debug and --allow-level, which arrive as `how`."""
    for option in (
        click.option(
            "--machine",
            metavar="DIR",
            type=click.Path(path_type=Path),
            help="Keep fuses and store in DIR; made if it is not there. Without it a machine for this run alone.",
        ),
        click.option("--fault", metavar="PLAN", default="", help="Make disk and RPMB fail: 'commit@2: die-before'."),
        click.option(
            "--clock", metavar="TIME", help="Give a new machine a clock that is stepped: 2026-01-31T12:00:00Z."
        ),
        click.option("--debug", is_flag=True, help="Deny what the lock forbids instead of killing, and say where."),
        click.option(
            "--allow-level",
            type=click.Choice([level.value for level in Level]),
            help="Accept a weaker lock than ENFORCED.",
        ),
    ):
        command = option(command)
    return command


def note(text: str) -> None:
    """Say something about the work, on standard error."""
    click.echo(f"note: {text}", err=True)


def applications(paths: Sequence[Path], *, unlocked: bool = False) -> list[Application]:
    """Read the manifests and native applications that are given; a folder may hold several.

    Args:
        unlocked: they will run without a lock.

    Raises:
        TeeError: one is none, two have one identity or name, there are too many.
    """
    read = [application for path in paths for application in read_applications(path, unlocked=unlocked)]
    if len(read) > MAX_TAS:
        raise refused(f"{len(read)} trusted applications, a machine hosts {MAX_TAS}", "give fewer paths")
    refuse_twins([a.manifest for a in read], [(str(a.path), a.manifest_text) for a in read])
    seen: dict[str, Application] = {}
    for application in read:
        other = seen.setdefault(application.manifest.name, application)
        if other is not application:
            why = f"{other.path} and {application.path} have the same name"
            raise refused(why, "give one of them a name of its own: in its manifest, or as a .ta file")
    return read


def kit_of(machine: Machine) -> Path | None:
    """The dev kit, if the machine hosts applications in C. Raises TeeError as `kit_folder`."""
    native = any(application.manifest.native for application in machine.applications)
    return kit_folder() if native else None


def parsed_time(text: str) -> int:
    """Milliseconds since 1970 of a time in UTC. Raises TeeError BAD_PARAMETERS."""
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        milliseconds = int(moment.timestamp() * 1000)
        if not 0 <= milliseconds <= MAX_WALL_MS:
            raise ValueError
    except ValueError:
        raise refused(f"{text!r} is no time", "write for instance: --clock 2026-01-31T12:00:00Z") from None
    return milliseconds


def _profile(tool: NativeTool, *, debug: bool) -> tuple[LockProfile, Level]:
    """How it locks itself, and the lowest lock that is accepted."""
    if tool is not NativeTool.NONE:
        return LockProfile.OFF, Level.NOT_ENFORCED
    return (LockProfile.PERMISSIVE_DEBUG, Level.PARTIAL) if debug else (LockProfile.STRICT, Level.ENFORCED)


@contextmanager
def started(
    hosted: Sequence[Application],
    *,
    machine: Path | None,
    fault: str,
    clock: str | None,
    debug: bool,
    allow_level: str | None,
    tool: NativeTool = NativeTool.NONE,
) -> Iterator[tuple[Machine, MachineFaults]]:
    """Start a machine with these applications, and shut it down after the block.

    Args:
        tool: what watches native applications; they run without a lock then.

    Raises:
        TeeError: as of `MachineFaults` and `Machine.open`, in this order: nothing is made before the words are right.
    """
    faults = MachineFaults()
    planned = MachineFaults(fault).plan  # read now, set after the start: a plan counts from the first call
    profile, lowest = _profile(tool, debug=debug)
    level = Level(allow_level) if allow_level and tool is NativeTool.NONE else lowest
    if tool is not NativeTool.NONE:
        note(f"NOT ENFORCED: --{tool.name.lower()} runs applications without a lock; nothing secret belongs in them")
    options = MachineOptions(
        profile=profile,
        level=level,
        faults=faults,
        native=planned.of_native(NativeRun(tool=tool)),
        note=note,
        stepped_wall_ms=None if clock is None else parsed_time(clock),
    )
    if current() is not None:
        for application in hosted:
            names = {command.number: name for name, command in commands_of(application).items()}
            name_commands(application.manifest.ta_uuid, names)
    with ExitStack() as stack:
        directory = machine
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tee-sim-"))) / "machine"
        opened = stack.enter_context(Machine.open(directory, hosted, options))
        if machine is not None:
            paths = [application.path for application in hosted]
            remember(directory, paths, debug=debug, allow_level=allow_level)
        faults.set(fault, at_start=True)
        yield opened, faults
