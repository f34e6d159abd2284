"""The layer sets of the battery. Each uses the product's own functions, so what is tested is what is shipped."""

import os
import signal
from collections.abc import Callable
from typing import NoReturn

from tee_sim.secure import lockdown
from tee_sim.secure.lockdown import namespaces
from tee_sim.secure.lockdown.sensors import SensorForks, SensorToFork
from tee_sim.shared.lock_report import HostLink
from tee_sim.shared.sandbox import filters, hygiene, kernel, landlock

LEVELS: dict[str, str] = {
    "0": "nothing",
    "H": "hygiene: descriptors, limits, arguments, not dumpable, no capability",
    "L": "Landlock with zero rules",
    "N": "own namespaces, capabilities kept, old root",
    "R": "own namespaces, empty root, no capability",
    "S": "the filter alone",
    "HS": "hygiene and the filter: a host without user namespaces and Landlock",
    "ALL": "the whole lock as the secure world uses it",
    "TA": "the whole lock in the process of one trusted application, behind the core's",
    "SN": "the whole lock in the process of a sensor, forked by what loaded it before the lock, behind the core's",
}
LOCKED = ("HS", "ALL", "TA", "SN")
"""Those out of which nothing may get but the residuals."""


def _wait(pid: int) -> int:
    return namespaces.exit_status(os.waitpid(pid, 0)[1])


def _hygiene(request_fd: int, reply_fd: int) -> None:
    hygiene.harden_early()
    hygiene.refuse_exec_gain()
    hygiene.silence_standard_streams()
    hygiene.scrub_arguments()
    hygiene.close_all_but(request_fd, reply_fd)
    hygiene.not_dumpable()
    hygiene.no_new_privileges()
    hygiene.drop_capabilities()
    hygiene.last_limits()


def _landlock(request_fd: int, reply_fd: int) -> None:
    hygiene.no_new_privileges()
    landlock.restrict(landlock.abi())


def _namespaces(request_fd: int, reply_fd: int) -> int:
    uid, gid = os.geteuid(), os.getegid()
    namespaces.enter()
    namespaces.map_user(uid, gid)
    namespaces.become_init(_wait)
    return 1


def _new_root(request_fd: int, reply_fd: int) -> int:
    uid, gid = os.geteuid(), os.getegid()
    namespaces.enter()
    namespaces.map_user(uid, gid)
    namespaces.forbid_nested()
    namespaces.become_init(_wait)
    namespaces.empty_root()
    hygiene.drop_capabilities()
    return 1


def _filter(request_fd: int, reply_fd: int) -> None:
    hygiene.no_new_privileges()
    filters.load(filters.secure_world_program(kernel.MACHINE, "strict", request_fd, reply_fd))


def _hygiene_and_filter(request_fd: int, reply_fd: int) -> None:
    _hygiene(request_fd, reply_fd)
    _filter(request_fd, reply_fd)


def _whole_lock(request_fd: int, reply_fd: int) -> int:
    lockdown.early()
    report = lockdown.engage(lockdown.LockPlan(request_fd=request_fd, reply_fd=reply_fd))
    return int(report.applied("pid-1"))


def _process_of_an_application(request_fd: int, reply_fd: int) -> int:
    lockdown.early()
    report = lockdown.engage(lockdown.LockPlan(request_fd=request_fd, reply_fd=reply_fd, heaps_bytes=(0,)))
    if not report.host:
        _be_core(report.links[0])
    return int(report.applied("pid-1")) + 1


def _process_of_a_sensor(request_fd: int, reply_fd: int) -> int:
    pictures, _ = os.pipe()  # whose other end is closed with everything else
    sensor = SensorToFork(
        name="battery", picture_fds=(pictures,), heap_bytes=0, measure=lambda: bytes(32), make=lambda: None
    )
    lockdown.early()
    report = lockdown.engage(lockdown.LockPlan(request_fd=request_fd, reply_fd=reply_fd), SensorForks([sensor]))
    if not report.host:
        _be_core(report.links[0])
    return int(report.applied("pid-1")) + 1


def _be_core(link: HostLink) -> NoReturn:
    """Wait for the host; pass on no more of its end than the product's core does."""
    seen = os.waitid(os.P_PIDFD, link.kill_fd, os.WEXITED)
    killed = seen is not None and seen.si_code in (os.CLD_KILLED, os.CLD_DUMPED)
    os._exit(128 + (signal.SIGSYS if seen.si_status == signal.SIGSYS else signal.SIGKILL) if seen and killed else 0)


_APPLY: dict[str, Callable[[int, int], int | None]] = {
    "0": lambda request_fd, reply_fd: None,
    "H": _hygiene,
    "L": _landlock,
    "N": _namespaces,
    "R": _new_root,
    "S": _filter,
    "HS": _hygiene_and_filter,
    "ALL": _whole_lock,
    "TA": _process_of_an_application,
    "SN": _process_of_a_sensor,
}


def apply(level: str, request_fd: int, reply_fd: int) -> int:
    """Lock the calling process with one layer set, or return in a process further in.

    Returns how many processes of the lock stand between. Raises OSError or LockError when the host refuses.
    """
    return _APPLY[level](request_fd, reply_fd) or 0
