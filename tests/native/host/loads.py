"""Give files to the loader of native applications, each in a process of its own: `loads.py RUNTIME`.

A size as u32 and a file come in, an i32 goes out: 0 taken, 1 refused, negative the number of the signal that ended it.
It is a program of its own because each fork of a test's process, with thousands of tests, takes tens of milliseconds.
"""

import ctypes
import os
import struct
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

TAKEN, REFUSED = 0, 1


def serve(runtime: str) -> None:
    """Answer until nothing comes any more."""
    lib = ctypes.CDLL(runtime)
    lib.load_image.restype = ctypes.c_char_p
    lib.load_image.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p)
    while head := sys.stdin.buffer.read(4):
        content = sys.stdin.buffer.read(*struct.unpack("<I", head))
        process = os.fork()
        if not process:
            os._exit(TAKEN if lib.load_image(content, len(content), lib._handle) is None else REFUSED)
        ended = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        sys.stdout.buffer.write(struct.pack("<i", ended))
        sys.stdout.buffer.flush()


class Loads:
    """That program, as a function of a file."""

    def __init__(self, runtime: Path) -> None:
        line = [sys.executable, "-I", __file__, str(runtime)]
        self._process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, content: bytes) -> int:
        """Whether it is taken, or what ended the process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(struct.pack("<I", len(content)) + content)
        self._process.stdin.flush()
        (ended,) = struct.unpack("<i", self._process.stdout.read(4))
        return int(ended)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._process.communicate()


if __name__ == "__main__":
    serve(sys.argv[1])
