"""Process hygiene: what needs no kernel feature beyond prctl, and closes what the big layers leave open.

Descriptors, argv and environ memory, core files, writable-then-executable memory, limits. Each step is measured in
docs/sandbox.md: descriptor hygiene is what stops a write to a leaked socket or file, which neither namespaces nor
Landlock do.
"""

import fcntl
import os
import resource
import signal
import stat
import struct
from pathlib import Path
from typing import Final

from tee_sim.shared.lock_report import LockError
from tee_sim.shared.sandbox import kernel

_PR_SET_DUMPABLE, _PR_CAPBSET_READ, _PR_CAPBSET_DROP = 4, 23, 24
_PR_SET_MM, _PR_SET_MM_MAP = 35, 14
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
_PR_SET_MDWE, _PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
_CAPABILITY_VERSION_3: Final = 0x20080522
_LAST_CAPABILITY: Final = 63
_MAX_FD: Final = (1 << 32) - 1


def refuse_exec_gain() -> None:
    """PR_SET_MDWE: no memory becomes executable after it was writable. Before imports, so that they live by it too."""
    kernel.prctl(_PR_SET_MDWE, _PR_MDWE_REFUSE_EXEC_GAIN)


def harden_early() -> None:
    """No core file, private files, no signal handler; a limit that is met is an error instead of a signal.

    Ctrl-C reaches the whole terminal group: the secure world ends when its request pipe closes, not in mid-write.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    for number in (signal.SIGINT, signal.SIGXFSZ, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)


def last_limits(*, waits: bool = False, one_more: bool = False) -> None:
    """No file grows, no descriptor and no process is made, no message queue. After everything was opened.

    Args:
        waits: leave a limit of one descriptor, without which ppoll(2) on one is EINVAL. Number 0 is taken, so there is
            no room for another either.
        one_more: leave room for one descriptor: the lowest number that is free, and no other.
    """
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_MSGQUEUE):
        resource.setrlimit(limit, (0, 0))
    most = _lowest_free() + 1 if one_more else int(waits)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _lowest_free() -> int:
    fd = os.dup(0)
    os.close(fd)
    return fd


def data_bytes() -> int:
    """Private writable memory of this process, as RLIMIT_DATA counts it (proc(5), VmData)."""
    rows = (line.split() for line in kernel.read_proc("/proc/self/status").splitlines())
    return next(int(row[1]) for row in rows if row[:1] == [b"VmData:"]) * 1024


def limit_heap(size_bytes: int) -> None:
    """No more data than that: an allocation over it fails, and with it the application alone."""
    resource.setrlimit(resource.RLIMIT_DATA, (size_bytes, size_bytes))


def count_threads() -> int:
    """Threads of this process, from the kernel."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def check_pipes(request_fd: int, reply_fd: int) -> None:
    """The two descriptors are pipes, one to read and one to write. Raises LockError."""
    for fd, access in ((request_fd, os.O_RDONLY), (reply_fd, os.O_WRONLY)):
        try:
            kind, flags = os.fstat(fd).st_mode, fcntl.fcntl(fd, fcntl.F_GETFL)
        except OSError as error:
            raise LockError("a pipe descriptor is not open") from error
        if not stat.S_ISFIFO(kind) or flags & os.O_ACCMODE != access:
            raise LockError("a pipe descriptor is not a pipe of the expected direction")


def silence_standard_streams() -> None:
    """`/dev/null` on 0 to 2. Needs the old root."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd, inheritable=False)
    if null > 2:
        os.close(null)


def close_all_but(*keep: int) -> None:
    """close_range(2) around the descriptors to keep; 0 to 2 stay."""
    first = 3
    for fd in sorted(keep):
        if fd > first:
            kernel.call("close_range", first, fd - 1, 0)
        first = fd + 1
    kernel.call("close_range", first, _MAX_FD, 0)


def scrub_arguments() -> None:
    """Point the kernel's idea of argv and environ at nothing, so that overwriting them shows nowhere outside.

    PR_SET_MM_MAP (kernel/sys.c) wants the whole map; the other values stay as /proc/self/stat gives them (proc(5)).
    """
    fields = kernel.read_proc("/proc/self/stat").rpartition(b")")[2].split()
    value = {number: int(text) for number, text in enumerate(fields[1:], start=4)}
    start_code, end_code, start_stack = value[26], value[27], value[28]
    start_data, end_data, start_break, arg_start = value[45], value[46], value[47], value[48]
    map_fields = (start_code, end_code, start_data, end_data, start_break, kernel.current_break(), start_stack)
    record = struct.pack("<7Q4QQIi", *map_fields, *(arg_start,) * 4, 0, 0, -1)
    kernel.prctl(_PR_SET_MM, _PR_SET_MM_MAP, record, len(record))
    if kernel.read_proc("/proc/self/cmdline") or kernel.read_proc("/proc/self/environ"):
        raise LockError("arguments are still visible after the scrub")


def not_dumpable() -> None:
    """No core, and /proc/<pid>/{mem,fd,environ} closed to the same user. After uid_map was written."""
    kernel.prctl(_PR_SET_DUMPABLE, 0)


def no_new_privileges() -> None:
    """Compulsory for an unprivileged filter."""
    kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """Empty every set. Without CAP_SETPCAP the bounding set stays, which NO_NEW_PRIVS makes moot."""
    kernel.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            kernel.prctl(_PR_CAPBSET_DROP, capability)
        except OSError:
            break
    kernel.call("capset", struct.pack("<Ii", _CAPABILITY_VERSION_3, 0), struct.pack("<6I", *(0,) * 6))
