"""Says again what a C program says to it."""
