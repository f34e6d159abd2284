"""The world around the attempts: private directories, listeners, a terminal, a victim. For one battery.

Everything lies in a mount and network namespace of its own where the host allows it; otherwise on loopback and
in one temporary directory. It removes only names that it made.
"""

import ctypes
import os
import pty
import resource
import signal
import struct
import termios
import time
from pathlib import Path
from typing import Final

from bioguard.evidence.escape_battery.lookups import Lookups
from bioguard.evidence.escape_battery.raw import AF, SOCK, Trace, in4, in6, number_of, port_of, sun, sys_call
from bioguard.evidence.escape_battery.veth import THERE, Cable
from tee_sim.shared.sandbox import kernel

_SERVICES: Final = (
    "session_bus", "system_bus", "polkit", "user_bus", "manager", "wayland", "sound", "cups", "agent", "engine", "nscd",
    "resolve",
)  # fmt: skip
_NETLINK_USERSOCK: Final = 2
_MOST_CPUS: Final = 8192
"""CONFIG_NR_CPUS at its largest."""
_MAX_READ: Final = 1 << 16
_INT80_STUB: Final = bytes.fromhex("53 8b07 8b5f08 8b4f10 8b5718 cd80 5b c3")
"""push rbx; mov eax,[rdi]; mov ebx,[rdi+8]; mov ecx,[rdi+16]; mov edx,[rdi+24]; int 0x80; pop rbx; ret."""
_IA32 = {"socket": 359, "connect": 362, "write": 4}
IA32_MARK: Final = 0x80000000


def _reachable_cpus() -> tuple[int, ...]:
    """Processors that a process of ours may choose: those of its cpuset, whatever it was started on."""
    started_on = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, range(_MOST_CPUS))
        return tuple(sorted(os.sched_getaffinity(0)))
    finally:
        os.sched_setaffinity(0, started_on)


