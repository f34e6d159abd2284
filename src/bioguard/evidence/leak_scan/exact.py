"""Stage 1 and half of stage 4: shared runs of bytes.

All 8-byte windows of all encodings are indexed. A window found in the data is a candidate; it counts only when at
least 16 bytes in a row are equal and hold at least 6 different values (docs/sandbox.md section 7: without the
confirmation, library text gave 215 false hits, with it none).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MIN_RUN_BYTES: Final = 16
MIN_DISTINCT: Final = 6
_FOUR_FOR_ONE: Final = ("escapes", "UTF-16 hex")
"""Encodings of four bytes for each: 16 of those are 4 bytes of a canary, which random strings share: an honest
audit was red by it. Of these, twice as many have to be equal."""
_WINDOW: Final = 8
_FILTER_BITS: Final = 12, 24
"""Least and most of them: a table beyond the caches of a processor is slow to look into."""
_SLOTS_BITS: Final = 3
"""Slots of the filter for each window, as a power of two: one of nine windows that are not there passes it."""
_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
_CHUNK_BYTES: Final = 1 << 20
_MAX_OCCURRENCES: Final = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """A confirmed run.

    Attributes:
        name: which encoding.
        offset: where in the data it starts. length: equal bytes.
    """

    name: str
    offset: int
    length: int


def _windows(data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """uint64 [n - 7]: the 8 bytes from every position."""
    if data.size < _WINDOW:
        return np.zeros(0, np.uint64)
    found = np.empty(data.size - _WINDOW + 1, np.uint64)
    for shift in range(min(_WINDOW, found.size)):
        whole = data[shift : shift + (data.size - shift) // _WINDOW * _WINDOW]
        found[shift::_WINDOW] = whole.view("<u8")
    return found


def _keys(windows: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Windows spread over all numbers, no two of them to one: the multiplier is odd."""
    keys: NDArray[np.uint64] = windows * _MULTIPLIER
    return keys


def _slots(keys: NDArray[np.uint64], bits: int) -> NDArray[np.int64]:
    slots: NDArray[np.uint64] = keys >> np.uint64(64 - bits)
    return slots.view(np.int64)


class WindowIndex:
    """All windows of some named byte strings, ready to be looked for.

    Args:
        encodings: name -> bytes; strings below 16 bytes are ignored.
    """

    def __init__(self, encodings: Mapping[str, bytes]) -> None:
        kept = [(name, np.frombuffer(data, np.uint8)) for name, data in encodings.items() if len(data) >= MIN_RUN_BYTES]
        self._names = [name for name, _ in kept]
        self._least = [MIN_RUN_BYTES << name.endswith(_FOUR_FOR_ONE) for name in self._names]
        self._text = np.concatenate([data for _, data in kept]) if kept else np.zeros(0, np.uint8)
        ends = np.cumsum([data.size for _, data in kept])
        self._ends = np.asarray(ends, np.int64)
        starts = np.concatenate([[0], self._ends[:-1]]).astype(np.int64) if kept else np.zeros(0, np.int64)
        self._starts = starts
        positions = [np.arange(s, e - _WINDOW + 1) for s, e in zip(starts, self._ends, strict=True)]
        where = np.concatenate(positions) if positions else np.zeros(0, np.int64)
        keys = _keys(_windows(self._text)[where]) if kept else np.zeros(0, np.uint64)
        order = np.argsort(keys, kind="stable")
        self._where = where[order]
        self._keys, self._rows = np.unique(keys[order], return_index=True)
        self._bits = max(_FILTER_BITS[0], min(_FILTER_BITS[1], self._keys.size.bit_length() + _SLOTS_BITS))
        self._filter = np.zeros(1 << self._bits, bool)
        self._filter[_slots(self._keys, self._bits)] = True
        self._group_bits = max(1, self._bits - _SLOTS_BITS)
        counts = np.bincount(_slots(self._keys, self._group_bits), minlength=1 << self._group_bits)
        self._groups = np.concatenate([[0], np.cumsum(counts)])

    def __len__(self) -> int:
        return int(self._where.size)

    def search(self, data: bytes) -> list[Hit]:
        """Confirmed runs in `data`, in order, none inside another."""
        array = np.frombuffer(data, np.uint8)
        hits: list[Hit] = []
        covered = 0
        for start in range(0, max(array.size - _WINDOW + 1, 0), _CHUNK_BYTES):
            places, known = self._known(_keys(_windows(array[start : start + _CHUNK_BYTES + _WINDOW - 1])))
            offsets = places + start
            i = int(np.searchsorted(offsets, covered))
            while i < offsets.size:
                hit = self._confirm(array, int(offsets[i]), int(known[i]))
                i += 1
                if hit is not None:
                    hits.append(hit)
                    covered = hit.offset + hit.length
                    i = int(np.searchsorted(offsets, covered))
        return hits

    def _known(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where windows are that are indexed, in order, and as which of the different ones."""
        places = np.flatnonzero(self._filter[_slots(keys, self._bits)])
        wanted = keys[places]
        groups = _slots(wanted, self._group_bits)
        at, end = self._groups[groups], self._groups[groups + 1]
        found = np.full(places.size, -1, np.int64)
        left = np.flatnonzero(at < end)
        while left.size:  # as often as a group has windows, which are few
            equal = self._keys[at[left]] == wanted[left]
            found[left[equal]] = at[left[equal]]
            at[left] += 1
            left = left[~equal & (at[left] < end[left])]
        return places[found >= 0], found[found >= 0]

    def _confirm(self, data: NDArray[np.uint8], offset: int, known: int) -> Hit | None:
        first = int(self._rows[known])
        last = int(self._rows[known + 1]) if known + 1 < self._rows.size else self._where.size
        best: Hit | None = None
        for position in self._where[first : min(last, first + _MAX_OCCURRENCES)].tolist():
            which = int(np.searchsorted(self._ends, position, side="right"))
            left = _equal_before(data, offset, self._text, position, position - int(self._starts[which]))
            right = _equal_from(data, offset, self._text, position, int(self._ends[which]) - position)
            run = data[offset - left : offset + right]
            long_enough = run.size >= self._least[which] and np.unique(run).size >= MIN_DISTINCT
            if long_enough and (best is None or run.size > best.length):
                best = Hit(self._names[which], offset - left, int(run.size))
        return best


def _equal_from(a: NDArray[np.uint8], i: int, b: NDArray[np.uint8], j: int, limit: int) -> int:
    size = min(limit, a.size - i)
    different = np.flatnonzero(a[i : i + size] != b[j : j + size])
    return int(different[0]) if different.size else size


def _equal_before(a: NDArray[np.uint8], i: int, b: NDArray[np.uint8], j: int, limit: int) -> int:
    size = min(limit, i)
    different = np.flatnonzero(a[i - size : i][::-1] != b[j - size : j][::-1])
    return int(different[0]) if different.size else size
