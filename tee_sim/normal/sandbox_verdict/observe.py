"""What the normal world sees of the secure world's process without asking it: /proc, and the filter read back.

A fact that this caller may not read is None, never a guess. An unprivileged caller sees status, mounts, network
counters and limits; descriptors, namespace ids and the filter itself need root.
"""

import contextlib
import ctypes
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from itertools import count
from pathlib import Path
from typing import Final, TypeVar

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.lock_report import LockReport

T = TypeVar("T")

_PTRACE_SEIZE, _PTRACE_INTERRUPT, _PTRACE_DETACH = 0x4206, 0x4207, 17
_PTRACE_SECCOMP_GET_FILTER: Final = 0x420C
_MAX_FILTERS: Final = 32
_STOP_TIMEOUT_S: Final = 2.0
_YIELDS: Final = 100
"""It stops as soon as it has a processor: with one free, within microseconds, and a sleep takes 250."""
_NAMESPACES: Final = ("user", "mnt", "net", "pid", "ipc", "uts", "cgroup")
PROCESS_DESCRIPTOR: Final = "anon_inode:[pidfd]"
_SHARED_AND_WRITABLE: Final = re.compile(" [r-]w[x-]s ")
"""In a line of /proc/<pid>/maps; a name may hold it too."""

_CLOSED: Final = ("Max file size", "Max core file size", "Max open files", "Max processes")
_WAITER_TIMEOUT_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Outside facts. None means: this caller could not read it.

    Attributes:
        platform: sys.platform of the normal world.
        process_id: the process that runs trusted code (not the waiter).
        seccomp_mode: 0 off, 2 filter. filter_count: how many filters.
        traced: whether another process may read and change its memory by ptrace(2).
        capabilities: all five sets joined as one number; 0 means none anywhere.
        pid_is_1: whether it is the first process of a PID namespace.
        inner_process_id: its number in the innermost PID namespace.
        own_user_map: whether its uid_map is not ours.
        mounts: (mount point, type, options) of every mount it sees.
        network_id: of its network namespace: the same number is the same namespace.
        interfaces: (name, received bytes, sent bytes) in its network namespace.
        sockets: sockets that exist in its network namespace, of any family, by the count of the kernel.
        namespaces: names of the namespaces that differ from ours.
        descriptors: (number, target) of every open descriptor.
        our_pipes: the pipes among them that we hold an end of as well.
        shared_memory: (device and inode, name) of every mapping that it may write and another process could map too.
        filters: raw bytes of every filter, as the kernel holds them.
        limits: (name, soft limit) for file size, core size, open files and processes.
        data_bytes: private writable memory that it has.
        data_limit: how far that may grow, as the kernel writes it: bytes, or unlimited.
        command_line_bytes: visible argv bytes.
        watched: (descriptor, process) of every process descriptor, numbered as we count processes.
    """

    platform: str = field(default_factory=lambda: sys.platform)
    process_id: int = 0
    seccomp_mode: int | None = None
    filter_count: int | None = None
    no_new_privileges: bool | None = None
    threads: int | None = None
    traced: bool | None = None
    capabilities: int | None = None
    pid_is_1: bool | None = None
    inner_process_id: int | None = None
    own_user_map: bool | None = None
    mounts: tuple[tuple[str, str, str], ...] | None = None
    network_id: int | None = None
    interfaces: tuple[tuple[str, int, int], ...] | None = None
    sockets: int | None = None
    namespaces: tuple[str, ...] | None = None
    descriptors: tuple[tuple[int, str], ...] | None = None
    our_pipes: tuple[str, ...] | None = None
    shared_memory: tuple[tuple[str, str], ...] | None = None
    filters: tuple[bytes, ...] | None = None
    limits: tuple[tuple[str, str], ...] | None = None
    data_bytes: int | None = None
    data_limit: str | None = None
    command_line_bytes: int | None = None
    watched: tuple[tuple[int, int], ...] | None = None

    def to_record(self) -> dict[str, object]:
        """Plain values for evidence."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}


def _plain(value: object) -> object:
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def _or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except (OSError, ValueError, KeyError, IndexError):
        return None


def children_of(pid: int) -> tuple[int, ...]:
    """The processes that `pid` has started and that still run."""
    listed = _or_none(lambda: _text(Path(f"/proc/{pid}/task/{pid}"), "children").split())
    if listed is None:  # a kernel without CONFIG_PROC_CHILDREN
        listed = [p.name for p in Path("/proc").iterdir() if p.name.isdigit() and _parent_of(p) == pid]
    return tuple(map(int, listed))


