"""A host of a native application without a core: a forked process, and this one plays the core."""

import ctypes
import faulthandler
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tee_sim.secure.hosts.messages import (
    FROM_HOST_IN_DEBUG,
    Ask,
    Close,
    CoreAnswer,
    Create,
    Destroy,
    HostMessage,
    Open,
    Run,
    pack,
    unpack,
)
from tee_sim.shared.clock import ClockKind
from tee_sim.shared.debug_report import DebugReport
from tee_sim.shared.login import PUBLIC
from tee_sim.shared.params import NO_PARAMS, Params
from tee_sim.shared.rng import RandomnessKind
from tee_sim.shared.task import Task
from tee_sim.shared.wire import FrameReader

TASK = Task(client=PUBLIC)
NOT_LOADED = 9


def loaded(runtime: Path) -> ctypes.CDLL:
    """The runtime in this process."""
    lib = ctypes.CDLL(str(runtime))
    lib.load_image.restype = ctypes.c_char_p
    lib.load_image.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p)
    return lib


class Bare:
    """One host.

    Args:
        program: what to run in the process instead, for another machine: it gets the two descriptors and the file.

    Attributes:
        reports: debug reports that came, in order.
        ended: how the process ended, as `os.waitstatus_to_exitcode`; None while it runs.
    """

    def __init__(
        self,
        runtime: Path,
        ta: Path | bytes,
        config: Any = None,
        *,
        crash_handler: bool = False,
        answer: Callable[[Ask], CoreAnswer] | None = None,
        program: Sequence[str] = (),
    ) -> None:
        self.reports: list[DebugReport] = []
        self.ended: int | None = None
        self.asked: list[Ask] = []
        self._answer = answer
        content = ta if isinstance(ta, bytes) else ta.read_bytes()
        self._read, host_write = os.pipe()
        host_read, self._write = os.pipe()
        self._process = os.fork()
        if not self._process:
            try:
                faulthandler.disable()  # as pytest has it: a crash here is what is tested
                os.close(self._read)
                os.close(self._write)
                if program:
                    os.set_inheritable(host_read, True)
                    os.set_inheritable(host_write, True)
                    os.execvp(program[0], [*program, str(host_read), str(host_write), str(ta)])
                lib = loaded(runtime)
                if config is not None:
                    there = type(config).in_dll(lib, "config")
                    ctypes.memmove(ctypes.addressof(there), bytes(config), ctypes.sizeof(config))
                if lib.load_image(content, len(content), lib._handle) is not None:
                    os._exit(NOT_LOADED)
                if crash_handler:
                    lib.crash_handler_install()
                lib.host_serve(host_read, host_write)
            finally:
                os._exit(99)
        os.close(host_read)
        os.close(host_write)
        self._reader = FrameReader()

    def send(self, frame: bytes) -> None:
        with suppress(BrokenPipeError):
            os.write(self._write, frame)

    def receive(self) -> HostMessage | None:
        """The next message; None if the process has ended."""
        data = b""
        while (body := self._reader.feed(data)) is None:
            data = os.read(self._read, 1 << 16)
            if not data:
                self.ended = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
                return None
        return unpack(body, FROM_HOST_IN_DEBUG)

    def call(self, message: HostMessage) -> HostMessage | None:
        self.send(pack(message))
        while True:
            got = self.receive()
            if isinstance(got, DebugReport):
                self.reports.append(got)
            elif isinstance(got, Ask):
                self.asked.append(got)
                assert self._answer is not None, got
                self.send(pack(self._answer(got)))
            else:
                return got

    def create(self, instance: int = 1) -> HostMessage | None:
        return self.call(
            Create(
                instance=instance, device_id=bytes(16), began_ms=None, verdict="", filter_sha256=bytes(32),
                host_filter_sha256=bytes(32), names=(), measurements=(), processes=(), file_names=(), file_digests=(),
                clock=ClockKind.HOST, randomness=RandomnessKind.SYSTEM,
            )
        )  # fmt: skip

    def open(self, instance: int = 1, params: Params = NO_PARAMS) -> HostMessage | None:
        return self.call(Open(instance=instance, task=TASK, params=params))

    def invoke(
        self, command: int, params: Params = NO_PARAMS, *, instance: int = 1, context: int = 1
    ) -> HostMessage | None:
        return self.call(Run(instance=instance, context=context, task=TASK, command=command, params=params))

    def close_session(self, instance: int, context: int) -> HostMessage | None:
        return self.call(Close(instance=instance, context=context, task=TASK))

    def destroy(self, instance: int, *, panicked: bool = False) -> HostMessage | None:
        return self.call(Destroy(instance=instance, panicked=panicked))

    def started(self) -> Self:
        """With an instance 1, and a session 1 in it."""
        self.create()
        self.open()
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._write)
        os.close(self._read)
        if self.ended is None:
            os.waitpid(self._process, 0)
