"""Own namespaces, an empty read-only root, and the process that waits for PID 1.

What each step needs and what goes wrong otherwise was measured (docs/sandbox.md section 2): one thread before
unshare, uid_map before dumpable 0, max_user_namespaces only after the user namespace is proven to be our own,
capabilities dropped last. The waiter holds no pipe: killing either process ends both, and the normal world reads EOF.
"""

import os
import select
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tee_sim.shared.lock_report import LockError
from tee_sim.shared.sandbox import kernel

_CLONE_NEWNS, _CLONE_NEWCGROUP, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
_CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
UNSHARE_FLAGS: Final = (
    _CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWNET | _CLONE_NEWPID | _CLONE_NEWIPC | _CLONE_NEWUTS | _CLONE_NEWCGROUP
)
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT, _MS_BIND = 1, 2, 4, 8, 32, 4096
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
_LOCKED_DOWN = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
_MOUNT_POINTS: Final = ("/tmp", "/run", "/mnt", "/dev")  # noqa: S108 - any directory that exists will do
_PR_SET_PDEATHSIG: Final = 1
_SIGNALED: Final = 128
_SURPRISE: Final = 70
"""Exit status when the lock itself failed (sysexits EX_SOFTWARE)."""


def enter() -> None:
    """All seven namespaces in one call: either all or none. Raises OSError when the host refuses."""
    before = Path("/proc/self/ns/user").stat().st_ino
    kernel.unshare(UNSHARE_FLAGS)
    if Path("/proc/self/ns/user").stat().st_ino == before:
        raise LockError("unshare returned without a new user namespace")


def map_user(uid: int, gid: int) -> None:
    """Map root inside to the caller's own ids outside. Raises OSError where the host forbids it.

    Args:
        uid, gid: effective ids before `enter`.
    """
    kernel.write_proc("/proc/self/setgroups", b"deny")
    kernel.write_proc("/proc/self/uid_map", b"0 %d 1" % uid)
    kernel.write_proc("/proc/self/gid_map", b"0 %d 1" % gid)
    if kernel.read_proc("/proc/self/uid_map").split() != [b"0", b"%d" % uid, b"1"]:
        raise LockError("the user namespace is not our own")


def forbid_nested() -> None:
    """No user namespace below ours. Call only after `map_user` proved that ours is ours: the value is per namespace."""
    kernel.write_proc("/proc/sys/user/max_user_namespaces", b"0")


def empty_root() -> None:
    """Replace the root by an empty, read-only tmpfs and let go of the old one."""
    kernel.mount(None, b"/", None, _MS_REC | _MS_PRIVATE)
    target = next((p for p in _MOUNT_POINTS if Path(p).is_dir()), None)
    if target is None:
        raise FileNotFoundError("no directory to mount the new root on")
    kernel.mount(b"none", os.fsencode(target), b"tmpfs", _LOCKED_DOWN, b"size=4k,nr_inodes=2,mode=0")
    os.chdir(target)
    kernel.call("pivot_root", b".", b".")
    kernel.umount_detached(b".")
    os.chdir("/")
    kernel.mount(None, b"/", None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _LOCKED_DOWN)
    if any(Path("/").iterdir()):
        raise LockError("the new root is not empty")


def become_init(wait: Callable[[int], int]) -> None:
    """Fork into the PID namespace. Returns in the child, which is its PID 1; the parent waits and never returns.

    Args:
        wait: what the parent does with the child's pid once both are tied together; returns the exit status.

    The child asks for SIGKILL at its parent's death, then looks whether the parent was still alive: a process
    descriptor made before the fork is readable once its process ended. So there is no moment without the tie.
    """
    parent = os.pidfd_open(os.getpid())
    pid = os.fork()
    if pid:
        status = _SURPRISE
        try:
            os.close(parent)
            status = wait(pid)
        finally:
            os._exit(status)
    kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    ended = select.poll()
    ended.register(parent, select.POLLIN)
    if ended.poll(0):
        os._exit(_SURPRISE)
    os.close(parent)
    if os.getpid() != 1:
        raise LockError("not the first process of the PID namespace")


def exit_status(wait_status: int) -> int:
    """What the waiter exits with: the child's code, or 128 plus the signal that ended it, as a shell does."""
    if os.WIFSIGNALED(wait_status):
        return _SIGNALED + os.WTERMSIG(wait_status)
    return os.WEXITSTATUS(wait_status)
