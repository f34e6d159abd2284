"""Ctrl-C: exit 130, and a word on what was kept."""

import os
from collections.abc import Mapping
from types import FrameType
from typing import NoReturn

from bioguard.errors import BioguardError
from bioguard.exit_codes import ExitCode

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


def leave_at_once(number: int, frame: FrameType | None) -> NoReturn:
    """Handler of the second in which modules are loaded: an exception there would be a traceback."""
    os.write(2, f"bench: error[interrupted]: interrupted\nhint: {AGAIN}nothing had begun\n".encode())
    os._exit(int(ExitCode.INTERRUPTED))
