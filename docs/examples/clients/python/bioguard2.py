"""A client of `bioguard serve --stdio --protocol 2` (docs/formats/serve-2.md), with the standard library alone.

`Client` starts the server and checks its hello. `call` sends one request and returns the fields of its answer; events
that stand before the answer go to `on_event`. What the server may not send raises `Malformed`: nothing more can be said
to it then. A refusal raises `Refused`, and the conversation goes on.
"""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TypeAlias, TypeVar

Value: TypeAlias = "int | bytes | str | list[Value] | None"
"""What a frame is made of; a bool is an int here, as everywhere in Python."""
_Kind = TypeVar("_Kind", int, bytes, str, bool, "list[Value]")

VERSION = 2
MAX_FRAME_BYTES = 1 << 20
MAX_DEPTH = 8
_UNSIGNED, _BYTES, _TEXT, _ARRAY = 0, 2, 3, 4
_SIMPLE: dict[int, Value] = {0xF4: False, 0xF5: True, 0xF6: None}
_WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}
"""Additional information of a head: bytes of the argument that follow (RFC 8949 section 3)."""

ANSWER, REFUSAL, EVENT = range(3)
HELLO_FIELDS = 14
EVENT_FIELDS = (0, 1, 1, 2, 6, 2, 2, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 3, 0, 1, 4)
"""How many fields each event has, by number; a later server has more events."""


class Method(IntEnum):
    """Numbers of methods."""

    ADD_USER = 1
    CONSENT = 4
    SET_PIN = 10
    VERIFY_PIN = 11
    CREATE_SESSION = 20
    CLOSE = 21
    CANCEL = 22
    GENERATE_CHALLENGE = 23
    ENROLL = 25
    AUTHENTICATE = 26
    RESET_LOCKOUT = 32
    PRESENT = 45
    CHECK_TOKEN = 55
    KEY_CREATE = 60
    KEY_BEGIN = 61
    KEY_FINISH = 62
    CLOCK_ADVANCE = 81
    SIMULATED_SAMPLE = 100


class Malformed(Exception):
    """The server sent what protocol 2 does not allow, or went away."""


@dataclass
class Refused(Exception):
    """The server refused a request. code and exit_code are stable, message and hint are for people."""

    code: str
    message: str
    hint: str
    exit_code: int


@dataclass(frozen=True)
class Event:
    """A callback of a session; session 0 is the device."""

    session: int
    time_ms: int
    number: int
    fields: list[Value]


def _head(major: int, value: int) -> bytes:
    if value < 24:
        return bytes([major << 5 | value])
    info, width = next(pair for pair in _WIDTHS.items() if value < 1 << 8 * pair[1])
    return bytes([major << 5 | info]) + value.to_bytes(width, "big")


def encode(value: Value) -> bytes:
    """Canonical CBOR of a value."""
    if value is None or isinstance(value, bool):
        return next(bytes([head]) for head, simple in _SIMPLE.items() if simple is value)
    if isinstance(value, int):
        return _head(_UNSIGNED, value)
    if isinstance(value, bytes):
        return _head(_BYTES, len(value)) + value
    if isinstance(value, str):
        return _head(_TEXT, len(value)) + value.encode("ascii")
    return _head(_ARRAY, len(value)) + b"".join(map(encode, value))


def _item(body: bytes, at: int, depth: int) -> tuple[Value, int]:
    """One item at `at` and the place behind it. IndexError where it runs past the end or is of no type of ours."""
    head = body[at]
    major, argument, at = head >> 5, head & 31, at + 1
    if head in _SIMPLE:
        return _SIMPLE[head], at
    if argument in _WIDTHS:
        end = at + _WIDTHS[argument]
        argument, at = int.from_bytes(body[at:end], "big"), end
    if major == _UNSIGNED:
        return argument, at
    if major not in (_BYTES, _TEXT, _ARRAY) or argument > len(body) - at or (major == _ARRAY and depth < 1):
        raise IndexError
    if major != _ARRAY:
        octets = body[at : at + argument]
        return (octets if major == _BYTES else octets.decode("ascii")), at + argument
    items: list[Value] = []
    for _ in range(argument):
        item, at = _item(body, at, depth - 1)
        items.append(item)
    return items, at


