"""A secure world and a supplicant as two processes with pipes between them, of which one or both get SIGKILL."""

import os
import signal
import struct
import traceback
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from bench.crash_trace import FILES, Disk
from tee_sim.errors import TeeError, TeeResult
from tee_sim.process import StorageHandler
from tee_sim.supplicant import Supplicant

__all__ = ["MOMENTS", "VICTIMS", "Act", "Worlds"]

VICTIMS = ("secure world", "supplicant", "both")
MOMENTS = ("before", "after")
_HEAD = struct.Struct("<II")

Act = Callable[[Path], object]
"""Something a secure world does on the device in a directory."""
Tap = Callable[[str], None]
"""Told `before` and `after` each message."""


def _exactly(fd: int, size: int) -> bytes:
    raw = b""
    while len(raw) < size:
        part = os.read(fd, size - len(raw))
        if not part:
            raise EOFError
        raw += part
    return raw


def _send(fd: int, number: int, payload: bytes) -> None:
    raw = _HEAD.pack(number, len(payload)) + payload
    while raw:
        raw = raw[os.write(fd, raw) :]


def _receive(fd: int) -> tuple[int, bytes]:
    number, size = _HEAD.unpack(_exactly(fd, _HEAD.size))
    return number, _exactly(fd, size)


class _Death:
    """Kills the given processes at one message."""

    def __init__(self, at: int, moment: str, pids: Sequence[int]) -> None:
        self._at, self._moment, self._pids, self._count = at, moment, pids, 0

    def __call__(self, moment: str) -> None:
        self._count += moment == "before"
        if (self._count, moment) == (self._at, self._moment):
            for pid in self._pids:
                os.kill(pid, signal.SIGKILL)


class _Pipe:
    """A `StorageHandler` in another process."""

    def __init__(self, source: int, sink: int, tap: Tap) -> None:
        self._source, self._sink, self._tap = source, sink, tap

    def handle(self, operation: int, payload: bytes) -> bytes:
        self._tap("before")
        try:
            _send(self._sink, operation, payload)
            result, reply = _receive(self._source)
        except (EOFError, BrokenPipeError):
            os._exit(0)  # as the product's secure world does when the normal world is gone
        self._tap("after")
        if result:
            raise TeeError(TeeResult(result), "refused")
        return reply


def _serve(directory: Path, source: int, sink: int, tap: Tap) -> None:
    """Be the supplicant until the secure world is gone."""
    with closing(Supplicant(directory)) as supplicant:
        while True:
            try:
                operation, payload = _receive(source)
                tap("before")
                try:
                    reply, result = supplicant.handle(operation, payload), 0
                except TeeError as error:
                    reply, result = b"", int(error.result)
                tap("after")
                _send(sink, result, reply)
            except (EOFError, BrokenPipeError):
                return


def _fork(run: Callable[[], object], shut: Sequence[int]) -> int:
    """Start a process without the descriptors `shut`; it ends with 0 unless something unexpected is raised."""
    pid = os.fork()
    if pid:
        return pid
    code = 99
    try:
        for fd in shut:
            os.close(fd)
        run()
        code = 0
    except BaseException:
        traceback.print_exc()
    os._exit(code)


class Worlds:
    """A secure world's disk that can be another one in a forked process."""

    def __init__(self, disk: StorageHandler) -> None:
        self._disk = disk

    def handle(self, operation: int, payload: bytes) -> bytes:
        return self._disk.handle(operation, payload)

    def _secure(self, act: Act, directory: Path, source: int, sink: int, tap: Tap) -> None:
        self._disk = _Pipe(source, sink, tap)
        act(directory)

    def undisturbed(self, act: Act, directory: Path) -> list[Disk]:
        """Let it happen; return the disk before all messages and after each of them."""
        ask, answer = os.pipe(), os.pipe()
        pid = _fork(lambda: self._secure(act, directory, answer[0], ask[1], lambda _: None), shut=(ask[0], answer[1]))
        os.close(ask[1])
        os.close(answer[0])
        disks = [_disk(directory)]

        def tap(moment: str) -> None:
            if moment == "after":
                disks.append(_disk(directory))

        _serve(directory, ask[0], answer[1], tap)
        os.close(ask[0])
        os.close(answer[1])
        if os.waitpid(pid, 0)[1]:
            raise RuntimeError("the secure world failed without being killed")
        return disks

    def killed(self, act: Act, directory: Path, victim: str, at: int, moment: str) -> str:
        """Let it happen up to a message; return what went wrong, if anything."""
        ask, answer = os.pipe(), os.pipe()

        def secure() -> None:
            death = _Death(at, moment, (os.getpid(),) if victim == "secure world" else ())
            self._secure(act, directory, answer[0], ask[1], death)

        secure_pid = _fork(secure, shut=(ask[0], answer[1]))

        def supplicant() -> None:
            pids = {"supplicant": (os.getpid(),), "both": (secure_pid, os.getpid())}.get(victim, ())
            _serve(directory, ask[0], answer[1], _Death(at, moment, pids))

        supplicant_pid = _fork(supplicant, shut=(ask[1], answer[0]))
        for fd in (*ask, *answer):
            os.close(fd)
        ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in (secure_pid, supplicant_pid)]
        planned = [0 if victim == other else -signal.SIGKILL for other in ("supplicant", "secure world")]
        return "" if ends == planned else f"the worlds ended with {ends}, not {planned}"


def _disk(directory: Path) -> Disk:
    return {name: path.read_bytes() if (path := directory / name).exists() else b"" for name in FILES}
