"""`tee-sim invoke` and `tee-sim list`: one question to an application, and what a machine hosts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tee_sim.cli.named_commands import command_named, commands_of, request_of, shown_reply
from tee_sim.cli.options import PATH, PATHS, applications, machine_options, started
from tee_sim.cli.refusal import refused
from tee_sim.cli.words import decimal, parameters, shown
from tee_sim.normal.client import Session
from tee_sim.normal.machine.applications import Application


def ask(session: Session, application: Application, command: str, words: Sequence[str]) -> list[str]:
    """Invoke a command by number with parameters, or by name with fields; return what came back, a line each.

    Raises:
        TeeError: BAD_PARAMETERS of origin API for words that are wrong, before anything is sent; the application's.
    """
    number = decimal(command)
    if number is not None:
        return shown(session.invoke(number, parameters(words)))
    named = command_named(application, command)
    return shown_reply(session.call(named, request_of(named, words)))


def refuse_wrong_words(application: Application, command: str, words: Sequence[str]) -> None:
    """Raises TeeError as `ask`, without a session."""
    if decimal(command) is not None:
        parameters(words)
    else:
        request_of(command_named(application, command), words)


@click.command()
@PATH
@click.argument("command")
@click.argument("words", nargs=-1, metavar="[PARAMETER...]")
@machine_options
def invoke(path: Path, command: str, words: tuple[str, ...], **how: Any) -> None:
    """Open a session with the application of PATH, invoke COMMAND once, and print what comes back.

    COMMAND is the name of a command in the application's module `commands`, with fields as parameters, or a number,
    with up to four of: none, value:A[,B], value-out, value-inout:A[,B], hex:00ff, text:hello, file:NAME, out:SIZE,
    inout:hex:00ff.

    \b
    Example:
      tee-sim invoke --machine phone counter ADD step=3
    """
    application, *others = applications([path])
    if others:
        raise refused(f"{path} holds {len(others) + 1} applications", "give the manifest or the .ta file of one")
    refuse_wrong_words(application, command, words)
    with (
        started([application], **how) as (machine, _faults),
        machine.context.open_session(application.manifest.ta_uuid) as session,
    ):
        for line in ask(session, application, command, words):
            click.echo(line)


@click.command("list")
@PATHS
@machine_options
def list_applications(paths: tuple[Path, ...], **how: Any) -> None:
    """Start a machine with the applications of PATH... and print what it hosts, how it is locked, and what it measured.

    \b
    Example:
      tee-sim list counter
    """
    hosted = applications(paths)
    with started(hosted, **how) as (machine, _faults):
        status = machine.status()
        for key in ("sandbox_level", "clock", "randomness", "storage", "epoch"):
            click.echo(f"{key.replace('_', ' ')}: {status[key]}")
        measurements = machine.running.measurements
        for application in hosted:
            manifest = application.manifest
            click.echo(f"{manifest.name}  {manifest.ta_uuid}  {application.path}")
            click.echo(f"  measurement {measurements.get(manifest.name, 'unknown')}")
            for name, command in sorted(commands_of(application).items(), key=lambda item: item[1].number):
                click.echo(f"  {command.number} {name}: {command.request.__name__} -> {command.reply.__name__}")
