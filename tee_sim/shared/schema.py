"""Closed records: every message declared once, with its types, its bounds and the information it can carry.

A record is a frozen dataclass whose fields are annotated with a bound:

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Answer(Record):
        matched: bool
        record_id: Annotated[bytes, Fixed(16)]
        remaining: Annotated[int, UpTo(20)]

An enumeration needs no bound; one with a bound takes every number within it, named or not.

It travels as a canonical CBOR array in field order. `from_bytes` accepts exactly what `to_bytes` writes.

A record is *closed* when nothing in it is free bytes, free text or a list as it came (`AtMost`, `Text`, `AnyItems`):
only closed records may leave the secure world, and `max_bits` bounds what one of them can carry, whoever wrote it.
"""

import math
import types
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from enum import IntEnum
from operator import attrgetter
from typing import Annotated, Any, NamedTuple, Protocol, Self, Union, cast, get_args, get_origin, get_type_hints

from tee_sim.shared import codec
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.limits import MAX_OBJECTS, U64_MAX


class MisfitError(TeeError):
    """A record that does not fit its declared type.

    Args:
        why: the field, and what was expected of it.
    """

    def __init__(self, why: str) -> None:
        super().__init__(TeeResult.BAD_FORMAT, f"record does not fit its type: {why}")
        self.why = why


class Bound(Protocol):
    """What one field may hold."""

    def misfit(self, value: object) -> str:
        """What was expected instead of `value`; empty if it fits."""

    def max_bits(self) -> float:
        """Upper bound on the information in the field, in bits."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A byte string of exactly `size_bytes`: an id, a digest, a MAC."""

    size_bytes: int

    def misfit(self, value: object) -> str:
        fits = isinstance(value, bytes) and len(value) == self.size_bytes
        return "" if fits else f"expected {self.size_bytes} bytes"

    def max_bits(self) -> float:
        return 8.0 * self.size_bytes


@dataclass(frozen=True, slots=True)
class ObjectId(Fixed):
    """The id of a stored object of the application, after its prefix, or one that stood in the request.

    The core knows them all: one costs what it takes to say which (`tee_sim.shared.layouts`).
    """

    prefix: bytes

    def max_bits(self) -> float:
        return math.log2(MAX_OBJECTS + 1)


@dataclass(frozen=True, slots=True)
class Commitment(Fixed):
    """The commitment of a stored object of the application; the core has computed it."""

    def max_bits(self) -> float:
        return math.log2(MAX_OBJECTS + 1)


@dataclass(frozen=True, slots=True)
class Stated(Fixed):
    """A statement under a shared key, made by the core in this call: what was chosen in it was counted then."""

    key: str

    def max_bits(self) -> float:
        return 0.0


@dataclass(frozen=True, slots=True)
class AtMost:
    """A free byte string of at most `size_bytes`. Requests only: a record with one is not closed."""

    size_bytes: int

    def misfit(self, value: object) -> str:
        fits = isinstance(value, bytes) and len(value) <= self.size_bytes
        return "" if fits else f"expected at most {self.size_bytes} bytes"

    def max_bits(self) -> float:
        return 8.0 * self.size_bytes + math.log2(self.size_bytes + 1)


@dataclass(frozen=True, slots=True)
class Text:
    """Free text of at most `size_chars` printable ASCII characters. Requests only."""

    size_chars: int

    def misfit(self, value: object) -> str:
        fits = isinstance(value, str) and len(value) <= self.size_chars and value.isascii() and value.isprintable()
        return "" if fits else f"expected at most {self.size_chars} printable ASCII characters"

    def max_bits(self) -> float:
        return 8.0 * self.size_chars


@dataclass(frozen=True, slots=True)
class UpTo:
    """An integer from 0 to `maximum` inclusive."""

    maximum: int

    def misfit(self, value: object) -> str:
        fits = type(value) is int and 0 <= value <= self.maximum
        return "" if fits else f"expected an integer from 0 to {self.maximum}"

    def max_bits(self) -> float:
        return math.log2(self.maximum + 1)


