"""Hosts in threads of the test's process: the real `Host` and the real `RemoteApp`, with queues for pipes.

Only one of core and host runs at a time, as with processes. What a host sends can be changed on the way.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, cast

from tee_sim.normal.supplicant import Supplicant
from tee_sim.secure.blocking_pipe import BlockingPipe
from tee_sim.secure.hosts.pipes import HostGoneError, HostPipe
from tee_sim.secure.hosts.process import Host
from tee_sim.secure.hosts.remote_app import Hosts
from tee_sim.secure.world import SecureWorld
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.wire import HEAD_BYTES
from tee_sim.testing.in_process import InProcessTee

OnTheWay = Callable[[bytes], bytes]
"""What becomes of the body of a frame that a host sends."""

_LONG_S = 20.0


class _EndedError(BaseException):
    """The core does not read any more."""


class HostEnds:
    """`BlockingPipe`, the host's end."""

    def __init__(self) -> None:
        self.down: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.up: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.ended = False

    def body(self) -> bytes:
        body = None if self.ended else self.down.get(timeout=_LONG_S)
        if body is None:
            self.ended = True
            raise _EndedError
        return body

    def write(self, frame: bytes) -> None:
        if self.ended:
            raise _EndedError
        self.up.put(frame[HEAD_BYTES:])


class CoreEnds:
    """`HostPipe`, the core's end.

    Attributes:
        sent: bodies that the host has sent, as it sent them.
    """

    def __init__(self, manifest: Manifest, on_the_way: OnTheWay) -> None:
        self.end = HostEnd.NONE
        self.sent: list[bytes] = []
        self._ends = HostEnds()
        self._on_the_way = on_the_way
        host = Host(cast("BlockingPipe", self._ends), manifest)
        self._thread = threading.Thread(target=self._serve, args=(host,), daemon=True)
        self._thread.start()

    def _serve(self, host: Host) -> None:
        try:
            host.serve()
        except BaseException:
            self._ends.up.put(None)

    @property
    def alive(self) -> bool:
        return self.end is HostEnd.NONE

    def write(self, frame: bytes, _deadline: float) -> None:
        self._ends.down.put(frame[HEAD_BYTES:])

    def body(self, _deadline: float) -> bytes:
        body = self._ends.up.get(timeout=_LONG_S)
        if body is None:
            self.kill(HostEnd.EXITED)
        self.sent.append(body)
        return self._on_the_way(body)

    def has_ended(self) -> bool:
        return not self.alive

    def kill(self, why: HostEnd | None = None) -> NoReturn:
        if self.end is HostEnd.NONE:
            self.end = why or HostEnd.EXITED
            self._ends.down.put(None)
        raise HostGoneError(self.end)

    def close(self) -> None:
        """End the thread, whether or not the host was ended."""
        self._ends.down.put(None)
        self._thread.join(_LONG_S)


class ThreadedTee(InProcessTee):
    """`InProcessTee` whose applications run behind the messages of the hosts.

    Args:
        on_the_way: what becomes of each message of a host; nothing by default.
        others: as `InProcessTee`.
    """

    def __init__(
        self,
        manifests: Sequence[Manifest],
        storage: Supplicant,
        *,
        on_the_way: OnTheWay = bytes,
        processes: int = 4,
        **others: Any,
    ) -> None:
        super().__init__(manifests, storage, **others)
        self.pipes = {m.name: [CoreEnds(m, on_the_way) for _ in range(processes)] for m in manifests}
        each = [(m, cast("list[HostPipe]", self.pipes[m.name])) for m in manifests]
        self.world: SecureWorld = self._world
        self.world._core._hosting = Hosts(each, lambda _manifest: 60_000)

    def close(self) -> None:
        """End every thread."""
        for pipes in self.pipes.values():
            for pipe in pipes:
                pipe.close()
