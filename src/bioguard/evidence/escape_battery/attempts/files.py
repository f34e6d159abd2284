"""Group E: the file system. Everything lies in directories that the environment made for itself."""

import ctypes
import os
import struct
from collections.abc import Callable
from pathlib import Path

from bioguard.evidence.escape_battery.attempts.descriptors import files, other_number
from bioguard.evidence.escape_battery.attempts.network import seen
from bioguard.evidence.escape_battery.context import Context, View
from bioguard.evidence.escape_battery.model import Shift, attempt

GROUP = "E"
AT = -100
CREATE = os.O_WRONLY | os.O_CREAT
O_TMPFILE = 0o20200000
F_SETLK, F_WRLCK = 6, 1


def target(view: View) -> Path:
    return view.outside / "target"


def slots(view: View) -> Path:
    return view.store / "slots"


def mode(file: Callable[[View], Path], one: int, other: int) -> Shift:
    """Mode bits of a file of this attempt: one value, or another where it has that already."""
    return Shift(lambda v: v.environment.mode_of(file(v)), lambda v, before: other if before == one else one)


def size(file: Callable[[View], Path]) -> Shift:
    return Shift(lambda v: v.environment.size_of(file(v)), other_number)


def path(c: Context, name: str = "escaped") -> bytes:
    return os.fsencode(f"{c.outside}/{name}")


@attempt("world-readable temporary file", check=files)
def tmp_world(c: Context) -> None:
    c.write_file(f"{c.environment.tmp}/{c.text[:8]}")


@attempt("file in the user's directory", check=files)
def out_file(c: Context) -> None:
    c.write_file(f"{c.outside}/escaped")


@attempt("append to an existing file", check=files)
def append_existing(c: Context) -> None:
    fd = c.open(f"{c.outside}/target", os.O_WRONLY | os.O_APPEND)
    c.sys("write", fd, c.token, len(c.token))


@attempt("temporary file that survives a reboot", check=files)
def vartmp(c: Context) -> None:
    c.write_file(f"{c.environment.var_tmp}/{c.text[:8]}")


@attempt("file in shared memory", check=files)
def dev_shm(c: Context) -> None:
    c.write_file(f"{c.environment.shm}/{c.text[:8]}")


@attempt("shared memory object mapped and stored to", check=files)
def posix_shm(c: Context) -> None:
    fd = c.open(f"{c.environment.shm}/m{c.text[:8]}", os.O_RDWR | os.O_CREAT)
    c.sys("ftruncate", fd, 4096)
    address = c.sys("mmap", None, 4096, 3, 1, fd, 0)
    ctypes.memmove(address, c.token, len(c.token))


@attempt("temporary directory", check=files)
def mkdtemp(c: Context) -> None:
    c.sys("mkdirat", AT, os.fsencode(f"{c.environment.tmp}/d{c.text}"), 0o700)


@attempt("named pipe with a reader outside", check=seen)
def fifo(c: Context) -> None:
    fd = c.open(c.environment.fifo_path, os.O_WRONLY | os.O_NONBLOCK)
    c.sys("write", fd, c.token, len(c.token))


@attempt("new named pipe whose name carries data", check=files)
def mkfifo_new(c: Context) -> None:
    c.sys("mknodat", AT, path(c, c.text), 0o010600, 0)


@attempt("symbolic link in the store, written through", check=files)
def symlink_out(c: Context) -> None:
    c.sys("symlinkat", path(c), AT, os.fsencode(f"{c.store}/link"))
    c.write_file(f"{c.store}/link")


@attempt("symbolic link whose target text carries data", check=files)
def symlink_target_name(c: Context) -> None:
    c.sys("symlinkat", c.token, AT, path(c, "link"))


@attempt("directory swapped for a link under a writer", check=files)
def symlink_race(c: Context) -> None:
    c.sys("mkdirat", AT, os.fsencode(f"{c.store}/sub"), 0o700)
    c.sys("renameat2", AT, os.fsencode(f"{c.store}/sub"), AT, os.fsencode(f"{c.store}/old"), 0)
    c.sys("symlinkat", os.fsencode(c.outside), AT, os.fsencode(f"{c.store}/sub"))
    c.write_file(f"{c.store}/sub/raced")


@attempt("dot-dot out of the store", check=files)
def dotdot(c: Context) -> None:
    c.write_file(f"{c.store}/../outside/dotdot")