@dataclass(frozen=True, slots=True)
class AnyItems:
    """A list as it came: whoever uses it checks it. A record with one is not closed."""

    def misfit(self, value: object) -> str:
        return "" if isinstance(value, list) else "expected a list"

    def max_bits(self) -> float:
        return math.inf


U64 = UpTo(U64_MAX)
_FREE = (AtMost, Text, AnyItems)


@dataclass(frozen=True, slots=True)
class Items:
    """A list of at most `count` items; for scalars, `item` bounds each of them."""

    count: int
    item: Bound | None = None

    def misfit(self, value: object) -> str:
        if not isinstance(value, tuple) or len(value) > self.count:
            return f"expected at most {self.count} items"
        return next(filter(None, map(self.item.misfit, value)), "") if self.item is not None else ""

    def max_bits(self) -> float:
        return math.log2(self.count + 1)


@dataclass(frozen=True, slots=True)
class RecordField:
    """How one field is checked, written, read and counted."""

    name: str
    kind: type[Any]
    bound: Bound | None
    optional: bool
    item: type[Any] | None

    def _bounded(self, value: Any) -> Any:
        number = int(value) if isinstance(value, IntEnum) else value
        misfit = self.bound.misfit(number) if self.bound is not None else ""
        if misfit:
            raise MisfitError(f"{self.name}: {misfit}")
        return value

    def to_plain(self, value: Any) -> object:
        if value is None:
            if not self.optional:
                raise MisfitError(f"{self.name} is missing")
            return None
        if not isinstance(value, self.kind):
            raise MisfitError(f"{self.name} has the wrong type")
        self._bounded(value)
        return [self._plain_of(v, self.item) for v in value] if self.item is not None else self._plain_of(value)

    def _plain_of(self, value: Any, kind: type[Any] | None = None) -> object:
        if kind is not None and not isinstance(value, kind):
            raise MisfitError(f"{self.name} holds an item of the wrong type")
        if isinstance(value, Record):
            return value.to_plain()
        return int(value) if isinstance(value, IntEnum) else value

    def from_plain(self, raw: object) -> object:
        if raw is None:
            if not self.optional:
                raise MisfitError(f"{self.name} is missing")
            return None
        if self.item is not None:
            if not isinstance(raw, list):
                raise MisfitError(f"{self.name} is not a list")
            return self._bounded(tuple(self._item_from_plain(r) for r in raw))
        if issubclass(self.kind, Record):
            return self.kind.from_plain(raw)
        if issubclass(self.kind, IntEnum):
            return self._member(self.kind, raw) if self.bound is None else self.kind(self._bounded(raw))
        if type(raw) is not self.kind:
            raise MisfitError(f"{self.name} has the wrong type")
        return self._bounded(raw)

    def _item_from_plain(self, raw: object) -> object:
        item = cast("type[Any]", self.item)
        if issubclass(item, Record):
            return item.from_plain(raw)
        return self._member(item, raw) if issubclass(item, IntEnum) else raw

    def _member(self, kind: type[IntEnum], raw: object) -> IntEnum:
        if type(raw) is not int or raw not in kind.__members__.values():
            raise MisfitError(f"{self.name} has an unknown value")
        return kind(raw)

    def closed(self) -> bool:
        if isinstance(self.bound, Items):
            if self.item is not None and issubclass(self.item, Record):
                return is_closed(self.item)
            named = self.item is not None and issubclass(self.item, IntEnum)
            return named or (self.bound.item is not None and not isinstance(self.bound.item, _FREE))
        if issubclass(self.kind, Record):
            return is_closed(self.kind)
        return not isinstance(self.bound, _FREE)

    def max_bytes(self) -> int:
        """Upper bound on the length of the field's CBOR."""
        if self.item is not None and isinstance(self.bound, Items):
            longest = max_bytes(self.item) if issubclass(self.item, Record) else _scalar_bytes(self.bound.item)
            return _HEAD_BYTES + self.bound.count * longest
        return max_bytes(self.kind) if issubclass(self.kind, Record) else _scalar_bytes(self.bound)

    def max_bits(self) -> float:
        absent = 1.0 if self.optional else 0.0
        if isinstance(self.bound, Items):
            if self.item is not None and issubclass(self.item, Record):
                per_item = max_bits(self.item)
            elif self.item is not None and issubclass(self.item, IntEnum):
                per_item = math.log2(len(self.item))
            else:
                per_item = self.bound.item.max_bits() if self.bound.item else 64.0
            return absent + self.bound.max_bits() + self.bound.count * per_item
        if issubclass(self.kind, Record):
            return absent + max_bits(self.kind)
        if self.kind is bool:
            return absent + 1.0
        if issubclass(self.kind, IntEnum) and self.bound is None:
            return absent + math.log2(len(self.kind))
        if self.bound is None:
            raise TypeError(f"{self.name} has no bound")
        return absent + self.bound.max_bits()


