"""Reach the machine that `tee-sim run` has started for this program, over two inherited pipes.

    from tee_sim.normal.connect import connect

    with connect().open_session(UUID_OF_MINE) as session:
        session.call(ADD, ADD.request(step=3))

The environment variable TEE_SIM_CLIENT holds the numbers of the two descriptors, reading first. There is no socket, and
nobody but this program and its children can join. What travels: `tee_sim.normal.link`.
"""

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from tee_sim.normal.client import Context
from tee_sim.normal.link import Link
from tee_sim.normal.machine.errors import RESULTS, MachineError
from tee_sim.normal.operation import CancellableOperation
from tee_sim.shared import codec
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import INVOKE_TIMEOUT_MS
from tee_sim.shared.wire import Message, Return, framed, pack, unpack

VARIABLE = "TEE_SIM_CLIENT"
MACHINE_VARIABLE = "TEE_SIM_MACHINE"
"""The directory of the machine, which libteec starts where no pipes were inherited."""
_LOOK_MS = 10
"""How soon a cancellation is passed on."""


def _error(plain: list[object]) -> TeeError:
    result, origin, message, hint, code = cast("tuple[int, int, str, str, str]", tuple(plain))
    if code in RESULTS:
        return MachineError(code, message, hint=hint, origin=Origin(origin))
    return TeeError(result, message, origin=Origin(origin), hint=hint)


def _gone() -> TeeError:
    return TeeError(TeeResult.TARGET_DEAD, "tee-sim run has ended", origin=Origin.COMMS, hint="start it again")


class _Machine:
    """`tee_sim.normal.client.CancellableTransport` over a `Link`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._asked = 0

    def exchange(self, message: Message, *, timeout_ms: int = INVOKE_TIMEOUT_MS) -> Return:
        """One request, one answer. Raises TeeError as the machine does."""
        return self._exchange(message, timeout_ms, None)

    def exchange_cancellable(
        self, message: Message, operation: CancellableOperation, *, timeout_ms: int = INVOKE_TIMEOUT_MS
    ) -> Return:
        """`exchange`; the application may ask meanwhile whether the operation was cancelled."""
        return self._exchange(message, timeout_ms, operation)

    def _exchange(self, message: Message, timeout_ms: int, operation: CancellableOperation | None) -> Return:
        self._asked += 1
        number = os.getpid() << 32 | self._asked
        with self._turn():
            self._link.send(framed(codec.encode([timeout_ms, number, None])), pack(message))
            if operation is not None:
                self._wait(number, operation)
            while True:
                head = codec.decode(self._received())
                if not isinstance(head, list):
                    raise _gone()
                if head[1:]:
                    if head[0] == number:
                        raise _error(head[1:])
                    continue  # the answer to a process that has died
                body = self._received()
                if head == [number]:
                    return cast("Return", unpack(body, {Return}))

    def _wait(self, number: int, operation: CancellableOperation) -> None:
        """Until there is an answer; a cancellation that comes before is passed on."""
        poll = select.poll()
        poll.register(self._link.read_fd, select.POLLIN)
        while not self._link.has_read and not poll.poll(_LOOK_MS):
            if operation.wait(0):
                self._link.send(framed(codec.encode([0, number])))
                return

    @contextmanager
    def _turn(self) -> Iterator[None]:
        try:
            with self._link.turn():
                yield
        except OSError:
            raise _gone() from None

    def _received(self) -> bytes:
        body = self._link.receive()
        if body is None:
            raise _gone()
        return body

    def kill(self) -> int | None:
        """End the secure world; the next call starts it again."""
        with self._turn():
            self._link.send(framed(codec.encode([])))
            while codec.decode(self._received()) != []:
                continue
        return None


_CONTEXTS: dict[str, Context] = {}


def connect() -> Context:
    """The client API of the machine that started this program; the same one when called again.

    Raises:
        MachineError: this program was not started by `tee-sim run`.
    """
    named = os.environ.get(VARIABLE, "")
    numbers = named.split(",")
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        raise MachineError(
            "machine.not_run",
            "this program has no machine to talk to",
            hint="start it with: tee-sim run PATH -- PROGRAM",
        )
    if named not in _CONTEXTS:
        _CONTEXTS[named] = Context(_Machine(Link(int(numbers[0]), int(numbers[1]))))
    return _CONTEXTS[named]
