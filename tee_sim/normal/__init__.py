"""The normal world's side: starts and inspects the secure world, keeps its sealed bytes, talks to it.

Promised: no root secret is sent to a process that was not judged; every wait has an end; a secure world that says what
it may not say is killed.

Not promised: anything to the secure world, which believes nobody here. Whoever is root on the host can be all of it.
"""
