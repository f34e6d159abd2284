"""What a reply looks like, as closed data: a core that has none of an application's classes decodes by it and counts.

A layout says no more than a type does: for each field in order its kind, whether it may be missing, and its bounds. It
is read off a record class where the application runs (`layout_of`), travels once, and is checked when it is read
(`parse_layout`): a hostile one can only be a layout.

    bits = reply_bits(layout, plain, knowledge)    # `plain` is what codec.decode returned

The bits are those of one fixed prefix code (docs/formats/budget.md, section 2): what a reply that is there costs does
not depend on how likely anybody thinks it is.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import IntEnum, unique
from typing import Any, Final, Protocol, cast

from tee_sim.shared import codec
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.limits import MAX_PARAM_BYTES
from tee_sim.shared.schema import (
    Bound,
    Commitment,
    Fixed,
    Items,
    MisfitError,
    ObjectId,
    Record,
    RecordField,
    Stated,
    UpTo,
    record_fields,
)

MAX_FIELDS: Final = 64
"""Of one record; the largest of ours has 13."""
MAX_MEMBERS: Final = 256
"""Of one enumeration; the largest of ours has 37."""
MAX_ITEMS: Final = 1 << 16
MAX_NESTING: Final = 7
"""Records in records: CBOR itself is read to `MAX_DEPTH`."""
_HEAD_BYTES: Final = 9
"""The longest header of a CBOR item: a 64-bit argument (RFC 8949 section 3)."""
_U64: Final = (1 << 64) - 1


@unique
class FieldKind(IntEnum):
    """Of a field. The numbers travel."""

    FLAG = 1
    NUMBER = 2
    MEMBER = 3
    BYTES = 4
    OBJECT_ID = 5
    COMMITMENT = 6
    STATEMENT = 7
    RECORD = 8
    LIST = 9


class Knowledge(Protocol):
    """What the core knows of the values that it has made or keeps itself.

    Each method returns what naming this value costs, in bits, or raises MisfitError for one that is none.
    """

    def begin(self) -> None:
        """A reply begins."""
        ...

    def object_bits(self, prefix: bytes, value: bytes) -> float:
        """`prefix` || `value` is the id of an object of the application, or `value` stood in the request."""
        ...

    def commitment_bits(self, value: bytes) -> float:
        """`value` is the commitment of an object of the application."""
        ...

    def statement_bits(self, key: str, value: bytes) -> float:
        """`value` is a statement that the core has made under `key` in this call."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLayout:
    """One field, or the items of a list.

    Attributes:
        size: the largest NUMBER, the length of BYTES and of what the core knows, the most items of a LIST.
        name: the prefix of an OBJECT_ID, the key of a STATEMENT.
        members: the numbers of a MEMBER.
        parts: the fields of a RECORD, the one layout of a LIST's items.
    """

    kind: FieldKind
    optional: bool = False
    size: int = 0
    name: bytes = b""
    members: tuple[int, ...] = ()
    parts: tuple["FieldLayout", ...] = ()

    def to_plain(self) -> list[object]:
        """As it travels: its parts are bytes of their own, so that a message holds layouts of any depth."""
        return [int(self.kind), self.optional, self.size, self.name, list(self.members), pack_layout(self.parts)]

    @property
    def max_bytes(self) -> int:
        """Upper bound on the length of the field's CBOR."""
        inner = sum(part.max_bytes for part in self.parts)
        if self.kind is FieldKind.LIST:
            return _HEAD_BYTES + self.size * inner
        return _HEAD_BYTES + inner + (self.size if self.kind in _SIZED else 0)


Layout = tuple[FieldLayout, ...]
"""The fields of one record."""
_SIZED: Final = frozenset({FieldKind.BYTES, FieldKind.OBJECT_ID, FieldKind.COMMITMENT, FieldKind.STATEMENT})


