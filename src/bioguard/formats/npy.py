"""One NumPy `.npy` array, read without NumPy's loader: no pickle, no `eval`, nothing allocated before it is checked.

Layout (NumPy's NEP 1): magic, version 1.0 to 3.0, header length u16 (1.0) or u32, header text, elements.
"""

import math
import re

import numpy as np
from numpy.typing import NDArray

from bioguard.formats.errors import refuse, refuse_at

__all__ = ["NPY_MAGIC", "read_npy"]

NPY_MAGIC = b"\x93NUMPY"
MAX_HEADER = 4096
"""A header of one plain array has under 200 characters; NumPy pads to 64."""
MAX_NDIM = 2
_ITEM = r"""(?:'descr':\s*'(?P<descr>[<>=|]?[fiu][1248])'
             |'fortran_order':\s*(?P<order>True|False)
             |'shape':\s*\((?P<shape>[0-9, ]{0,40})\))"""
_HEADER = re.compile(
    r"\{\s*" + r"\s*,\s*".join(re.sub(r"\?P<(\w+)>", rf"?P<\g<1>{i}>", _ITEM) for i in range(3)) + r"\s*,?\s*\}\s*",
    re.VERBOSE,
)
_OBJECT = re.compile(r"'descr':\s*'[<>=|]?[OV]|'descr':\s*\[")


def _header(text: str) -> tuple[np.dtype[np.generic], bool, tuple[int, ...]]:
    match = _HEADER.fullmatch(text)
    if match is None:
        if _OBJECT.search(text):
            raise refuse("npy_dtype", "npy array holds Python objects", "save plain float32 with allow_pickle=False")
        raise refuse(
            "npy_header", "npy header is not that of a plain number array", "save a float32 array with numpy.save"
        )
    fields = {key[:-1]: value for key, value in match.groupdict().items() if value is not None}
    if len(fields) != 3:
        raise refuse("npy_header", "npy header repeats a key", "save a float32 array with numpy.save")
    numbers = [part.strip() for part in fields["shape"].split(",")]
    if numbers[-1] == "":
        numbers.pop()
    if not all(re.fullmatch(r"[0-9]{1,9}", number) for number in numbers):
        raise refuse("npy_header", "npy shape cannot be read", "save a float32 array with numpy.save")
    try:
        dtype: np.dtype[np.generic] = np.dtype(fields["descr"])
    except TypeError as error:
        raise refuse("npy_dtype", "npy element type does not exist", "save float32 or float16") from error
    return dtype, fields["order"] == "True", tuple(int(number) for number in numbers)


def read_npy(octets: bytes) -> NDArray[np.generic]:
    """Parse one array of numbers with one or two dimensions.

    Raises:
        InputRefused: `format.bad_magic`, `format.bad_version`, `format.truncated`, `format.npy_header`,
            `format.npy_dtype`, `format.npy_shape`, `format.length_mismatch`.
    """
    if not octets.startswith(NPY_MAGIC):
        raise refuse_at("bad_magic", 0, "no npy magic", "give a file written by numpy.save")
    width = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}.get(octets[6:8])
    if width is None:
        raise refuse_at("bad_version", 6, "unknown npy version", "save the array with numpy.save")
    start = 8 + width
    size = int.from_bytes(octets[8:start], "little")
    if len(octets) < start or size > min(MAX_HEADER, len(octets) - start):
        raise refuse_at("truncated", 8, f"npy header of {size} bytes does not fit")
    dtype, fortran, shape = _header(octets[start : start + size].decode("latin-1"))
    if not 1 <= len(shape) <= MAX_NDIM:
        raise refuse("npy_shape", f"npy array has {len(shape)} dimensions", "give one row, or one row per view")
    expected, actual = math.prod(shape) * dtype.itemsize, len(octets) - start - size
    if expected != actual:
        raise refuse_at(
            "length_mismatch", start + size, f"npy shape {shape} needs {expected} bytes of elements, file has {actual}"
        )
    return np.frombuffer(octets, dtype, offset=start + size).reshape(shape, order="F" if fortran else "C")
