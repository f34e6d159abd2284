"""The salted rotation: three rounds of sign flips and Walsh-Hadamard transforms (HD3).

Only additions and subtractions of float32 in a fixed order, so the result is the same on every machine and for every
batch size. Vectors are columns: all work runs along the batch.
"""

import numpy as np
from numpy.typing import NDArray


def columns(rows: NDArray[np.float32], padded: int) -> NDArray[np.float32]:
    """Return rows [n, d] as columns [padded, n], filled up with zeros."""
    result = np.zeros((padded, len(rows)), np.float32)
    result[: rows.shape[1]] = rows.T
    return result


def rotate(vectors: NDArray[np.float32], signs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply H D3 H D2 H D1 to each column, without scaling: lengths grow by padded ** 1.5.

    Args:
        vectors: float32 [padded, n]; not changed.
        signs: float32 [3, padded, n] or [3, padded, 1].
    """
    x, spare = np.empty_like(vectors), np.empty_like(vectors)
    np.multiply(vectors, signs[0], out=x)
    for later in range(1, len(signs) + 1):
        x, spare = _hadamard(x, spare)
        if later < len(signs):
            x *= signs[later]
    return x


def _hadamard(x: NDArray[np.float32], spare: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Unnormalized Walsh-Hadamard transform of each column, natural order. Returns (result, the other buffer)."""
    size, n = x.shape
    half = 1
    while half < size:
        pairs, sums = x.reshape(-1, 2, half, n), spare.reshape(-1, 2, half, n)
        np.add(pairs[:, 0], pairs[:, 1], out=sums[:, 0])
        np.subtract(pairs[:, 0], pairs[:, 1], out=sums[:, 1])
        x, spare = spare, x
        half *= 2
    return x, spare
