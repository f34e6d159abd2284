"""Group I: the system call interface itself, and the filter."""

import ctypes
import struct

from bioguard.evidence.escape_battery.attempts.descriptors import files
from bioguard.evidence.escape_battery.attempts.network import seen
from bioguard.evidence.escape_battery.context import Context
from bioguard.evidence.escape_battery.model import attempt
from bioguard.evidence.escape_battery.raw import AF, SOCK, in4

GROUP = "I"
ALLOW_ALL = struct.pack("<HBBI", 0x06, 0, 0, 0x7FFF0000)


@attempt("32-bit entry: socket, connect and write by int 0x80", check=seen)
def int80_socket(c: Context) -> None:
    c.environment.int80(c.token, in4("127.0.0.1", c.environment.ports["tcp4"]), c.trace)


@attempt("x32 entry: socket", check=None)
def x32_socket(c: Context) -> None:
    c.trace.last_call = 0x40000000 | 41
    c.environment.raw_number(0x40000000 | 41, AF.INET, SOCK.DGRAM, 0)


@attempt("a number far above the table")
def high_nr(c: Context) -> None:
    c.trace.last_call = 1023
    c.environment.raw_number(1023)


@attempt("negative number")
def negative_nr(c: Context) -> None:
    c.trace.last_call = -2
    c.environment.raw_number(-2)


@attempt("garbage in the upper half of arguments: socket")
def hi32_args(c: Context) -> None:
    c.sys("socket", 0xDEAD_0000_0000 | AF.INET, 0xBEEF_0000_0000 | SOCK.DGRAM, 0)


@attempt("garbage in the upper half of the reply descriptor", check=lambda v: v.token in v.reply)
def hi32_write(c: Context) -> None:
    c.sys("write", 0xDEAD_0000_0000 | c.leaks.reply, c.token, len(c.token))


@attempt("readable, writable and executable memory")
def rwx_mmap(c: Context) -> None:
    c.sys("mmap", None, 4096, 7, 0x22, -1, 0)


@attempt("writable memory made executable")
def mprotect_exec(c: Context) -> None:
    address = c.sys("mmap", None, 4096, 3, 0x22, -1, 0)
    c.sys("mprotect", address, 4096, 5)


@attempt("memory protection keys made executable")
def pkey_mprotect_exec(c: Context) -> None:
    address = c.sys("mmap", None, 4096, 3, 0x22, -1, 0)
    c.sys("pkey_mprotect", address, 4096, 5, -1)


@attempt("dumpable again")
def dumpable_on(c: Context) -> None:
    c.sys("prctl", 4, 1, 0, 0, 0)


@attempt("allow any debugger")
def ptracer_any(c: Context) -> None:
    c.sys("prctl", 0x59616D61, -1, 0, 0, 0)


@attempt("second, permissive filter")
def second_seccomp(c: Context) -> None:
    c.sys("prctl", 38, 1, 0, 0, 0)
    program = ctypes.create_string_buffer(ALLOW_ALL, 8)
    c.sys("seccomp", 1, 0, struct.pack("<HxxxxxxQ", 1, ctypes.addressof(program)))


@attempt("filter with a listener outside")
def seccomp_notify_hijack(c: Context) -> None:
    c.sys("prctl", 38, 1, 0, 0, 0)
    program = ctypes.create_string_buffer(ALLOW_ALL, 8)
    c.sys("seccomp", 1, 8, struct.pack("<HxxxxxxQ", 1, ctypes.addressof(program)))


@attempt("permissive Landlock domain inside, then a write outside", check=files)
def landlock_widen(c: Context) -> None:
    fd = c.sys("landlock_create_ruleset", struct.pack("<Q", 1), 8, 0)
    c.sys("prctl", 38, 1, 0, 0, 0)
    c.sys("landlock_restrict_self", fd, 0)
    c.write_file(f"{c.outside}/widened")


@attempt("bpf map")
def bpf_map(c: Context) -> None:
    c.sys("bpf", 0, struct.pack("<IIIII", 2, 4, 4, 1, 0) + bytes(100), 120)


@attempt("performance counter")
def perf_event(c: Context) -> None:
    attributes = struct.pack("<IIQQQQQ", 1, 112, 1, 0, 0, 0, 1 | 1 << 5 | 1 << 6) + bytes(64)
    c.sys("perf_event_open", attributes, 0, -1, -1, 0)


@attempt("page fault handler descriptor")
def userfaultfd(c: Context) -> None:
    c.sys("userfaultfd", 1)


@attempt("personality")
def personality_set(c: Context) -> None:
    c.sys("personality", 0x0040000)


@attempt("timer descriptor")
def timerfd(c: Context) -> None:
    c.sys("timerfd_create", 1, 0)


@attempt("interval timer that signals")
def posix_timer(c: Context) -> None:
    c.sys("timer_create", 1, None, ctypes.byref(ctypes.c_int()))


@attempt("descriptor table of its own, with more room")
def rlimit_nofile_up(c: Context) -> None:
    c.sys("prlimit64", 0, 7, struct.pack("<QQ", 256, 256), None)
    c.sys("dup", c.leaks.reply)


@attempt("kernel module")
def init_module(c: Context) -> None:
    c.sys("finit_module", c.leaks.file, b"", 0)


@attempt("boot another kernel")
def kexec(c: Context) -> None:
    c.sys("kexec_load", 0, 0, None, 0)


@attempt("local descriptor table")
def modify_ldt(c: Context) -> None:
    c.sys("modify_ldt", 0, ctypes.create_string_buffer(16), 16)


@attempt("restartable sequence registered anew")
def rseq(c: Context) -> None:
    c.sys("membarrier", 16, 0, 0)


@attempt("kernel log by syslog(2)")
def syslog_call(c: Context) -> None:
    c.sys("syslog", 10, None, 0)


@attempt("asynchronous I/O context")
def aio(c: Context) -> None:
    c.sys("io_setup", 1, ctypes.byref(ctypes.c_ulong()))
