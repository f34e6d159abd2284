"""What stands on the timeline about callers and sessions: commands, frames, states and callbacks.

The secure world, the disk, the RPMB and the faults are `tee_sim.normal.events`; both write one file
(`tee_sim.normal.timeline`). Of a caller it has the names of commands and methods, sizes and refusal codes; of a session
states, callbacks by their AIDL names, and the few of their fields that are listed here. So a name of a person, a token,
a challenge or a sample has no way into it, whatever is handed over.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from tee_sim.normal.events import normal_row
from tee_sim.normal.timeline import Args, Arrow, Timeline, arrow_from, arrow_to, current, now_us

_SHOWN: Final = ("error", "info", "stage", "remaining", "remaining_ms", "feature", "vendor_code")
_COUNTED: Final = ("ids", "features")
_CODE: Final = re.compile(r"[a-z_]+(\.[a-z_0-9]+)+", re.ASCII)
_AIDL_NAMES: Final = {"OperationError": "onError"}
_NO_STATES: Final = ("IDLING", "CLOSED")
_FLOW_BITS: Final = 30
CodeNames = Mapping[str, Mapping[int, str]]
"""By the name of a field of a callback, the names of its numbers."""


class CallerEvents:
    """What somebody asks of this process and is told. This one writes nothing; `caller` returns the one that does."""

    def asked(self, name: str, number: int | None = None, in_bytes: int | None = None) -> None:
        """A command began or a frame came; `answered` follows, in the opposite order where one is within another.

        Args:
            name: of the command or method, from a table of ours.
            number: the caller's number of the frame.
            in_bytes: size of the frame.
        """

    def answered(self, *, code: str = "", out_bytes: int | None = None, exit_code: int | None = None) -> None:
        """What was asked last is done. Args: code: of the refusal, "" for an answer; size of the answering frame."""

    def told(self, event: str, sequence: int, session: int = 0) -> None:
        """An event frame was written to the caller. Args: session: 0 is the device."""

    @property
    def arrow(self) -> Arrow | None:
        """From the frame that is being answered, to what is a consequence of it."""
        return None


class _WrittenCaller(CallerEvents):
    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._row = normal_row("caller", "caller")
        self._asked: list[tuple[str, int | None]] = []
        self._frames = 0

    def asked(self, name: str, number: int | None = None, in_bytes: int | None = None) -> None:
        flow = None
        if number is not None:
            self._frames += 1
            flow = (self._row.pid << _FLOW_BITS) + self._frames
        self._asked.append((name, flow))
        arrow = arrow_from(flow) if flow is not None else None
        self._timeline.begin(self._row, name, {"frame": number, "in_bytes": in_bytes}, arrow=arrow)

    def answered(self, *, code: str = "", out_bytes: int | None = None, exit_code: int | None = None) -> None:
        if self._asked:
            result = (code if _CODE.fullmatch(code) else "refused") if code else "OK"
            args: Args = {"result": result if exit_code is None else None, "exit_code": exit_code}
            self._timeline.end(self._row, self._asked.pop()[0], {**args, "out_bytes": out_bytes})

    def told(self, event: str, sequence: int, session: int = 0) -> None:
        self._timeline.instant(self._row, event, {"sequence": sequence, "session": session})

    @property
    def arrow(self) -> Arrow | None:
        flow = self._asked[-1][1] if self._asked else None
        return arrow_to(flow) if flow is not None else None


class SessionEvents:
    """What happens to one live session. This one writes nothing; `watch_session` returns the one that does."""

    def state(self, name: str, operation: int) -> None:
        """It is in another state now. What it was in is over once the callback was told that ended it.

        Args:
            name: of `SessionState`; "IDLING" and "CLOSED" are drawn as nothing.
            operation: its number.
        """

    def callback(self, callback: object) -> None:
        """Its client is told this: an instance of a class of `bioguard.hal.callbacks`. SessionClosed is the last."""

    def died(self) -> None:
        """No callback can come any more."""


class _WrittenSession(SessionEvents):
    def __init__(self, timeline: Timeline, lane: str, names: CodeNames) -> None:
        self._timeline = timeline
        self._row = normal_row(f"session {lane}", "session")
        self._names = names
        self._open = ["session"]
        self._leaving = False
        timeline.begin(self._row, "session")

    def state(self, name: str, operation: int) -> None:
        if name in _NO_STATES:
            self._leaving = True
        elif name != self._open[-1]:
            self._leave(down_to=1)
            self._open.append(name)
            self._timeline.begin(self._row, name, {"operation": operation}, arrow=caller().arrow)

    def callback(self, callback: object) -> None:
        kind = type(callback).__name__
        name, fields, arrow = _AIDL_NAMES.get(kind, f"on{kind}"), self._fields(callback), caller().arrow
        # A span and no instant, although it takes no time: arrows lead to spans.
        self._timeline.span(self._row, name, now_us(), fields, arrow=arrow)
        if self._leaving:
            self._leave(down_to=0 if kind == "SessionClosed" else 1)

    def died(self) -> None:
        self._leave(down_to=0, how="the secure world ended")

    def _leave(self, *, down_to: int, how: str | None = None) -> None:
        self._leaving = False
        while len(self._open) > down_to:
            self._timeline.end(self._row, self._open.pop(), {"how": how})

    def _fields(self, callback: object) -> Args:
        fields = {name: getattr(callback, name, None) for name in (*_SHOWN, *_COUNTED, "token", "reason")}
        shown: Args = {}
        for name in _SHOWN:
            value = fields[name]
            if isinstance(value, int):
                shown[name] = self._names.get(name, {}).get(int(value)) or int(value)
        for name in _COUNTED:
            value = fields[name]
            if isinstance(value, tuple):
                shown[name] = len(value)
        if type(callback).__name__ == "AuthenticationSucceeded":
            shown["token"] = fields["token"] is not None
        if isinstance(fields["reason"], str) and _CODE.fullmatch(fields["reason"]):
            shown["reason"] = fields["reason"]
        return shown


_SILENT_CALLER: Final = CallerEvents()
_SILENT_SESSION: Final = SessionEvents()


def caller() -> CallerEvents:
    """The caller of this process: whoever gave its command line, and writes to its standard input."""
    timeline = current()
    return _SILENT_CALLER if timeline is None else _written(timeline)


@lru_cache(maxsize=4)
def _written(timeline: Timeline) -> _WrittenCaller:
    return _WrittenCaller(timeline)


def watch_session(lane: str, names: CodeNames) -> SessionEvents:
    """The events of a session that was created just now.

    Args:
        lane: which sensor, for instance `fingerprint 0`: its sessions stand in one row, one after the other.
        names: of the codes in its callbacks, by field.
    """
    timeline = current()
    return _SILENT_SESSION if timeline is None else _WrittenSession(timeline, lane, names)
