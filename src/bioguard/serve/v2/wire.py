"""Frames of version 2 as bytes: requests in, answers, refusals and events out. Nothing of a device is here."""

from collections.abc import Sequence
from struct import Struct
from typing import Final, NamedTuple

from bioguard.errors import BioguardError, InputRefused
from bioguard.printable import printable
from bioguard.serve.hints import hint_of
from bioguard.serve.v2.table import BY_NUMBER, MethodEntry
from bioguard.serve.v2.values import VERSION
from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError
from tee_sim.shared.schema import MisfitError, Record, record_fields

_LENGTH: Final = Struct("<I")
LENGTH_BYTES: Final = _LENGTH.size
"""Of the length that stands before each frame."""
ANSWER, REFUSAL, EVENT = 0, 1, 2
"""What a frame of the server is: its third item."""
_MAX_ID: Final = 0xFFFF_FFFF
_MAX_TEXT: Final = 400


class RequestFrame(NamedTuple):
    """A request whose fields nobody has looked at."""

    number: int
    method: int
    fields: object


def malformed(what: str) -> InputRefused:
    """After this nothing that comes on the pipe can be trusted."""
    return InputRefused(what, hint="see docs/formats/serve-2.md", code="serve.malformed")


def parse_frame(body: bytes) -> RequestFrame:
    """Raises InputRefused for what is no request of this version."""
    if not body:
        raise malformed("frame of 0 bytes is no request")
    try:
        plain = codec.decode(body)
    except TeeError:
        raise malformed("frame is not canonical CBOR") from None
    if not isinstance(plain, list) or len(plain) != 4 or any(type(v) is not int for v in plain[:3]):
        raise malformed("frame is not [version, id, method, fields]")
    version, number, method, fields = plain
    if version != VERSION:
        raise malformed(f"protocol version {VERSION} is spoken here")
    if not 1 <= number <= _MAX_ID:
        raise malformed("the id is not from 1 to 2^32-1")
    return RequestFrame(number, method, fields)


def method_name(frame: RequestFrame) -> str:
    """What the method is called, for a timeline: a number is all that an unknown one has."""
    known = BY_NUMBER.get(frame.method)
    return known.name if known is not None else f"method {frame.method}"


def read_request(frame: RequestFrame) -> tuple[MethodEntry, Record]:
    """The method and its fields. Raises InputRefused: `serve.method`, `serve.request`."""
    known = BY_NUMBER.get(frame.method)
    if known is None:
        raise InputRefused(f"there is no method {frame.method}", hint="use a method of version 2", code="serve.method")
    wanted = len(record_fields(known.request))
    if not isinstance(frame.fields, list) or len(frame.fields) != wanted:
        raise _misfit(known, f"expected a list of {wanted} fields")
    try:
        return known, known.request.from_plain(frame.fields)
    except MisfitError as error:
        raise _misfit(known, error.why.replace(" is missing", " may not be null")) from None


def _misfit(method: MethodEntry, why: str) -> InputRefused:
    return InputRefused(f"{method.name}: {why}", hint="send the fields that the page gives", code="serve.request")


def _framed(value: Sequence[object]) -> bytes:
    body = codec.encode(value)
    return _LENGTH.pack(len(body)) + body


def request(number: int, method: MethodEntry, fields: list[object]) -> bytes:
    """The frame of a request."""
    return _framed((VERSION, number, method.number, fields))


def answer(number: int, reply: Record) -> bytes:
    """The frame of an answer."""
    return _framed((VERSION, number, ANSWER, reply.to_plain()))


def refusal(number: int, error: BioguardError) -> bytes:
    """The frame of a refusal: code and message as on the command line, the hint for a program."""
    texts = [error.code[:64], _ascii(error.message), _ascii(hint_of(error))]
    return _framed((VERSION, number, REFUSAL, [*texts, int(error.exit_code)]))


def event(session: int, sequence: int, time_ms: int, kind: int, fields: Record) -> bytes:
    """The frame of an event."""
    return _framed((VERSION, session, EVENT, [sequence, time_ms, kind, fields.to_plain()]))


def _ascii(text: str) -> str:
    return printable(text).encode("ascii", "backslashreplace").decode("ascii")[:_MAX_TEXT]
