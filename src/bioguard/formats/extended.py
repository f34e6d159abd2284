"""Extended data of a finger view: ridge counts, cores and deltas, zonal quality, private blocks.

Kept byte for byte and not interpreted; minutiae never depend on it. A block has a type, a length and data, and two
rules say what the length counts. INCITS 378 and ISO/IEC 19794-2:2011 count the four bytes of type and length as well;
ISO/IEC 19794-2:2005 as corrected in 2009 counts the data alone, as its own example does and as FingerprintIO reads
and writes it, while many files of that edition follow the older rule. The length of the whole area decides.
"""

import struct
from dataclasses import dataclass
from enum import Enum, unique

from bioguard.formats.cursor import Cursor
from bioguard.formats.deviations import AcceptedBy, Deviation
from bioguard.formats.errors import CUT, refuse_at

__all__ = ["ExtendedBlock", "LengthRule", "pack_extended", "read_extended"]

_HEADER = struct.Struct(">HH")


@unique
class LengthRule(Enum):
    """What a block's length counts."""

    WHOLE_BLOCK = "type, length and data"
    DATA_ONLY = "data"
    UNREADABLE = "nothing that adds up: the area is one block of type 0"


@dataclass(frozen=True, slots=True)
class ExtendedBlock:
    """One extended data block, byte-exact: 1 ridge counts, 2 cores and deltas, 3 zonal quality, others private."""

    type_id: int
    payload: bytes


def _split(area: bytes, rule: LengthRule) -> tuple[ExtendedBlock, ...] | None:
    """The blocks, or None where the lengths do not add up to the area."""
    own = _HEADER.size if rule is LengthRule.WHOLE_BLOCK else 0
    blocks, at = [], 0
    while at < len(area):
        if len(area) - at < _HEADER.size:
            return None
        type_id, length = _HEADER.unpack_from(area, at)
        size = length - own
        if not 0 <= size <= len(area) - at - _HEADER.size:
            return None
        at += _HEADER.size
        blocks.append(ExtendedBlock(type_id, area[at : at + size]))
        at += size
    return tuple(blocks)


def read_extended(cursor: Cursor, edition: LengthRule) -> tuple[tuple[ExtendedBlock, ...], LengthRule | None]:
    """Blocks of one view, and the rule they follow; None for the edition's own.

    Raises:
        InputRefused: `format.extended_overrun` for an area that does not fit into the record.
    """
    total = cursor.u16("extended data length")
    start = cursor.offset
    if total > cursor.end - start:
        message = f"extended data of {total} bytes, {cursor.end - start} left: field"
        raise refuse_at("extended_overrun", start - 2, message, CUT)
    area = cursor.take(total, "extended data")
    other = LengthRule.WHOLE_BLOCK if edition is LengthRule.DATA_ONLY else LengthRule.DATA_ONLY
    blocks, used = _split(area, edition), edition
    if blocks is None:
        blocks, used = _split(area, other), other
    if blocks is None:
        _note(cursor, "extended_overrun", start, "extended data block lengths do not add up", "the area was kept whole")
        return (ExtendedBlock(0, area),), LengthRule.UNREADABLE
    if any(block.type_id == 0 for block in blocks):
        _note(cursor, "extended_type", start, "extended data block type 0 is reserved, found", "the block was kept")
    elif blocks and used is LengthRule.DATA_ONLY and (used is not edition or _split(area, other) is None):
        cursor.deviations.add(
            Deviation(
                "extended_overrun",
                "header.extended_length",
                f"lengths of extended data blocks do not count their own 4 bytes at byte {start}",
                "two rules are in use; the blocks were kept, no minutia depends on them",
                AcceptedBy.ALWAYS if used is edition else AcceptedBy.LENIENT,
            )
        )
    return blocks, None if used is edition else used


def _note(cursor: Cursor, code: str, offset: int, message: str, effect: str) -> None:
    effect += "; no minutia depends on it"
    cursor.deviations.add(Deviation(code, "header.extended_data", f"{message} at byte {offset}", effect))


def pack_extended(blocks: tuple[ExtendedBlock, ...], rule: LengthRule) -> bytes:
    """The area with its length, in the given rule."""
    if rule is LengthRule.UNREADABLE:
        body = b"".join(block.payload for block in blocks)
    else:
        own = _HEADER.size if rule is LengthRule.WHOLE_BLOCK else 0
        body = b"".join(_HEADER.pack(b.type_id, len(b.payload) + own) + b.payload for b in blocks)
    return len(body).to_bytes(2, "big") + body
