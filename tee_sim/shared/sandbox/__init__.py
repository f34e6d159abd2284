"""The lock as both worlds see it: filter tables and calls of the kernel.

The secure world applies them, the normal one checks against them. Not promised: that a table is in force; the secure
world reports what it applied, and `tee_sim.normal.sandbox_verdict` says whether that is so.
"""
