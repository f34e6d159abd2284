"""Stage 4: what survives shuffling and a one-byte mask.

A permuted copy holds the same 4-byte elements in another order. A copy masked with one byte has the same differences
between neighbors, so those are indexed like any other encoding.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.evidence.leak_scan.exact import Hit

_MIN_SHARED: Final = 12
_MIN_SHARE: Final = 3
"""At least 12 distinct 4-byte elements and a third of an encoding's, within one span. Values that were rounded to
float16 take some thousand bit patterns only, so two faces share a tenth of theirs by chance (measured)."""
_SPAN_FACTOR: Final = 4


def differences(data: bytes) -> bytes:
    """XOR of each byte with the next: the same for every one-byte mask."""
    array = np.frombuffer(data, np.uint8)
    return (array[1:] ^ array[:-1]).tobytes()


class ElementSet:
    """The 4-byte elements of some encodings.

    Args:
        encodings: name -> bytes whose 4-byte groups are elements (float32 values, pairs of 16-bit values).
    """

    def __init__(self, encodings: Mapping[str, bytes]) -> None:
        self._sets = {
            name: np.unique(np.frombuffer(data[: len(data) // 4 * 4], "<u4")) for name, data in encodings.items()
        }

    def search(self, data: bytes) -> list[Hit]:
        """Spans that hold many elements of one encoding, in any order; one hit an encoding and alignment."""
        array = np.frombuffer(data, np.uint8)
        hits: list[Hit] = []
        for shift in range(4):
            words = array[shift : shift + (array.size - shift) // 4 * 4].view("<u4")
            for name, elements in self._sets.items():
                hit = _densest(words, elements)
                if hit is not None:
                    hits.append(Hit(f"{name}, shuffled", hit[0] * 4 + shift, hit[1] * 4))
        return hits


def _densest(words: NDArray[np.uint32], elements: NDArray[np.uint32]) -> tuple[int, int] | None:
    if not elements.size:
        return None
    at = np.searchsorted(elements, words)
    found = np.flatnonzero(elements[np.minimum(at, elements.size - 1)] == words)
    span = elements.size * _SPAN_FACTOR
    needed = max(_MIN_SHARED, elements.size // _MIN_SHARE)
    for i, start in enumerate(found):
        within = found[i : np.searchsorted(found, start + span)]
        if within.size < needed:
            continue
        if np.unique(words[within]).size >= needed:
            return int(start), int(within[-1] - start + 1)
    return None