def _field(name: str, hint: Any) -> RecordField:
    optional = False
    if get_origin(hint) in (Union, types.UnionType):
        inner = [a for a in get_args(hint) if a is not type(None)]
        if len(inner) != 1:
            raise TypeError(f"{name}: only `X | None` unions are allowed")
        hint, optional = inner[0], True
    bound: Bound | None = None
    if get_origin(hint) is Annotated:
        hint, bound = get_args(hint)[0], get_args(hint)[1]
    if get_origin(hint) is tuple:
        if not isinstance(bound, Items):
            raise TypeError(f"{name}: a tuple needs Items(...)")
        return RecordField(name, tuple, bound, optional, get_args(hint)[0])
    if get_origin(hint) is list:
        hint = list
    if not isinstance(hint, type):
        raise TypeError(f"{name}: unsupported annotation")
    if hint in (int, bytes, str, list) and bound is None:
        raise TypeError(f"{name}: {hint.__name__} needs a bound")
    return RecordField(name, hint, bound, optional, None)


_HEAD_BYTES = 9
"""The longest header of a CBOR item: a 64-bit argument (RFC 8949 section 3)."""


def _scalar_bytes(bound: Bound | None) -> int:
    if isinstance(bound, AnyItems):
        raise TypeError("a list as it came has no longest form")
    if isinstance(bound, Fixed | AtMost):
        return _HEAD_BYTES + bound.size_bytes
    return _HEAD_BYTES + bound.size_chars if isinstance(bound, Text) else _HEAD_BYTES


Path = Callable[[Any], Any]
"""Reads or writes one field."""


class _Layout(NamedTuple):
    """How records of one class are read and written, worked out once. `values` gives those of a record's fields."""

    fields: tuple[RecordField, ...]
    names: tuple[str, ...]
    readers: tuple[Path, ...]
    writers: tuple[Path, ...]
    values: Callable[[Any], tuple[Any, ...]]


_LAYOUTS: dict[type["Record"], _Layout] = {}


def _layout_of(record: type["Record"]) -> _Layout:
    layout = _LAYOUTS.get(record)
    if layout is None:
        if not is_dataclass(record):
            raise TypeError(f"{record.__name__} is not a dataclass")
        hints = get_type_hints(record, include_extras=True)
        fields_of = tuple(_field(f.name, hints[f.name]) for f in fields(record))
        names = tuple(f.name for f in fields_of)
        values = attrgetter(*names) if len(names) > 1 else lambda self: tuple(getattr(self, name) for name in names)
        layout = _LAYOUTS[record] = _Layout(
            fields_of, names, tuple(map(_reader, fields_of)), tuple(map(_writer, fields_of)), values
        )
    return layout


def record_fields(record: type["Record"]) -> tuple[RecordField, ...]:
    """The fields of a record, in order."""
    return _layout_of(record).fields


def _scalar_path(kind: type[Any], bound: Bound | None, otherwise: Path) -> Path | None:
    """Passes on what is as it should be, read or written, and gives anything else to `otherwise`; None for most types.

    Most of what travels is one of these; `RecordField` says the same of every type, one question after the other.
    """
    if kind is int and type(bound) is UpTo:
        most = bound.maximum
        return lambda value: value if type(value) is int and 0 <= value <= most else otherwise(value)
    if kind is bytes and isinstance(bound, Fixed):
        size = bound.size_bytes
        return lambda value: value if type(value) is bytes and len(value) == size else otherwise(value)
    if kind is bytes and type(bound) is AtMost:
        room = bound.size_bytes
        return lambda value: value if type(value) is bytes and len(value) <= room else otherwise(value)
    if kind is bool and bound is None:
        return lambda value: value if value is True or value is False else otherwise(value)
    return None


