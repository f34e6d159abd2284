"""Extended data of a finger view: ridge counts, cores and deltas, zonal quality, private blocks.

Kept byte for byte and not interpreted; minutiae never depend on it. A block has a type, a length and data, and two
rules say what the length counts. INCITS 378 and ISO/IEC 19794-2:2011 count the four bytes of type and length as well;
ISO/IEC 19794-2:2005 as corrected in 2009 counts the data alone, as its own example does and as FingerprintIO reads
and writes it, while many files of that edition follow the older rule. The length of the whole area decides.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import field, replace
from enum import Enum, unique
from typing import Self

from bioguard.formats.cursor import Cursor
from bioguard.formats.deviations import AcceptedBy, Deviation
from bioguard.formats.errors import CUT, refuse_at
from tee_sim.shared.dataclass import dataclass

_HEADER = struct.Struct(">HH")
Span = tuple[int, int, int]
"""Type, and where the data of a block begin and end in the area."""


@unique
class LengthRule(Enum):
    """What a block's length counts."""

    WHOLE_BLOCK = "type, length and data"
    DATA_ONLY = "data"
    UNREADABLE = "nothing that adds up: the area is one block of type 0"


@dataclass(frozen=True, slots=True)
class ExtendedBlock:
    """One extended data block: 1 ridge counts, 2 cores and deltas, 3 zonal quality, others private."""

    type_id: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class ExtendedData:
    """The extended data of a view, byte for byte.

    A record of 16 MB can have four million blocks, so they are made when somebody asks for them.

    Attributes:
        area: all blocks, without the length of the area.
        rule: what their lengths count.
        length: the length of the area as the file has it, where that is another one; empty where it is missing.
    """

    area: bytes
    rule: LengthRule
    length: bytes | None = field(default=None, compare=False)

    @classmethod
    def of(cls, blocks: Iterable[ExtendedBlock], rule: LengthRule) -> Self:
        """Pack blocks: DATA_ONLY for ISO/IEC 19794-2:2005, which a strict reader of it wants; else WHOLE_BLOCK."""
        own = _HEADER.size if rule is LengthRule.WHOLE_BLOCK else 0
        return cls(b"".join(_HEADER.pack(b.type_id, len(b.payload) + own) + b.payload for b in blocks), rule)

    @property
    def blocks(self) -> tuple[ExtendedBlock, ...]:
        """The blocks in order."""
        if self.rule is LengthRule.UNREADABLE:
            return (ExtendedBlock(0, self.area),)
        return tuple(ExtendedBlock(kind, self.area[start:end]) for kind, start, end in _spans(self.area, self.rule))

    def to_bytes(self) -> bytes:
        """The area with its length before it."""
        return (len(self.area).to_bytes(2, "big") if self.length is None else self.length) + self.area


NO_EXTENDED_DATA = ExtendedData(b"", LengthRule.WHOLE_BLOCK)


def _spans(area: bytes, rule: LengthRule) -> Iterator[Span]:
    """Raises ValueError where the lengths do not add up to the area."""
    own = _HEADER.size if rule is LengthRule.WHOLE_BLOCK else 0
    at = 0
    while at < len(area):
        if len(area) - at < _HEADER.size:
            raise ValueError
        type_id, length = _HEADER.unpack_from(area, at)
        at += _HEADER.size
        size = length - own
        if not 0 <= size <= len(area) - at:
            raise ValueError
        yield type_id, at, at + size
        at += size


def _fits(area: bytes, rule: LengthRule) -> bool:
    try:
        for _ in _spans(area, rule):
            pass
    except ValueError:
        return False
    return True


def read_extended(cursor: Cursor, edition: LengthRule) -> ExtendedData:
    """Read the area of one view.

    Args:
        cursor: at the length of the area.
        edition: the rule of the format's edition; the other one is tried where it does not add up.

    Raises:
        InputRefused: `format.extended_overrun` for an area that does not fit into the record.
    """
    counted = cursor.declared == cursor.end
    if counted and cursor.offset == cursor.end:
        _note(cursor, "truncated", cursor.offset, "the extended data length is missing", "there is no extended data")
        return replace(NO_EXTENDED_DATA, length=b"")
    total = cursor.u16("extended data length")
    start, length = cursor.offset, None
    if counted and total - 2 == cursor.end - start:
        message = "the extended data length counts its own 2 bytes"
        _note(cursor, "extended_overrun", start - 2, message, "they were not counted")
        length, total = total.to_bytes(2, "big"), total - 2
    if total > cursor.end - start:
        message = f"extended data of {total} bytes, {cursor.end - start} left: field"
        raise refuse_at("extended_overrun", start - 2, message, CUT)
    if total == 0:
        return replace(NO_EXTENDED_DATA, length=length)
    area = cursor.take(total, "extended data")
    other = LengthRule.WHOLE_BLOCK if edition is LengthRule.DATA_ONLY else LengthRule.DATA_ONLY
    rule = next((r for r in (edition, other) if _fits(area, r)), LengthRule.UNREADABLE)
    if rule is LengthRule.UNREADABLE:
        _note(cursor, "extended_overrun", start, "extended data block lengths do not add up", "the area was kept whole")
    elif any(type_id == 0 for type_id, _, _ in _spans(area, rule)):
        _note(cursor, "extended_type", start, "extended data block type 0 is reserved, found", "the block was kept")
    elif rule is LengthRule.DATA_ONLY and not _fits(area, LengthRule.WHOLE_BLOCK):
        cursor.deviations.add(
            Deviation(
                "extended_overrun",
                "header.extended_length",
                f"lengths of extended data blocks do not count their own 4 bytes at byte {start}",
                "two rules are in use; the blocks were kept, no minutia depends on them",
                AcceptedBy.ALWAYS if rule is edition else AcceptedBy.LENIENT,
            )
        )
    return ExtendedData(area, rule, length)


def _note(cursor: Cursor, code: str, offset: int, message: str, effect: str) -> None:
    effect += "; no minutia depends on it"
    cursor.deviations.add(Deviation(code, "header.extended_data", f"{message} at byte {offset}", effect))
