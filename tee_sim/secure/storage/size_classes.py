"""Sizes that sealed things are padded to, so that the disk learns a size to half its value and no closer.

Not promised: that no size is seen. A disk sees which class an object or a page has, and when it changes.
"""

LEAST_BYTES = 256
"""Smaller things would be told apart by nothing but their size; a row of the disk takes as much anyway."""


def padded_size(size_bytes: int) -> int:
    """The smallest of 256, 384, 512, 768, 1024, ... (2^k and 3/2 of it) that is not below `size_bytes`."""
    if size_bytes <= LEAST_BYTES:
        return LEAST_BYTES
    power = 1 << (size_bytes - 1).bit_length()
    between = power // 4 * 3
    return between if size_bytes <= between else power


def pad(raw: bytes) -> bytes:
    """`raw`, and zeros to the size of its class."""
    return raw.ljust(padded_size(len(raw)), b"\0")