def max_reply_bytes(layout: Layout) -> int:
    """Upper bound on the length of the CBOR of a record: `tee_sim.shared.schema.max_bytes` of its class."""
    return _HEAD_BYTES + sum(part.max_bytes for part in layout)


def pack_layout(layout: Layout) -> bytes:
    """A layout as it travels."""
    return codec.encode([field.to_plain() for field in layout])


def parse_layout(data: bytes, depth: int = 0) -> Layout:
    """Strict inverse of `pack_layout`. Raises TeeError BAD_FORMAT."""
    plain = codec.decode(data)
    if not isinstance(plain, list) or len(plain) > MAX_FIELDS or depth > MAX_NESTING:
        raise MisfitError("a layout is a list of fields, not too many and not too deep")
    return tuple(_parse_field(field, depth) for field in cast("list[object]", plain))


def _parse_field(plain: object, depth: int) -> FieldLayout:
    match plain:
        case [int(kind), bool(optional), int(size), bytes(name), list(members), bytes(parts)] if (
            type(kind) is int
            and kind in FieldKind.__members__.values()
            and type(size) is int
            and 0 <= size <= _U64
            and len(name) <= 64
            and len(members) <= MAX_MEMBERS
            and all(type(member) is int for member in members)
        ):
            field = FieldLayout(
                kind=FieldKind(kind), optional=optional, size=size, name=name, members=tuple(members),
                parts=parse_layout(parts, depth + 1),
            )  # fmt: skip
        case _:
            raise MisfitError("a field of a layout")
    shape = _SHAPES[field.kind]
    given = (bool(field.size), bool(field.name), bool(field.members), bool(field.parts))
    if any(has and not may for has, may in zip(given, shape, strict=True)):
        raise MisfitError("a field of a layout with what its kind does not have")
    if (
        (field.kind in _SIZED and not 0 < field.size <= MAX_PARAM_BYTES)
        or (field.kind is FieldKind.MEMBER and sorted(set(field.members)) != list(field.members))
        or (field.kind is FieldKind.MEMBER and not field.members)
        or (
            field.kind is FieldKind.LIST
            and (len(field.parts) != 1 or field.size > MAX_ITEMS or field.parts[0].optional)
        )
    ):
        raise MisfitError("a field of a layout outside its bounds")
    return field


_SHAPES: Final = {
    FieldKind.FLAG: (False, False, False, False),
    FieldKind.NUMBER: (True, False, False, False),
    FieldKind.MEMBER: (False, False, True, False),
    FieldKind.BYTES: (True, False, False, False),
    FieldKind.OBJECT_ID: (True, True, False, False),
    FieldKind.COMMITMENT: (True, False, False, False),
    FieldKind.STATEMENT: (True, True, False, False),
    FieldKind.RECORD: (False, False, False, True),
    FieldKind.LIST: (True, False, False, True),
}
"""Whether a kind has a size, a name, members, parts."""


def reply_bits(layout: Layout, plain: object, knowledge: Knowledge) -> float:
    """What a reply says, in bits: the length of its code word.

    Raises:
        MisfitError: it does not fit.
    """
    if not isinstance(plain, list) or len(plain) != len(layout):
        raise MisfitError("another number of fields")
    fields = zip(layout, cast("Sequence[object]", plain), strict=True)
    return sum(_field_bits(field, value, knowledge) for field, value in fields)


def _field_bits(field: FieldLayout, value: object, knowledge: Knowledge) -> float:
    if value is None:
        if not field.optional:
            raise MisfitError("a field is missing")
        return 1.0
    return float(field.optional) + _value_bits(field, value, knowledge)


