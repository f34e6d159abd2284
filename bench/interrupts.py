"""Ctrl-C: exit 130, and a word on what was kept."""

import os
from collections.abc import Callable, Mapping
from types import FrameType
from typing import NoReturn

import click

from bioguard.errors import BioguardError
from bioguard.exit_codes import ExitCode
from bioguard.printable import printable

AGAIN = "run the same command again: "
NOTHING = f"{AGAIN}nothing was kept, and nothing is half written"
KEPT: Mapping[str, str] = {
    "campaign": f"{AGAIN}it goes on with the blocks that are counted, in campaign.partial.npz",
    "accuracy": f"{AGAIN}finished sets of --fingerprints are kept beside the result, faces and scores begin anew",
    "scores": f"{AGAIN}finished sets of --fingerprints are kept beside the result, faces begin anew",
}
"""By command, what the hint says; every other command keeps nothing."""


class Interrupted(BioguardError):
    """Ctrl-C."""

    code = "interrupted"
    exit_code = ExitCode.INTERRUPTED


def interrupted(command: str) -> Interrupted:
    """What a command that was stopped says."""
    return Interrupted("interrupted", hint=KEPT.get(command, NOTHING))


def said(error: BioguardError) -> int:
    """Two lines on stderr; returns the exit code."""
    click.echo(printable(f"bench: error[{error.code}]: {error.message}"), err=True)
    click.echo(printable(f"hint: {error.hint}"), err=True)
    return int(error.exit_code)


def exit_of(main: Callable[[], int]) -> int:
    """Exit code of a program beside `python -m bench`: refusals and Ctrl-C end in it as they do there."""
    try:
        return main()
    except KeyboardInterrupt:
        return said(interrupted(""))
    except BioguardError as error:
        return said(error)


def leave_at_once(number: int, frame: FrameType | None) -> NoReturn:
    """Handler of the second in which modules are loaded: an exception there would be a traceback."""
    os.write(2, f"bench: error[interrupted]: interrupted\nhint: {AGAIN}nothing had begun\n".encode())
    os._exit(int(ExitCode.INTERRUPTED))
