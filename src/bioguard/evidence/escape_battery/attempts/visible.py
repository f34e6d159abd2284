"""Group H: state of the process that the outside can see. The residuals live here."""

import ctypes
import os
import struct
import threading
import time

from bioguard.evidence.escape_battery.context import Context, View
from bioguard.evidence.escape_battery.model import attempt

GROUP = "H"
NICE, EXIT_BYTE = 11, 0xA5
RSS_BYTES = 48 << 20
BURN_TICKS = 4


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


@attempt("nice value", check=lambda v: v.stat(19) == NICE, lingers=True)
def nice_value(c: Context) -> None:
    c.sys("setpriority", 0, 0, NICE)


@attempt("input-output priority", check=lambda v: v.environment.io_priority(v.pid) == 0x6003, lingers=True)
def io_priority(c: Context) -> None:
    c.sys("ioprio_set", 1, 0, 0x6003)


@attempt("processor affinity mask", check=lambda v: v.status_field("Cpus_allowed_list") == "0", lingers=True)
def affinity(c: Context) -> None:
    c.sys("sched_setaffinity", 0, 8, struct.pack("<Q", 1))


@attempt("scheduling class", check=lambda v: v.stat(41) == 3, lingers=True)
def sched_policy(c: Context) -> None:
    c.sys("sched_setscheduler", 0, 3, struct.pack("<i", 0))


@attempt("out-of-memory score", check=lambda v: v.proc("oom_score_adj").strip() == "777", lingers=True)
def oom_score_adj(c: Context) -> None:
    c.write_file("/proc/self/oom_score_adj", b"777")


@attempt("own limits", check=lambda v: " 123 " in v.proc("limits"), lingers=True)
def rlimit_self(c: Context) -> None:
    c.sys("prlimit64", 0, 5, struct.pack("<QQ", 123, (1 << 64) - 1), None)


@attempt("locked memory", check=lambda v: v.kilobytes("VmLck") % 64 > 0, lingers=True)
def mlock_visible(c: Context) -> None:
    """The arena of the secure world is locked as well, always the same megabyte: a page more is the signal."""
    area = ctypes.create_string_buffer(8192)
    c.sys("mlock", ctypes.addressof(area), 4096)
    c.environment.keep_in_memory(area)


@attempt("number of threads", check=lambda v: v.status_field("Threads") == "2", lingers=True)
def thread_count_visible(c: Context) -> None:
    c.trace.last_call = c.environment.number_of("clone3")
    threading.Thread(target=time.sleep, args=(1,), daemon=True).start()


@attempt("blocked signals", check=lambda v: v.status_field("SigBlk").endswith("200"), lingers=True)
def signal_mask(c: Context) -> None:
    c.sys("rt_sigprocmask", 0, struct.pack("<Q", 1 << 9), None, 8)


@attempt("time slack", check=lambda v: v.proc("timerslack_ns").strip() == "123456", lingers=True)
def timer_slack(c: Context) -> None:
    c.sys("prctl", 29, 123456, 0, 0, 0)


@attempt("working directory", check=lambda v: v.environment.cwd_of(v.pid) == str(v.outside), lingers=True)
def cwd_visible(c: Context) -> None:
    c.sys("chdir", os.fsencode(c.outside))


@attempt("file mode mask", check=lambda v: v.status_field("Umask") == "0123", lingers=True)
def umask_visible(c: Context) -> None:
    c.sys("umask", 0o123)


@attempt("memory size", check=lambda v: v.kilobytes("VmRSS") > RSS_BYTES >> 10, lingers=True, residual=True)
def rss_modulate(c: Context) -> None:
    c.environment.keep_in_memory(bytearray(os.urandom(4096)) * (RSS_BYTES >> 12))


@attempt("processor time", check=lambda v: v.stat(14) + v.stat(15) >= BURN_TICKS, lingers=True, residual=True)
def cpu_burn(c: Context) -> None:
    while time.process_time() < BURN_TICKS * 0.02:
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
