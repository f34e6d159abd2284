"""Fields that fit their form and mean nothing, by the records of the protocol."""

from enum import IntEnum
from random import Random
from typing import Any

from tee_sim.shared.schema import AtMost, Bound, Fixed, Items, Record, RecordField, Text, UpTo, record_fields

NAMES = (b"ada", b"ben", b"", "é".encode(), b"\xff", b"x" * 256)
NUMBERS = (0, 1, 2, 3, 5, 255, 1000)


def _scalar(bound: Bound | None, random: Random, known: list[Any]) -> Any:
    match bound:
        case UpTo(maximum):
            return random.choice([n for n in (*NUMBERS, maximum) if n <= maximum])
        case Fixed(size_bytes):
            return random.choice(
                [one for one in known if type(one) is bytes and len(one) == size_bytes] or [bytes(size_bytes)]
            )
        case AtMost(size_bytes):
            fitting = [one for one in known if type(one) is bytes and len(one) <= size_bytes]
            return random.choice([*fitting, b"", *(name for name in NAMES if len(name) <= size_bytes)])
        case Text():
            return random.choice(["", "lockout", "quality_sequence", "true", "2,5,1", "storage", "nonsense"])
    raise TypeError(bound)


def _kind(kind: type, bound: Bound | None, random: Random, known: list[Any]) -> Any:
    if issubclass(kind, Record):
        return [any_field(field, random, known) for field in record_fields(kind)]
    if issubclass(kind, IntEnum) and bound is None:
        return int(random.choice(list(kind)))
    return random.choice([False, True]) if kind is bool else _scalar(bound, random, known)


def any_field(field: RecordField, random: Random, known: list[Any]) -> Any:
    """A value that fits a field; `known`: values that may fit."""
    if field.optional and random.random() < 0.4:
        return None
    if isinstance(field.bound, Items):
        return [
            _kind(field.item, field.bound.item, random, known)
            for _ in range(random.randrange(field.bound.count + 1) % 4)
        ]
    return _kind(field.kind, field.bound, random, known)
