"""Limits of features, for whoever states them and handles no array: this loads no array library."""

MAX_MINUTIAE = 255
"""ISO/IEC 19794-2:2005 section 7.5.1 counts minutiae in one byte."""
MIN_DIMENSION = 64
MAX_DIMENSION = 1024
MAX_MODEL_CHARS = 64
"""Name of a model or extractor: as in a comparison profile."""
