"""What stands on the timeline about a secure world, the disk behind it and the faults played on the way.

The only place that turns messages into events (`tee_sim.normal.timeline`), so that one page shows what of a message is
written down: names, numbers, sizes and results. A parameter's bytes and numbers are not; the two times of a clock
are, and names under which the disk knows its objects.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import Final
from uuid import UUID

from tee_sim.normal.debug_text import place, title
from tee_sim.normal.timeline import Args, Row, Timeline, current, now_us
from tee_sim.shared.debug_report import DebugReport
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import Param
from tee_sim.shared.rpmb_frames import FRAME_BYTES, Frame, Request, RpmbResult, RpmbTransport
from tee_sim.shared.wire import AdvanceClock, CloseSession, Invoke, Message, OpenSession, ReadClock, Ready, Return

_MOST_NAMES: Final = 4
_KINDS: Final = {b"o": "objects", b"p": "pages", b"a": "anchor"}


def normal_row(name: str, category: str) -> Row:
    """A row of this process, which is of the normal world."""
    program = PurePath(sys.argv[0] or "python").name  # without arguments: names of people stand there
    return Row(os.getpid(), f"normal world ({program})", name, category)


_command_names: dict[tuple[bytes, int], str] = {}


def name_commands(uuid: UUID, names: Mapping[int, str]) -> None:
    """Say what the commands of an application are called, in timelines that are written from now on."""
    _command_names.update({(uuid.bytes, number): name for number, name in names.items()})


class WorldEvents:
    """What happens to one secure world. This one writes nothing; `watch` returns the one that does."""

    written = False

    def locked(self, level: str) -> None:
        """It was looked at from outside and found locked this far."""

    def ready(self, answer: Ready) -> None:
        """Its store is open."""

    def asked(self, message: Message) -> None:
        """A request was sent; `answered` or `failed` follows."""

    def answered(self, answer: Return) -> None:
        """The answer came."""

    def failed(self, error: BaseException) -> None:
        """No answer came."""

    def reported(self, report: DebugReport) -> None:
        """A debug report came."""

    def forbidden(self, words: str) -> None:
        """One of its processes was killed for a system call."""

    def ended(self, how: str) -> None:
        """It does not run any more. Called more than once."""


class _Written(WorldEvents):
    written = True

    def __init__(self, timeline: Timeline, manifests: Sequence[Manifest], pid: int, args: Args) -> None:
        self._timeline = timeline
        name = f"secure world {pid}"
        self._world = Row(pid, name, "secure world", "world")
        self._time = Row(pid, name, "simulated time", "time")
        self._rows = {m.uuid: Row(pid, name, f"TA {m.name}", "command") for m in manifests}
        self._by_name = {m.name: self._rows[m.uuid] for m in manifests}
        self._sessions: dict[int, Row] = {}
        self._open: tuple[Row, str, Message] | None = None
        self._ended = False
        self._timeline.instant(self._world, "start", args)

    def locked(self, level: str) -> None:
        self._timeline.instant(self._world, "locked", {"level": level})

    def ready(self, answer: Ready) -> None:
        args: Args = {
            "epoch": answer.epoch,
            "clock": answer.clock.name,
            "randomness": answer.randomness.name,
            "condition": answer.condition.name,
        }
        self._timeline.instant(self._world, "ready", args)

    def asked(self, message: Message) -> None:
        row, name, args = self._request(message)
        self._open = (row, name, message)
        self._timeline.begin(row, name, args)

    def _request(self, message: Message) -> tuple[Row, str, Args]:
        match message:
            case OpenSession():
                return self._rows.get(message.uuid, self._world), "open session", _sizes(message.params)
            case Invoke():
                row = self._sessions.get(message.session, self._world)
                args: Args = {"session": message.session, "command": message.command, **_sizes(message.params)}
                return row, self._name(row, message.command), args
            case CloseSession():
                row = self._sessions.get(message.session, self._world)
                return row, "close session", {"session": message.session}
            case AdvanceClock():
                return self._world, "advance clock", {"ms": message.ms}
        return self._world, type(message).__name__, {}

    def _name(self, row: Row, command: int) -> str:
        uuid = next((uuid for uuid, own in self._rows.items() if own is row), b"")
        return _command_names.get((uuid, command), f"command {command}")

    def answered(self, answer: Return) -> None:
        if self._open is None:
            return
        row, name, message = self._open
        self._open = None
        args: Args = {"result": _word(answer.result), "origin": _word(answer.origin)}
        if isinstance(message, OpenSession) and answer.result is TeeResult.SUCCESS:
            self._sessions[answer.session] = row
            args["session"] = answer.session
        if isinstance(message, CloseSession):
            self._sessions.pop(message.session, None)
        if isinstance(message, Invoke | OpenSession):
            args["out_bytes"] = sum(len(p.buffer) for p in answer.params)
        self._timeline.end(row, name, args)
        if answer.result is TeeResult.TARGET_DEAD and answer.origin is Origin.TEE:
            if answer.host_end is HostEnd.NONE:
                self._timeline.instant(row, "panic")
            else:
                self._timeline.instant(row, "process ended", {"how": answer.host_end.words})
        if isinstance(message, AdvanceClock | ReadClock) and answer.result is TeeResult.SUCCESS:
            self._clock(answer.params)

    def _clock(self, params: Sequence[Param]) -> None:
        with suppress(TeeError, IndexError):
            times: Args = {"wall_ms": params[0].as_number(), "boot_ms": params[1].as_number()}
            self._timeline.counter(self._time, "simulated time", times)

    def failed(self, error: BaseException) -> None:
        if self._open is not None:
            row, name, _ = self._open
            self._open = None
            why = _word(error.result) if isinstance(error, TeeError) else type(error).__name__
            self._timeline.end(row, name, {"result": why, "origin": Origin.COMMS.name})

    def reported(self, report: DebugReport) -> None:
        row = self._by_name.get(report.application, self._world)
        args: Args = {"text": title(report), "at": place(report.frames[-1]) if report.frames else None}
        self._timeline.instant(row, f"debug {report.kind.name.lower().replace('_', ' ')}", args)

    def forbidden(self, words: str) -> None:
        self._timeline.instant(self._world, "killed for a system call", {"call": words})

    def ended(self, how: str) -> None:
        if not self._ended:
            self._ended = True
            self._timeline.instant(self._world, "end", {"how": how})


def watch(manifests: Sequence[Manifest], pid: int, **args: str | int | bool) -> WorldEvents:
    """The events of the secure world that was started as process `pid`.

    Raises:
        TeeError: as `tee_sim.normal.timeline.current`.
    """
    timeline = current()
    return WorldEvents() if timeline is None else _Written(timeline, manifests, pid, dict(args))


def _word(code: int) -> str:
    """The name of a result or origin; an application's own codes have none."""
    return getattr(code, "name", None) or f"{int(code):#010x}"