def decode(body: bytes) -> Value:
    """The value of a body. Raises Malformed for anything that `encode` would not have written byte for byte."""
    try:
        value, _ = _item(body, 0, MAX_DEPTH)
        if encode(value) == body:
            return value
    except (IndexError, UnicodeDecodeError):
        pass
    raise Malformed("frame is not canonical CBOR")


def field(value: Value, kind: type[_Kind], size: int | None = None) -> _Kind:
    """A field as what it must be: int, bytes, str, bool or list, of `size` fields if given."""
    if type(value) is not kind:
        raise Malformed("a field has another type")
    if size is not None and isinstance(value, list) and len(value) != size:
        raise Malformed("another number of fields")
    return value


class Client:
    """The server as a child process. One request is answered before the next is sent."""

    def __init__(self, command: Sequence[str], on_event: Callable[[Event], None]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._on_event = on_event
        self._id = 0
        self._sequence = 0
        self.hello = self._answer(0, HELLO_FIELDS)
        if field(self.hello[0], int) != VERSION:
            raise Malformed("another protocol version")

    def close(self) -> int:
        """End the server by ending its input; return its exit code."""
        self._process.communicate()
        return self._process.returncode

    def _read(self, size: int) -> bytes:
        assert self._process.stdout is not None
        data = self._process.stdout.read(size)
        if len(data) < size:
            raise Malformed("the server is gone")
        return data

    def _send(self, frame: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(frame)
            self._process.stdin.flush()
        except OSError:
            raise Malformed("the server is gone") from None

    def _frame(self) -> bytes:
        length = self._read(4)
        size = int.from_bytes(length, "little")
        if not 0 < size <= MAX_FRAME_BYTES:
            raise Malformed("frame length is out of bounds")
        return length + self._read(size)

    def _answer(self, wanted: int, size: int) -> list[Value]:
        """Read frames up to the answer with the wanted id."""
        while True:
            version, ident, kind, body = field(decode(self._frame()[4:]), list, 4)
            if field(version, int) != VERSION:
                raise Malformed("another protocol version")
            if field(kind, int) == EVENT:
                self._event(field(ident, int), field(body, list, 4))
                continue
            if field(ident, int) != wanted:
                raise Malformed("answer to another request")
            if kind == ANSWER:
                return field(body, list, size)
            if kind != REFUSAL:
                raise Malformed("no such kind of frame")
            code, message, hint, exit_code = field(body, list, 4)
            raise Refused(field(code, str), field(message, str), field(hint, str), field(exit_code, int))

    def _event(self, session: int, body: list[Value]) -> None:
        self._sequence += 1
        if field(body[0], int) != self._sequence:
            raise Malformed("an event is missing")
        event = Event(session, field(body[1], int), field(body[2], int), field(body[3], list))
        if event.number < len(EVENT_FIELDS):
            field(event.fields, list, EVENT_FIELDS[event.number])
            self._on_event(event)

    def call(self, method: Method, *fields: Value, answer: int = 0) -> list[Value]:
        """Send a request and return the fields of its answer, of which there must be `answer`.

        Raises:
            Refused: the server refused it.
            Malformed: the server sent what it must not, or is gone.
        """
        self._id += 1
        body = encode([VERSION, self._id, int(method), list(fields)])
        self._send(len(body).to_bytes(4, "little") + body)
        return self._answer(self._id, answer)

    def replay(self, path: Path) -> tuple[int, int]:
        """Send the recorded requests of a file of frames; return how many, and how many frames came as recorded.

        Raises Malformed at the first frame that differs.
        """
        data, at, counts = path.read_bytes(), 0, {ord(">"): 0, ord("<"): 0}
        while at < len(data):
            way, end = data[at], at + 5 + int.from_bytes(data[at + 1 : at + 5], "little")
            if way not in counts or end > len(data):
                raise Malformed("file of frames is damaged")
            counts[way] += 1
            frame, at = data[at + 1 : end], end
            if way == ord(">"):
                self._send(frame)
            elif self._frame() != frame:
                raise Malformed("a frame differs from the recorded one")
            else:
                self._sequence += field(decode(frame[4:]), list, 4)[2] == EVENT
        return counts[ord(">")], counts[ord("<")]
