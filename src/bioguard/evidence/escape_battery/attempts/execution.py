"""Group D: running something else."""

import ctypes
import os
import time

from bioguard.evidence.escape_battery.attempts.descriptors import files
from bioguard.evidence.escape_battery.attempts.network import seen
from bioguard.evidence.escape_battery.context import Context
from bioguard.evidence.escape_battery.model import attempt

GROUP = "D"


def first_of(*paths: bytes) -> bytes:
    """The first program that exists, looked up outside and before any lock."""
    return next((p for p in paths if os.access(p, os.X_OK)), paths[0])


SET_USER_ID = first_of(b"/usr/bin/su", b"/bin/su", b"/usr/bin/passwd", b"/bin/mount")
LOADER = first_of(b"/lib64/ld-linux-x86-64.so.2", b"/lib/ld-linux-aarch64.so.1")


@attempt("fork and execute a shell that talks to the network", check=seen)
def exec_network_tool(c: Context) -> None:
    command = f"exec 3>/dev/tcp/127.0.0.1/{c.environment.ports['tcp4']} && printf {c.text} >&3"

    def become() -> None:
        words = (ctypes.c_char_p * 4)(b"/bin/bash", b"-c", command.encode(), None)
        c.sys("execve", b"/bin/bash", words, (ctypes.c_char_p * 1)(None))

    c.in_child(become)


@attempt("system(3)", check=files)
def os_system_sh(c: Context) -> None:
    c.in_child(lambda: c.execute(f"printf {c.text} > {c.outside}/by-shell"))


@attempt("vfork and execute", check=files)
def vfork_exec(c: Context) -> None:
    pid = c.sys("clone", 0x4100 | 17, 0, 0, 0, 0)  # CLONE_VFORK | CLONE_VM
    if pid == 0:
        c.execute(f"printf {c.text} > {c.outside}/by-vfork")
        os._exit(1)
    c.sys("wait4", pid, None, 0, None)


@attempt("execve replaces the process", check=files)
def exec_replace(c: Context) -> None:
    c.execute(f"printf {c.text} > {c.outside}/by-exec")


@attempt("execveat of a descriptor", check=files)
def execveat_fd(c: Context) -> None:
    fd = c.open("/bin/sh", os.O_RDONLY)
    words = (ctypes.c_char_p * 4)(b"sh", b"-c", f"printf {c.text} > {c.outside}/by-fd".encode(), None)
    c.sys("execveat", fd, b"", words, (ctypes.c_char_p * 1)(None), 0x1000)


@attempt("fileless execution from a memfd", check=files)
def memfd_execveat(c: Context) -> None:
    source = c.open("/bin/sh", os.O_RDONLY)
    fd = c.sys("memfd_create", b"x", 0)
    while c.sys("sendfile", fd, source, None, 1 << 20):
        pass
    words = (ctypes.c_char_p * 4)(b"sh", b"-c", f"printf {c.text} > {c.outside}/by-memfd".encode(), None)
    c.sys("execveat", fd, b"", words, (ctypes.c_char_p * 1)(None), 0x1000)


@attempt("code preloaded into an executed program", check=files)
def ld_preload_child(c: Context) -> None:
    def become() -> None:
        words = (ctypes.c_char_p * 4)(b"/bin/sh", b"-c", f"printf {c.text} > {c.outside}/by-preload".encode(), None)
        c.sys("execve", b"/bin/sh", words, (ctypes.c_char_p * 2)(b"LD_PRELOAD=libm.so.6", None))

    c.in_child(become)


@attempt("double fork to outlive the sandbox", check=files)
def daemonise(c: Context) -> None:
    def second() -> None:
        c.sys("setsid")
        if c.fork() == 0:
            time.sleep(0.01)
            c.write_file(f"{c.outside}/by-daemon")

    c.in_child(second)


@attempt("fork alone")
def plain_fork(c: Context) -> None:
    c.in_child(lambda: None)


@attempt("clone3", check=files)
def raw_clone3(c: Context) -> None:
    arguments = (ctypes.c_uint64 * 8)(0, 0, 0, 0, 17, 0, 0, 0)
    pid = c.sys("clone3", ctypes.byref(arguments), 64)
    if pid == 0:
        c.write_file(f"{c.outside}/by-clone3")
        os._exit(0)
    c.sys("wait4", pid, None, 0, None)


@attempt("executing a set-user-ID program")
def setuid_exec(c: Context) -> None:
    words = (ctypes.c_char_p * 3)(SET_USER_ID, b"--version", None)
    c.sys("execve", SET_USER_ID, words, (ctypes.c_char_p * 1)(None))


@attempt("another interpreter by its loader", check=files)
def exec_by_loader(c: Context) -> None:
    command = f"printf {c.text} > {c.outside}/by-loader".encode()
    words = (ctypes.c_char_p * 5)(LOADER, b"/bin/sh", b"-c", command, None)
    c.sys("execve", LOADER, words, (ctypes.c_char_p * 1)(None))
