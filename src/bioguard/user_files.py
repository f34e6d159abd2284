"""Files that a caller names: read within a bound and a time, written in one way, refused with a reason.

A caller may name anything: a directory, a FIFO that nobody writes to, a device that never ends, a link to a file that
somebody else wants overwritten. Links are followed to read, since who names a file chose it, and never to write.
"""

import errno
import io
import os
import select
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from bioguard.errors import InputRefused

MAX_TEXT_BYTES = 64 << 20
"""A log of 300 000 entries has 50 MB; keys, proofs and receipts are far smaller."""

WAIT_S = 5.0
"""How long something that is no file may keep us waiting for its next bytes."""


class _Patient(io.RawIOBase):
    """What is no regular file: a pipe, a FIFO, a terminal. The next bytes come within `WAIT_S`, or not at all."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fd

    def readinto(self, buffer: object) -> int:
        until_s = time.monotonic() + WAIT_S
        view = memoryview(cast("bytearray", buffer)).cast("B")
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        while True:
            left_s = until_s - time.monotonic()
            if left_s <= 0 or not poll.poll(left_s * 1000):
                raise TimeoutError(errno.ETIMEDOUT, f"nothing came within {WAIT_S:.0f} seconds")
            with suppress(BlockingIOError):
                return os.readv(self._fd, [view])

    def close(self) -> None:
        if not self.closed:
            os.close(self._fd)
        super().close()


def open_input(path: Path) -> BinaryIO:
    """Open what a caller named, to read it.

    Raises:
        OSError: it cannot be opened, or is a directory; from reading, also that nothing came in time.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    kind = stat.S_IFMT(os.fstat(fd).st_mode)
    if kind == stat.S_IFREG:
        return cast("BinaryIO", os.fdopen(fd, "rb"))
    if kind == stat.S_IFDIR:
        os.close(fd)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return cast("BinaryIO", io.BufferedReader(_Patient(fd)))


def read_input(path: Path, *, most_bytes: int = MAX_TEXT_BYTES, code: str = "input.unreadable") -> bytes:
    """The content of a file that a caller named.

    Raises:
        InputRefused: with `code`, it cannot be read; `input.too_large`.
    """
    try:
        with open_input(path) as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise InputRefused(
            f"{path}: {error.strerror or 'cannot be read'}", hint="name a file that can be read", code=code
        ) from error
    if len(content) > most_bytes:
        raise InputRefused(
            f"{path} has more than {most_bytes} bytes", hint="this is not what was asked for", code="input.too_large"
        )
    return content


def _refused(path: Path, why: str, hint: str = "choose another file") -> InputRefused:
    return InputRefused(f"{path} {why}", hint=hint, code="input.unwritable")


def check_output(path: Path, *, new: bool = False, code: str = "output.exists") -> None:
    """See that a file can be put there, before anything is done.

    Args:
        new: there must not be one yet.
        code: of the refusal if there is.

    Raises:
        InputRefused: `code`; `output.directory` if the place is none; `input.unwritable` for a link, a directory or
            anything else that is no plain file in its place.
    """
    parent = path.absolute().parent
    if not parent.is_dir():
        raise InputRefused(f"{path.parent} is not a directory", hint="choose another place", code="output.directory")
    try:
        kind = stat.S_IFMT(path.lstat().st_mode)
    except FileNotFoundError:
        kind = 0
    except OSError as error:
        raise _refused(path, f"cannot be written: {error.strerror}") from error
    if kind and new:
        raise InputRefused(f"{path} is there already", hint="choose a new file", code=code)
    if kind == stat.S_IFLNK:
        raise _refused(path, "is a symbolic link, which is not written through", "name the file itself")
    if kind not in {0, stat.S_IFREG}:
        raise _refused(path, "is no file")
    if not os.access(path if kind else parent, os.W_OK):
        raise _refused(path, "cannot be written", "choose a place that can be written")


def check_output_directory(path: Path, *, code: str) -> None:
    """See that a directory can be made there, or is there and empty, before anything is done.

    Args:
        code: of the refusal of one that holds something.

    Raises:
        InputRefused: `code`; `output.directory` if the place is none; `input.unwritable`.
    """
    parent = path.absolute().parent
    if not parent.is_dir():
        raise InputRefused(f"{path.parent} is not a directory", hint="choose another place", code="output.directory")
    there = os.path.lexists(path)
    if there and (not path.is_dir() or any(path.iterdir())):
        raise InputRefused(f"{path} is there already", hint="choose a new directory", code=code)
    if not os.access(path if there else parent, os.W_OK):
        raise _refused(path, "cannot be written", "choose a place that can be written")


def write_output(path: Path, content: bytes, *, new: bool = False, private: bool = False, append: bool = False) -> None:
    """Write a file that a caller named.

    Args:
        new: only if there is none yet.
        private: readable by its owner alone, as secrets and personal data are.
        append: after what is there.

    Raises:
        InputRefused: `input.unwritable`, the disk is full, or what is there is no plain file.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    flags |= (os.O_EXCL if new else 0) | (os.O_APPEND if append else 0)
    try:
        with os.fdopen(os.open(path, flags, 0o600 if private else 0o666), "wb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _refused(path, "is no file")
            if private:
                os.fchmod(file.fileno(), 0o600)
            if not append:
                file.truncate(0)
            file.write(content)
    except OSError as error:
        raise _refused(path, f"cannot be written: {error.strerror}") from error
