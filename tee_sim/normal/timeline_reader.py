"""Read a timeline (`tee_sim.normal.timeline`): its events, and as lines in the order of their beginning.

A line's depth is how many spans it lies in, of its own row and of those that may have asked for it: a storage request
stands below the command of the application, and that below the frame of the caller.
"""

import errno
import json
import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeGuard

from tee_sim.normal.timeline import FIRST_LINE
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.debug_report import printable
from tee_sim.shared.errors import Origin, TeeError, TeeResult

Event = dict[str, Any]
_KEYS: Final = {"name": str, "cat": str, "ph": str, "ts": int, "pid": int, "tid": int, "args": dict}
_VALUES: Final = frozenset({str, int, bool})
_PHASES: Final = frozenset("BEXiCM")
_HINT: Final = "give a file that was written by: TEE_SIM_TRACE=FILE tee-sim run ..."
_GOOD: Final = frozenset({"SUCCESS", "OK"})
_ASKING: Final = {"caller": 0, "session": 1, "command": 2, "world": 2, "storage": 3, "rpmb": 4}
"""Who asks whom: what stands further down may be a consequence of what stands above."""
_CONSEQUENCE: Final = 5
_ROW_WIDTH: Final = 16
_DEEPEST: Final = 64
"""Spans that are open at once, of those that are counted: a file may say that a million are."""
_MOST_BYTES: Final = 1 << 30


def read(data: bytes) -> list[Event]:
    """The events of a timeline, as they stand in the file; a last line that was not written to its end is left out.

    Raises:
        TeeError: BAD_FORMAT, with the line that is no event.
    """
    first, *lines = data.split(b"\n")
    if first + b"\n" != FIRST_LINE:
        raise TeeError(TeeResult.BAD_FORMAT, "line 1 of the timeline is not `[`", origin=Origin.API, hint=_HINT)
    return [_parsed(line, number) for number, line in enumerate(lines[:-1], start=2)]


def torn_bytes(data: bytes) -> int:
    """How much of the end of a file `read` leaves out, because the line was not written to its end."""
    return len(data) - data.rfind(b"\n") - 1


def _is_event(event: Any) -> TypeGuard[Event]:
    """Whether it has what docs/schemas/timeline.schema.json asks of every event, so that it can be printed."""
    return (
        isinstance(event, dict)
        and all(type(event.get(key)) is kind for key, kind in _KEYS.items())
        and event["ph"] in _PHASES
        and (type(event.get("dur")) is int) == ("dur" in event) == (event["ph"] == "X")
        and (type(event.get("bind_id")) is int) == ("bind_id" in event)
        and all(0 <= number < 1 << 63 for number in event.values() if type(number) is int)
        and all(type(value) in _VALUES for value in event["args"].values())
        and (event["ph"] != "M" or type(event["args"].get("name")) is str)
    )


def _parsed(line: bytes, number: int) -> Event:
    try:
        event = json.loads(line.removesuffix(b","))
    except (ValueError, RecursionError):
        event = None
    if not line.endswith(b",") or not _is_event(event):
        raise TeeError(
            TeeResult.BAD_FORMAT, f"line {number} of the timeline is no event", origin=Origin.API, hint=_HINT
        )
    return event


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedLine:
    """What stands in one line.

    Attributes:
        at_us: since the first event.
        lasted_us: None for what takes no time, or has not come to its end.
        unended: it has not come to its end.
        process, row: who, and which part of it.
        depth: in how many spans it lies that may have asked for it.
    """

    at_us: int
    lasted_us: int | None
    unended: bool
    process: str
    row: str
    category: str
    name: str
    depth: int
    args: dict[str, Any]

    @property
    def failed(self) -> bool:
        """Whether it is a refusal, a panic, a fault or a call that was denied."""
        result = self.args.get("result")
        return (result is not None and result not in _GOOD) or self.row == "faults" or "panic" in self.name

    @property
    def details(self) -> str:
        """Its numbers and words."""
        return " ".join(f"{key}={value}" for key, value in self.args.items())

    def text(self, indent: int, row_width: int) -> str:
        """The line: when it began (ms), how long it lasted (ms), row, name, numbers."""
        lasted = f"{self.lasted_us / 1000:9.3f}" if self.lasted_us is not None else " " * 9
        name = "  " * indent + self.name
        line = f"{self.at_us / 1000:11.3f} {lasted}  {self.row:<{row_width}} {name}  {self.details}".rstrip()
        return printable(line, len(line) * 10)  # the file may be anybody's, and a terminal obeys


