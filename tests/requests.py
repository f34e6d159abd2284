"""Well-framed requests to any command, right and wrong, made from the record types: no command is forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from hypothesis import strategies as st

from tee_sim.shared import codec
from tee_sim.shared.limits import MAX_PARAM_BYTES
from tee_sim.shared.params import ParamType
from tee_sim.shared.schema import AtMost, Fixed, Items, Record, RecordField, Text, UpTo, record_fields
from tee_sim.shared.ta_api import Command

Pool = Mapping[str, Sequence[Any]]
"""Values that mean something, by the name of the field: users, records, tokens, samples, numbers."""
_U32 = 0xFFFF_FFFF
_ODD = st.sampled_from([None, -1, 1 << 63, True, b"", b"x" * 5000, "text", [], [[]], [None], {}, 255])
_SHAPES = [
    *["right"] * 20,
    "no room",
    "nothing",
    "swapped",
    "numbers",
    "three",
    "tight",
    "text",
    "five",
    "kind",
    "numbered",
]


@dataclass(frozen=True, slots=True)
class _Known:
    """A value of the pool, looked up when the request is sent: what is known by then depends on the answers."""

    name: str
    index: int
    otherwise: Any

    def value(self, pool: Pool) -> Any:
        known = pool.get(self.name) or [self.otherwise]
        return known[self.index % len(known)]


@dataclass(frozen=True, slots=True)
class Request:
    """One invocation: which session and command, the plain record or bytes in parameter 0, and what else is wrong."""

    session: Any
    command: Any
    fields: Any
    shape: str

    def body(self, pool: Pool) -> bytes:
        """The body of the frame."""
        data = self.fields if isinstance(self.fields, bytes) else codec.encode(_resolved(self.fields, pool))
        none = [int(ParamType.NONE), 0, 0, b"", 0, False]
        request = [int(ParamType.MEMREF_INPUT), 0, 0, data, len(data), False]
        room = [int(ParamType.MEMREF_OUTPUT), 0, 0, b"", MAX_PARAM_BYTES, False]
        right = [request, room, none, none]
        params: dict[str, list[Any]] = {
            "right": right,
            "no room": [request, none, none, none],
            "nothing": [none] * 4,
            "swapped": [room, request, none, none],
            "numbers": [[int(ParamType.VALUE_INOUT), 7, _U32, b"", 0, False]] * 4,
            "three": right[:3],
            "tight": [request, [*room[:4], 10, False], none, none],
            "text": [*right[:3], "x"],
            "five": [*right, none],
            "kind": [[9, 0, 0, b"", 0, False], *right[1:]],
            "numbered": [[0, 1, 0, b"", 0, False], *right[1:]],
        }
        return codec.encode([7, self.session, self.command, params[self.shape], False])


def _resolved(value: Any, pool: Pool) -> Any:
    if isinstance(value, list):
        return [_resolved(entry, pool) for entry in value]
    return value.value(pool) if isinstance(value, _Known) else value


def _mostly(right: st.SearchStrategy[Any], other: st.SearchStrategy[Any], *, of: int) -> st.SearchStrategy[Any]:
    """`other` once in `of` times."""
    return st.sampled_from([*[True] * (of - 1), False]).flatmap(lambda usual: right if usual else other)


def _scalar(name: str, kind: type[Any], bound: object) -> st.SearchStrategy[Any]:
    if kind is bool:
        return st.booleans()
    if issubclass(kind, IntEnum):
        members = [int(member) for member in kind]
        return st.builds(_Known, st.just(name), st.integers(0, 15), st.sampled_from(members))
    if issubclass(kind, Record):
        return _plain(kind)
    if isinstance(bound, UpTo):
        anything = st.sampled_from([0, 1, 2, bound.maximum]) | st.integers(0, bound.maximum)
    elif isinstance(bound, Text):
        anything = st.just("") | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=bound.size_chars)
    else:
        assert isinstance(bound, Fixed | AtMost), bound
        least = bound.size_bytes if isinstance(bound, Fixed) else 0
        anything = st.binary(min_size=least, max_size=min(bound.size_bytes, max(least, 80)))
    return _mostly(st.builds(_Known, st.just(name), st.integers(0, 15), anything), anything, of=8)


def _value(field: RecordField) -> st.SearchStrategy[Any]:
    if field.item is not None:
        assert isinstance(field.bound, Items)
        value = st.lists(_scalar(field.name, field.item, field.bound.item), max_size=min(field.bound.count, 4))
    else:
        value = _scalar(field.name, field.kind, field.bound)
    return _mostly(value, st.none(), of=4) if field.optional else value


def _plain(record: type[Record]) -> st.SearchStrategy[list[Any]]:
    return st.tuples(*(_value(field) for field in record_fields(record))).map(list)


@st.composite
def _misfit(draw: st.DrawFn, record: type[Record]) -> Any:
    """A record with one thing wrong."""
    fields = draw(_plain(record))
    how = draw(st.sampled_from(["odd", "longer", "shorter", "no list"]))
    if how == "odd" and fields:
        fields[draw(st.integers(0, len(fields) - 1))] = draw(_ODD)
    elif how == "shorter" and fields:
        fields.pop()
    elif how == "no list":
        return draw(_ODD)
    else:
        fields.append(draw(_ODD))
    return fields


@st.composite
def requests_to(draw: st.DrawFn, commands: Sequence[tuple[int, Command[Any, Any]]]) -> Request:
    """An invocation of one of the commands, which come with their application's session; mostly right."""
    session, command = draw(st.sampled_from(commands))
    number: Any = command.number
    fields = draw(_mostly(_plain(command.request), _misfit(command.request) | st.binary(max_size=60), of=6))
    odd = draw(st.sampled_from([*["none"] * 17, "session", "command", "type"]))
    if odd == "session":
        session = draw(st.sampled_from([0, 1, 2, 3, 99, _U32]))
    elif odd == "command":
        number = draw(st.integers(0, 120) | st.just(_U32))
    elif odd == "type":
        session = draw(_ODD)
    return Request(session, number, fields, draw(st.sampled_from(_SHAPES)))
