"""Bodies of a size that tells nothing: whoever watches the disk sees how large an object is."""

from typing import Final

_LENGTH_BYTES: Final = 4


def padded(body: bytes, size_bytes: int) -> bytes:
    """Length, body, zeros. Raises ValueError if it does not fit."""
    if len(body) + _LENGTH_BYTES > size_bytes:
        raise ValueError(f"{len(body)} bytes do not fit {size_bytes}")
    return (len(body).to_bytes(_LENGTH_BYTES, "big") + body).ljust(size_bytes, b"\0")


def unpadded(data: bytes) -> bytes:
    """What `padded` was given. Raises ValueError for anything that it does not write."""
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
    if len(data) < end or any(data[end:]):
        raise ValueError("not a padded body")
    return data[_LENGTH_BYTES:end]
