"""Stage 2: a matched filter. Finds scaled, negated, noisy and requantized copies that share no byte with the canary.

Normalized cross-correlation of windows of 128 values, for float32, float16, bfloat16, int16 and int8 at every
alignment. Not found: fewer than 128 consecutive values, rotations, anything encrypted.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.evidence.leak_scan.canaries import Canaries
from bioguard.evidence.leak_scan.exact import Hit

WINDOW: Final = 128
THRESHOLD: Final = 0.55
"""docs/sandbox.md section 7: copies with noise of half the signal reach 0.9; random data stays below 0.45."""
_TRANSFORM: Final = 1 << 14
_CHUNK: Final = _TRANSFORM - WINDOW + 1
_LARGEST: Final = 1e4
"""A value beyond it belongs to no feature at any sensible scale and would drown the transform."""


def _as_values(data: NDArray[np.uint8], kind: str, shift: int) -> NDArray[np.float64]:
    width = {"f4": 4, "f2": 2, "bf16": 2, "i2": 2, "i1": 1}[kind]
    usable = data[shift : shift + (data.size - shift) // width * width]
    with np.errstate(invalid="ignore", over="ignore"):
        if kind == "bf16":
            values = (usable.view("<u2").astype(np.uint32) << 16).view("<f4").astype(np.float64)
        else:
            values = usable.view({"f4": "<f4", "f2": "<f2", "i2": "<i2", "i1": "i1"}[kind]).astype(np.float64)
        values[~(np.abs(values) < _LARGEST)] = 0.0
    return values


def _views(data: NDArray[np.uint8]) -> Iterator[tuple[str, int, int, NDArray[np.float64]]]:
    for kind, width in (("f4", 4), ("f2", 2), ("bf16", 2), ("i2", 2), ("i1", 1)):
        for shift in range(width):
            yield kind, width, shift, _as_values(data, kind, shift)


def _patterns(canaries: Canaries) -> NDArray[np.float64]:
    """float64 [4, 128]: the face in windows, each centered and of unit length."""
    windows = canaries.face.astype(np.float64).reshape(-1, WINDOW)
    centered = windows - windows.mean(axis=1, keepdims=True)
    unit: NDArray[np.float64] = centered / np.linalg.norm(centered, axis=1, keepdims=True)
    return unit


def correlate(data: bytes, canaries: Canaries) -> list[Hit]:
    """Places where a window of the face canary correlates above the threshold; one hit a chunk and form."""
    array = np.frombuffer(data, np.uint8)
    patterns = _patterns(canaries)
    spectra: dict[int, NDArray[np.complex128]] = {}
    hits: list[Hit] = []
    for kind, width, shift, values in _views(array):
        size = min(_TRANSFORM, 1 << max(values.size, WINDOW).bit_length())  # a short source needs no long one
        if size not in spectra:
            spectra[size] = np.conj(np.fft.rfft(patterns, size, axis=1))
        for start in range(0, max(values.size - WINDOW + 1, 0), _CHUNK):
            chunk = values[start : start + _TRANSFORM]
            if not chunk.any():
                continue
            peak, at = _peak(chunk, spectra[size], size)
            if peak >= THRESHOLD:
                hits.append(Hit(f"face, correlation as {kind}", (start + at) * width + shift, WINDOW * width))
    return hits


def _peak(chunk: NDArray[np.float64], spectra: NDArray[np.complex128], size: int) -> tuple[float, int]:
    count = chunk.size - WINDOW + 1
    products = np.fft.irfft(np.fft.rfft(chunk, size) * spectra, size, axis=1)[:, :count]
    sums = np.concatenate([[0.0], np.cumsum(chunk)])
    squares = np.concatenate([[0.0], np.cumsum(chunk * chunk)])
    total = sums[WINDOW:] - sums[:-WINDOW]
    energy = squares[WINDOW:] - squares[:-WINDOW] - total * total / WINDOW
    floor = 1e-12 * float(squares[-1]) + 1e-30  # below it, differences of running sums are rounding
    usable = energy > floor
    scores = np.where(usable, np.abs(products).max(axis=0) / np.sqrt(np.where(usable, energy, 1.0)), 0.0)
    at = int(scores.argmax())
    return float(scores[at]), at
