"""Group C: descriptors that a careless launcher left open."""

import ctypes
import os
import struct

from bioguard.evidence.escape_battery.attempts.network import seen
from bioguard.evidence.escape_battery.context import Context, View
from bioguard.evidence.escape_battery.model import Shift, attempt

GROUP = "C"
SOL_SOCKET, SCM_RIGHTS = 1, 1
TIOCSTI = 0x5412


def files(view: View) -> bool:
    return view.in_files()


def printed(view: View) -> bool:
    return view.token in view.output


def other_number(view: View, before: int | None) -> int:
    return view.number + (view.number == before)


def other_flags(view: View, before: int | None) -> int:
    return (before or 0) ^ os.O_NONBLOCK


def other_pipe_size(view: View, before: int | None) -> int:
    """Smaller is allowed to everybody; a user with many pipes gets small ones from the start (pipe(7))."""
    return 8192 if before != 8192 else 4096


class Message:
    """struct msghdr with one byte of data and room for one descriptor."""

    def __init__(self, fd: int | None) -> None:
        self.data = ctypes.create_string_buffer(b"x", 1)
        self.vector = ctypes.create_string_buffer(struct.pack("<QQ", ctypes.addressof(self.data), 1), 16)
        content = struct.pack("<QiiI4x", 20, SOL_SOCKET, SCM_RIGHTS, fd) if fd is not None else bytes(24)
        self.control = ctypes.create_string_buffer(content, 24)
        header = struct.pack(
            "<QIxxxxQQQQixxxx", 0, 0, ctypes.addressof(self.vector), 1, ctypes.addressof(self.control), 24, 0
        )
        self.header = ctypes.create_string_buffer(header, len(header))


@attempt("pass a descriptor out over an inherited socket pair", check=lambda v: v.environment.received_descriptor())
def scm_rights_send(c: Context) -> None:
    message = Message(c.leaks.store)
    c.sys("sendmsg", c.leaks.pair, message.header, 0)


@attempt("take an outside descriptor over an inherited socket pair and write to it", check=files)
def scm_rights_recv(c: Context) -> None:
    message = Message(None)
    c.sys("recvmsg", c.leaks.pair, message.header, 0)
    fd = struct.unpack_from("<i", message.control.raw, 16)[0]
    c.sys("write", fd, c.token, len(c.token))


@attempt("send on a leaked connected socket", check=seen)
def sendto_inherited_sock(c: Context) -> None:
    c.sys("sendto", c.leaks.socket, c.token, len(c.token), 0, None, 0)


@attempt("write on a leaked connected socket", check=seen)
def write_inherited_sock(c: Context) -> None:
    c.sys("write", c.leaks.socket, c.token, len(c.token))


@attempt("writev on a leaked connected socket", check=seen)
def writev_inherited_sock(c: Context) -> None:
    data = ctypes.create_string_buffer(c.token, len(c.token))
    c.sys("writev", c.leaks.socket, struct.pack("<QQ", ctypes.addressof(data), len(c.token)), 1)


@attempt("write on a leaked file", check=files)
def write_inherited_file(c: Context) -> None:
    c.sys("write", c.leaks.file, c.token, len(c.token))


@attempt("pwrite on a leaked file", check=files)
def pwrite_inherited_file(c: Context) -> None:
    c.sys("pwrite64", c.leaks.file, c.token, len(c.token), 64)


@attempt("sendfile from a leaked file to a leaked socket", check=seen)
def sendfile_out(c: Context) -> None:
    c.sys("pwrite64", c.leaks.store, c.token, len(c.token), 0)
    c.sys("sendfile", c.leaks.socket, c.leaks.store, struct.pack("<q", 0), len(c.token))


@attempt("splice from a leaked file into a pipe")
def splice_out(c: Context) -> None:
    pair = ctypes.create_string_buffer(8)
    c.sys("pipe2", pair, 0)
    c.sys("splice", c.leaks.store, struct.pack("<q", 0), struct.unpack("<ii", pair.raw)[1], None, 8, 0)


@attempt(
    "offset of a shared description as a signal",
    check=Shift(lambda v: v.environment.shared_offset(), other_number),
)
def lseek_shared_offset(c: Context) -> None:
    c.sys("lseek", c.leaks.file, c.aim, 0)


