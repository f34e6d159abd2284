"""Frames in, frames out, until the input ends.

A frame that cannot be read is answered with a refusal of id 0, and the conversation ends: after a wrong length nothing
that follows can be trusted.
"""

from collections.abc import Callable
from struct import Struct
from typing import BinaryIO

from bioguard.errors import BioguardError, InputRefused
from bioguard.printable import printable
from bioguard.serve.methods import METHODS
from bioguard.serve.protocol import VERSION, RefusalFrame
from bioguard.timeline_events import caller
from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError
from tee_sim.shared.schema import Record
from tee_sim.shared.wire import FrameReader, NoFrameError

Handler = Callable[[int, Record], Record]
"""(method number, request) -> reply. Raises BioguardError to refuse."""

_LENGTH = Struct("<I")
_ANSWER, _REFUSAL = 0, 1
_MAX_ID = 0xFFFF_FFFF
_MAX_TEXT = 400


def _bad(what: str) -> InputRefused:
    return InputRefused(what, hint="see docs/formats/serve.md", code="serve.malformed")


def _read_frame(stream: BinaryIO, reader: FrameReader) -> bytes | None:
    """The body of the next frame; None where the input ends before it."""
    body, begun = None, False
    while body is None:
        data = stream.read(reader.wanted())
        if not data:
            if not begun:
                return None
            raise _bad("the input ends within a frame")
        begun = True
        try:
            body = reader.feed(data)
        except NoFrameError as error:
            raise _bad(error.message) from None
    return body


def _parse(body: bytes) -> tuple[int, int, object]:
    try:
        plain = codec.decode(body)
    except TeeError:
        raise _bad("frame is not canonical CBOR") from None
    if not isinstance(plain, list) or len(plain) != 4 or any(type(v) is not int for v in plain[:3]):
        raise _bad("frame is not [version, id, method, fields]")
    version, number, method, fields = plain
    if version != VERSION:
        raise _bad(f"protocol version {VERSION} is spoken here")
    if not 0 <= number <= _MAX_ID:
        raise _bad("the id is not from 0 to 2^32-1")
    return number, method, fields


def _write(stream: BinaryIO, number: int, kind: int, record: Record) -> int:
    """Write a frame and return its size."""
    body = codec.encode([VERSION, number, kind, codec.decode(record.to_bytes())])
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()
    return _LENGTH.size + len(body)


def _ascii(text: str) -> str:
    return printable(text).encode("ascii", "backslashreplace").decode("ascii")[:_MAX_TEXT]


def _refuse(stream: BinaryIO, number: int, error: BioguardError) -> int:
    refusal = RefusalFrame(
        code=error.code, message=_ascii(error.message), hint=_ascii(error.hint), exit_code=int(error.exit_code)
    )
    return _write(stream, number, _REFUSAL, refusal)


def _answer(method: int, fields: object, handle: Handler) -> Record:
    known = METHODS.get(method)
    if known is None:
        raise InputRefused(f"there is no method {method}", hint="see docs/formats/serve.md", code="serve.method")
    try:
        request = known.request.from_bytes(codec.encode(fields))
    except TeeError as error:
        raise InputRefused(
            f"{known.name}: {error.message}", hint="see docs/formats/serve.md", code="serve.request"
        ) from None
    return handle(method, request)


def serve(source: BinaryIO, sink: BinaryIO, handle: Handler) -> int:
    """Answer requests until the input ends; return how many were answered.

    Raises:
        InputRefused: a frame could not be read; the other side got a refusal.
    """
    _write(sink, 0, _ANSWER, _answer(0, [], handle))
    count, reader, timeline = 0, FrameReader(), caller()
    while True:
        try:
            body = _read_frame(source, reader)
            if body is None:
                return count
            number, method, fields = _parse(body)
        except InputRefused as error:
            _refuse(sink, 0, error)
            raise
        timeline.asked(
            METHODS[method].name if method in METHODS else f"method {method}", number, _LENGTH.size + len(body)
        )
        try:
            timeline.answered(out_bytes=_write(sink, number, _ANSWER, _answer(method, fields, handle)))
        except BioguardError as error:
            timeline.answered(code=error.code, out_bytes=_refuse(sink, number, error))
        count += 1
