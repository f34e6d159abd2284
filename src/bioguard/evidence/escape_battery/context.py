"""What an attempt is given inside, and what its witness is given outside."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bioguard.evidence.escape_battery.raw import AF, SOCK, Trace, sys_call

if TYPE_CHECKING:
    from bioguard.evidence.escape_battery.attempt_environment import AttemptEnvironment


@dataclass(slots=True)
class Leaks:
    """Descriptors a careless launcher would have left open, and the two pipes."""

    request: int
    reply: int
    socket: int = -1
    file: int = -1
    read_only: int = -1
    root_directory: int = -1
    terminal: int = -1
    pair: int = -1
    store: int = -1


@dataclass(slots=True)
class Context:
    """Inside the locked process.

    Attributes:
        token: 12 random bytes, fresh for each cell, as 24 hex characters: what the witness looks for.
        outside: directory of the user, not of the secure world.
        store: directory a file-based secure world would own.
    """

    token: bytes
    environment: "AttemptEnvironment"
    leaks: Leaks
    trace: Trace
    outside: str
    store: str

    @property
    def aim(self) -> int:
        """What the witness waits for, where it is no token: chosen after it looked (`model.Shift`)."""
        return int(self.trace.aim)

    @property
    def text(self) -> str:
        return self.token.decode("ascii")

    def sys(self, name: str, *arguments: object) -> int:
        """One system call, noted. Raises OSError."""
        return sys_call(self.trace, name, *arguments)

    def socket(self, family: int, kind: int, protocol: int = 0) -> int:
        return self.sys("socket", family, kind, protocol)

    def stream(self, address: bytes, family: int = AF.INET, protocol: int = 0) -> None:
        """Connect a stream and send the token."""
        fd = self.socket(family, SOCK.STREAM, protocol)
        self.sys("connect", fd, address, len(address))
        self.sys("sendto", fd, self.token, len(self.token), 0, None, 0)

    def datagram(self, address: bytes, family: int = AF.INET, payload: bytes = b"", protocol: int = 0) -> None:
        """Send the token, or a payload with it, in one datagram."""
        fd = self.socket(family, SOCK.DGRAM, protocol)
        data = payload or self.token
        self.sys("sendto", fd, data, len(data), 0, address, len(address))

    def open(self, path: str, flags: int, mode: int = 0o666) -> int:
        return self.sys("openat", -100, os.fsencode(path), flags, mode)

    def write_file(self, path: str, data: bytes = b"") -> None:
        """Create a file outside and write the token."""
        fd = self.open(path, os.O_WRONLY | os.O_CREAT)
        payload = data or self.token
        self.sys("write", fd, payload, len(payload))

    def fork(self) -> int:
        """A plain fork, by clone(SIGCHLD)."""
        return self.sys("clone", 17, 0, 0, 0, 0)

    def in_child(self, body: Callable[[], object]) -> None:
        """Run `body` in a forked child and wait for it."""
        pid = self.fork()
        if pid == 0:
            try:
                body()
            finally:
                os._exit(0)
        self.sys("wait4", pid, None, 0, None)

    def execute(self, command: str) -> None:
        """Become /bin/sh running `command`."""
        import ctypes  # noqa: PLC0415

        words = (ctypes.c_char_p * 4)(b"/bin/sh", b"-c", command.encode(), None)
        self.sys("execve", b"/bin/sh", words, (ctypes.c_char_p * 1)(None))


@dataclass(slots=True)
class View:
    """Outside the locked process.

    Attributes:
        pid: the process that ran the attempt (inside its PID namespace it may be 1).
        status: wait status once it ended, else None.
        reply: bytes read from its reply pipe. output: bytes from its stdout and stderr.
        aim: what a Shift waits for, once it has looked.
    """

    token: bytes
    environment: "AttemptEnvironment"
    pid: int
    outside: Path
    store: Path
    status: int | None = None
    reply: bytes = b""
    output: bytes = b""
    aim: int | None = None

    def proc(self, name: str) -> str:
        """A /proc file of the attempt's process; empty when it cannot be read."""
        try:
            return Path(f"/proc/{self.pid}/{name}").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def status_field(self, name: str) -> str:
        for line in self.proc("status").splitlines():
            key, _, value = line.partition(":")
            if key == name:
                return value.strip()
        return ""

    def text_in(self, name: str) -> bool:
        """Whether a /proc file shows the start of the token."""
        return self.token[:8].decode("ascii") in self.proc(name)

    @property
    def number(self) -> int:
        """A number that the token stands for."""
        return self.environment.number(self.token)

    def whole(self, name: str) -> int | None:
        """A /proc file that holds one whole number; None when it cannot be read."""
        text = self.proc(name).strip()
        return int(text) if text else None

    def stat(self, field: int) -> int | None:
        """Field of /proc/pid/stat, numbered as in proc(5); None when it cannot be read."""
        fields = self.proc("stat").rpartition(")")[2].split()
        return int(fields[field - 3]) if len(fields) > field - 3 else None

    def status_number(self, name: str, base: int = 10) -> int | None:
        """First number of a field of /proc/pid/status; None when it cannot be read."""
        words = self.status_field(name).split()
        return int(words[0], base) if words else None

    def seen(self) -> bool:
        """Whether any listener, sniffer, pipe or terminal of the environment got the token."""
        return self.environment.heard(self.token)

    def in_files(self) -> bool:
        """Whether a name, a content or an extended attribute below the private directories holds the token."""
        return any(
            self.environment.find(root, self.token) for root in (self.outside, self.store, *self.environment.shared)
        )