@attempt("time stamp of a leaked file", check=Shift(lambda v: v.environment.leaked_mtime(), other_number))
def futime_inherited(c: Context) -> None:
    c.sys("utimensat", c.leaks.file, None, struct.pack("<4q", c.aim, 0, c.aim, 0), 0)


@attempt("mapping a leaked file and storing into it", check=files)
def mmap_inherited_file(c: Context) -> None:
    c.sys("ftruncate", c.leaks.file, 4096)
    address = c.sys("mmap", None, 4096, 3, 1, c.leaks.file, 0)
    ctypes.memmove(address, c.token, len(c.token))


@attempt("reopening a read-only descriptor for writing by /proc/self/fd", check=files)
def reopen_ro_fd(c: Context) -> None:
    c.write_file(f"/proc/self/fd/{c.leaks.read_only}")


@attempt("opening relative to a leaked root directory", check=files)
def dirfd_openat_escape(c: Context) -> None:
    path = os.fsencode(c.outside.lstrip("/") + "/escaped")
    fd = c.sys("openat", c.leaks.root_directory, path, os.O_WRONLY | os.O_CREAT, 0o600)
    c.sys("write", fd, c.token, len(c.token))


@attempt("fchdir to a leaked root directory", check=files)
def fchdir_escape(c: Context) -> None:
    c.sys("fchdir", c.leaks.root_directory)
    c.write_file(c.outside.lstrip("/") + "/escaped")


def one_less(view: View, before: int | None) -> int | None:
    return None if before == 0 else (before or 1) - 1


def higher_descriptor(view: View, before: int | None) -> int | None:
    """A free number above the highest and below the limit."""
    most = min(view.environment.hard_files, 256)
    start = most // 2 if before is None else before + 1
    room = most - start
    return start + view.number % room if room > 0 else None


@attempt(
    "number of open descriptors, seen in /proc",
    check=Shift(lambda v: v.environment.highest_fd(v.pid), higher_descriptor),
    lingers=True,
)
def fd_number_probe(c: Context) -> None:
    c.sys("dup3", c.leaks.reply, c.aim, 0)


@attempt(
    "which descriptors are open, seen in /proc",
    check=Shift(lambda v: v.environment.terminal_fds(v.pid), one_less),
    lingers=True,
)
def close_fds_visible(c: Context) -> None:
    c.sys("close", c.leaks.terminal)


@attempt(
    "descriptor flags of a leaked pipe end as a signal", check=Shift(lambda v: v.environment.reply_flags(), other_flags)
)
def fcntl_shared_flags(c: Context) -> None:
    c.sys("fcntl", c.leaks.reply, 4, c.aim)


@attempt("size of the reply pipe as a signal", check=Shift(lambda v: v.environment.reply_pipe_size(), other_pipe_size))
def pipe_size(c: Context) -> None:
    c.sys("fcntl", c.leaks.reply, 1031, c.aim)


@attempt("clipboard escape sequence to a leaked terminal", check=seen)
def osc52_tty(c: Context) -> None:
    payload = b"\x1b]52;c;" + c.token + b"\7"
    c.sys("write", c.leaks.terminal, payload, len(payload))


@attempt("keystrokes injected into a leaked terminal", check=seen)
def tiocsti_tty(c: Context) -> None:
    for byte in c.token:
        c.sys("ioctl", c.leaks.terminal, TIOCSTI, bytes((byte,)))


@attempt("opening the user's terminal by its path", check=seen)
def dev_pts(c: Context) -> None:
    fd = c.open(c.environment.terminal_path, os.O_WRONLY | os.O_NOCTTY)
    c.sys("write", fd, c.token, len(c.token))


@attempt("standard output", check=printed)
def stdout_write(c: Context) -> None:
    c.sys("write", 1, c.token, len(c.token))


@attempt("standard error", check=printed)
def stderr_write(c: Context) -> None:
    c.sys("write", 2, c.token, len(c.token))


@attempt("a traceback on standard error", check=printed)
def traceback_text(c: Context) -> None:
    text = b"Traceback (most recent call last):\nValueError: " + c.token + b"\n"
    c.sys("write", 2, text, len(text))


@attempt("writing back into the request pipe", check=seen)
def write_request_pipe(c: Context) -> None:
    c.sys("write", c.leaks.request, c.token, len(c.token))
