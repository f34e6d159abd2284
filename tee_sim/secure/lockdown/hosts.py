"""Forking the hosts: one process for each trusted application and its spares, before any of them is locked.

A host is forked from the process that becomes the core, while that holds nothing secret: no root key, no open store.
From here on they share two private pipes and nothing else. Nothing forks after the lock, so what may be needed later
stands ready now.
"""

import os
import select
import signal
from collections.abc import Sequence
from typing import Final, NoReturn

from tee_sim.shared.lock_report import HostLink, LockError
from tee_sim.shared.sandbox import hygiene, kernel

_PR_SET_PDEATHSIG: Final = 1
_SURPRISE: Final = 70
"""Exit status when the lock itself failed (sysexits EX_SOFTWARE)."""


def fork_hosts(heaps_bytes: Sequence[int], request_fd: int, reply_fd: int) -> tuple[int, tuple[HostLink, ...]]:
    """Fork a host for each heap. Returns 0 and the links in the core, and the host's number from 1, without links, in
    each host, where `request_fd` and `reply_fd` are now its own pipes.

    Raises:
        LockError, OSError: a surprise; the caller ends.
    """
    if not heaps_bytes:
        return 0, ()
    core = os.pidfd_open(os.getpid())
    links: list[HostLink] = []
    for number in range(1, len(heaps_bytes) + 1):
        host_read, core_write = os.pipe()
        core_read, host_write = os.pipe()
        process_id = os.fork()
        if not process_id:
            _become_host(core, (host_read, host_write), (request_fd, reply_fd))
            return number, ()
        os.close(host_read)
        os.close(host_write)
        # Of these ends alone: a host that does not read or answer must not stop the core.
        os.set_blocking(core_read, False)
        os.set_blocking(core_write, False)
        links.append(HostLink(process_id, core_read, core_write, os.pidfd_open(process_id)))
    os.close(core)
    return 0, tuple(links)


def _become_host(core: int, own: tuple[int, int], numbers: tuple[int, int]) -> None:
    # 1. Dead with its core, also where no PID namespace sees to it. A process descriptor made before the fork is
    #    readable once that process ended, so there is no moment without the tie.
    kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    ended = select.poll()
    ended.register(core, select.POLLIN)
    if ended.poll(0):
        _end()
    # 2. The numbers of the client's pipes, which are closed by it: a host cannot reach the normal world, and every
    #    host has one and the same filter.
    for fd, number in zip(own, numbers, strict=True):
        os.dup2(fd, number, inheritable=False)
    # 3. Nobody else's: with an end of another host's pipe it could speak for it, and its death would not be noticed.
    hygiene.close_all_but(*numbers)
    hygiene.check_pipes(*numbers)


def _end() -> NoReturn:
    os._exit(_SURPRISE)


def data_limit(heap_bytes: int, base_bytes: int) -> str:
    """Limit this host's data to what it started with and its heap; nothing for a heap of 0. Returns words for people.

    Raises:
        LockError: there is less than nothing to limit.
    """
    if not heap_bytes:
        return "none"
    if base_bytes <= 0:
        raise LockError("the size of this process is not known")
    hygiene.limit_heap(base_bytes + heap_bytes)
    return f"{heap_bytes >> 10} KiB"
