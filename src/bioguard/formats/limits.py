"""Sizes above which a file is not opened. A file is measured before it is read."""

MAX_MINUTIAE_BYTES = 16 << 20
"""The largest ISO/IEC 19794-2 record that can exist: 176 views of 255 minutiae and 65 535 bytes of extended data,
11.9 MB. Real ones have a few hundred bytes."""
MAX_XYT_BYTES = 1 << 20
MAX_XYT_MINUTIAE = 4096
"""Lines of one `.xyt` file; the best 255 are kept. NBIS bozorth3 reads at most 1 000 (MAX_FILE_MINUTIAE)."""
MAX_VIEWS = 16_384
"""Views in one embeddings file, unless the caller allows fewer: an enrollment 16, a decision 1."""
MAX_VALUES = 4 << 20
"""Numbers in one embeddings file. As float64 and once more as records they stay below 64 MiB; the labs' larger sets are
read by the benches (bench/load.py), not by the product."""
MAX_ARRAY_BYTES = MAX_VALUES * 8 + 4096 + 12
"""MAX_VALUES float64, the longest header, magic and length."""
MAX_ARCHIVE_BYTES = 256 << 20
"""An archive is not read as a whole: its other members do not count."""
MAX_TEXT_BYTES = 256 << 20
"""MAX_VALUES numbers of up to 64 characters. Text is read line by line."""
MAX_PIPE_BYTES = 16 << 20
"""What comes through a pipe is kept in memory, since an archive is read from its end."""
