"""The layer sets of the battery. Each uses the product's own functions, so what is tested is what is shipped."""

import os
from collections.abc import Callable

from tee_sim.secure import lockdown
from tee_sim.secure.lockdown import namespaces
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
}


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


def _namespaces(request_fd: int, reply_fd: int) -> None:
    uid, gid = os.geteuid(), os.getegid()
    namespaces.enter()
    namespaces.map_user(uid, gid)
    namespaces.become_init(_wait)


def _new_root(request_fd: int, reply_fd: int) -> None:
    uid, gid = os.geteuid(), os.getegid()
    namespaces.enter()
    namespaces.map_user(uid, gid)
    namespaces.forbid_nested()
    namespaces.become_init(_wait)
    namespaces.empty_root()
    hygiene.drop_capabilities()


def _filter(request_fd: int, reply_fd: int) -> None:
    hygiene.no_new_privileges()
    filters.load(filters.secure_world_program(kernel.MACHINE, "strict", request_fd, reply_fd))


def _hygiene_and_filter(request_fd: int, reply_fd: int) -> None:
    _hygiene(request_fd, reply_fd)
    _filter(request_fd, reply_fd)


def _whole_lock(request_fd: int, reply_fd: int) -> None:
    lockdown.early()
    lockdown.engage(lockdown.LockPlan(request_fd=request_fd, reply_fd=reply_fd))


_APPLY: dict[str, Callable[[int, int], None]] = {
    "0": lambda request_fd, reply_fd: None,
    "H": _hygiene,
    "L": _landlock,
    "N": _namespaces,
    "R": _new_root,
    "S": _filter,
    "HS": _hygiene_and_filter,
    "ALL": _whole_lock,
}


def apply(level: str, request_fd: int, reply_fd: int) -> None:
    """Lock the calling process with one layer set. Raises OSError or LockError when the host refuses."""
    _APPLY[level](request_fd, reply_fd)
