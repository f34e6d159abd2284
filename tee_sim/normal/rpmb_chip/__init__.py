"""Simulates a replay-protected memory block: the chip, its state file, and a program that serves it alone.

Promised: key, counter and blocks change together or not at all, and the counter never goes back while the file is kept.
Not promised: what a real chip gives against its owner. Who can replace the file replaces the chip; docs/limitations.md.
"""
