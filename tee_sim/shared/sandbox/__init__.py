"""The lock as both worlds see it: filter tables and calls of the kernel.

The secure world applies them, the normal one checks against them.
"""
