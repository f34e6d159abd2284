"""Closed records: every message declared once, with its types, its bounds and the information it can carry.

A record is a frozen dataclass whose fields are annotated with a bound:

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Answer(Record):
        matched: bool
        record_id: Annotated[bytes, Fixed(16)]
        remaining: Annotated[int, UpTo(20)]

It travels as a canonical CBOR array in field order. `from_bytes` accepts exactly what `to_bytes` writes.

A record is *closed* when it has no free byte string and no free text in it (`AtMost`, `Text`): only closed records
may leave the secure world, and `max_bits` bounds what one of them can carry, whoever wrote it.
"""

import math
import types
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import IntEnum
from typing import Annotated, Any, Protocol, Self, Union, cast, get_args, get_origin, get_type_hints

from tee_sim import codec
from tee_sim.errors import TeeError, TeeResult

__all__ = ["AtMost", "Fixed", "Items", "Record", "Text", "UpTo", "is_closed", "max_bits"]


def _reject(why: str) -> TeeError:
    return TeeError(TeeResult.BAD_FORMAT, f"record does not fit its type: {why}")


class Bound(Protocol):
    """What one field may hold."""

    def check(self, value: object) -> None:
        """Raise TeeError BAD_FORMAT if `value` is outside the bound."""
        ...

    def max_bits(self) -> float:
        """Upper bound on the information in the field, in bits."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """A byte string of exactly `size_bytes`: an id, a digest, a MAC."""

    size_bytes: int

    def check(self, value: object) -> None:
        if not isinstance(value, bytes) or len(value) != self.size_bytes:
            raise _reject(f"expected {self.size_bytes} bytes")

    def max_bits(self) -> float:
        return 8.0 * self.size_bytes


@dataclass(frozen=True, slots=True)
class AtMost:
    """A free byte string of at most `size_bytes`. Requests only: a record with one is not closed."""

    size_bytes: int

    def check(self, value: object) -> None:
        if not isinstance(value, bytes) or len(value) > self.size_bytes:
            raise _reject(f"expected at most {self.size_bytes} bytes")

    def max_bits(self) -> float:
        return 8.0 * self.size_bytes + math.log2(self.size_bytes + 1)


@dataclass(frozen=True, slots=True)
class Text:
    """Free text of at most `size_chars` printable ASCII characters. Requests only."""

    size_chars: int

    def check(self, value: object) -> None:
        if not isinstance(value, str) or len(value) > self.size_chars or not (value.isascii() and value.isprintable()):
            raise _reject(f"expected at most {self.size_chars} printable ASCII characters")

    def max_bits(self) -> float:
        return 8.0 * self.size_chars


@dataclass(frozen=True, slots=True)
class UpTo:
    """An integer from 0 to `maximum` inclusive."""

    maximum: int

    def check(self, value: object) -> None:
        if type(value) is not int or not 0 <= value <= self.maximum:
            raise _reject(f"expected an integer from 0 to {self.maximum}")

    def max_bits(self) -> float:
        return math.log2(self.maximum + 1)


@dataclass(frozen=True, slots=True)
class Items:
    """A list of at most `count` items; for scalars, `item` bounds each of them."""

    count: int
    item: Bound | None = None

    def check(self, value: object) -> None:
        if not isinstance(value, tuple) or len(value) > self.count:
            raise _reject(f"expected at most {self.count} items")
        if self.item is not None:
            for entry in value:
                self.item.check(entry)

    def max_bits(self) -> float:
        return math.log2(self.count + 1)


@dataclass(frozen=True, slots=True)
class _Field:
    """How one field is checked, written, read and counted."""

    name: str
    kind: type[Any]
    bound: Bound | None
    optional: bool
    item: type[Any] | None

    def to_plain(self, value: Any) -> object:
        if value is None:
            return None
        if self.bound is not None:
            self.bound.check(value)
        if self.item is not None:
            return [v._plain() if isinstance(v, Record) else int(v) if isinstance(v, IntEnum) else v for v in value]
        if isinstance(value, Record):
            return value._plain()
        return int(value) if isinstance(value, IntEnum) else value

    def from_plain(self, raw: object) -> object:
        if raw is None:
            if not self.optional:
                raise _reject(f"{self.name} is missing")
            return None
        if self.item is not None:
            if not isinstance(raw, list):
                raise _reject(f"{self.name} is not a list")
            values = tuple(self._item_from_plain(r) for r in raw)
            cast("Bound", self.bound).check(values)
            return values
        if issubclass(self.kind, Record):
            return self.kind._from_plain(raw)
        if issubclass(self.kind, IntEnum):
            return self._member(self.kind, raw)
        if type(raw) is not self.kind:
            raise _reject(f"{self.name} has the wrong type")
        if self.bound is not None:
            self.bound.check(raw)
        return raw

    def _item_from_plain(self, raw: object) -> object:
        item = cast("type[Any]", self.item)
        if issubclass(item, Record):
            return item._from_plain(raw)
        return self._member(item, raw) if issubclass(item, IntEnum) else raw

    def _member(self, kind: type[IntEnum], raw: object) -> IntEnum:
        if type(raw) is not int or raw not in kind.__members__.values():
            raise _reject(f"{self.name} has an unknown value")
        return kind(raw)

    def closed(self) -> bool:
        if isinstance(self.bound, Items):
            if self.item is not None and issubclass(self.item, Record):
                return is_closed(self.item)
            return not isinstance(self.bound.item, AtMost | Text)
        if issubclass(self.kind, Record):
            return is_closed(self.kind)
        return not isinstance(self.bound, AtMost | Text)

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
        if issubclass(self.kind, IntEnum):
            return absent + math.log2(len(self.kind))
        if self.bound is None:
            raise TypeError(f"{self.name} has no bound")
        return absent + self.bound.max_bits()


def _field(name: str, hint: Any) -> _Field:
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
        return _Field(name, tuple, bound, optional, get_args(hint)[0])
    if not isinstance(hint, type):
        raise TypeError(f"{name}: unsupported annotation")
    if hint in (int, bytes, str) and bound is None:
        raise TypeError(f"{name}: {hint.__name__} needs a bound")
    return _Field(name, hint, bound, optional, None)


_LAYOUTS: dict[type["Record"], tuple[_Field, ...]] = {}


def _layout(record: type["Record"]) -> tuple[_Field, ...]:
    layout = _LAYOUTS.get(record)
    if layout is None:
        if not is_dataclass(record):
            raise TypeError(f"{record.__name__} is not a dataclass")
        hints = get_type_hints(record, include_extras=True)
        layout = _LAYOUTS[record] = tuple(_field(f.name, hints[f.name]) for f in fields(record))
    return layout


class Record:
    """Base of all closed records. Subclasses are frozen, slotted, keyword-only dataclasses."""

    __slots__ = ()

    def _plain(self) -> list[object]:
        return [f.to_plain(getattr(self, f.name)) for f in _layout(type(self))]

    @classmethod
    def _from_plain(cls, raw: object) -> Self:
        layout = _layout(cls)
        if not isinstance(raw, list) or len(raw) != len(layout):
            raise _reject(f"{cls.__name__} has {len(layout)} fields")
        return cls(
            **{f.name: f.from_plain(value) for f, value in zip(layout, cast("Sequence[object]", raw), strict=True)}
        )

    def to_bytes(self) -> bytes:
        """Canonical CBOR. Raises TeeError BAD_FORMAT if a field is outside its bound."""
        return codec.encode(self._plain())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Strict inverse of `to_bytes`. Raises TeeError BAD_FORMAT for anything else."""
        return cls._from_plain(codec.decode(data))


def is_closed(record: type[Record]) -> bool:
    """Whether no field can hold free bytes or free text, at any depth."""
    return all(f.closed() for f in _layout(record))


def max_bits(record: type[Record]) -> float:
    """Upper bound on the information one record can carry, in bits."""
    return sum(f.max_bits() for f in _layout(record))
