"""Group H: state of the process that the outside can see. The residuals live here."""

import ctypes
import os
import struct
import threading
import time
from collections.abc import Callable

from bioguard.evidence.escape_battery.context import Context, View
from bioguard.evidence.escape_battery.model import Shift, attempt

GROUP = "H"
EXIT_BYTE = 0xA5
RSS_BYTES = 48 << 20
RSS_SEEN_KB = 40 << 10
"""The process may give pages back while it fills the others."""
BURN_TICKS = 4
BEST_EFFORT = 0x4000
"""IOPRIO_CLASS_BE: the class that anybody may take, with eight levels."""
SCHED_OTHER, SCHED_BATCH, SCHED_IDLE = 0, 3, 5
RLIMIT_RSS = 5
"""Without effect since Linux 2.4.30 (getrlimit(2)), so an attempt that sets it disturbs nothing."""


def more_nice(view: View, before: int | None) -> int | None:
    """A larger nice value, which needs no privilege; there is none above 19."""
    start = before or 0
    return start + 1 + view.number % (19 - start) if start < 19 else None


def io_level(view: View, before: int | None) -> int:
    level = view.number % 8
    return BEST_EFFORT | ((level + 1) % 8 if before == BEST_EFFORT | level else level)


def one_cpu(view: View, before: int | None) -> int | None:
    """One processor of those within reach; None on one of one."""
    cpus = [cpu for cpu in view.environment.cpus if cpu != before]
    return cpus[view.number % len(cpus)] if cpus else None


def only_cpu(view: View) -> int | None:
    """The one processor of the process, -1 for several."""
    text = view.status_field("Cpus_allowed_list")
    return (int(text) if text.isdecimal() else -1) if text else None


CPU_MASK_BYTES = 1024
"""8 192 processors, the most that Linux is built for (CONFIG_NR_CPUS)."""


def cpu_mask(cpu: int) -> bytes:
    return (1 << cpu).to_bytes(CPU_MASK_BYTES, "little")


def other_class(view: View, before: int | None) -> int | None:
    """A scheduling class that anybody may take. Out of SCHED_IDLE only a limit for nice values helps (sched(7))."""
    return None if before == SCHED_IDLE else SCHED_OTHER if before == SCHED_BATCH else SCHED_BATCH


def higher_score(view: View, before: int | None) -> int | None:
    """A higher score needs no privilege; there is none above 1000."""
    start = before or 0
    return start + 1 + view.number % (1000 - start) if start < 1000 else None


def lower_limit(view: View, before: int | None) -> int | None:
    """Another soft limit that the hard one allows."""
    value = min(view.number, view.environment.hard_rss)
    value -= value == before
    return value if value >= 0 else None


def one_signal_more(view: View, before: int | None) -> int | None:
    """The mask with one more of the signals 1 to 31 that can be blocked."""
    free = [bit for bit in range(31) if bit not in (8, 18) and not (before or 0) >> bit & 1]
    return (before or 0) | 1 << free[view.number % len(free)] if free else None


def other_mask(view: View, before: int | None) -> int:
    return 0o321 if before == 0o123 else 0o123


def other_slack(view: View, before: int | None) -> int:
    return view.number + (view.number == before)


def plus(amount: int) -> Callable[[View, int | None], int]:
    return lambda view, before: (before or 0) + amount


def ticks(view: View) -> int | None:
    user, system = view.stat(14), view.stat(15)
    return None if user is None or system is None else user + system


@attempt("process name by prctl", check=lambda v: v.text_in("comm"), lingers=True)
def comm_name(c: Context) -> None:
    c.sys("prctl", 15, c.token[:15] + b"\0", 0, 0, 0)


@attempt("process name by /proc", check=lambda v: v.text_in("comm"), lingers=True)
def comm_procfs(c: Context) -> None:
    c.write_file("/proc/self/comm", c.token[:15])


@attempt("overwriting argv in memory", check=lambda v: v.text_in("cmdline"), lingers=True)
def argv_rewrite(c: Context) -> None:
    ctypes.memmove(c.environment.argv_address, c.token[:8] + b"\0", 9)


@attempt("overwriting environ in memory", check=lambda v: v.text_in("environ"), lingers=True)
def environ_rewrite(c: Context) -> None:
    ctypes.memmove(c.environment.environ_address, c.token[:8] + b"\0", 9)


@attempt("same user reads /proc/pid/mem", check=lambda v: v.environment.memory_readable(v.pid, v.token), lingers=True)
def mem_readable_outside(c: Context) -> None:
    c.environment.keep_in_memory(c.token)


