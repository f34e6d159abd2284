"""An application that reads all it can: every readable page of its own process, and every descriptor number.

The memory is found without /proc, which is gone: a mapping over a range that is taken is refused (EEXIST), one over a
free range is not, and a futex on an address that cannot be read is EFAULT instead of a signal.
"""

import ctypes
import errno
import os
import platform
import struct
import time
from collections.abc import Iterator
from typing import Any

from tee_sim.shared.params import Param, Params
from tee_sim.shared.ta_api import TaEnv

KEEP, RANGES, READ, TRY, COUNT, SAY, SAY_AND_WAIT, SAY_FOREVER, ASK_FOREVER = range(1, 10)

PAGE = 4096
LOWEST, HIGHEST = 1 << 16, (1 << 47) - PAGE
_PRIVATE_ANONYMOUS_FIXED_NOREPLACE = 0x02 | 0x20 | 0x100000
_FAILED = ctypes.c_void_p(-1).value
_FUTEX_WAIT_PRIVATE = 128
_FUTEX = {"x86_64": 202, "aarch64": 98}

READ_, WRITE, POLL, DUP, CLOSE, FCNTL, SEND, SIGNAL = range(8)


class Hostile:
    """One instance; what it was given to keep is its own secret."""

    def create(self, env: TaEnv) -> None:
        self.env = env
        self.kept = bytearray()
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.mmap.restype = ctypes.c_void_p
        self.libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
        self.libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        self.libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        self.futex = _FUTEX[platform.machine()]

    def open_session(self, params: Params) -> object:
        return object()

    def close_session(self, session: object) -> None: ...

    def destroy(self) -> None: ...

    def invoke(self, session: object, command: int, params: Params) -> Params:
        given, number, *rest = params
        if command == KEEP:
            self.kept += bytes(byte ^ 0xFF for byte in given.buffer)
            return params
        if command == RANGES:
            found = b"".join(struct.pack("<QQ", *one) for one in self.readable())
            return (given, number, _memref(rest[0], found), rest[1])
        if command == READ:
            address, size = struct.unpack("<QQ", given.buffer)
            return (given, number, _memref(rest[0], b"".join(self.pages(address, size))), rest[1])
        if command == TRY:
            return (given, _value(number, self.attempt(number.a, number.b)), rest[0], rest[1])
        if command == COUNT:
            return (given, _value(number, len(self.kept)), rest[0], rest[1])
        return self.speak(command, given.buffer) or params

    # The pipe to the core, past everything that the host checks before it sends

    def speak(self, command: int, raw: bytes) -> None:
        """Send bytes of its own: then answer as if nothing were, or wait, or go on, or ask without an end."""
        self.kept += b"spoken"
        if command == ASK_FOREVER:
            while True:
                self.env.keys.derive("a long one", raw, 255 * 32)
        self.write_all(raw)
        if command == SAY_AND_WAIT:
            time.sleep(3600)
        while command == SAY_FOREVER:
            self.write_all(raw)

    def write_all(self, raw: bytes) -> None:
        fd = self.env.store._ask.__self__._pipe._write_fd  # type: ignore[attr-defined]
        while raw:
            raw = raw[os.write(fd, raw) :]

    # Memory

    def readable(self) -> Iterator[tuple[int, int]]:
        """Start and size of every run of readable pages."""
        first = last = 0
        for page in self.taken(LOWEST, HIGHEST):
            if not self.can_read(page):
                continue
            if page != last:
                if last:
                    yield first, last - first
                first = page
            last = page + PAGE
        if last:
            yield first, last - first

    def pages(self, address: int, size: int) -> Iterator[bytes]:
        """What is still readable of a run: memory is given back between two calls."""
        for page in range(address, address + size, PAGE):
            if self.can_read(page):
                yield ctypes.string_at(page, PAGE)

    def taken(self, start: int, end: int) -> Iterator[int]:
        """Every page of the address space that is mapped, by halving."""
        if not self.libc.madvise(start, end - start, 0):
            yield from range(start, end, PAGE)
            return
        free = self.libc.mmap(start, end - start, 0, _PRIVATE_ANONYMOUS_FIXED_NOREPLACE, -1, 0)
        if free != _FAILED:
            self.libc.munmap(free, end - start)
        elif end - start == PAGE:
            yield start
        else:
            middle = (start + end) // 2 // PAGE * PAGE
            yield from self.taken(start, middle)
            yield from self.taken(middle, end)

    def can_read(self, page: int) -> bool:
        """The kernel reads the word for us."""
        now = (ctypes.c_long * 2)(0, 1)
        address, word = ctypes.c_void_p(page), ctypes.c_uint(0x5EED_F00D)
        done = self.libc.syscall(self.futex, address, _FUTEX_WAIT_PRIVATE, word, ctypes.byref(now), None, 0)
        return done == 0 or ctypes.get_errno() != errno.EFAULT

    # Descriptors

    def attempt(self, call: int, fd: int) -> int:
        """One call on one descriptor; its error number, 0 if it did anything."""
        buffer = ctypes.create_string_buffer(8)
        waits = struct.pack("<ihh", fd, 1, 0)
        done: Any = {
            READ_: lambda: self.libc.read(fd, buffer, 0),
            WRITE: lambda: self.libc.write(fd, buffer, 0),
            POLL: lambda: self.libc.poll(waits, 1, 0),
            DUP: lambda: self.libc.dup(fd),
            CLOSE: lambda: self.libc.close(fd),
            FCNTL: lambda: self.libc.fcntl(fd, 1),
            SEND: lambda: self.libc.send(fd, buffer, 0, 0),
            SIGNAL: lambda: self.libc.syscall(424, fd, 9, None, 0),
        }[call]()
        return ctypes.get_errno() if done < 0 else 0


def _memref(param: Param, data: bytes) -> Param:
    return Param(kind=param.kind, buffer=data, size_bytes=len(data))


def _value(param: Param, a: int) -> Param:
    return Param(kind=param.kind, a=a)
