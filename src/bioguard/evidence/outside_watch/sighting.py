"""What was seen of a watched command, and how it is judged."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bioguard.errors import TeeUnavailable
from bioguard.evidence.outside_watch.supervisor import Event


class NotWatched(TeeUnavailable):
    """This host does not offer what watching needs: nothing was seen, which is no good sign and no bad one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One watched run.

    Attributes:
        status: exit status of the command.
        left_running: whether a process outlived it by long.
        events: what was asked for, in order; `files`, `programs` and `others` sort them.
        packets: payloads of all that the sniffer saw, the control apart.
        controlled: whether supervisor and sniffer both saw the datagram sent on purpose.
    """

    status: int
    left_running: bool
    events: tuple[Event, ...]
    packets: tuple[bytes, ...]
    controlled: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises NotWatched."""
        seen = json.loads(text)
        if seen["why_not"]:
            raise NotWatched(seen["why_not"], hint="allow user and network namespaces to this user", code="audit.watch")
        return cls(
            status=seen["status"],
            left_running=seen["left_running"],
            events=tuple(Event(*event) for event in seen["events"]),
            packets=tuple(map(bytes.fromhex, seen["packets"])),
            controlled=all(seen["control"]),
        )


def watched(command: list[str], out: Path) -> tuple[Sighting, bytes, bytes]:
    """Run a command under watch; return what was seen, its output and its errors.

    Args:
        out: file for what was seen; must not exist.

    Raises:
        NotWatched: this host does not let us.
    """
    line = [sys.executable, "-I", "-B", "-m", "bioguard.evidence.outside_watch", str(out), "--", *command]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if not out.exists():
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no reason given"]
        raise NotWatched(f"the watch ended by itself: {last[0]}", hint="run: bioguard doctor", code="audit.watch")
    return Sighting.parse(out.read_text("utf-8")), done.stdout, done.stderr
