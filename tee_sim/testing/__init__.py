"""Runs the secure world in the caller's process, and makes disk and messages go wrong. For tests and tools.

Promised: the same messages, checks and store as in a process of its own. Not promised: any protection, without a lock.
"""