@attempt("nice value", check=Shift(lambda v: v.stat(19), more_nice), lingers=True)
def nice_value(c: Context) -> None:
    c.sys("setpriority", 0, 0, c.aim)


@attempt("input-output priority", check=Shift(lambda v: v.environment.io_priority(v.pid), io_level), lingers=True)
def io_priority(c: Context) -> None:
    c.sys("ioprio_set", 1, 0, c.aim)


@attempt("processor affinity mask", check=Shift(only_cpu, one_cpu), lingers=True)
def affinity(c: Context) -> None:
    c.sys("sched_setaffinity", 0, CPU_MASK_BYTES, cpu_mask(c.aim))


@attempt("scheduling class", check=Shift(lambda v: v.stat(41), other_class), lingers=True)
def sched_policy(c: Context) -> None:
    c.sys("sched_setscheduler", 0, c.aim, struct.pack("<i", 0))


@attempt("out-of-memory score", check=Shift(lambda v: v.whole("oom_score_adj"), higher_score), lingers=True)
def oom_score_adj(c: Context) -> None:
    c.write_file("/proc/self/oom_score_adj", b"%d" % c.aim)


@attempt(
    "own limits", check=Shift(lambda v: v.environment.soft_limit(v.pid, "resident set"), lower_limit), lingers=True
)
def rlimit_self(c: Context) -> None:
    c.sys("prlimit64", 0, RLIMIT_RSS, struct.pack("<QQ", c.aim, c.environment.hard_rss), None)


@attempt("locked memory", check=Shift(lambda v: v.status_number("VmLck"), plus(4), grows=True), lingers=True)
def mlock_visible(c: Context) -> None:
    """The arena of the secure world is locked as well: a page more is the signal."""
    area = ctypes.create_string_buffer(8192)
    c.sys("mlock", ctypes.addressof(area), 4096)
    c.environment.keep_in_memory(area)


@attempt("number of threads", check=Shift(lambda v: v.status_number("Threads"), plus(1)), lingers=True)
def thread_count_visible(c: Context) -> None:
    c.trace.last_call = c.environment.number_of("clone3")
    threading.Thread(target=time.sleep, args=(1,), daemon=True).start()


@attempt("blocked signals", check=Shift(lambda v: v.status_number("SigBlk", 16), one_signal_more), lingers=True)
def signal_mask(c: Context) -> None:
    c.sys("rt_sigprocmask", 2, struct.pack("<Q", c.aim), None, 8)


@attempt("time slack", check=Shift(lambda v: v.whole("timerslack_ns"), other_slack), lingers=True)
def timer_slack(c: Context) -> None:
    c.sys("prctl", 29, c.aim, 0, 0, 0)


@attempt(
    "working directory",
    check=lambda v: v.environment.cwd_of(v.pid) == str(v.outside),
    lingers=True,
)
def cwd_visible(c: Context) -> None:
    c.sys("chdir", os.fsencode(c.outside))


@attempt("file mode mask", check=Shift(lambda v: v.status_number("Umask", 8), other_mask), lingers=True)
def umask_visible(c: Context) -> None:
    c.sys("umask", c.aim)


@attempt(
    "memory size",
    check=Shift(lambda v: v.status_number("VmRSS"), plus(RSS_SEEN_KB), grows=True),
    lingers=True,
    residual=True,
)
def rss_modulate(c: Context) -> None:
    c.environment.keep_in_memory(bytearray(os.urandom(4096)) * (RSS_BYTES >> 12))


@attempt("processor time", check=Shift(ticks, plus(BURN_TICKS), grows=True), lingers=True, residual=True)
def cpu_burn(c: Context) -> None:
    start = time.process_time()
    while time.process_time() - start < BURN_TICKS * 0.02:
        pass


def _exit_byte(view: View) -> bool:
    return view.status is not None and os.WIFEXITED(view.status) and os.WEXITSTATUS(view.status) == EXIT_BYTE


@attempt("exit status", check=_exit_byte, residual=True)
def exit_code(c: Context) -> None:
    c.sys("exit_group", EXIT_BYTE)


@attempt(
    "dying as a signal", check=lambda v: v.status is not None and not _exit_byte(v) and v.status != 0, residual=True
)
def crash_bit(c: Context) -> None:
    ctypes.string_at(0)


@attempt("bytes in the reply", check=lambda v: v.token in v.reply, residual=True)
def ipc_write_any(c: Context) -> None:
    c.sys("write", c.leaks.reply, c.token, len(c.token))
