"""Applications in machine code: read, checked and measured before the lock, mapped in their own host alone.

Each process that runs one is forked from the launcher like any other host. It maps the application between the fork
and the filter; what is in the file runs only once the core asks for an entry point, and that is C from then on: the
host never returns to Python. What the host's C does: tee_sim/dev_kit/runtime.
"""
