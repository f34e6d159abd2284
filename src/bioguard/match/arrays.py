"""Check caller arrays once, at the border of the comparators and coders.

Inside, nothing is checked again: what these functions return is contiguous, of the stated dtype and in range.
"""

import math
from operator import index
from typing import SupportsIndex, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioguard.errors import InputRefused

MAX_DIMENSION = 4096
"""Four times the largest face embedding a record may hold; bounds the memory of one block of rows."""
MAX_CODE_BITS = 65472
"""The largest multiple of 64 whose distance still fits in uint16."""
MAX_THREADS = 64
MIN_NORM = 1e-12
ALIGNMENT = 64
FLOAT32 = np.dtype(np.float32)

HEAD_BITS = 320
"""A search with a radius looks at this much of each code first. With 256 bits, a block in seven of a million codes of
faces is read in full as well, with 320 one in eighteen: less in all, and 384 would be more again."""
T = TypeVar("T", bound=np.generic)


def aligned_zeros(shape: tuple[int, ...], dtype: type[T]) -> NDArray[T]:
    """Return zeros that start at a multiple of 64 bytes, a cache line; NumPy promises 16 only."""
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.zeros(n_bytes + ALIGNMENT, np.uint8)
    offset = -raw.ctypes.data % ALIGNMENT
    return raw[offset : offset + n_bytes].view(dtype).reshape(shape)


def real_numbers(values: ArrayLike, what: str) -> NDArray[np.generic]:
    """Return `values` as an array of floats or integers; the caller's array if it is one already.

    Raises:
        InputRefused: complex numbers, of which a cast would drop half, truth values, text, dates, records, objects, or
            rows of different lengths.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputRefused(f"{what} are no array", hint="give rows of one length", code="input.shape") from error
    if array.dtype.kind not in "fiu":
        raise InputRefused(
            f"{what} have dtype {array.dtype}, expected real numbers", hint="convert to float32", code="input.dtype"
        )
    return array


def float_rows(values: ArrayLike, dimension: int | None = None) -> NDArray[np.float32]:
    """Return `values` as float32 [n, d], C-contiguous; the caller's array if it is that already.

    Numbers too large for float32 are infinite here; whether numbers are finite is not looked at.

    Args:
        values: [n, d] or one row [d].
        dimension: the d that is required, if it is already fixed.

    Raises:
        InputRefused: no real numbers, wrong shape or dimension.
    """
    if type(values) is np.ndarray and values.dtype == FLOAT32 and values.flags.c_contiguous:
        rows = values
    else:
        with np.errstate(over="ignore"):
            rows = np.asarray(real_numbers(values, "face embeddings"), dtype=np.float32, order="C")
    if rows.ndim == 1:
        rows = rows[np.newaxis, :]
    if rows.ndim != 2 or not 1 <= rows.shape[1] <= MAX_DIMENSION:
        raise InputRefused(
            f"face embeddings have shape {np.shape(values)}, expected [n, d]",
            hint=f"give one row per face view, 1 to {MAX_DIMENSION} numbers each",
            code="input.dimension",
        )
    if dimension is not None and rows.shape[1] != dimension:
        raise InputRefused(
            f"face embeddings have {rows.shape[1]} dimensions, this gallery holds {dimension}",
            hint="compare embeddings of one model only",
            code="input.dimension",
        )
    return rows


def unit_rows(values: ArrayLike, dimension: int | None = None) -> NDArray[np.float32]:
    """Return `values` as float32 [n, d] rows of norm 1, C-contiguous, always a copy.

    Arguments as `float_rows`.

    Raises:
        InputRefused: as `float_rows`; a value that is not finite, a row of norm zero.
    """
    rows = float_rows(values, dimension).copy()
    scale = np.max(np.abs(rows), axis=1, keepdims=True) if rows.size else np.ones((0, 1), np.float32)
    if not np.isfinite(scale).all():
        raise InputRefused(
            "a face embedding holds NaN or infinity", hint="check the model that made it", code="input.not_finite"
        )
    if (scale < MIN_NORM).any():
        raise InputRefused("a face embedding is zero", hint="check the model that made it", code="input.zero_vector")
    rows /= scale
    rows /= np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, np.newaxis]
    return rows


def checked_codes(codes: ArrayLike, n_bytes: int | None = None) -> NDArray[np.uint8]:
    """Return `codes` as uint8 [n, n_bytes], C-contiguous; the caller's array if it is that already.

    Raises:
        InputRefused: not uint8, not [n, n_bytes] or [n_bytes], a length that is no multiple of 64 bits, too long,
            or not the length that is required.
    """
    array = np.asarray(codes)
    if array.dtype != np.uint8:
        raise InputRefused(
            f"codes have dtype {array.dtype}, expected uint8", hint="pack the bits into bytes", code="input.dtype"
        )
    if array.ndim == 1:
        array = array[np.newaxis, :]
    if array.ndim != 2:
        raise InputRefused(
            f"codes have shape {array.shape}, expected [n, n_bytes]", hint="give one row per code", code="input.shape"
        )
    length = array.shape[1]
    if length == 0 or length % 8 or length * 8 > MAX_CODE_BITS:
        raise InputRefused(
            f"codes of {length} bytes, expected a multiple of 8 from 8 to {MAX_CODE_BITS // 8}",
            hint="pad the code with zero bits to a multiple of 64",
            code="input.code_length",
        )
    if n_bytes is not None and length != n_bytes:
        raise InputRefused(
            f"codes of {length} bytes, this gallery holds codes of {n_bytes}",
            hint="compare codes of one coder only",
            code="input.code_length",
        )
    return np.ascontiguousarray(array)


def checked_integer(value: SupportsIndex, name: str, low: int, high: int | None, hint: str, code: str) -> int:
    """Return `value` if it is a whole number from `low` to `high`.

    Raises:
        InputRefused: a float, even 2.0, a truth value, or out of range.
    """
    if type(value) is int and low <= value and (high is None or value <= high):
        return value
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool | np.bool_):
        raise InputRefused(f"{name} is {value!r}, expected a whole number", hint=hint, code=code)
    if number < low or (high is not None and number > high):
        span = f"at least {low}" if high is None else f"{low} to {high}"
        raise InputRefused(f"{name} is {number}, expected {span}", hint=hint, code=code)
    return number


def checked_head_radius(radius: SupportsIndex, n_bits: int) -> int:
    """Return a radius that codes of `n_bits` can be searched with. Raises InputRefused."""
    number = checked_integer(radius, "head_radius", 0, HEAD_BITS, "give a distance in bits", "input.radius")
    if n_bits < HEAD_BITS and number < HEAD_BITS:
        raise InputRefused(
            f"codes of {n_bits} bits have no first {HEAD_BITS}", hint="search without a radius", code="input.radius"
        )
    return number


def checked_indices(values: ArrayLike) -> NDArray[np.int64]:
    """Return row numbers as int64 [n]. Raises InputRefused for anything but whole numbers; a mask is none."""
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise InputRefused(
            f"row numbers have dtype {array.dtype}, expected integers",
            hint="give the numbers of rows, as add and search return them",
            code="input.index",
        )
    return array.astype(np.int64).reshape(-1)


def checked_k(k: SupportsIndex) -> int:
    """Return `k` if it is a usable list length. Raises InputRefused for floats and below 1."""
    return checked_integer(k, "k", 1, None, "ask for one or more candidates", "input.k")


def checked_threads(threads: SupportsIndex) -> int:
    """Return `threads` if it is usable. Raises InputRefused for floats and outside 1..64."""
    return checked_integer(threads, "threads", 1, MAX_THREADS, "use the number of cores", "input.threads")