@attempt("hard link out of the store", check=files)
def hardlink_out(c: Context) -> None:
    c.write_file(f"{c.store}/inside")
    c.sys("linkat", AT, os.fsencode(f"{c.store}/inside"), AT, path(c), 0)


@attempt("rename out of the store", check=files)
def rename_out(c: Context) -> None:
    c.write_file(f"{c.store}/inside")
    c.sys("renameat2", AT, os.fsencode(f"{c.store}/inside"), AT, path(c), 0)


@attempt("unnamed file given a name", check=files)
def tmpfile_linkat(c: Context) -> None:
    fd = c.open(c.outside, os.O_WRONLY | O_TMPFILE)
    c.sys("write", fd, c.token, len(c.token))
    c.sys("linkat", AT, os.fsencode(f"/proc/self/fd/{fd}"), AT, path(c), 0x400)


@attempt("directory name carries data", check=files)
def mkdir_name(c: Context) -> None:
    c.sys("mkdirat", AT, path(c, c.text), 0o700)


@attempt("deleting files: which are gone carries data", check=lambda v: not target(v).exists())
def unlink_pattern(c: Context) -> None:
    c.sys("unlinkat", AT, path(c, "target"), 0)


@attempt("kernel copy to an outside file", check=files)
def copy_file_range_out(c: Context) -> None:
    c.sys("pwrite64", c.leaks.store, c.token, len(c.token), 0)
    fd = c.open(f"{c.outside}/copied", CREATE)
    c.sys("copy_file_range", c.leaks.store, struct.pack("<q", 0), fd, struct.pack("<q", 0), len(c.token), 0)


@attempt("size of an outside file", check=size(target))
def truncate_size(c: Context) -> None:
    c.sys("truncate", path(c, "target"), c.aim)


@attempt("mode bits of an outside file", check=mode(target, 0o611, 0o622))
def chmod_outside(c: Context) -> None:
    c.sys("fchmodat", AT, path(c, "target"), c.aim)


@attempt("group of an outside file", check=mode(target, 0o4600, 0o4611))
def chmod_set_id_outside(c: Context) -> None:
    c.sys("fchmodat", AT, path(c, "target"), c.aim)


@attempt("making the store readable for all", check=mode(slots, 0o666, 0o644))
def chmod_store_world(c: Context) -> None:
    c.sys("fchmod", c.leaks.store, c.aim)


@attempt("extended attribute outside", check=files)
def xattr_outside(c: Context) -> None:
    c.sys("setxattr", path(c, "target"), b"user.x", c.token, len(c.token), 0)


@attempt("extended attribute on a leaked descriptor", check=files)
def fxattr_store(c: Context) -> None:
    c.sys("fsetxattr", c.leaks.store, b"user.x", c.token, len(c.token), 0)


@attempt("time stamp outside", check=Shift(lambda v: v.environment.mtime_of(target(v)), other_number))
def utime_outside(c: Context) -> None:
    c.sys("utimensat", AT, path(c, "target"), struct.pack("<4q", c.aim, 0, c.aim, 0), 0)


def later(view: View, before: int | None) -> int:
    return (before or 0) + 1


@attempt(
    "reading a file: its access time moves",
    check=Shift(lambda v: v.environment.atime_of(target(v)), later, grows=True),
)
def atime_outside(c: Context) -> None:
    fd = c.open(f"{c.outside}/target", os.O_RDONLY)
    c.sys("read", fd, ctypes.create_string_buffer(1), 1)


def _lock_at(c: Context, fd: int) -> None:
    start = c.environment.number(c.token)
    c.sys("fcntl", fd, F_SETLK, struct.pack("<hhxxxxqqi4x", F_WRLCK, 0, start, 7, 0))


def free_range(view: View, before: int | None) -> int | None:
    """1: locked; None where somebody on this host has locked the very range of the token."""
    return None if before else 1


LOCKED_RANGE = Shift(lambda v: int(v.environment.locked_at(v.token)), free_range)


@attempt("range lock outside, seen in /proc/locks", check=LOCKED_RANGE, lingers=True)
def posix_lock_procfs(c: Context) -> None:
    _lock_at(c, c.open(f"{c.outside}/target", os.O_RDWR))


@attempt("range lock on a leaked descriptor, seen in /proc/locks", check=LOCKED_RANGE, lingers=True)
def lock_on_storefd(c: Context) -> None:
    _lock_at(c, c.leaks.store)


