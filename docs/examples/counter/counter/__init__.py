"""A monotonic counter kept in sealed storage."""
