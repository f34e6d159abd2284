"""The whole product watched from outside: each file it writes, each program it starts, each socket, each packet.

A command runs with a system call filter that asks a supervisor (seccomp_unotify(2)) before each call that could take
something out of the process: the supervisor notes what is asked and lets it go on, so the product does what it always
does. The filter is inherited by every process the command starts, normal world, launcher, probes and all; a process
that the product locks is killed by its own filter first. The command runs in a network namespace that holds nothing but
a loopback device with a sniffer on it, and in an IPC namespace of its own.

Why not ptrace(2): the product looks whether it is traced, and looks differently then. Why not inotify(7): it sees only
the directories that one thought of. Why not a copy of the file system to compare: what is written and removed again is
gone.

`python -m bioguard.evidence.outside_watch OUT -- COMMAND...` writes what was seen to OUT as JSON; `watched` runs it.
"""

from bioguard.evidence.outside_watch.judge import (
    DEVICE_FILES,
    FILE_CALLS,
    strange_calls,
    strange_files,
    writes_what_was_named,
)
from bioguard.evidence.outside_watch.sighting import NotWatched, Sighting, watched

__all__ = [
    "DEVICE_FILES",
    "FILE_CALLS",
    "NotWatched",
    "Sighting",
    "strange_calls",
    "strange_files",
    "watched",
    "writes_what_was_named",
]