class AttemptEnvironment(Lookups):
    """Listeners and victims, and what they heard.

    Args:
        base: an empty directory of its own.
        shared: the world-writable directories attempts may use, private to the environment.
        cable: the observer's side, if there is one.
        sniffer: AF_PACKET socket in the attempts' namespace, or -1.
    """

    def __init__(self, base: Path, shared: tuple[Path, Path, Path], cable: Cable | None, sniffer: int) -> None:
        super().__init__()
        self.base, self.shared, self.cable = base, shared, cable
        self.tmp, self.var_tmp, self.shm = map(str, shared)
        self.other_host = THERE
        self.uid = os.geteuid()
        self.cpus = _reachable_cpus()
        self.hard_files, self.hard_rss = (
            resource.getrlimit(kind)[1] % (1 << 64) for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_RSS)
        )
        self.packets: list[bytes] = []
        self.far_packet_count = 0
        self._heard = bytearray()
        self._sniffers = [fd for fd in (sniffer, cable.sniffer if cable else -1) if fd >= 0]
        self._listeners: list[int] = [cable.far_listener] if cable else []
        self._readers: list[int] = []
        self.ports = {"far_tcp": cable.far_port if cable else 9}
        self._open_network()
        self._open_local()
        self._open_terminal()
        self._fixed = len(self._readers)
        self._kept = ctypes.create_string_buffer(64)
        self._anchors: list[object] = []
        stat = kernel.read_proc("/proc/self/stat").rpartition(b")")[2].split()
        self.argv_address, self.environ_address = int(stat[45]), int(stat[47])
        self._stub, self._low = self._prepare_int80()
        self.leaked_socket = self._connect_leak()

    def _listen(self, family: int, kind: int, address: bytes) -> int:
        fd = sys_call(None, "socket", family, kind | SOCK.NONBLOCK, 0)
        sys_call(None, "bind", fd, address, len(address))
        if kind == SOCK.DGRAM:
            self._readers.append(fd)
        else:
            sys_call(None, "listen", fd, 32)
            self._listeners.append(fd)
        return fd

    def _open_network(self) -> None:
        self.ports["tcp4"] = port_of(self._listen(AF.INET, SOCK.STREAM, in4("127.0.0.1", 0)))
        self.ports["udp4"] = port_of(self._listen(AF.INET, SOCK.DGRAM, in4("127.0.0.1", 0)))
        self.ports["stub"] = port_of(self._listen(AF.INET, SOCK.DGRAM, in4("127.0.0.53", 0)))
        try:
            self.ports["tcp6"] = port_of(self._listen(AF.INET6, SOCK.STREAM, in6(1, 0)))
            self.ports["udp6"] = port_of(self._listen(AF.INET6, SOCK.DGRAM, in6(1, 0)))
        except OSError:  # a host without IPv6: those two attempts are then not exercisable
            self.ports.update(tcp6=9, udp6=9)
        fd = sys_call(None, "socket", AF.NETLINK, SOCK.DGRAM | SOCK.NONBLOCK, _NETLINK_USERSOCK)
        sys_call(None, "bind", fd, struct.pack("<HHII", AF.NETLINK, 0, os.getpid(), 0), 12)
        self.ports["netlink"] = os.getpid()
        self._readers.append(fd)

    def _open_local(self) -> None:
        folder = self.base / "sockets"
        folder.mkdir()
        kinds = {
            "stream": SOCK.STREAM,
            "seqpacket": 5,
            "dgram": SOCK.DGRAM,
            "devlog": SOCK.DGRAM,
            "journal": SOCK.DGRAM,
        }
        kinds |= dict.fromkeys(_SERVICES, SOCK.STREAM)
        self.sockets = {name: str(folder / name) for name in kinds}
        for name, kind in kinds.items():
            self._listen(AF.UNIX, kind, sun(self.sockets[name]))
        mark = f"{os.getpid():x}"
        self.abstract = {name: f"{mark}-{name}" for name in ("stream", "dgram", "x11")}
        for name, path in self.abstract.items():
            kind = SOCK.DGRAM if name == "dgram" else SOCK.STREAM
            self._listen(AF.UNIX, kind, sun(path, abstract=True))
        self.fifo_path = str(self.base / "fifo")
        os.mkfifo(self.fifo_path, 0o666)
        self._readers.append(os.open(self.fifo_path, os.O_RDWR | os.O_NONBLOCK))

    def _open_terminal(self) -> None:
        master, self.terminal = pty.openpty()
        self.terminal_path = os.ttyname(self.terminal)
        attributes = termios.tcgetattr(self.terminal)
        attributes[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(self.terminal, termios.TCSANOW, attributes)
        os.set_blocking(master, False)
        self._readers.append(master)

    def _connect_leak(self) -> int:
        fd = sys_call(None, "socket", AF.INET, SOCK.STREAM, 0)
        address = in4("127.0.0.1", self.ports["tcp4"])
        sys_call(None, "connect", fd, address, len(address))
        return fd

    def _prepare_int80(self) -> tuple[int, int]:
        if kernel.MACHINE != "x86_64":
            return 0, 0
        page = sys_call(None, "mmap", None, 4096, 7, 0x62, -1, 0)  # MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT
        ctypes.memmove(page, _INT80_STUB, len(_INT80_STUB))
        return page, page + 2048

    def int80(self, token: bytes, address: bytes, trace: Trace) -> None:
        """socket, connect and write through the 32-bit entry. Raises OSError."""
        if not self._stub:
            raise OSError(38, "no 32-bit entry on this architecture")
        enter = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(self._stub)

        def call(name: str, *arguments: int) -> int:
            trace.last_call = IA32_MARK | _IA32[name]
            registers = (ctypes.c_uint64 * 4)(_IA32[name], *arguments)
            result = int(enter(ctypes.addressof(registers)))
            if result < 0:
                raise OSError(-result, os.strerror(-result))
            return result

        ctypes.memmove(self._low, address, len(address))
        ctypes.memmove(self._low + 64, token, len(token))
        fd = call("socket", AF.INET, SOCK.STREAM, 0)
        call("connect", fd, self._low, len(address))
        call("write", fd, self._low + 64, len(token))

    @staticmethod
    def raw_number(number: int, *arguments: object) -> int:
        """A system call by any number. Raises OSError."""
        return kernel.raw(number, *arguments)

    @staticmethod
    def number_of(name: str) -> int:
        return number_of(name)

    def keep_in_memory(self, value: object) -> None:
        """Inside an attempt: keep something alive; a token also at an address the outside knows."""
        self._anchors.append(value)
        if isinstance(value, bytes):
            ctypes.memmove(self._kept, value, len(value))

    def memory_readable(self, pid: int, token: bytes) -> bool:
        """Whether this process may read the token in that process' memory."""
        return self.peek(pid, ctypes.addressof(self._kept), len(token)) == token

    def begin(self) -> None:
        """Forget what was heard, before a cell."""
        self.drain()
        self._heard.clear()
        self.packets.clear()

    def drain(self) -> None:
        """Read everything that arrived anywhere."""
        for fd in self._listeners:
            try:
                while True:
                    peer = sys_call(None, "accept4", fd, None, None, SOCK.NONBLOCK)
                    self._readers.append(peer)
            except OSError:
                continue
        for fd in tuple(self._readers):
            self._read(fd)
        for fd in self._sniffers:
            self._sniff(fd)

    def _read(self, fd: int) -> None:
        while True:
            try:
                data = os.read(fd, _MAX_READ)
            except BlockingIOError:
                return
            except OSError:  # a peer that reset, a terminal whose other end closed
                return
            if not data:
                if self._readers.index(fd) >= self._fixed:  # an accepted connection that ended
                    os.close(fd)
                    self._readers.remove(fd)
                return
            self._heard += data

    def _sniff(self, fd: int) -> None:
        far = self.cable is not None and fd == self.cable.sniffer
        while True:
            try:
                packet = os.read(fd, _MAX_READ)
            except OSError:
                return
            self.far_packet_count += far
            self.packets.append(packet)
            self._heard += packet

    def heard(self, token: bytes) -> bool:
        """Whether the token arrived anywhere since `begin`."""
        self.drain()
        return token in self._heard

    def heard_syn(self, token: bytes) -> bool:
        """Whether a TCP segment to the port that encodes the token was seen at the observer."""
        self.drain()
        port = struct.pack(">H", self.port_of_token(token))
        return any(p[12:14] == b"\x08\x00" and p[23] == 6 and p[36:38] == port for p in self.packets if len(p) > 38)

    def fetch_bind_shell(self, token: bytes) -> bool:
        """Connect to the port the attempt listens on, and read."""
        fd = sys_call(None, "socket", AF.INET, SOCK.STREAM, 0)
        try:
            address = in4("127.0.0.1", self.port_of_token(token))
            sys_call(None, "connect", fd, address, len(address))
            return os.read(fd, 64) == token
        except OSError:
            return False
        finally:
            os.close(fd)

    def start_victim(self, outside: Path) -> None:
        """A process of ours that attempts may attack."""
        self._signal_read, signal_write = os.pipe()
        os.set_blocking(self._signal_read, False)
        self._victim_buffer = ctypes.create_string_buffer(64)
        self.victim_address = ctypes.addressof(self._victim_buffer)
        self.victim_socket = self._connect_leak()
        self.victim_file = os.open(outside / "victim-file", os.O_RDWR | os.O_CREAT, 0o666)
        self.victim_pid = os.fork()
        if self.victim_pid == 0:
            try:
                os.chdir(outside)
                signal.signal(signal.SIGUSR1, lambda *_: os.write(signal_write, b"!"))
                os.write(signal_write, b"+")
                time.sleep(30)
            finally:
                os._exit(0)
        os.close(signal_write)
        os.set_blocking(self._signal_read, True)
        os.read(self._signal_read, 1)
        os.set_blocking(self._signal_read, False)

    def stop_victim(self) -> None:
        """End it."""
        os.kill(self.victim_pid, signal.SIGKILL)
        os.waitpid(self.victim_pid, 0)
        for fd in (self._signal_read, self.victim_socket, self.victim_file):
            os.close(fd)

    def victim_memory(self) -> bytes:
        """What is in the buffer that attempts try to write to."""
        return self.peek(self.victim_pid, self.victim_address, 24)

    def victim_signaled(self) -> bool:
        """Whether the victim got a signal."""
        try:
            return bool(os.read(self._signal_read, 8))
        except BlockingIOError:
            return False