def secure_process_id(pid: int, report: LockReport) -> int:
    """The core's process behind `pid`: its only child when the secure world has a PID namespace, else itself.

    Raises:
        ProcessLookupError: there is no such child (any more).
    """
    if not report.applied("pid-1"):
        return pid
    children = children_of(pid)
    if len(children) != 1:
        raise ProcessLookupError(f"the waiter has {len(children)} children, expected one")
    return children[0]


def _parent_of(process: Path) -> int:
    status = _or_none(lambda: _status(process))
    return int(status["PPid"]) if status else 0


def _text(process: Path, name: str) -> str:
    return (process / name).read_bytes().decode("utf-8", "replace")


def _status(process: Path) -> dict[str, str]:
    lines = _text(process, "status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """What is ours, to be compared with what is theirs. None and nothing: this caller could not read it."""

    user_map: bytes | None = field(default_factory=lambda: _or_none(lambda: Path("/proc/self/uid_map").read_bytes()))
    namespaces: dict[str, str] = field(default_factory=lambda: _or_none(lambda: _namespaces(Path("/proc/self"))) or {})
    pipes: frozenset[str] = field(default_factory=lambda: frozenset(_own_pipes()))


def observe(pid: int, report: LockReport, *, read_filter: bool = True, ours: Ours | None = None) -> Observation:
    """Look at the secure world from outside.

    Args:
        pid: the process that was started.
        report: only to know whether `pid` is a waiter; nothing else in it is believed here.
        read_filter: read the filter back where we may (root; stops the process for some microseconds).
        ours: as of `look`.

    Raises:
        ProcessLookupError: it is gone.
    """
    if sys.platform != "linux":
        return Observation(process_id=pid)
    return look(secure_process_id(pid, report), read_filter=read_filter, ours=ours)


def observe_waiter(pid: int, report: LockReport, core: Observation, *, ours: Ours | None = None) -> Observation | None:
    """Look at the process between us and the core; None where there is none.

    It locks itself while the core goes on, and may not have been scheduled since: it is given some time to do it.

    Raises:
        ProcessLookupError: it is gone.
    """
    if sys.platform != "linux" or not report.applied("pid-1"):
        return None
    deadline = time.monotonic() + _WAITER_TIMEOUT_S
    # The filter is the last thing that it loads, on top of those that both came with: with it everything is done.
    as_many = _or_none(lambda: _filters(core.process_id))
    while time.monotonic() < deadline and _or_none(lambda: _filters(pid)) not in (None, as_many):
        time.sleep(0.001)
    return look(pid, neighbor=core, ours=ours)


def _filters(pid: int) -> tuple[str, str]:
    status = _status(Path(f"/proc/{pid}"))
    return status["Seccomp"], status.get("Seccomp_filters", "")


def look(
    target: int, *, read_filter: bool = True, neighbor: Observation | None = None, ours: Ours | None = None
) -> Observation:
    """Look at this very process.

    Args:
        neighbor: seen before; of a process in the same network namespace its counters and sockets are taken over.
        ours: read before, for a look at several processes.

    Raises:
        ProcessLookupError: it is gone.
    """
    process = Path(f"/proc/{target}")
    network_id = _or_none(lambda: (process / "net/dev").stat().st_ino)
    shared = neighbor if neighbor is not None and network_id and neighbor.network_id == network_id else None
    try:
        status = _status(process)
    except OSError as error:
        raise ProcessLookupError(f"process {target} is gone") from error
    own = ours or Ours()
    limits = _or_none(lambda: _limits(process)) or {}
    descriptors = _or_none(lambda: tuple(_descriptors(process)))
    return Observation(
        process_id=target,
        seccomp_mode=_or_none(lambda: int(status["Seccomp"])),
        filter_count=_or_none(lambda: int(status["Seccomp_filters"])),
        no_new_privileges=_or_none(lambda: status["NoNewPrivs"] == "1"),
        threads=_or_none(lambda: int(status["Threads"])),
        traced=_or_none(lambda: status["TracerPid"] != "0"),
        capabilities=_or_none(lambda: _capabilities(status)),
        pid_is_1=_or_none(lambda: len(status["NSpid"].split()) > 1 and status["NSpid"].split()[-1] == "1"),
        inner_process_id=_or_none(lambda: int(status["NSpid"].split()[-1])),
        own_user_map=None
        if own.user_map is None
        else _or_none(lambda: (process / "uid_map").read_bytes() != own.user_map),
        mounts=_or_none(lambda: tuple(_mounts(process))),
        network_id=network_id,
        interfaces=shared.interfaces if shared else _or_none(lambda: tuple(_interfaces(process))),
        sockets=shared.sockets if shared else _or_none(lambda: _sockets(process)),
        namespaces=_or_none(lambda: tuple(n for n, its in _namespaces(process).items() if its != own.namespaces[n])),
        descriptors=descriptors,
        our_pipes=None if descriptors is None else tuple(sorted({its for _, its in descriptors} & own.pipes)),
        shared_memory=_or_none(lambda: tuple(_shared_memory(process))),
        filters=_or_none(lambda: tuple(_read_filters(target))) if read_filter and os.geteuid() == 0 else None,
        limits=_or_none(lambda: tuple((name, limits[name]) for name in _CLOSED)),
        data_bytes=_or_none(lambda: int(status["VmData"].split()[0]) << 10),
        data_limit=limits.get("Max data size"),
        command_line_bytes=_or_none(lambda: len((process / "cmdline").read_bytes())),
        watched=None if descriptors is None else _or_none(lambda: tuple(_watched(process, descriptors))),
    )


def _capabilities(status: dict[str, str]) -> int:
    return sum(int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"))


def _mounts(process: Path) -> Iterator[tuple[str, str, str]]:
    for line in _text(process, "mountinfo").splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split()
        yield fields[4], right.split()[0], fields[5]


def _interfaces(process: Path) -> Iterator[tuple[str, int, int]]:
    for line in _text(process, "net/dev").splitlines()[2:]:
        name, _, counters = line.partition(":")
        numbers = counters.split()
        yield name.strip(), int(numbers[0]), int(numbers[8])


def _sockets(process: Path) -> int:
    """All but the kernel's own. The tables of the protocols say less, and the kernel walks all its memory for them."""
    word, _, count = _text(process / "net", "sockstat").partition("\n")[0].rpartition(" ")
    if word != "sockets: used":
        raise ValueError("a kernel that does not count its sockets")
    return int(count)


def _namespaces(process: Path) -> dict[str, str]:
    return {name: str((process / "ns" / name).readlink()) for name in _NAMESPACES}


def _descriptors(process: Path) -> Iterator[tuple[int, str]]:
    for entry in sorted((process / "fd").iterdir(), key=lambda p: int(p.name)):
        yield int(entry.name), str(entry.readlink())


def _own_pipes() -> set[str]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # of this very listing, or closed meanwhile by another thread
            found.add(str(entry.readlink()))
    return {target for target in found if target.startswith("pipe:")}


def _watched(process: Path, descriptors: Sequence[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    for number, target in descriptors:
        if target == PROCESS_DESCRIPTOR:
            rows = _text(process, f"fdinfo/{number}").splitlines()
            yield number, int(next(row for row in rows if row.startswith("Pid:")).split()[1])


def _shared_memory(process: Path) -> Iterator[tuple[str, str]]:
    text = _text(process, "maps")
    for found in _SHARED_AND_WRITABLE.finditer(text):
        line = text[text.rfind("\n", 0, found.start()) + 1 :].partition("\n")[0]
        _, permissions, _, device, inode, *name = line.split(maxsplit=5)
        if permissions[1] == "w" and permissions[3] == "s":
            yield f"{device} {inode}", "".join(name)


def _limits(process: Path) -> dict[str, str]:
    """Soft limits by name."""
    text = _text(process, "limits")
    return {line[:26].strip(): line[26:].split()[0] for line in text.splitlines()[1:]}


def _read_filters(pid: int) -> Iterator[bytes]:
    """Stop the process, copy its filters out of the kernel, let it go on. Needs root. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)

    def ptrace(request: int, address: int, data: object) -> int:
        result: int = libc.ptrace(ctypes.c_long(request), pid, ctypes.c_void_p(address), data)
        if result < 0:
            raise OSError(ctypes.get_errno(), "ptrace")
        return result

    ptrace(_PTRACE_SEIZE, 0, None)
    try:
        ptrace(_PTRACE_INTERRUPT, 0, None)
        _wait_until_stopped(pid)
        for index in range(_MAX_FILTERS):
            try:
                length = ptrace(_PTRACE_SECCOMP_GET_FILTER, index, None)
            except FileNotFoundError:  # ENOENT: no filter of that index
                return
            buffer = ctypes.create_string_buffer(length * 8)
            ptrace(_PTRACE_SECCOMP_GET_FILTER, index, buffer)
            yield buffer.raw
    finally:
        with contextlib.suppress(OSError):
            ptrace(_PTRACE_DETACH, 0, None)


def _wait_until_stopped(pid: int) -> None:
    """Look without reaping: the process may be a child whose parent waits for its exit status."""
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    for turn in count():
        event = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if event is not None:
            if event.si_code in (os.CLD_TRAPPED, os.CLD_STOPPED):
                return
            raise ProcessLookupError(f"process {pid} ended")
        if time.monotonic() >= deadline:
            raise TimeoutError("the process did not stop")
        if turn < _YIELDS:
            os.sched_yield()
        else:
            time.sleep(0.0002)
