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
_FILTER_BITS: Final = 24
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
    view = np.lib.stride_tricks.sliding_window_view(data, _WINDOW)
    return np.ascontiguousarray(view).view("<u8").reshape(-1)


def _slots(windows: NDArray[np.uint64]) -> NDArray[np.uint64]:
    slots: NDArray[np.uint64] = (windows * _MULTIPLIER) >> np.uint64(64 - _FILTER_BITS)
    return slots


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
        windows = _windows(self._text)[where] if kept else np.zeros(0, np.uint64)
        order = np.argsort(windows, kind="stable")
        self._windows, self._where = windows[order], where[order]
        self._filter = np.zeros(1 << _FILTER_BITS, bool)
        self._filter[_slots(self._windows)] = True

    def __len__(self) -> int:
        return int(self._windows.size)

    def search(self, data: bytes) -> list[Hit]:
        """Confirmed runs in `data`, in order, none inside another."""
        array = np.frombuffer(data, np.uint8)
        hits: list[Hit] = []
        covered = 0
        for start in range(0, max(array.size - _WINDOW + 1, 0), _CHUNK_BYTES):
            windows = _windows(array[start : start + _CHUNK_BYTES + _WINDOW - 1])
            candidates = np.flatnonzero(self._filter[_slots(windows)])
            first = np.searchsorted(self._windows, windows[candidates])
            first_in = np.minimum(first, self._windows.size - 1)
            exact = self._windows[first_in] == windows[candidates] if self._windows.size else np.zeros(0, bool)
            for offset, index in zip(candidates[exact] + start, first[exact], strict=True):
                if offset < covered:
                    continue
                hit = self._confirm(array, int(offset), int(index))
                if hit is not None:
                    hits.append(hit)
                    covered = hit.offset + hit.length
        return hits

    def _confirm(self, data: NDArray[np.uint8], offset: int, index: int) -> Hit | None:
        window = self._windows[index]
        best: Hit | None = None
        for i in range(index, min(index + _MAX_OCCURRENCES, self._windows.size)):
            if self._windows[i] != window:
                break
            position = int(self._where[i])
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
