"""The secure world: one process that holds the root key, hosts the trusted applications, and is locked.

The normal world starts it (`tee_sim.normal.secure_process`) and imports nothing of it.
"""
