"""Group G: other processes. The only victim is a process that the environment started for this."""

import ctypes
import os
import struct

from bioguard.evidence.escape_battery.attempts.descriptors import files
from bioguard.evidence.escape_battery.attempts.network import seen
from bioguard.evidence.escape_battery.attempts.visible import CPU_MASK_BYTES, cpu_mask, more_nice, one_cpu
from bioguard.evidence.escape_battery.context import Context, View
from bioguard.evidence.escape_battery.model import Shift, attempt

GROUP = "G"
PTRACE_ATTACH, PTRACE_DETACH = 16, 17
SIGUSR1 = 10
RLIMIT_NOFILE = 7


def victim_memory(view: View) -> bool:
    return view.environment.victim_memory() == view.token


def victim_signal(view: View) -> bool:
    return view.environment.victim_signaled()


@attempt("attach to another process as its debugger")
def ptrace_victim(c: Context) -> None:
    c.sys("ptrace", PTRACE_ATTACH, c.environment.victim_pid, 0, 0)
    c.sys("wait4", c.environment.victim_pid, None, 0x40000000, None)
    c.sys("ptrace", PTRACE_DETACH, c.environment.victim_pid, 0, 0)


@attempt("write into the memory of another process", check=victim_memory)
def vm_writev_victim(c: Context) -> None:
    data = ctypes.create_string_buffer(c.token, len(c.token))
    local = struct.pack("<QQ", ctypes.addressof(data), len(c.token))
    remote = struct.pack("<QQ", c.environment.victim_address, len(c.token))
    c.sys("process_vm_writev", c.environment.victim_pid, local, 1, remote, 1, 0)


@attempt("write into /proc/pid/mem of another process", check=victim_memory)
def procmem_victim(c: Context) -> None:
    fd = c.open(f"/proc/{c.environment.victim_pid}/mem", os.O_RDWR)
    c.sys("pwrite64", fd, c.token, len(c.token), c.environment.victim_address)


@attempt("steal the socket of another process and send", check=seen)
def pidfd_getfd_victim(c: Context) -> None:
    process = c.sys("pidfd_open", c.environment.victim_pid, 0)
    fd = c.sys("pidfd_getfd", process, c.environment.victim_socket, 0)
    c.sys("sendto", fd, c.token, len(c.token), 0, None, 0)


@attempt("reopen a file of another process", check=files)
def procfd_victim(c: Context) -> None:
    c.write_file(f"/proc/{c.environment.victim_pid}/fd/{c.environment.victim_file}")


@attempt("write through the root of another process", check=files)
def proc_root_victim(c: Context) -> None:
    c.write_file(f"/proc/{c.environment.victim_pid}/root{c.outside}/by-root")


@attempt("write through the working directory of another process", check=files)
def proc_cwd_victim(c: Context) -> None:
    c.write_file(f"/proc/{c.environment.victim_pid}/cwd/by-cwd")


@attempt("signal to another process", check=victim_signal)
def signal_victim(c: Context) -> None:
    c.sys("kill", c.environment.victim_pid, SIGUSR1)


@attempt("signal to a thread of another process", check=victim_signal)
def tgkill_victim(c: Context) -> None:
    c.sys("tgkill", c.environment.victim_pid, c.environment.victim_pid, SIGUSR1)


@attempt("signal by a process descriptor", check=victim_signal)
def pidfd_signal_victim(c: Context) -> None:
    process = c.sys("pidfd_open", c.environment.victim_pid, 0)
    c.sys("pidfd_send_signal", process, SIGUSR1, None, 0)


@attempt("queued signal with a payload", check=victim_signal)
def sigqueue_victim(c: Context) -> None:
    information = struct.pack("<iii4xiiq", SIGUSR1, 0, -1, c.sys("getpid"), c.environment.uid, 7) + bytes(96)
    c.sys("rt_sigqueueinfo", c.environment.victim_pid, SIGUSR1, information)


@attempt("let the kernel signal another process by F_SETOWN", check=victim_signal)
def fsetown_sigio(c: Context) -> None:
    pair = ctypes.create_string_buffer(8)
    c.sys("pipe2", pair, 0)
    read_end, write_end = struct.unpack("<ii", pair.raw)
    c.sys("fcntl", read_end, 8, c.environment.victim_pid)
    c.sys("fcntl", read_end, 10, SIGUSR1)
    c.sys("fcntl", read_end, 4, 0o20000)
    c.sys("write", write_end, b"x", 1)


@attempt("does a process exist")
def kill_probe(c: Context) -> None:
    c.sys("kill", c.environment.victim_pid, 0)


def other_number_of_files(view: View, before: int | None) -> int | None:
    """Another soft limit that the hard one allows; the victim opens nothing more."""
    value = min(view.number % 256, view.environment.hard_files)
    value -= value == before
    return value if value >= 0 else None


@attempt(
    "limit of another process",
    check=Shift(lambda v: v.environment.soft_limit(v.environment.victim_pid, "open files"), other_number_of_files),
)
def prlimit_victim(c: Context) -> None:
    limits = struct.pack("<QQ", c.aim, c.environment.hard_files)
    c.sys("prlimit64", c.environment.victim_pid, RLIMIT_NOFILE, limits, None)


@attempt("priority of another process", check=Shift(lambda v: v.environment.victim_nice(), more_nice))
def setpriority_victim(c: Context) -> None:
    c.sys("setpriority", 0, c.environment.victim_pid, c.aim)


@attempt("processor affinity of another process", check=Shift(lambda v: v.environment.victim_cpu(), one_cpu))
def affinity_victim(c: Context) -> None:
    c.sys("sched_setaffinity", c.environment.victim_pid, CPU_MASK_BYTES, cpu_mask(c.aim))


@attempt("advice on the memory of another process")
def process_madvise_victim(c: Context) -> None:
    process = c.sys("pidfd_open", c.environment.victim_pid, 0)
    vector = struct.pack("<QQ", c.environment.victim_address & ~4095, 4096)
    c.sys("process_madvise", process, vector, 1, 20, 0)


@attempt("compare kernel objects with another process")
def kcmp_victim(c: Context) -> None:
    c.sys("kcmp", c.sys("getpid"), c.environment.victim_pid, 1, 0, 0)


@attempt("enter the network namespace of another process")
def setns_victim(c: Context) -> None:
    c.sys("setns", c.open(f"/proc/{c.environment.victim_pid}/ns/net", os.O_RDONLY), 0)


@attempt("enter the user namespace of another process")
def setns_user_victim(c: Context) -> None:
    c.sys("setns", c.open(f"/proc/{c.environment.victim_pid}/ns/user", os.O_RDONLY), 0x10000000)


@attempt("own user and network namespace")
def unshare_user_net(c: Context) -> None:
    c.sys("unshare", 0x50000000)


@attempt("raw frames in a network namespace of its own")
def userns_packet(c: Context) -> None:
    c.sys("unshare", 0x50000000)
    c.socket(17, 3, 0x0300)


@attempt("tunnel device")
def tun_tap(c: Context) -> None:
    fd = c.open("/dev/net/tun", os.O_RDWR)
    c.sys("ioctl", fd, 0x400454CA, struct.pack("<16sH22x", b"", 1))


@attempt("tunnel device in a network namespace of its own")
def userns_tun(c: Context) -> None:
    c.sys("unshare", 0x50000000)
    tun_tap(c)