def _value_bits(field: FieldLayout, value: Any, knowledge: Knowledge) -> float:
    if field.kind is FieldKind.RECORD:
        return reply_bits(field.parts, value, knowledge)
    if field.kind is FieldKind.LIST:
        if not isinstance(value, list) or len(value) > field.size:
            raise MisfitError("no list, or too many items")
        item = field.parts[0]
        return math.log2(field.size + 1) + sum(_field_bits(item, one, knowledge) for one in value)
    if field.kind in _SIZED:
        if type(value) is not bytes or len(value) != field.size:
            raise MisfitError("bytes of another length")
        return _bytes_bits(field, value, knowledge)
    return _number_bits(field, value)


def _number_bits(field: FieldLayout, value: object) -> float:
    if field.kind is FieldKind.FLAG:
        fits, of = type(value) is bool, 2
    elif field.kind is FieldKind.NUMBER:
        fits, of = type(value) is int and 0 <= value <= field.size, field.size + 1
    else:
        fits, of = type(value) is int and value in field.members, len(field.members)
    if not fits:
        raise MisfitError("a value outside its bounds")
    return math.log2(of)


def _bytes_bits(field: FieldLayout, value: bytes, knowledge: Knowledge) -> float:
    if field.kind is FieldKind.OBJECT_ID:
        return knowledge.object_bits(field.name, value)
    if field.kind is FieldKind.COMMITMENT:
        return knowledge.commitment_bits(value)
    if field.kind is FieldKind.STATEMENT:
        return knowledge.statement_bits(field.name.decode("ascii"), value)
    return 8.0 * field.size


def layout_of(record: type[Record]) -> Layout:
    """The layout of a closed record. Raises TypeError for one that is not."""
    return tuple(_field_of(field) for field in record_fields(record))


def _field_of(field: RecordField) -> FieldLayout:
    if isinstance(field.bound, Items) and field.item is not None:
        item = _scalar(field.item, field.bound.item, field.name)
        return FieldLayout(kind=FieldKind.LIST, optional=field.optional, size=field.bound.count, parts=(item,))
    return replace(_scalar(field.kind, field.bound, field.name), optional=field.optional)


def _scalar(kind: type[Any], bound: Bound | None, name: str) -> FieldLayout:
    if issubclass(kind, Record):
        return FieldLayout(kind=FieldKind.RECORD, parts=layout_of(kind))
    if issubclass(kind, bool):
        return FieldLayout(kind=FieldKind.FLAG)
    if issubclass(kind, IntEnum) and bound is None:
        return FieldLayout(kind=FieldKind.MEMBER, members=tuple(sorted(int(member) for member in kind)))
    if isinstance(bound, UpTo) and issubclass(kind, int):
        return FieldLayout(kind=FieldKind.NUMBER, size=bound.maximum)
    if isinstance(bound, Fixed) and kind is bytes:
        known = _KNOWN.get(type(bound))
        if known is None:
            return FieldLayout(kind=FieldKind.BYTES, size=bound.size_bytes)
        return known(bound)
    raise TypeError(f"{name} is not closed")


_KNOWN: Final[dict[type[Fixed], Callable[[Any], FieldLayout]]] = {
    ObjectId: lambda of: FieldLayout(kind=FieldKind.OBJECT_ID, size=of.size_bytes, name=of.prefix),
    Commitment: lambda of: FieldLayout(kind=FieldKind.COMMITMENT, size=of.size_bytes),
    Stated: lambda of: FieldLayout(kind=FieldKind.STATEMENT, size=of.size_bytes, name=of.key.encode("ascii")),
}


@dataclass(frozen=True, slots=True)
class KnowsNothing:
    """`Knowledge` where no store and no core is: no value is one of theirs."""

    def begin(self) -> None: ...

    def object_bits(self, prefix: bytes, value: bytes) -> float:
        """Raises MisfitError."""
        raise MisfitError("not the id of an object")

    def commitment_bits(self, value: bytes) -> float:
        """Raises MisfitError."""
        raise MisfitError("not the commitment of an object")

    def statement_bits(self, key: str, value: bytes) -> float:
        """Raises MisfitError."""
        raise MisfitError("not a statement of the core")
