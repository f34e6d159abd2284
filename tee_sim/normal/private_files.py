"""Opening files in a directory that one user has to himself: no link is followed, nothing waits for anybody.

Who can write the directory can do as he likes with its files, so the directory is asked about first; its descriptor is
then what files are opened through, so that no path is looked up twice.
"""

import errno
import os
import stat
from contextlib import suppress
from enum import Enum, unique
from pathlib import Path

_OPEN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
"""Without O_NONBLOCK a FIFO in the place of a file is waited for until a process writes."""

TEMPORARY = ".new"
"""Suffix of a file that is being written. One that a crash left is removed by the next change."""

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@unique
class FileFlaw(Enum):
    """Why a file is not used."""

    KIND = "kind"
    OWNER = "owner"
    MODE = "mode"
    LINKS = "links"
    SIZE = "size"


class UnsafeFile(Exception):
    """A file or directory that cannot be ours as we left it. `name` is what it is called, `what` is one line on why."""

    def __init__(self, name: str, flaw: FileFlaw, what: str) -> None:
        super().__init__(f"{name} {what}")
        self.name = name
        self.flaw = flaw
        self.what = what


_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device node",
    stat.S_IFBLK: "a device node",
    stat.S_IFREG: "a file",
}


def _check(found: os.stat_result, name: str, kind: int, most_bytes: int, refused_mode: int) -> None:
    what = stat.S_IFMT(found.st_mode)
    if what != kind:
        raise UnsafeFile(name, FileFlaw.KIND, f"is {_KINDS.get(what, 'no file')}, not {_KINDS[kind]}")
    if found.st_uid != os.geteuid():
        raise UnsafeFile(name, FileFlaw.OWNER, f"belongs to user {found.st_uid}, not to user {os.geteuid()}")
    if found.st_mode & refused_mode:
        raise UnsafeFile(name, FileFlaw.MODE, f"is open to others: its mode is {stat.S_IMODE(found.st_mode):04o}")
    if kind == stat.S_IFREG and found.st_nlink > 1:
        raise UnsafeFile(name, FileFlaw.LINKS, "has another name: it is hard-linked")
    if kind == stat.S_IFREG and found.st_size > most_bytes:
        raise UnsafeFile(name, FileFlaw.SIZE, f"has {found.st_size} bytes, {most_bytes} at most are expected")


def open_directory(path: Path) -> int:
    """A descriptor of a directory that is ours and that nobody else can write.

    Raises:
        UnsafeFile: it is a link or no directory, another user's, or writable by others.
        OSError: it is not there, or cannot be opened.
    """
    name = path.name or str(path)
    _check(path.lstat(), name, stat.S_IFDIR, 0, WRITABLE_BY_OTHERS)
    fd = os.open(path, _OPEN | os.O_RDONLY | os.O_DIRECTORY)
    try:
        _check(os.fstat(fd), name, stat.S_IFDIR, 0, WRITABLE_BY_OTHERS)
    except BaseException:
        os.close(fd)
        raise
    return fd


def open_file(
    directory: int, name: str, flags: int = os.O_RDONLY, *, most_bytes: int, refused_mode: int = WRITABLE_BY_OTHERS
) -> int:
    """A descriptor of an existing file of a directory.

    It is looked at before it is opened, since opening a device node may already do something, and again through the
    descriptor, which is what is used.

    Args:
        directory: descriptor, as `open_directory` gives it.
        flags: O_RDONLY or O_RDWR.
        most_bytes: size bound.
        refused_mode: permission bits it may not have.

    Raises:
        UnsafeFile: it is not a plain file of ours with one name, or it is too large.
        OSError: it is not there, or cannot be opened.
    """
    seen = os.stat(name, dir_fd=directory, follow_symlinks=False)
    _check(seen, name, stat.S_IFREG, most_bytes, refused_mode)
    fd = os.open(name, flags | _OPEN, dir_fd=directory)
    try:
        _check(os.fstat(fd), name, stat.S_IFREG, most_bytes, refused_mode)
    except BaseException:
        os.close(fd)
        raise
    return fd


def create_file(directory: int, name: str) -> int:
    """A descriptor of a new file, mode 0600, to read and write. Raises FileExistsError if there is anything already."""
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | _OPEN, 0o600, dir_fd=directory)


def unlink(directory: int, name: str) -> None:
    """Remove a file of a directory, or an empty directory in its place; nothing if there is none.

    Raises:
        UnsafeFile: it is a directory with something in it.
        OSError: it cannot be removed.
    """
    with suppress(FileNotFoundError):
        try:
            os.unlink(name, dir_fd=directory)
        except IsADirectoryError:
            try:
                os.rmdir(name, dir_fd=directory)
            except OSError as error:
                what = f"is a directory that cannot be removed ({error.strerror}), not a file"
                raise UnsafeFile(name, FileFlaw.KIND, what) from error


def write_new(directory: int, name: str, content: bytes) -> None:
    """Write a file, synced, in the place of whatever stood there; one that cannot be written whole is removed again.

    Raises:
        UnsafeFile, OSError: as `unlink`, and what writing says.
    """
    unlink(directory, name)
    try:
        with os.fdopen(create_file(directory, name), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            os.unlink(name, dir_fd=directory)
        raise


def open_or_create(directory: int, name: str, *, most_bytes: int) -> int:
    """A descriptor of a file that is made if it is not there.

    On a read-only mount that lacks it, one of the directory instead: nobody can make the file meanwhile.

    Raises:
        UnsafeFile, OSError: as `open_file`.
    """
    for _ in range(2):
        with suppress(FileNotFoundError):
            return open_file(directory, name, most_bytes=most_bytes)
        with suppress(FileExistsError):
            try:
                return create_file(directory, name)
            except OSError as error:
                if error.errno != errno.EROFS:
                    raise
                return os.dup(directory)
    raise FileNotFoundError(errno.ENOENT, "it comes and goes", name)
