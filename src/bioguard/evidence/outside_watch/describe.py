"""What a call asks for, in words: paths made whole, addresses, sizes, the first bytes sent."""

import contextlib
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_AT_CWD: Final = 0xFFFFFF9C
_MAX_PATH: Final = 4096
_MAX_PAYLOAD: Final = 64
_FAMILIES: Final = {1: "unix", 2: "inet", 10: "inet6", 16: "netlink", 17: "packet", 38: "alg", 40: "vsock"}


@dataclass(frozen=True, slots=True)
class Caller:
    """A process that waits for an answer; its memory is read from outside."""

    pid: int

    def memory(self, address: int, size: int) -> bytes:
        """Bytes of its memory; empty where they cannot be read."""
        try:
            fd = os.open(f"/proc/{self.pid}/mem", os.O_RDONLY)
        except OSError:
            return b""
        try:
            return os.pread(fd, size, address)
        except (OSError, OverflowError):
            return b""
        finally:
            os.close(fd)

    def text(self, address: int) -> str:
        """A C string."""
        found = b""
        while len(found) < _MAX_PATH and b"\0" not in found:
            step = 256 - (address + len(found)) % 256  # never across a page that may not be there
            piece = self.memory(address + len(found), step)
            if not piece:
                break
            found += piece
        return os.fsdecode(found.partition(b"\0")[0])

    def path(self, at: int, address: int) -> str:
        """A path as the caller means it, whole and without links in its directory."""
        name = self.text(address)
        at &= 0xFFFFFFFF
        if not name:
            return "?"
        if name.startswith("/proc/self/"):
            return name  # the caller's, not ours
        with contextlib.suppress(OSError):
            name = str(Path(f"/proc/{self.pid}", "cwd" if at == _AT_CWD else f"fd/{at}").readlink() / name)
        return str(Path(name).parent.resolve() / Path(name).name)

    def program(self) -> str:
        """Its module if it is Python with -m, else the name of what it runs."""
        try:
            words = Path(f"/proc/{self.pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return "?"
        following = words[words.index(b"-m") + 1 :] if b"-m" in words else words
        return os.fsdecode(following[0]) if following else "?"


def _address(data: bytes) -> str:
    family = struct.unpack_from("<H", data)[0] if len(data) >= 2 else -1
    if family == 2 and len(data) >= 8:
        return f"inet {'.'.join(map(str, data[4:8]))}:{struct.unpack_from('>H', data, 2)[0]}"
    if family == 1:  # what stands behind the end of a path is not part of it; an abstract name begins with zero
        path = data[2:] if data[2:3] == b"\0" else data[2:].partition(b"\0")[0]
        return f"unix {os.fsdecode(path)!r}"
    return f"{_FAMILIES.get(family, family)} {data.hex()}" if data else "the connected address"


def _payload(data: bytes, size: int) -> str:
    return f"{size} bytes {data!r}" if size <= len(data) else f"{size} bytes"


def _sendto(caller: Caller, a: tuple[int, ...]) -> str:
    data = caller.memory(a[1], min(a[2], _MAX_PAYLOAD))
    return f"{_payload(data, a[2])} to {_address(caller.memory(a[4], a[5] & 0xFF) if a[4] else b'')}"


def _socket(_caller: Caller, a: tuple[int, ...]) -> str:
    return f"{_FAMILIES.get(a[0], a[0])} {a[1] & 0xF}"


def _named(at: int | None, name: int) -> Callable[[Caller, tuple[int, ...]], str]:
    """A path in one argument, below the directory in another or the working directory."""
    return lambda caller, a: caller.path(_AT_CWD if at is None else a[at], a[name])


DESCRIBE: Final[dict[str, Callable[[Caller, tuple[int, ...]], str]]] = {
    "socket": _socket,
    "connect": lambda caller, a: _address(caller.memory(a[1], a[2] & 0xFF)),
    "bind": lambda caller, a: _address(caller.memory(a[1], a[2] & 0xFF)),
    "sendto": _sendto,
    "open": _named(None, 0),
    "creat": _named(None, 0),
    "openat": _named(0, 1),
    "openat2": _named(0, 1),
    "rename": _named(None, 1),
    "renameat": _named(2, 3),
    "renameat2": _named(2, 3),
    "link": _named(None, 1),
    "linkat": _named(2, 3),
    "symlink": _named(None, 1),
    "symlinkat": _named(1, 2),
    "mkdir": _named(None, 0),
    "mkdirat": _named(0, 1),
    "mknod": _named(None, 0),
    "mknodat": _named(0, 1),
    "truncate": _named(None, 0),
    "setxattr": _named(None, 0),
    "lsetxattr": _named(None, 0),
    **{name: _named(None, 0) for name in ("utime", "utimes", "chown", "lchown")},
    **{name: _named(0, 1) for name in ("futimesat", "utimensat", "fchownat")},
    "execve": _named(None, 0),
    "execveat": _named(0, 1),
}
"""The others say nothing but that they were asked for: none of them belongs here."""
