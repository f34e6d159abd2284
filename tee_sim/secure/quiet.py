"""Nowhere to print to: ordinary Python in a trusted application must not end the secure world.

A locked process has no file to print to, and the filter kills it for trying: a warning of NumPy, a line of a log or the
text of a traceback (which opens the source) in one application would end all of them. So before the lock everything
that Python prints on its own is sent nowhere. Writing to a descriptor is still what the filter kills for.
"""

import ctypes
import io
import linecache
import sys
from collections.abc import Callable
from typing import Any, Final

_C_TEXT_BYTES: Final = 4096


class Nowhere(io.TextIOBase):
    """Takes text and drops it; an empty input."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)

    def readable(self) -> bool:
        return True

    def read(self, _size: int | None = -1) -> str:
        return ""

    def readline(self, _size: int = -1) -> str:  # type: ignore[override]  # a text stream's
        return ""

    def close(self) -> None:
        """It is everybody's: `exit()` in one application closes nothing of another's."""


def _nothing(*_args: Any) -> None:
    """Instead of a hook that prints, and reads the source to do so."""


def _no_lines(*_args: Any) -> list[str]:
    """Instead of reading a source file; warnings, logs and tracebacks do that."""
    return []


def install(stream: Callable[[str], Nowhere] | None = None) -> None:
    """From now on streams and hooks of this process lead nowhere, and no source line is looked up.

    Args:
        stream: what stands in the place of a standard stream of this name; in the debug profile only.
    """
    nowhere = Nowhere()
    for name in ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__"):
        setattr(sys, name, stream(name) if stream is not None else nowhere)
    sys.excepthook = _nothing
    sys.unraisablehook = _nothing
    linecache.clearcache()
    linecache.updatecache = _no_lines  # type: ignore[assignment]  # whatever is asked for


def install_for_c() -> None:
    """From now on what libraries in C print with `stdio` goes into memory, and no further than one page of it.

    For the process of a sensor: decoders tell the terminal what is wrong with a picture, which the filter kills for, so
    that two damaged files would spend its processes. Only glibc has streams that can be replaced.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return
    libc.fmemopen.restype = ctypes.c_void_p
    for name in ("stdout", "stderr"):
        memory = libc.fmemopen(None, ctypes.c_size_t(_C_TEXT_BYTES), b"w")
        if memory:
            ctypes.c_void_p.in_dll(libc, name).value = memory
