"""The small files of a device's normal world: one way to read them and one way to replace them.

Both go through a descriptor of the device's directory, which must be ours and writable by nobody else; neither follows
a link, waits for anybody, or takes a file that somebody else can have written. What is wrong is an IntegrityFailure
with a code of its own (`device.file_kind`, `device.file_owner`, ...).
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

from bioguard.errors import IntegrityFailure, NotPermitted, TeeUnavailable
from bioguard.json_text import parse_json
from tee_sim.normal import private_files as files
from tee_sim.normal.private_files import (
    WRITABLE_BY_OTHERS,
    FileFlaw,
    UnsafeFile,
    open_directory,
    open_file,
    unlink,
    write_new,
)
from tee_sim.normal.supplicant.reserve import fill, release

TEMPORARY = files.TEMPORARY

DAMAGED = ".damaged"
"""Suffix of a file that was put aside because it could not be read."""

MAX_FILE_BYTES = 16 << 20
"""names.json of 100 000 users has 13 MB."""

_HINTS = {
    FileFlaw.KIND: "find out who put it there; restore the file, or remove it and run: bioguard doctor",
    FileFlaw.OWNER: "only its owner can use a device; if it is yours run, in the device's directory: chown USER {name}",
    FileFlaw.MODE: (
        "somebody else may have written it: look at it, then run, in the device's directory: chmod go-w {name}"
    ),
    FileFlaw.LINKS: "find out who linked it; copy the file and put the copy in its place",
    FileFlaw.SIZE: "this is no file of ours: restore it, or remove it and run: bioguard doctor",
}
_DIRECTORY_HINTS = {
    **_HINTS,
    FileFlaw.KIND: "give the directory itself",
    FileFlaw.OWNER: "only its owner can use a device; if it is yours run: chown USER {name}",
    FileFlaw.MODE: "somebody else may have changed what is in it: look at it, then run: chmod go-w {name}",
}
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


@contextmanager
def file_errors(name: str) -> Iterator[None]:
    """Errors of the system as ours. FileNotFoundError and FileExistsError pass: what they mean is the caller's to say.

    Raises:
        IntegrityFailure: `device.file_*`, it is not a plain file of ours alone.
        TeeUnavailable: `device.read_only`, `device.file_unreadable`.
        NotPermitted: `store.full`.
    """
    try:
        yield
    except UnsafeFile as unsafe:
        code = f"device.file_{unsafe.flaw.value}"
        raise IntegrityFailure(str(unsafe), hint=_HINTS[unsafe.flaw].format(name=name), code=code) from unsafe
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise NotPermitted(
                f"{name} cannot be written: the disk is full, nothing was changed",
                hint="free disk space, or erase records",
                code="store.full",
            ) from error
        if error.errno in _READ_ONLY:
            raise TeeUnavailable(
                f"{name} cannot be used: {error.strerror}",
                hint="the device directory must be readable and writable: look at its mount and its permissions",
                code="device.read_only",
            ) from error
        what = f"{name} cannot be read or written: {error.strerror}"
        raise TeeUnavailable(what, hint="look at the disk", code="device.file_unreadable") from error


@contextmanager
def opened_directory(path: Path) -> Iterator[int]:
    """`tee_sim.normal.private_files.open_directory` for a block.

    Raises:
        IntegrityFailure: `device.directory_*`, it is not a directory of ours alone.
        OSError: it is not there, or cannot be opened.
    """
    try:
        fd = open_directory(path)
    except UnsafeFile as unsafe:
        code = f"device.directory_{unsafe.flaw.value}"
        hint = _DIRECTORY_HINTS[unsafe.flaw].format(name=quote(str(path)))
        raise IntegrityFailure(str(unsafe), hint=hint, code=code) from unsafe
    try:
        yield fd
    finally:
        os.close(fd)


def read_file(
    directory: Path, name: str, *, most_bytes: int = MAX_FILE_BYTES, refused_mode: int = WRITABLE_BY_OTHERS
) -> bytes | None:
    """The content of a file of the device; None if there is none.

    Args:
        refused_mode: permission bits that it may not have.

    Raises:
        IntegrityFailure, TeeUnavailable: as `file_errors`.
    """
    with file_errors(name):
        try:
            with opened_directory(directory) as at:
                fd = open_file(at, name, most_bytes=most_bytes, refused_mode=refused_mode)
                with os.fdopen(fd, "rb") as file:
                    return file.read(most_bytes + 1)
        except FileNotFoundError:
            return None


def read_json(directory: Path, name: str, *, damaged: Callable[[], IntegrityFailure]) -> Any:
    """What a JSON file of the device holds; None if there is none.

    Raises:
        IntegrityFailure: what `damaged` makes, if it is not JSON; and as `read_file`.
    """
    raw = read_file(directory, name)
    if raw is None:
        return None
    try:
        return parse_json(raw)
    except ValueError:
        raise damaged() from None


def write_file(directory: Path, name: str, text: str) -> None:
    """Make `text` the whole of a file, mode 0600: after a crash or power cut it is the old one or the new one.

    File and directory are synced, so it is the new one once this has returned. One writer at a time: the device's lock.
    What stands in the place of the new file's temporary name is removed, whatever it is, and never written through.
    On a full disk it may use the space that the store keeps for erasures: these files shrink with the people in them.

    Raises:
        IntegrityFailure, TeeUnavailable, NotPermitted: as `file_errors`.
    """
    temporary = name + TEMPORARY
    with file_errors(name), opened_directory(directory) as at:
        try:
            write_new(at, temporary, text.encode())
        except OSError as error:
            kept = release(at) if error.errno in _FULL else 0
            if not kept:
                raise
            try:
                write_new(at, temporary, text.encode())
            finally:
                fill(at, kept)
        os.rename(temporary, name, src_dir_fd=at, dst_dir_fd=at)
        os.fsync(at)


def remove_file(directory: Path, name: str) -> None:
    """Remove a file of the device, or whatever stands in its place.

    Raises:
        IntegrityFailure: it is a directory with something in it; and as `file_errors`.
        TeeUnavailable: as `file_errors`.
    """
    with file_errors(name), opened_directory(directory) as at:
        unlink(at, name)


def put_aside(directory: Path, name: str) -> str:
    """Rename a file that cannot be read; return its new name. What was put aside before is replaced.

    Raises:
        IntegrityFailure, TeeUnavailable: as `file_errors`.
    """
    with file_errors(name), opened_directory(directory) as at:
        os.rename(name, name + DAMAGED, src_dir_fd=at, dst_dir_fd=at)
        os.fsync(at)
    return name + DAMAGED


def open_or_create(directory: Path, name: str) -> int:
    """A read-only descriptor of a file of the device, which is made if it is not there.

    On a read-only mount that lacks it, one of the directory instead: nobody can make the file meanwhile.

    Raises:
        IntegrityFailure, TeeUnavailable: as `file_errors`.
    """
    with file_errors(name), opened_directory(directory) as at:
        return files.open_or_create(at, name, most_bytes=MAX_FILE_BYTES)