@attempt("open by file handle", check=files)
def open_by_handle(c: Context) -> None:
    handle = ctypes.create_string_buffer(struct.pack("<Ii", 128, 0) + bytes(128))
    mount_id = ctypes.c_int()
    c.sys("name_to_handle_at", AT, path(c, "target"), handle, ctypes.byref(mount_id), 0)
    fd = c.sys("open_by_handle_at", c.leaks.root_directory, handle, os.O_WRONLY)
    c.sys("write", fd, c.token, len(c.token))


@attempt("mount")
def mount_tmpfs(c: Context) -> None:
    c.sys("mount", b"none", os.fsencode(c.outside), b"tmpfs", 0, None)


@attempt("new mount API")
def fsopen_tmpfs(c: Context) -> None:
    c.sys("fsopen", b"tmpfs", 0)


@attempt("open_tree clone")
def open_tree_clone(c: Context) -> None:
    c.sys("open_tree", AT, os.fsencode(c.outside), 1)


@attempt("chroot")
def chroot(c: Context) -> None:
    c.sys("chroot", os.fsencode(c.outside))


@attempt("user namespace of its own, and a mount in it")
def userns_mount(c: Context) -> None:
    c.sys("unshare", 0x10020000)


@attempt("inotify instance")
def inotify_watch(c: Context) -> None:
    c.sys("inotify_init1", 0)


@attempt("fanotify group")
def fanotify(c: Context) -> None:
    c.sys("fanotify_init", 0, 0)


@attempt("page cache eviction on a leaked file")
def fadvise_cache(c: Context) -> None:
    c.sys("fadvise64", c.leaks.store, 0, 0, 4)


@attempt("reading ahead on a leaked file")
def readahead_cache(c: Context) -> None:
    c.sys("readahead", c.leaks.store, 0, 4096)


@attempt("kernel log", check=None)
def dev_kmsg(c: Context) -> None:
    fd = c.open("/dev/kmsg", os.O_WRONLY)
    c.sys("write", fd, c.token, len(c.token))


@attempt("writing below /proc/sys")
def proc_sys(c: Context) -> None:
    c.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)


@attempt("file name inside the store", check=files)
def store_file_name(c: Context) -> None:
    c.write_file(f"{c.store}/{c.text}", b"x")


@attempt("size of the store", check=size(slots))
def store_file_size(c: Context) -> None:
    c.sys("ftruncate", c.leaks.store, c.aim)


def grown(view: View, before: int | None) -> int:
    return (before or 0) + view.number


LARGER_STORE = Shift(lambda v: v.environment.size_of(slots(v)), grown)


@attempt("growing the store by writing past its end", check=LARGER_STORE)
def store_append(c: Context) -> None:
    c.sys("pwrite64", c.leaks.store, b"x", 1, c.aim - 1)


@attempt("allocating or punching blocks of the store", check=LARGER_STORE)
def store_fallocate(c: Context) -> None:
    c.sys("fallocate", c.leaks.store, 0, 0, c.aim)


@attempt("clear text into the store", check=files)
def store_plaintext(c: Context) -> None:
    c.sys("pwrite64", c.leaks.store, c.token, len(c.token), 128)


@attempt("core file in the working directory", check=lambda v: v.environment.has_core(v.outside, v.status))
def core_dump(c: Context) -> None:
    c.sys("chdir", os.fsencode(c.outside))
    c.sys("prlimit64", 0, 4, struct.pack("<QQ", 1 << 24, 1 << 24), None)
    c.sys("kill", c.sys("getpid"), 6)


@attempt("core file limit raised again")
def rlimit_core_up(c: Context) -> None:
    c.sys("prlimit64", 0, 4, struct.pack("<QQ", 1 << 20, 1 << 24), None)


@attempt("disk quota and statfs probing")
def statfs_probe(c: Context) -> None:
    c.sys("statfs", os.fsencode(c.outside), ctypes.create_string_buffer(256))


@attempt("existence of a path by stat with an empty-path flag")
def newfstatat_probe(c: Context) -> None:
    c.sys("newfstatat", AT, b"/etc/passwd", ctypes.create_string_buffer(256), 0x1000)


@attempt("io_uring opens a file", check=files)
def io_uring_openat(c: Context) -> None:
    from bioguard.evidence.escape_battery.ring import ring_write_file  # noqa: PLC0415

    ring_write_file(c, path(c))
