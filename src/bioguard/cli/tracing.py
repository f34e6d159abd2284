"""A command on the timeline: its name, from our table, and its exit code."""

import os
from contextlib import suppress

import click

from bioguard.cli.app import cli
from bioguard.cli.command_line import TRACE_VARIABLE, command_words, is_within_a_device
from bioguard.errors import InputRefused
from bioguard.exit_codes import ExitCode
from bioguard.timeline_events import caller
from tee_sim.shared.errors import TeeError


def _name(arguments: list[str]) -> str:
    """The command's name. What else stands on the line is the caller's: names of people."""
    context = click.Context(cli)
    group: click.Command = cli
    known: list[str] = []
    for word in command_words(arguments):
        found = group.get_command(context, word) if isinstance(group, click.Group) else None
        if found is None:
            break
        known.append(word)
        group = found
    return " ".join(known) or "bioguard"


def began(arguments: list[str]) -> None:
    """A command begins.

    Args:
        arguments: as `bioguard.cli.command_line.hoist_global_options` leaves them.

    Raises:
        InputRefused: the file cannot be a timeline. Asked before anything is started.
    """
    path = os.environ.get(TRACE_VARIABLE, "")
    if is_within_a_device(path):
        raise InputRefused(
            f"{path} would be among the files of a device", hint="choose another place", code="trace.unwritable"
        )
    try:
        events = caller()
    except TeeError as error:
        raise InputRefused(error.message, hint=error.hint, code="trace.unwritable") from error
    events.asked(_name(arguments))


def ended(code: ExitCode) -> None:
    """It has ended."""
    if is_within_a_device(os.environ.get(TRACE_VARIABLE, "")):
        return
    with suppress(TeeError):  # said when it began
        caller().answered(exit_code=code)
