"""Sizes above which a file is not opened. A file is measured before it is read."""

__all__ = ["MAX_EMBEDDINGS_BYTES", "MAX_MINUTIAE_BYTES", "MAX_VIEWS"]

MAX_MINUTIAE_BYTES = 16 << 20
"""The largest ISO/IEC 19794-2 record that can exist: 176 views of 255 minutiae and 65 535 bytes of extended data,
11.9 MB. Real ones have a few hundred bytes."""
MAX_EMBEDDINGS_BYTES = 256 << 20
"""65 536 views of 1 024 float32."""
MAX_VIEWS = 65_536
"""Views in one embeddings file."""
