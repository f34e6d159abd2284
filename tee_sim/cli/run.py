"""`tee-sim run`: start a machine, and a program that reaches it over two inherited pipes."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tee_sim.cli.interrupt import Interrupts
from tee_sim.cli.options import PATHS, applications, kit_of, machine_options, note, started
from tee_sim.cli.tools import chosen, say_what_is_not_watched, tool_options
from tee_sim.normal.connect import MACHINE_VARIABLE, VARIABLE
from tee_sim.normal.link import Link
from tee_sim.normal.machine.machine import Machine
from tee_sim.normal.relay import Relay
from tee_sim.shared.limits import MAX_DEADLINE_MS
from tee_sim.shared.native_run import NativeTool

_LIBRARIES = "LD_LIBRARY_PATH"
_TIMEOUT_VARIABLE = "TEE_SIM_TIMEOUT_MS"
"""Read by libteec: the deadline of one request."""


class _Run(click.Command):
    """Splits at the first `--`: paths before it, the program after it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.meta["program"] = args[at + 1 :]
        return super().parse_args(ctx, args[:at])


@click.command(cls=_Run, options_metavar="[OPTIONS]", short_help="Run a program with a machine.")
@PATHS
@machine_options
@tool_options
def run(paths: tuple[Path, ...], **how: Any) -> None:
    """Start a machine with the applications of PATH..., run `-- PROGRAM [ARGUMENT...]`, and end with its exit status.

    The program inherits two pipes, whose numbers are in TEE_SIM_CLIENT; in Python, connect() of
    tee_sim.normal.connect gives the client API over them. There is no socket: nobody but the program and its children
    can reach the machine. Standard input, output and error are the program's own. 126 and 127 are as in a shell: it
    cannot be run, is not there.

    \b
    Example:
      tee-sim run --machine phone counter -- python counter/client.py
    """
    context = click.get_current_context()
    program: list[str] = context.meta["program"]
    if not program:
        raise click.UsageError("no program is given: tee-sim run PATH... -- PROGRAM", context)
    tool = chosen(how, context)
    if tool is NativeTool.GDB:
        os.environ.setdefault(_TIMEOUT_VARIABLE, str(MAX_DEADLINE_MS))
    hosted = applications(paths, unlocked=tool is not NativeTool.NONE)
    say_what_is_not_watched(tool, hosted)
    with started(hosted, tool=tool, **how) as (machine, _faults), Interrupts() as interrupts:
        status = _played(machine, program, interrupts)
    context.exit(status)


def _played(machine: Machine, program: Sequence[str], interrupts: Interrupts) -> int:
    """The exit status of a program that was given the machine."""
    theirs_read, ours_write = os.pipe()
    ours_read, theirs_write = os.pipe()
    link = Link(ours_read, ours_write)
    kit = kit_of(machine)
    try:
        process = interrupts.process = subprocess.Popen(
            list(program),
            pass_fds=(theirs_read, theirs_write),
            env=_environment(machine, theirs_read, theirs_write, kit),
        )
    except OSError as error:
        link.close()
        click.echo(f"tee-sim: {program[0]} cannot be run: {error.strerror}", err=True)
        return 127 if isinstance(error, FileNotFoundError) else 126
    finally:
        os.close(theirs_read)
        os.close(theirs_write)
    try:
        try:
            Relay(machine, link, note, kit).serve(lambda: process.poll() is not None)
        finally:
            link.close()
        status = process.wait()
    except BaseException as error:
        process.kill()
        process.wait()
        if isinstance(error, KeyboardInterrupt):
            note(f"{program[0]} did not end after Ctrl-C and was killed")
        raise
    return 128 - status if status < 0 else status


def _environment(machine: Machine, read_fd: int, write_fd: int, kit: Path | None) -> dict[str, str]:
    """The program's: a C program finds libteec where the applications are in C too."""
    variables = {VARIABLE: f"{read_fd},{write_fd}", MACHINE_VARIABLE: str(machine.path.absolute())}
    if kit is not None:
        before = os.environ.get(_LIBRARIES, "")
        variables[_LIBRARIES] = f"{kit / 'lib'}{os.pathsep if before else ''}{before}"
    return os.environ | variables
