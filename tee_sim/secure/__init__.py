"""The secure world: one process that holds the root key, hosts the trusted applications, and is locked.

The normal world starts it (`tee_sim.normal.secure_process`) and imports nothing of it.

Promised: no secret before the lock is judged; nothing of the disk is believed that the anchor does not name; what a
panicking application had stored stays, and the others go on; anything unexpected ends the process (fail closed).

Not promised: availability (the normal world may stop answering); memory safety between applications of one process;
that `bytes` which Python or a library copied out of secret memory are wiped (docs/limitations.md).
"""