@dataclass(frozen=True, slots=True)
class Arrow:
    """That something in one row is a consequence of something in another. Attributes: at_us: as of `TimedLine`."""

    at_us: int
    source: str
    target: str


def arrows(events: Sequence[Event]) -> list[Arrow]:
    """The arrows that have both of their ends."""
    rows = _rows(events)
    first = _first_us(events)
    bound = [event for event in events if "bind_id" in event]
    sources = {event["bind_id"]: event for event in bound if event.get("flow_out") is True}
    return [
        Arrow(event["ts"] - first, _row(rows, sources[event["bind_id"]]), _row(rows, event))
        for event in bound
        if event.get("flow_in") is True and event["bind_id"] in sources
    ]


def _rows(events: Iterable[Event]) -> dict[tuple[int, int], str]:
    return {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["ph"] == "M"}


def _row(names: Mapping[tuple[int, int], str], event: Event) -> str:
    return names.get((event["pid"], event["tid"]), "?")


def _first_us(events: Iterable[Event]) -> int:
    return min((event["ts"] for event in events if event["ph"] != "M"), default=0)


def timed_lines(events: Sequence[Event]) -> list[TimedLine]:
    """The events in order of their beginning; the begin and end of one span as one line."""
    names = _rows(events)
    first = _first_us(events)
    spans = _spans([e for e in events if e["ph"] != "M"])
    return [
        TimedLine(
            at_us=span["ts"] - first,
            lasted_us=span.get("dur"),
            unended=span["ph"] == "B" and "dur" not in span,
            process=names.get((span["pid"], 0), "?"),
            row=_row(names, span),
            category=span["cat"],
            name=span["name"],
            depth=depth,
            args=span["args"],
        )
        for span, depth in zip(spans, _depths(spans), strict=True)
    ]


def _spans(timed: list[Event]) -> list[Event]:
    """Everything but ends, which are in what they end; in order of the beginning, and the longer one first."""
    spans: list[Event] = []
    begun: defaultdict[tuple[int, int], list[Event]] = defaultdict(list)
    for event in timed:
        place = begun[event["pid"], event["tid"]]
        if event["ph"] != "E":
            spans.append(dict(event))
            if event["ph"] == "B":
                place.append(spans[-1])
        elif place:
            span = place.pop()
            span["dur"] = max(event["ts"] - span["ts"], 0)
            span["args"] = span["args"] | event["args"]
    return sorted(spans, key=lambda span: span["ts"])


def _depths(spans: Sequence[Event]) -> list[int]:
    """Of each span, in how many it lies. What has no end lasts as long as its process says anything."""
    last: dict[int, int] = {}
    for span in spans:
        last[span["pid"]] = max(last.get(span["pid"], 0), span["ts"] + span.get("dur", 0))
    depths: list[int] = []
    around: list[tuple[int, int]] = []
    for span in spans:
        rank = _ASKING.get(span["cat"], _CONSEQUENCE)
        until = span["ts"] + span["dur"] if "dur" in span else last[span["pid"]] if span["ph"] == "B" else span["ts"]
        around = [(end, other) for end, other in around if end > span["ts"]]
        depths.append(sum(other <= rank and end >= until for end, other in around))
        if span["ph"] in "BX":
            around = [*around[-_DEEPEST:], (until, rank)]
    return depths


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines to show: each condition that is given must hold.

    Attributes:
        rows, names: one of the texts is in the name of the row, of the event.
        slower_than_ms: it lasted longer.
    """

    rows: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    failed: bool = False
    slower_than_ms: float | None = None

    def of(self, lines: Iterable[TimedLine]) -> list[TimedLine]:
        """Those lines."""
        return [line for line in lines if self._fits(line)]

    def _fits(self, line: TimedLine) -> bool:
        return (
            (not self.rows or any(text in line.row for text in self.rows))
            and (not self.names or any(text in line.name for text in self.names))
            and (not self.failed or line.failed)
            and (self.slower_than_ms is None or (line.lasted_us or 0) > self.slower_than_ms * 1000)
        )


def printed(lines: Sequence[TimedLine]) -> list[str]:
    """The lines as text, indented by their depth."""
    least = min((line.depth for line in lines), default=0)
    width = max((len(line.row) for line in lines), default=0)
    return [line.text(line.depth - least, max(width, _ROW_WIDTH)) for line in lines]


def read_file(path: Path) -> bytes:
    """The bytes of a timeline. Raises OSError, also for what is no regular file: a FIFO would be waited for."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        return opened.read(_MOST_BYTES)