def _known(kind: type[IntEnum], bound: Bound | None) -> dict[int, IntEnum]:
    return {int(member): member for member in kind if bound is None or not bound.misfit(int(member))}


def _reader(field: RecordField) -> Path:
    """What `field.from_plain` does, with a short way for what fits."""
    slow, kind, item, bound = field.from_plain, field.kind, field.item, field.bound
    if item is not None:
        most = cast("Items", bound).count
        if cast("Items", bound).item is not None or not issubclass(item, Record):
            return slow
        return lambda raw: tuple(map(item.from_plain, raw)) if type(raw) is list and len(raw) <= most else slow(raw)
    if issubclass(kind, Record):
        return lambda raw: slow(raw) if raw is None else kind.from_plain(raw)
    if issubclass(kind, IntEnum):
        known = _known(kind, bound)
        return lambda raw: known[raw] if type(raw) is int and raw in known else slow(raw)
    return _scalar_path(kind, bound, slow) or slow


def _writer(field: RecordField) -> Path:
    """What `field.to_plain` does, with a short way for what fits."""
    slow, kind, item, bound = field.to_plain, field.kind, field.item, field.bound
    if item is not None:
        most, only = cast("Items", bound).count, {item}
        if cast("Items", bound).item is not None or not issubclass(item, Record):
            return slow
        return lambda value: (
            [one.to_plain() for one in value]
            if type(value) is tuple and len(value) <= most and only.issuperset(map(type, value))
            else slow(value)
        )
    if issubclass(kind, Record):
        return lambda value: value.to_plain() if type(value) is kind else slow(value)
    if issubclass(kind, IntEnum):
        known = _known(kind, bound)
        return lambda value: value._value_ if type(value) is kind and value._value_ in known else slow(value)
    return _scalar_path(kind, bound, slow) or slow


class Record:
    """Base of all closed records. Subclasses are frozen, slotted, keyword-only dataclasses."""

    __slots__ = ()

    def to_plain(self) -> list[object]:
        """Return the fields as plain values. Raises TeeError BAD_FORMAT, naming a field outside its type or bound."""
        layout = _layout_of(type(self))
        return [write(value) for write, value in zip(layout.writers, layout.values(self), strict=True)]

    @classmethod
    def from_plain(cls, raw: object) -> Self:
        """Strict inverse of `to_plain`, of what `codec.decode` returned. Raises TeeError BAD_FORMAT."""
        layout = _layout_of(cls)
        if not isinstance(raw, list) or len(raw) != len(layout.names):
            raise MisfitError(f"{cls.__name__} has {len(layout.names)} fields")
        values = [read(value) for read, value in zip(layout.readers, cast("Sequence[object]", raw), strict=True)]
        return cls(**dict(zip(layout.names, values, strict=True)))

    def check(self) -> None:
        """Raises TeeError BAD_FORMAT, with the field's name, if `to_bytes` would."""
        self.to_plain()

    def to_bytes(self) -> bytes:
        """Canonical CBOR of `to_plain`. Raises as it."""
        return codec.encode(self.to_plain())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Strict inverse of `to_bytes`. Raises TeeError BAD_FORMAT for anything else."""
        return cls.from_plain(codec.decode(data))


def is_closed(record: type[Record]) -> bool:
    """Whether no field can hold free bytes or free text, at any depth."""
    return all(f.closed() for f in record_fields(record))


def max_bytes(record: type[Record]) -> int:
    """Upper bound on the length of one record's canonical CBOR."""
    return _HEAD_BYTES + sum(f.max_bytes() for f in record_fields(record))


def max_bits(record: type[Record]) -> float:
    """Upper bound on the information one record can carry, in bits."""
    return sum(f.max_bits() for f in record_fields(record))
