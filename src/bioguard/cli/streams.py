"""Standard streams that may be closed, full, or left by their reader.

An answer that nobody can read must not end in a traceback, and a lost one must not end in 0. A reader that leaves
(`bioguard log show | head`) has seen what it wanted: the rest goes nowhere, and the exit code is still the answer.
"""

import contextlib
import io
import os
import sys
from typing import TextIO, cast


class AnswerLost(Exception):  # what happened, no fault of anybody
    """The answer could not be written."""


def _send_nowhere(fd: int) -> None:
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), fd)


def answer_lost(error: OSError) -> AnswerLost | None:
    """What an error on standard output means: None if only its reader left. Nothing more is written there."""
    _send_nowhere(1)
    return None if isinstance(error, BrokenPipeError) else AnswerLost(error.strerror or "unknown reason")


class _Stream(io.TextIOWrapper):
    """A stream whose errors are met in one place. What is in its buffer by then goes nowhere."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._failed(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        raise error


class _Answer(_Stream):
    """Standard output."""

    def _failed(self, error: OSError) -> None:
        lost = answer_lost(error)
        io.TextIOWrapper.flush(self)
        if lost is not None:
            raise lost from error


class _Words(_Stream):
    """Standard error: words about the work, which goes on without them."""

    def _failed(self, error: OSError) -> None:
        _send_nowhere(2)
        io.TextIOWrapper.flush(self)


def _opened(fd: int, stream: TextIO | None, wrapper: type[io.TextIOWrapper], flags: int) -> io.TextIOWrapper:
    if stream is not None:
        errors = stream.errors if fd == 0 else "backslashreplace"
        return wrapper(cast("io.TextIOWrapper", stream).detach(), encoding=stream.encoding, errors=errors)
    with contextlib.suppress(OSError):
        os.close(fd)
    if os.open(os.devnull, flags) != fd:  # the lowest that is free
        raise OSError(f"descriptor {fd} cannot be opened")
    raw = io.FileIO(fd, "rb" if fd == 0 else "wb", closefd=False)
    buffer = io.BufferedReader(raw) if fd == 0 else io.BufferedWriter(raw)
    return wrapper(buffer, encoding="utf-8", errors="backslashreplace")


def install() -> None:
    """Make all three streams exist. Without descriptor 1 the next file opened, a device's, would be printed into.

    A standard output that was closed is one that cannot be written to; the others are empty, and go nowhere.
    """
    sys.stdin = _opened(0, sys.stdin, io.TextIOWrapper, os.O_RDONLY)
    sys.stdout = _opened(1, sys.stdout, _Answer, os.O_RDONLY)
    sys.stderr = _opened(2, sys.stderr, _Words, os.O_WRONLY)
