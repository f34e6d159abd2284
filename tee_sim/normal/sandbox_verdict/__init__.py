"""Judges how far the secure world is locked: observed from outside and compared with what it reports.

Promised: ENFORCED is said only where each layer was seen in force, or was probed on this host.
Not promised: anything about a kernel that lies to its own /proc, or about what happens after the look.
"""
