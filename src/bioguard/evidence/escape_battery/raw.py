"""System calls by name, socket addresses, and the page that says which call came last. No `socket` module.

The battery makes its calls itself, so that what stops an attempt is the kernel and not a library that gave up earlier.
"""

import ctypes
import mmap
import os
import struct
from typing import Final

from bioguard.evidence.escape_battery.numbers import NUMBERS
from tee_sim.shared.sandbox import kernel


class AF:
    """Address families (linux/socket.h)."""

    UNIX, INET, INET6, NETLINK, PACKET, ALG, VSOCK = 1, 2, 10, 16, 17, 38, 40


class SOCK:
    """Socket types and flags (linux/net.h)."""

    STREAM, DGRAM, RAW, NONBLOCK = 1, 2, 3, 0x800


class Trace:
    """One page shared with the outside: the number of the last system call, the errno, two flags, how many processes
    of the lock stand before the one that tries, whether it may begin, and what its witness waits for.

    It tells which call an attempt died in. It decides nothing: success is what a witness saw.
    """

    _FORMAT: Final = struct.Struct("<7q")
    NONE: Final = -1

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)
        self.reset()

    def reset(self) -> None:
        self._page[: self._FORMAT.size] = self._FORMAT.pack(self.NONE, 0, 0, 0, 0, 0, 0)

    def _get(self, index: int) -> int:
        return int(struct.unpack_from("<q", self._page, 8 * index)[0])

    def _set(self, index: int, value: int) -> None:
        struct.pack_into("<q", self._page, 8 * index, value)

    last_call = property(lambda s: s._get(0), lambda s, v: s._set(0, v))
    error = property(lambda s: s._get(1), lambda s, v: s._set(1, v))
    stage = property(lambda s: s._get(2), lambda s, v: s._set(2, v))
    release = property(lambda s: s._get(3), lambda s, v: s._set(3, v))
    processes_before = property(lambda s: s._get(4), lambda s, v: s._set(4, v))
    begin = property(lambda s: s._get(5), lambda s, v: s._set(5, v))
    aim = property(lambda s: s._get(6), lambda s, v: s._set(6, v))


def number_of(name: str) -> int:
    """Number on this machine. Raises OSError ENOSYS where the architecture does not have the call."""
    number = NUMBERS[name][0 if kernel.MACHINE == "x86_64" else 1]
    if number < 0:
        raise OSError(38, f"{name} does not exist on {kernel.MACHINE}")
    return number


def name_of(number: int) -> str:
    """Name of a number on this machine, or the number."""
    column = 0 if kernel.MACHINE == "x86_64" else 1
    return next((name for name, pair in NUMBERS.items() if pair[column] == number), f"syscall {number}")


def sys_call(trace: Trace | None, name: str, *arguments: object) -> int:
    """Make one call by name; note it first. Raises OSError."""
    number = number_of(name)
    if trace is not None:
        trace.last_call = number
    return kernel.raw(number, *arguments)


def in4(ip: str, port: int) -> bytes:
    """struct sockaddr_in."""
    return struct.pack("<H", AF.INET) + struct.pack(">H", port) + bytes(map(int, ip.split("."))) + bytes(8)


def in6(last_byte: int, port: int) -> bytes:
    """struct sockaddr_in6 of ::last_byte."""
    return struct.pack("<H", AF.INET6) + struct.pack(">H", port) + bytes(4) + bytes(15) + bytes((last_byte,)) + bytes(4)


def sun(path: str, *, abstract: bool = False) -> bytes:
    """struct sockaddr_un."""
    name = os.fsencode(path)
    return struct.pack("<H", AF.UNIX) + (b"\0" + name if abstract else name + b"\0")


def port_of(fd: int) -> int:
    """Port a socket is bound to."""
    buffer, size = ctypes.create_string_buffer(32), ctypes.c_int(32)
    sys_call(None, "getsockname", fd, buffer, ctypes.byref(size))
    return int(struct.unpack(">H", buffer.raw[2:4])[0])
