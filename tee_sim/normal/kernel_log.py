"""Which system call ended a process of a secure world, as far as the kernel's log says so.

The kernel logs one line for a process that a filter kills (kernel/seccomp.c, `seccomp_log`), and may leave lines out
when there are many. Whoever may read the log sees the number there anyway. The text of an error does not hold it: which
call it was is the application's to choose (docs/sandbox.md section 6).
"""

import os
import re
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from tee_sim.normal.sandbox_verdict.observe import children_of
from tee_sim.normal.syscall_names import name_of
from tee_sim.shared.sandbox.kernel import MACHINE
from tee_sim.shared.sandbox.syscalls import ARCHITECTURES

DEVICE: Final = Path("/dev/kmsg")
_LINE = re.compile(
    rb"\d+,\d+,(?P<us>\d+),[^;]*;audit: type=1326 audit\([0-9.:]+\): auid=\d+ uid=\d+ gid=\d+ ses=\d+"
    rb"(?: subj=[^ \n]+)? pid=(?P<pid>\d+) comm=(?:\"[^\"\n]*\"|[0-9A-F]+) "
    rb"exe=(?:\"[^\"\n]*\"|[0-9A-F]+) sig=31 arch=(?P<arch>[0-9a-f]{1,8}) syscall=(?P<call>\d{1,10}) compat=[^\n]*"
)
"""A record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg) that holds an audit record of type SECCOMP."""
_RECORD_BYTES: Final = 8192
_MOST_RECORDS: Final = 100_000
_SLACK_US: Final = 1_000_000
"""The log's clock is not quite the monotonic one."""

UNREADABLE: Final = "run as root, or in the debug profile, to see the call"
NOT_LOGGED: Final = (
    "the kernel did not log the call, as it limits how many such lines it writes; the debug profile shows it"
)
"""The probes of a start are killed too, and their lines may be all that the limit allows."""


class KernelLog:
    """What the log says of one secure world.

    Args:
        pid: the process that was started.
    """

    def __init__(self, pid: int) -> None:
        self._pids = {pid}
        self._since_us = time.monotonic_ns() // 1000 - _SLACK_US

    def remember(self) -> None:
        """Note the processes behind it. Called while they run."""
        for pid in [*self._pids]:
            self._pids |= set(children_of(pid))
        for pid in [*self._pids]:
            self._pids |= set(children_of(pid))

    def last_call(self) -> str:
        """The last system call for which one of them was killed, in words; or why it cannot be said."""
        try:
            found = list(forbidden_calls(_records(), self._pids, self._since_us))
        except OSError:
            return UNREADABLE
        return f"{found[-1]}, says the kernel's log" if found else NOT_LOGGED


def forbidden_calls(records: Iterator[bytes], pids: Collection[int], since_us: int) -> Iterator[str]:
    """The calls for which a filter killed one of these processes since then, in order, by name."""
    for record in records:
        found = _LINE.match(record)
        if found is None or int(found["pid"]) not in pids or int(found["us"]) < since_us:
            continue
        own = MACHINE in ARCHITECTURES and int(found["arch"], 16) == ARCHITECTURES[MACHINE].audit
        yield (
            name_of(int(found["call"]), MACHINE) if own else f"system call {int(found['call'])} of another architecture"
        )


def _records() -> Iterator[bytes]:
    """What stands in the log now. Raises OSError if it may not be read."""
    log = os.open(DEVICE, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        for _ in range(_MOST_RECORDS):
            try:
                yield os.read(log, _RECORD_BYTES)
            except BlockingIOError:
                return
            except BrokenPipeError:  # overwritten while we read: the next read goes on behind the gap
                continue
    finally:
        os.close(log)
