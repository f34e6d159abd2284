"""Probes in throw-away children: does a lock on this host really stop anything?

For each probe one child tries a system call without the lock (the positive control: it must work, or its failure
under the lock proves nothing) and one child tries it with the lock and must be killed by SIGSYS. Success is read from
wait statuses, not from what a child says.

Run as `python -I -B -m tee_sim.normal.sandbox_verdict.probes` by `run_probes`; the outcome holds for this boot, user
and code.
"""

import ctypes
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final, Self, cast

from tee_sim.shared import codec
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.lock_report import LockError
from tee_sim.shared.sandbox import filters, hygiene, kernel, landlock

_TIMEOUT_S: Final = 20
_OK, _LOCK_REFUSED = 0, 99
_MAX_RESULT_BYTES: Final = 4096
_SOCKET_CALLS: Final = {"x86_64": (41, 49, 51, 44, 45), "aarch64": (198, 200, 204, 206, 207)}
"""socket, bind, getsockname, sendto, recvfrom."""
_AF_INET, _SOCK_DGRAM = 2, 2
_PTRACE_TRACEME, _PROT_RWX, _MAP_PRIVATE_ANON = 0, 7, 0x22


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe: exit status of the control and of the locked child, as waitpid gives them (-1: timed out)."""

    name: str
    control: int
    locked: int

    @property
    def control_works(self) -> bool:
        """The call works on this host when nothing locks it."""
        return self.control == _OK

    @property
    def killed(self) -> bool:
        """The kernel killed the locked child with SIGSYS."""
        return self.locked >= 0 and os.WIFSIGNALED(self.locked) and os.WTERMSIG(self.locked) == signal.SIGSYS


@dataclass(frozen=True, slots=True)
class ProbeResults:
    """What the throw-away children did. An empty tuple of probes means that probing itself failed."""

    filter_probes: tuple[Probe, ...]
    landlock: Probe | None

    @property
    def conclusive(self) -> bool:
        """All controls worked, so that a stopped call means something."""
        return bool(self.filter_probes) and all(p.control_works for p in self.filter_probes)

    @property
    def filter_kills(self) -> bool:
        """Every probe was killed by the strict filter."""
        return self.conclusive and all(p.killed for p in self.filter_probes)

    @property
    def landlock_refuses(self) -> bool:
        """With Landlock alone a path could not be opened."""
        return self.landlock is not None and self.landlock.control_works and self.landlock.locked == _status_of(13)

    def to_record(self) -> dict[str, object]:
        """Plain values."""
        single = [[self.landlock.control, self.landlock.locked]] if self.landlock else []
        return {"filter": [[p.name, p.control, p.locked] for p in self.filter_probes], "landlock": single}

    @classmethod
    def from_record(cls, record: object) -> Self:
        """Inverse of `to_record`. Raises TeeError BAD_FORMAT."""
        try:
            fields = cast("dict[str, list[list[object]]]", record)
            probes = tuple(Probe(str(n), int(str(c)), int(str(w))) for n, c, w in fields["filter"])
            single = fields["landlock"]
            return cls(probes, Probe("landlock", int(str(single[0][0])), int(str(single[0][1]))) if single else None)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise TeeError(TeeResult.BAD_FORMAT, "probe results are malformed") from error


def _status_of(exit_code: int) -> int:
    return exit_code << 8


def _udp_loopback() -> None:
    """Send a datagram to ourselves: a network that carries nothing is no positive control."""
    socket_, bind, getsockname, sendto, recvfrom = _SOCKET_CALLS[kernel.MACHINE]
    receiver = kernel.raw(socket_, _AF_INET, _SOCK_DGRAM, 0)
    address = struct.pack("<H2s4s8x", _AF_INET, b"\0\0", bytes((127, 0, 0, 1)))
    kernel.raw(bind, receiver, address, len(address))
    bound = ctypes.create_string_buffer(len(address))
    size = ctypes.c_int(len(address))
    kernel.raw(getsockname, receiver, bound, ctypes.byref(size))
    kernel.raw(sendto, receiver, b"probe", 5, 0, bound, len(address))
    answer = ctypes.create_string_buffer(8)
    kernel.raw(recvfrom, receiver, answer, 8, 0, None, None)
    if answer.raw[:5] != b"probe":
        raise OSError(5, "loopback carried something else")


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _execute_memory() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    if libc.mmap(None, ctypes.c_size_t(4096), _PROT_RWX, _MAP_PRIVATE_ANON, -1, 0) == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")


def _trace_me() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(_PTRACE_TRACEME, 0, None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


_FILTER_PROBES: Final[dict[str, Callable[[], object]]] = {
    "udp-loopback": _udp_loopback,
    "unix-socket": lambda: kernel.raw(_SOCKET_CALLS[kernel.MACHINE][0], 1, 1, 0),
    "open-path": lambda: os.open("/", os.O_RDONLY),
    "fork": _fork,
    "exec": lambda: os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", ""]),  # noqa: S606 - a probe
    "executable-memory": _execute_memory,
    "trace": _trace_me,
    "new-pipe": os.pipe,
}


def _in_child(body: Callable[[], object]) -> int:
    """Wait status of a child that runs `body`: 0 worked, else its errno as exit code, or the signal."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    code = 98
    try:
        body()
        code = _OK
    except OSError as error:
        code = error.errno or 97
    except LockError:
        code = _LOCK_REFUSED
    finally:
        os._exit(code)


