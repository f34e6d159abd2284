"""One NumPy `.npy` array, read without NumPy's loader: no pickle, no `eval`, nothing allocated before it is checked.

Layout (NumPy's NEP 1): magic, version 1.0 to 3.0, header length u16 (1.0) or u32, header text, elements.
"""

import math
import re
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bioguard.formats.errors import CUT, refuse, refuse_at
from bioguard.formats.views import check_views

NPY_MAGIC = b"\x93NUMPY"
MAX_HEADER = 4096
"""A header of one plain array has under 200 characters; NumPy pads to 64."""
MAX_NDIM = 2
CHUNK_BYTES = 64 << 10
_ONE_ARRAY = "something follows the array, such as a second one: save one array with numpy.save into a file of its own"
_SAVE = "save a float32 array with numpy.save"
_ITEM = r"""(?:'descr':\s*(?P<descr>'[^'\\]{1,40}'|\[[^\]]*\])
             |'fortran_order':\s*(?P<order>True|False)
             |'shape':\s*\((?P<shape>[0-9, ]{0,40})\))"""
_HEADER = re.compile(
    r"\{\s*" + r"\s*,\s*".join(re.sub(r"\?P<(\w+)>", rf"?P<\g<1>{i}>", _ITEM) for i in range(3)) + r"\s*,?\s*\}\s*",
    re.VERBOSE,
)
_NUMBERS = re.compile(r"'[<>=|]?[fiu][1248]'")
_KIND = re.compile(r"(?:'[<>=|]?(?=[OcUSb?VMm][0-9]*(?:\[[^'\]]*\])?'))?([OcUSb?VMm\[])")
_OTHER: Mapping[str, tuple[str, str]] = {
    "O": ("Python objects, which are never unpickled", "save plain float32 with allow_pickle=False"),
    "c": ("complex numbers", "save the real numbers that the model gives"),
    "U": ("text", "save the embeddings as float32, labels apart"),
    "S": ("text", "save the embeddings as float32, labels apart"),
    "b": ("true and false", "save the embedding itself, not a mask or its signs"),
    "?": ("true and false", "save the embedding itself, not a mask or its signs"),
    "V": ("raw bytes or records with fields", "convert to float32 before saving, bfloat16 too"),
    "[": ("raw bytes or records with fields", "convert to float32 before saving, bfloat16 too"),
    "M": ("dates", "save the embeddings as float32"),
    "m": ("time spans", "save the embeddings as float32"),
}
"""Kinds of NumPy elements (the letter of `dtype.str`) that are no real numbers: what they are, what to do."""


def _dtype(descr: str) -> np.dtype[np.generic]:
    kind = _KIND.match(descr)
    if kind is not None:
        what, hint = _OTHER[kind[1]]
        raise refuse("npy_dtype", f"npy array holds {what}", hint)
    try:
        if _NUMBERS.fullmatch(descr):
            return np.dtype(descr.strip("'"))
    except TypeError:
        pass
    shown = "".join(c if c.isascii() and c.isprintable() else "?" for c in descr[:20])  # it goes to a terminal
    raise refuse("npy_dtype", f"npy element type {shown} is not read", "save float32, float16 or float64")


def _header(text: str) -> tuple[np.dtype[np.generic], bool, tuple[int, ...]]:
    match = _HEADER.fullmatch(text)
    if match is None:
        raise refuse("npy_header", "npy header is not that of a plain number array", _SAVE)
    fields = {key[:-1]: value for key, value in match.groupdict().items() if value is not None}
    if len(fields) != 3:
        raise refuse("npy_header", "npy header repeats a key", _SAVE)
    numbers = [part.strip() for part in fields["shape"].split(",")]
    if numbers[-1] == "":
        numbers.pop()
    if not all(re.fullmatch(r"[0-9]{1,9}", number) for number in numbers):
        raise refuse("npy_header", "npy shape cannot be read", _SAVE)
    return _dtype(fields["descr"]), fields["order"] == "True", tuple(int(number) for number in numbers)


def read_npy(stream: BinaryIO, size: int, max_views: int) -> NDArray[np.generic]:
    """Parse one array of real numbers with one or two dimensions.

    Args:
        stream: positioned at the magic.
        size: bytes up to the end of the array, as the file system or the archive states it.
        max_views: rows above which nothing is read.

    Returns:
        The rows [views, dimension] in the element type of the file.

    Raises:
        InputRefused: `format.bad_magic`, `format.bad_version`, `format.truncated`, `format.npy_header`,
            `format.npy_dtype`, `format.npy_shape`, `format.length_mismatch`, or what `check_views` raises.
    """
    head = stream.read(8)
    if not head:
        raise refuse("truncated", "the file is empty", CUT)
    if head[:6] != NPY_MAGIC:
        raise refuse_at("bad_magic", 0, "no npy magic", "give a file written by numpy.save")
    width = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}.get(head[6:])
    if width is None:
        raise refuse_at("bad_version", 6, "unknown npy version", "save the array with numpy.save")
    start = 8 + width
    length = int.from_bytes(stream.read(width), "little")
    if size < start or length > min(MAX_HEADER, size - start):
        raise refuse_at("truncated", 8, f"npy header of {length} bytes does not fit")
    dtype, fortran, shape = _header(stream.read(length).decode("latin-1"))
    if not 1 <= len(shape) <= MAX_NDIM:
        raise refuse("npy_shape", f"npy array has {len(shape)} dimensions", "give one row, or one row per view")
    expected, actual = math.prod(shape) * dtype.itemsize, size - start - length
    if expected != actual:
        message = f"npy shape {shape} needs {expected} bytes of elements, file has {actual}"
        raise refuse_at("length_mismatch", start + length, message, CUT if actual < expected else _ONE_ARRAY)
    views, dimension = shape if len(shape) == MAX_NDIM else (1, *shape)
    check_views(views, dimension, max_views)
    return _elements(stream, expected).view(dtype).reshape((views, dimension), order="F" if fortran else "C")


def _elements(stream: BinaryIO, n_bytes: int) -> NDArray[np.uint8]:
    """Read piece by piece: an archive member read at once is held twice."""
    octets = np.empty(n_bytes, np.uint8)
    for start in range(0, n_bytes, CHUNK_BYTES):
        wanted = min(CHUNK_BYTES, n_bytes - start)
        piece = stream.read(wanted)
        if len(piece) != wanted:
            raise refuse("truncated", f"npy elements end after {start + len(piece)} of {n_bytes} bytes")
        octets[start : start + wanted] = np.frombuffer(piece, np.uint8)
    return octets
