"""A secure world and a supplicant as two processes with pipes between them, of which one or both get SIGKILL."""

import os
import signal
import sqlite3
import struct
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from tee_sim.normal.secure_process import StorageHandler
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.codec import decode, encode
from tee_sim.shared.errors import TeeError, TeeResult
from tests.campaigns.crash_trace import FILES, Disk

VICTIMS = ("secure world", "supplicant", "both")
READING = ("SELECT", "PRAGMA")
"""Statements that are no step of a write."""
_HEAD = struct.Struct("<II")

Act = Callable[[Path], object]
"""Something a secure world does on the device in a directory."""
Tap = Callable[[], None]
"""Called in the supplicant at each step: see `_serve`."""


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
    """Kills the given processes at one step."""

    def __init__(self, at: int, pids: Sequence[int]) -> None:
        self._left, self._pids = at, pids

    def __call__(self) -> None:
        self._left -= 1
        if self._left == 0:
            for pid in self._pids:
                os.kill(pid, signal.SIGKILL)


class _Pipe:
    """A `StorageHandler` in another process."""

    def __init__(self, source: int, sink: int) -> None:
        self._source, self._sink = source, sink

    def handle(self, operation: int, request: object) -> list[object]:
        try:
            _send(self._sink, operation, encode(request))
            result, reply = _receive(self._source)
        except (EOFError, BrokenPipeError):
            os._exit(0)  # as the product's secure world does when the normal world is gone
        if result:
            raise TeeError(TeeResult(result), "refused")
        return cast("list[object]", decode(reply))


@contextmanager
def _told_of_writes(tap: Tap) -> Iterator[None]:
    """Call `tap` before each SQL statement that writes, and before each write and sync of the RPMB's file."""
    connect, pwrite, sync = sqlite3.connect, os.pwrite, os.fdatasync

    def statement(text: str) -> None:
        if not text.startswith(READING):
            tap()

    def connected(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **named)
        connection.set_trace_callback(statement)
        return connection

    def written(fd: int, raw: bytes, offset: int) -> int:
        tap()
        return pwrite(fd, raw, offset)

    def synced(fd: int) -> None:
        tap()
        sync(fd)

    with (
        patch.object(sqlite3, "connect", connected),
        patch.object(os, "pwrite", written),
        patch.object(os, "fdatasync", synced),
    ):
        yield


def _serve(directory: Path, source: int, sink: int, tap: Tap) -> None:
    """Be the supplicant until the secure world is gone. A step: before and after a message, and each write in it."""
    with _told_of_writes(tap), closing(Supplicant(directory)) as supplicant:
        while True:
            try:
                operation, payload = _receive(source)
                tap()
                try:
                    reply, result = encode(supplicant.handle(operation, decode(payload))), 0
                except TeeError as error:
                    reply, result = b"", int(error.result)
                tap()
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

    def handle(self, operation: int, request: object) -> list[object]:
        return self._disk.handle(operation, request)

    def _secure(self, act: Act, directory: Path, ask: tuple[int, int], answer: tuple[int, int]) -> int:
        """Start a secure world that acts on another disk."""

        def run() -> None:
            self._disk = _Pipe(answer[0], ask[1])
            act(directory)

        return _fork(run, shut=(ask[0], answer[1]))

    def undisturbed(self, act: Act, directory: Path) -> list[Disk]:
        """Let it happen; return the disk at each step, and at the end."""
        ask, answer = os.pipe(), os.pipe()
        pid = self._secure(act, directory, ask, answer)
        os.close(ask[1])
        os.close(answer[0])
        disks: list[Disk] = []
        _serve(directory, ask[0], answer[1], lambda: disks.append(_disk(directory)))
        os.close(ask[0])
        os.close(answer[1])
        if os.waitpid(pid, 0)[1]:
            raise RuntimeError("the secure world failed without being killed")
        return [*disks, _disk(directory)]

    def killed(self, act: Act, directory: Path, victim: str, at: int) -> str:
        """Let it happen up to a step, counted from 1; return what went wrong, if anything."""
        ask, answer = os.pipe(), os.pipe()
        secure_pid = self._secure(act, directory, ask, answer)

        def supplicant() -> None:
            pids = {"secure world": (secure_pid,), "supplicant": (os.getpid(),), "both": (secure_pid, os.getpid())}
            _serve(directory, ask[0], answer[1], _Death(at, pids[victim]))

        supplicant_pid = _fork(supplicant, shut=(ask[1], answer[0]))
        for fd in (*ask, *answer):
            os.close(fd)
        ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in (secure_pid, supplicant_pid)]
        planned = [0 if victim == other else -signal.SIGKILL for other in ("supplicant", "secure world")]
        return "" if ends == planned else f"the worlds ended with {ends}, not {planned}"


def _disk(directory: Path) -> Disk:
    return {name: path.read_bytes() if (path := directory / name).exists() else b"" for name in FILES}
