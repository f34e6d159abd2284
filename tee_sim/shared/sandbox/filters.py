"""Building and loading the two seccomp filters."""

import ctypes
from functools import lru_cache
from typing import Final

from tee_sim.shared.lock_report import HostLink, LockError
from tee_sim.shared.sandbox import bpf, kernel
from tee_sim.shared.sandbox.syscalls import ARCHITECTURES, Arch, secure_world_rules, waiter_rules

_SECCOMP_SET_MODE_FILTER: Final = 1
_SECCOMP_FILTER_FLAG_TSYNC: Final = 1
_SECCOMP_FILTER_FLAG_NEW_LISTENER: Final = 8
WATCHED: Final = "permissive-debug, watched"
"""The debug profile where the kernel can ask a watcher (tee_sim.secure.lockdown.watcher)."""
_DENY: Final = {"strict": bpf.KILL, "permissive-debug": bpf.ERRNO_EPERM, WATCHED: bpf.USER_NOTIF}


class _Fprog(ctypes.Structure):
    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def this_arch() -> Arch:
    """Raises OSError ENOSYS on an architecture without a table."""
    try:
        return ARCHITECTURES[kernel.MACHINE]
    except KeyError:
        raise OSError(38, f"no system call table for {kernel.MACHINE}") from None


@lru_cache(maxsize=8)
def secure_world_program(
    machine: str,
    profile: str,
    request_fd: int,
    reply_fd: int,
    links: tuple[HostLink, ...] = (),
    picture_fd: int = 0,
) -> bpf.Program:
    """The filter of the core (with its links), of a host (without), or of a sensor's process (with its other pipe).

    The normal world builds it too, to compare it with what the kernel holds.
    """
    rules = secure_world_rules(request_fd, reply_fd, links, picture_fd)
    return bpf.assemble(ARCHITECTURES[machine], rules, deny=_DENY[profile])


def waiter_program(machine: str) -> bpf.Program:
    """The filter of the process that waits for the secure world in its PID namespace."""
    return bpf.assemble(ARCHITECTURES[machine], waiter_rules(), deny=bpf.KILL)


def load(program: bpf.Program) -> None:
    """Load with TSYNC; needs NO_NEW_PRIVS. Raises OSError if refused, LockError if a thread could not follow."""
    data = program.to_bytes()
    fprog = _Fprog(len(program.instructions), data)
    thread = kernel.call("seccomp", _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC, ctypes.byref(fprog))
    if thread != 0:
        raise LockError("a thread could not take the filter")


def load_and_listen(program: bpf.Program) -> int:
    """Load into this thread; return the descriptor on which its questions arrive. Raises OSError if refused."""
    data = program.to_bytes()
    fprog = _Fprog(len(program.instructions), data)
    return kernel.call("seccomp", _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_NEW_LISTENER, ctypes.byref(fprog))
