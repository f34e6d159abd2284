"""What a process and everything below it have spent and hold, from /proc."""

import os
import resource
import time
from pathlib import Path

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_PARENT, _OWN, _REAPED = 1, slice(11, 13), slice(13, 15)
"""Fields of /proc/PID/stat behind the name: ppid; utime and stime; cutime and cstime (proc(5))."""


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()


def _numbers(folder: str) -> list[int]:
    return [int(entry.name) for entry in Path(folder).iterdir() if entry.name.isdigit()]


def family(root: int) -> set[int]:
    """A process and all its living descendants."""
    parents: dict[int, int] = {}
    for pid in _numbers("/proc"):
        try:
            parents[pid] = int(_stat(pid)[_PARENT])
        except OSError:
            continue
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _spent_ns(pid: int) -> int:
    """Of one process and those it has reaped. The scheduler counts exactly while it sleeps; ticks where it does not."""
    try:
        fields = _stat(pid)
        folder = f"/proc/{pid}/task"
        tasks = [Path(f"{folder}/{task}/schedstat").read_text("ascii") for task in _numbers(folder)]
    except OSError:
        return 0
    own = max(sum(int(task.split()[0]) for task in tasks), sum(map(int, fields[_OWN])) * _TICK_NS)
    return own + sum(map(int, fields[_REAPED])) * _TICK_NS


def _below_ns() -> int:
    reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
    living = sum(_spent_ns(pid) for pid in family(os.getpid()) - {os.getpid()})
    return living + int((reaped.ru_utime + reaped.ru_stime) * 1e9)


class Spent:
    """Processor time of this process and all below it from here on; that of looking is not in it."""

    def __init__(self) -> None:
        self._below_ns = _below_ns()
        self._own_ns = time.process_time_ns()

    def ms(self) -> float:
        """Milliseconds until now, user and system."""
        own_ns = time.process_time_ns() - self._own_ns
        return (own_ns + _below_ns() - self._below_ns) / 1e6


def pss_kib(root: int) -> float | None:
    """Proportional set size of a process and everything below it. None where it may not be read: it takes root."""
    try:
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text("ascii") for pid in family(root)]
    except OSError:
        return None
    return float(sum(int(line.split()[1]) for text in texts for line in text.splitlines() if line.startswith("Pss:")))
