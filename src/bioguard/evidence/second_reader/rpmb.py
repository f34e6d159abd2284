"""The RPMB image by docs/formats/rpmb.md section 3: every byte of it."""

import hashlib
from dataclasses import dataclass

from bioguard.evidence.second_reader.flaws import Cursor, demand, zeros

_SLOT, _CELL, _BLOCK = 9216, 288, 256


@dataclass(frozen=True, slots=True)
class Chip:
    """What the image says: the key, the write counter, the blocks that were ever written."""

    key: bytes
    counter: int
    blocks: dict[int, bytes]


@dataclass(frozen=True, slots=True)
class _Slot:
    sequence: int
    size: int
    key: bytes
    counter: int
    written: dict[int, bytes]


def _slot(data: bytes) -> _Slot | None:
    """One slot; None for one that was never written."""
    if not any(data):
        return None
    demand(hashlib.sha256(data[:-32]).digest() == data[-32:], "a slot of rpmb.img has another hash")
    cursor = Cursor(data[:-32], "a slot of rpmb.img")
    demand(cursor.take(8) == b"TSRPMB01", "a slot of rpmb.img begins otherwise")
    sequence, size, has_key = cursor.number(8), cursor.number(4), cursor.number(1)
    key, counter, address, count = cursor.take(32), cursor.number(4), cursor.number(2), cursor.number(2)
    written = {address + i: cursor.take(_BLOCK) for i in range(count)}
    demand(has_key in (0, 1) and (has_key or not any(key)), "a slot of rpmb.img has half a key")
    zeros(cursor.rest(), "the end of a slot of rpmb.img")
    return _Slot(sequence, size, key, counter, written)


def read_chip(image: bytes) -> Chip:
    """Raises Unreadable."""
    slots = sorted((s for i in (0, 1) if (s := _slot(image[i * _SLOT : (i + 1) * _SLOT]))), key=lambda s: s.sequence)
    demand(slots, "rpmb.img has no slot")
    cells = image[2 * _SLOT :]
    demand(len(cells) % _CELL == 0 and len(cells) // _CELL <= slots[-1].size, "rpmb.img has another length")
    blocks: dict[int, bytes] = {}
    for index in range(len(cells) // _CELL):
        cell = cells[index * _CELL : (index + 1) * _CELL]
        if any(cell):
            whole = hashlib.sha256(index.to_bytes(4, "big") + cell[:_BLOCK]).digest() == cell[_BLOCK:]
            demand(whole, f"cell {index} of rpmb.img has another hash")
            blocks[index] = cell[:_BLOCK]
    for slot in slots:
        blocks |= slot.written
    return Chip(slots[-1].key, slots[-1].counter, blocks)
