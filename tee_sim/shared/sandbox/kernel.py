"""The few kernel calls Python does not have, through libc by ctypes.

Every wrapper raises OSError with the kernel's errno and never retries. Numbers: linux/include/uapi/asm-generic/unistd.h
and arch/x86/entry/syscalls/syscall_64.tbl.
"""

import ctypes
import os
from typing import Final

MACHINE: Final = os.uname().machine if os.name == "posix" else "unknown"

_NUMBERS: Final[dict[str, dict[str, int]]] = {
    "x86_64": {
        "clone": 56,
        "capset": 126,
        "pivot_root": 155,
        "seccomp": 317,
        "close_range": 436,
        "landlock_create_ruleset": 444,
        "landlock_restrict_self": 446,
        "memfd_secret": 447,
    },
    "aarch64": {
        "clone": 220,
        "capset": 91,
        "pivot_root": 41,
        "seccomp": 277,
        "close_range": 436,
        "landlock_create_ruleset": 444,
        "landlock_restrict_self": 446,
        "memfd_secret": 447,
    },
}

_PROT_READ_WRITE: Final = 3
_MADV_DONTDUMP, _MADV_WIPEONFORK = 16, 18
_MAP_FAILED: Final = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _word(value: object) -> object:
    return ctypes.c_long(value) if isinstance(value, int) else value


def _check(result: int, name: str) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
    return result


def arch_number(name: str) -> int:
    """Number of a system call on this machine. Raises OSError ENOSYS on an architecture we have no table for."""
    try:
        return _NUMBERS[MACHINE][name]
    except KeyError:
        raise OSError(38, f"no number for {name} on {MACHINE}") from None


def raw(number: int, *arguments: object) -> int:
    """System call by number; returns the result or raises OSError."""
    return _check(_libc.syscall(ctypes.c_long(number), *map(_word, arguments)), f"syscall {number}")


def call(name: str, *arguments: object) -> int:
    """System call by name."""
    return raw(arch_number(name), *arguments)


def prctl(option: int, *arguments: object) -> int:
    """prctl(2), unused arguments zero."""
    words = [_word(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    return _check(_libc.prctl(ctypes.c_int(option), *words), f"prctl {option}")


def unshare(flags: int) -> None:
    """unshare(2); os.unshare exists only from Python 3.12."""
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: bytes | None, target: bytes, kind: bytes | None, flags: int, options: bytes | None = None) -> None:
    """mount(2)."""
    _check(_libc.mount(source, target, kind, ctypes.c_ulong(flags), options), "mount")


def umount_detached(target: bytes) -> None:
    """umount2(2) with MNT_DETACH."""
    _check(_libc.umount2(target, ctypes.c_int(2)), "umount2")


def current_break() -> int:
    """Address of the program break, for PR_SET_MM_MAP."""
    _libc.sbrk.restype = ctypes.c_void_p
    return int(_libc.sbrk(0))


class _PollFd(ctypes.Structure):
    _fields_ = (("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short))


class _Timespec(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))


def wait_for(fd: int, events: int, timeout_ms: int) -> bool:
    """ppoll(2) on one descriptor: whether one of the events, an error or a hang-up came in time.

    `select.poll` is another system call on x86_64 than on aarch64, which the core's filter would have to know.
    """
    entry = _PollFd(fd, events, 0)
    wait = _Timespec(timeout_ms // 1000, timeout_ms % 1000 * 1_000_000)
    return _check(_libc.ppoll(ctypes.byref(entry), ctypes.c_ulong(1), ctypes.byref(wait), None), "ppoll") > 0


def read_proc(path: str) -> bytes:
    """A whole small /proc file, without a text codec (importing one costs a millisecond at this point)."""
    fd = os.open(path, os.O_RDONLY)
    try:
        parts = []
        while part := os.read(fd, 1 << 16):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def write_proc(path: str, value: bytes) -> None:
    """Write a /proc file in one call."""
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, value)
    finally:
        os.close(fd)


def map_memory(size: int, flags: int, fd: int) -> memoryview:
    """A readable, writable mapping that lives as long as the process, without a descriptor behind it."""
    _libc.mmap.restype = ctypes.c_void_p
    address = _libc.mmap(None, ctypes.c_size_t(size), _PROT_READ_WRITE, flags, fd, ctypes.c_long(0))
    if address is None or address == _MAP_FAILED:
        _check(-1, "mmap")
    return memoryview((ctypes.c_ubyte * size).from_address(address)).cast("B")


def lock_memory(area: memoryview) -> bool:
    """Keep it out of swap, core files and forked children; whether all three were allowed."""
    address = ctypes.c_void_p(ctypes.addressof(ctypes.c_ubyte.from_buffer(area)))
    size = ctypes.c_size_t(len(area))
    advised = all(_libc.madvise(address, size, advice) == 0 for advice in (_MADV_DONTDUMP, _MADV_WIPEONFORK))
    return advised and _libc.mlock(address, size) == 0
