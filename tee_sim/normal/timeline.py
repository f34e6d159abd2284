"""One timeline of everything that the normal world sees of secure worlds, for Perfetto and Chrome's viewer.

    bioguard --trace timeline.json demo          then open timeline.json in https://ui.perfetto.dev
    TEE_SIM_TRACE=timeline.json tee-sim run ...

A file in the Trace Event format, as an array: the first line is `[`, then one event a line, without an end, as the
format allows; so the file of a killed process opens, and several commands may write to one file, one after the other or
at once. Its schema is docs/schemas/timeline.schema.json; what each event says is in docs/debugging.md.

Promises: names, numbers, sizes, results and durations, and no byte of a parameter, an object, a frame or a key.
Without a name of a file nothing is opened, measured or written.
Does not promise: to be complete. When the file cannot be written any more it ends, with one line on standard error.
"""

import errno
import json
import os
import stat
import sys
import time
from contextlib import suppress
from functools import lru_cache
from typing import Final

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import Origin, TeeError, TeeResult

VARIABLE: Final = "TEE_SIM_TRACE"
FIRST_LINE: Final = b"[\n"

Value = str | int | bool
Args = dict[str, Value | None]
Arrow = dict[str, int | bool]
"""One end of an arrow between spans: see `arrow_from` and `arrow_to`."""


def now_us() -> int:
    """The clock of all events: monotonic, and the same in all processes of this machine."""
    return time.monotonic_ns() // 1000


def arrow_from(number: int) -> Arrow:
    """Of a span that others are a consequence of. Args: number: of no other span."""
    return {"bind_id": number, "flow_out": True}


def arrow_to(number: int) -> Arrow:
    """Of a span that is a consequence of the one with this number."""
    return {"bind_id": number, "flow_in": True}


class Timeline:
    """Appends events to one file."""

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            # Not blocking, or a FIFO without a reader would hang here. Not through a link, which may lead anywhere.
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
            self._fd = os.open(path, flags, 0o600)
        except (OSError, ValueError) as error:
            linked = getattr(error, "errno", None) == errno.ELOOP
            why = "it is a symbolic link" if linked else getattr(error, "strerror", None) or str(error)
            raise _refuse(path, why) from None
        self._rows: dict[tuple[int, str], int] = {}
        try:
            self._begin(path)
        except BaseException:
            os.close(self._fd)
            raise

    def _begin(self, path: str) -> None:
        status = os.fstat(self._fd)
        if not stat.S_ISREG(status.st_mode):
            raise _refuse(path, "it is no regular file")
        if status.st_size == 0:
            self._write(FIRST_LINE)
        elif os.pread(self._fd, len(FIRST_LINE), 0) != FIRST_LINE:
            raise _refuse(path, "it holds something else")

    def instant(self, row: "Row", name: str, args: Args | None = None) -> None:
        """Something that takes no time."""
        self._event(row, {"name": name, "ph": "i", "ts": now_us(), "s": "t"}, args)

    def begin(self, row: "Row", name: str, args: Args | None = None, *, arrow: "Arrow | None" = None) -> None:
        """Something begins; it stands in the file even if its end never comes. Ends are in the opposite order."""
        self._event(row, {"name": name, "ph": "B", "ts": now_us(), **(arrow or {})}, args)

    def end(self, row: "Row", name: str, args: Args | None = None) -> None:
        """What began last in this row ends."""
        self._event(row, {"name": name, "ph": "E", "ts": now_us()}, args)

    def span(
        self, row: "Row", name: str, started_us: int, args: Args | None = None, *, arrow: "Arrow | None" = None
    ) -> None:
        """Something that began at `started_us` and ends now."""
        times = {"ts": started_us, "dur": now_us() - started_us}
        self._event(row, {"name": name, "ph": "X", **times, **(arrow or {})}, args)

    def counter(self, row: "Row", name: str, args: Args) -> None:
        """Numbers that go up and down, or stand: each has a track of its own."""
        self._event(row, {"name": name, "ph": "C", "ts": now_us()}, args)

    def _event(self, row: "Row", event: dict[str, object], args: Args | None) -> None:
        event |= {"cat": row.category, "pid": row.pid, "tid": self._number(row)}
        self._line(event, {k: v for k, v in (args or {}).items() if v is not None})

    def _number(self, row: "Row") -> int:
        """The number of a row; a new one is named first. 0 stands for the process."""
        numbers = self._rows
        if (row.pid, "") not in numbers:
            numbers[row.pid, ""] = 0
            self._meta(row.pid, 0, "process_name", row.process)
        if (row.pid, row.name) not in numbers:
            numbers[row.pid, row.name] = sum(pid == row.pid for pid, _ in numbers)
            self._meta(row.pid, numbers[row.pid, row.name], "thread_name", row.name)
        return numbers[row.pid, row.name]

    def _meta(self, pid: int, tid: int, name: str, value: str) -> None:
        self._line({"name": name, "ph": "M", "ts": 0, "cat": "__metadata", "pid": pid, "tid": tid}, {"name": value})

    def _line(self, event: dict[str, object], args: dict[str, Value | None]) -> None:
        self._write(json.dumps({**event, "args": args}, separators=(",", ":")).encode("ascii") + b",\n")

    def _write(self, line: bytes) -> None:
        """One call a line: with O_APPEND lines of several processes stay whole."""
        if self._fd < 0:
            return
        try:
            whole = os.write(self._fd, line) == len(line)
        except OSError:
            whole = False
        if not whole:
            self.close()
            with suppress(OSError, ValueError, AttributeError):
                sys.stderr.write(f"note: the timeline ends here: {self._path!a} cannot be written any more\n")

    def close(self) -> None:
        """Write nothing more."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the viewer: which part of whom, and the category of what stands in it."""

    pid: int
    process: str
    name: str
    category: str


def _refuse(path: str, why: str) -> TeeError:
    return TeeError(
        TeeResult.BAD_PARAMETERS,
        f"no timeline can be written to {path!a}: {why}",
        origin=Origin.API,
        hint="name a new file, or one that holds a timeline: events are added to it",
    )


def current() -> Timeline | None:
    """The timeline of this process, None unless TEE_SIM_TRACE names a file.

    Raises:
        TeeError: BAD_PARAMETERS: the file cannot be a timeline.
    """
    path = os.environ.get(VARIABLE)
    return _opened(path, os.getpid()) if path else None


@lru_cache(maxsize=4)
def _opened(path: str, pid: int) -> Timeline:
    # `pid`: a process that was forked opens the file and names its rows anew
    return Timeline(path)
