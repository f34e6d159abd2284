"""What the outside looks up: files, /proc, IPC objects, keyrings. It changes nothing but what attempts made."""

import contextlib
import ctypes
import fcntl
import os
import stat
import struct
from pathlib import Path
from typing import Final

from bioguard.evidence.escape_battery.raw import sys_call

_F_GETPIPE_SZ: Final = 1032
_KEYCTL_SEARCH, _KEYCTL_UNLINK = 10, 9
_KEYRINGS = (-3, -4)
_IPC_RMID, _GETVAL = 0, 12
_IPC_NOWAIT: Final = 0o4000
_INFINITE: Final = (1 << 64) - 1
"""RLIM64_INFINITY."""


class Lookups:
    """Answers about the state outside; no decision."""

    def __init__(self) -> None:
        self.reply_write = -1
        self.pair_end = -1
        self.leaked_file = -1
        self.victim_pid = 0

    @staticmethod
    def number(token: bytes) -> int:
        """A number the token stands for, for channels that carry no bytes: 5 000 to 37 767."""
        return 5000 + int(token[:4], 16) % 32768

    def port_of_token(self, token: bytes) -> int:
        """A port below the ephemeral range, where nothing else of the environment can be."""
        return 20000 + self.number(token) % 12000

    @staticmethod
    def key(token: bytes) -> int:
        """System V key of a token."""
        return int(token[:7], 16) | 1

    @staticmethod
    def find(root: Path, token: bytes) -> bool:
        """Whether a name, content, link target or extended attribute below `root` holds the token."""
        for folder, folders, files in os.walk(root):
            for name in (*folders, *files):
                path = os.path.join(folder, name)  # noqa: PTH118 - os.walk speaks in text
                if token in os.fsencode(name) or token in _everything_in(path):
                    return True
        return False

    @staticmethod
    def size_of(path: Path) -> int:
        return path.stat().st_size

    @staticmethod
    def mode_of(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    @staticmethod
    def mtime_of(path: Path) -> int:
        return int(path.stat().st_mtime)

    @staticmethod
    def atime_of(path: Path) -> int:
        return int(path.stat().st_atime)

    @staticmethod
    def has_core(folder: Path, status: int | None) -> bool:
        """A core file in the folder, or the kernel's word that it dumped one."""
        return any(p.name.startswith("core") for p in folder.iterdir()) or (status is not None and os.WCOREDUMP(status))

    def shared_offset(self) -> int:
        return os.lseek(self.leaked_file, 0, os.SEEK_CUR)

    def leaked_mtime(self) -> int:
        return int(os.fstat(self.leaked_file).st_mtime)

    def reply_flags(self) -> int:
        return fcntl.fcntl(self.reply_write, fcntl.F_GETFL)

    def reply_pipe_size(self) -> int:
        return fcntl.fcntl(self.reply_write, _F_GETPIPE_SZ)

    @staticmethod
    def locked_at(token: bytes) -> bool:
        """Whether /proc/locks shows a range lock at the token's number."""
        start = Lookups.number(token)
        return f" {start} {start + 6}\n" in Path("/proc/locks").read_text(encoding="ascii")

    @staticmethod
    def highest_fd(pid: int) -> int | None:
        with contextlib.suppress(OSError):
            return max((int(p.name) for p in Path(f"/proc/{pid}/fd").iterdir()), default=None)
        return None

    @staticmethod
    def terminal_fds(pid: int) -> int | None:
        """How many of its descriptors are a terminal; None where the list cannot be read."""
        with contextlib.suppress(OSError):
            targets = [os.readlink(p) for p in Path(f"/proc/{pid}/fd").iterdir()]  # noqa: PTH115 - text compared
            return sum(t.startswith("/dev/pts/") for t in targets) if targets else None
        return None

    @staticmethod
    def cwd_of(pid: int) -> str:
        with contextlib.suppress(OSError):
            return str(Path(f"/proc/{pid}/cwd").readlink())
        return ""

    @staticmethod
    def io_priority(pid: int) -> int | None:
        """Of a process that is there: number 0 would ask for our own."""
        with contextlib.suppress(OSError):
            return sys_call(None, "ioprio_get", 1, pid) if pid else None
        return None

    @staticmethod
    def peek(pid: int, address: int, size: int) -> bytes:
        """Bytes of another process' memory, empty when the kernel refuses."""
        try:
            fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
        except OSError:
            return b""
        try:
            return os.pread(fd, size, address)
        except OSError:
            return b""
        finally:
            os.close(fd)

    @staticmethod
    def memory_file(pid: int, token: bytes) -> bool:
        """Whether a memory file of that process can be read from here and holds the token."""
        with contextlib.suppress(OSError):
            for entry in Path(f"/proc/{pid}/fd").iterdir():
                if "memfd:" in str(entry.readlink()):
                    return token in entry.read_bytes()
        return False

    def received_descriptor(self) -> bool:
        """Whether a descriptor arrived on our end of the socket pair."""
        data, control = ctypes.create_string_buffer(1), ctypes.create_string_buffer(24)
        vector = ctypes.create_string_buffer(struct.pack("<QQ", ctypes.addressof(data), 1), 16)
        header = struct.pack("<QQQQQQQ", 0, 0, ctypes.addressof(vector), 1, ctypes.addressof(control), 24, 0)
        record = ctypes.create_string_buffer(header, len(header))
        try:
            sys_call(None, "recvmsg", self.pair_end, record, 0x40)  # MSG_DONTWAIT
        except OSError:
            return False
        if struct.unpack_from("<Q", control.raw)[0] < 20:
            return False
        os.close(struct.unpack_from("<i", control.raw, 16)[0])
        return True

    def sysv_memory(self, token: bytes) -> bool:
        with contextlib.suppress(OSError):
            identity = sys_call(None, "shmget", self.key(token), 0, 0)
            address = sys_call(None, "shmat", identity, None, 0o10000)
            found = ctypes.string_at(address, len(token)) == token
            sys_call(None, "shmdt", address)
            sys_call(None, "shmctl", identity, _IPC_RMID, None)
            return found
        return False

    def sysv_message(self, token: bytes) -> bool:
        with contextlib.suppress(OSError):
            identity = sys_call(None, "msgget", self.key(token), 0)
            buffer = ctypes.create_string_buffer(128)
            sys_call(None, "msgrcv", identity, buffer, 100, 0, _IPC_NOWAIT)
            sys_call(None, "msgctl", identity, _IPC_RMID, None)
            return token in buffer.raw
        return False

    def sysv_semaphore(self, token: bytes) -> bool:
        with contextlib.suppress(OSError):
            identity = sys_call(None, "semget", self.key(token), 0, 0)
            value = sys_call(None, "semctl", identity, 0, _GETVAL, 0)
            sys_call(None, "semctl", identity, 0, _IPC_RMID, 0)
            return value == self.number(token) % 30000
        return False

    @staticmethod
    def posix_queue(token: bytes) -> bool:
        with contextlib.suppress(OSError):
            fd = sys_call(None, "mq_open", token, os.O_RDONLY | os.O_NONBLOCK, 0, None)
            buffer = ctypes.create_string_buffer(128)
            size = sys_call(None, "mq_timedreceive", fd, buffer, 128, None, None)
            os.close(fd)
            sys_call(None, "mq_unlink", token)
            return buffer.raw[:size] == token
        return False

    @staticmethod
    def key_seen(token: bytes) -> bool:
        for keyring in _KEYRINGS:
            with contextlib.suppress(OSError):
                identity = sys_call(None, "keyctl", _KEYCTL_SEARCH, keyring, b"user", token, 0)
                sys_call(None, "keyctl", _KEYCTL_UNLINK, identity, keyring)
                return True
        return False

    @staticmethod
    def soft_limit(pid: int, name: str) -> int | None:
        """Soft limit of a process by its words in /proc/pid/limits; None where it cannot be read."""
        with contextlib.suppress(OSError):
            rows = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()
            word = next(row.split(name)[1].split()[0] for row in rows if name in row)
            return _INFINITE if word == "unlimited" else int(word)
        return None

    def victim_nice(self) -> int:
        return int(Path(f"/proc/{self.victim_pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[16])

    def victim_cpu(self) -> int:
        """Its one processor, -1 for several."""
        cpus = os.sched_getaffinity(self.victim_pid)
        return next(iter(cpus)) if len(cpus) == 1 else -1


def _everything_in(path: str) -> bytes:
    """Content, link target and attributes of one entry."""
    found = b""
    with contextlib.suppress(OSError):
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return os.fsencode(Path(path).readlink())
        if stat.S_ISREG(mode):
            found += Path(path).read_bytes()
        for name in os.listxattr(path):
            found += os.fsencode(name) + os.getxattr(path, name)
    return found
