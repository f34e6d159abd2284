"""A monotonic counter kept in sealed storage, in 60 lines."""