def _sizes(params: Sequence[Param]) -> Args:
    return {
        "in_bytes": sum(len(p.buffer) for p in params),
        "room_bytes": sum(p.size_bytes for p in params if p.is_output),
    }


def storage_log() -> Callable[[str, tuple[bytes, ...], Args, int], None] | None:
    """What writes a storage request on the row of the disk; None without a timeline.

    It is called with the operation, the names of the blobs, sizes and result, and when the request came.
    """
    timeline = current()
    if timeline is None:
        return None
    row = normal_row("disk", "storage")

    def write(operation: str, names: tuple[bytes, ...], args: Args, started_us: int) -> None:
        kinds = [_KINDS.get(name[:1], "others") for name in names]
        counts: Args = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
        shown = ", ".join(name.hex() for name in names[:_MOST_NAMES])
        timeline.span(row, operation, started_us, {**args, **counts, "names": shown or None})

    return write


class _WrittenRpmb:
    """An `RpmbTransport` whose transfers are on the timeline."""

    def __init__(self, inner: RpmbTransport, timeline: Timeline) -> None:
        self._inner = inner
        self._timeline = timeline
        self._row = normal_row("RPMB", "rpmb")

    def transfer(self, request: bytes, reply_frames: int) -> bytes:
        started_us = now_us()
        reply = b""
        result: str | None = None
        try:
            reply = self._inner.transfer(request, reply_frames)
        except TeeError as error:
            result = error.result.name
            raise
        finally:
            asked, answered = _frame(request[:FRAME_BYTES]), _frame(reply[-FRAME_BYTES:])
            args: Args = {
                "request_frames": len(request) // FRAME_BYTES,
                "reply_frames": len(reply) // FRAME_BYTES,
                "address": asked.address if asked else None,
                "result": result or (_named(RpmbResult, answered.result) if answered else None),
            }
            self._timeline.span(self._row, _named(Request, asked.type) if asked else "no frame", started_us, args)
        return reply


def rpmb(inner: RpmbTransport) -> RpmbTransport:
    """The same device, with its transfers on the timeline if there is one."""
    timeline = current()
    return inner if timeline is None else _WrittenRpmb(inner, timeline)


def _frame(data: bytes) -> Frame | None:
    with suppress(TeeError):
        return Frame.from_bytes(data)
    return None


def _named(names: type[Request] | type[RpmbResult], value: int) -> str:
    return names(value).name if value in names.__members__.values() else f"{value:#06x}"


def fault(point: str, action: str, count: int) -> None:
    """A scripted fault is about to be played, at the `count`-th passage of a point."""
    timeline = current()
    if timeline is not None:
        timeline.instant(normal_row("faults", "fault"), f"{point}: {action}", {"passage": count})