def _locked(body: Callable[[], object]) -> int:
    def run() -> None:
        read_end, write_end = os.pipe()
        hygiene.no_new_privileges()
        filters.load(filters.secure_world_program(kernel.MACHINE, "strict", read_end, write_end))
        body()

    return _in_child(run)


def _landlocked() -> int:
    def run() -> None:
        hygiene.no_new_privileges()
        landlock.restrict(landlock.abi())
        os.close(os.open("/", os.O_RDONLY))

    return _in_child(run)


def main() -> None:
    """Run every probe and write the result to standard output."""
    hygiene.harden_early()
    probes = tuple(Probe(name, _in_child(body), _locked(body)) for name, body in _FILTER_PROBES.items())
    single = Probe("landlock", _in_child(lambda: os.close(os.open("/", os.O_RDONLY))), _landlocked())
    os.write(1, codec.encode(ProbeResults(probes, single).to_record()))


_begun: list[subprocess.Popen[bytes]] = []
"""A process that probes already, at most one; taken with `pop`, so that two threads never get the same."""


def begin_probes() -> None:
    """Start the throw-away process that probes, unless it is known what it shows: `cached_probes` waits for it."""
    if not (_begun or cached_probes.cache_info().currsize):
        with suppress(OSError):  # met again where its outcome is wanted
            _begun.append(_begin())


def _begin() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-B", "-m", "tee_sim.normal.sandbox_verdict.probes"]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env={}
    )


def run_probes() -> ProbeResults:
    """What a throw-away process that probes shows. Never raises: a failure is an empty result, hence INCONCLUSIVE."""
    try:
        with _begun.pop() if _begun else _begin() as probing:
            try:
                written, _ = probing.communicate(timeout=_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                probing.kill()
                raise
        if probing.returncode:
            return ProbeResults((), None)
        return ProbeResults.from_record(codec.decode(written, max_bytes=_MAX_RESULT_BYTES))
    except (OSError, subprocess.SubprocessError, TeeError):
        return ProbeResults((), None)


@lru_cache(maxsize=1)
def cached_probes() -> ProbeResults:
    """Probe once per process: what the host enforces does not change while we run."""
    return run_probes()


def boot_id() -> str:
    """Identity of this boot, for callers that keep results longer; empty where the kernel does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


if __name__ == "__main__":
    main()
