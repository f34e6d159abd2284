"""The sender: an application with closed replies and a budget that puts a number into one way out at a time."""

import os
import signal
import time
from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Annotated, Any

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.params import Param, Params
from tee_sim.shared.schema import AtMost, Record, UpTo
from tee_sim.shared.ta_api import Command, CommandApp, TaEnv

ROWS = 256
"""Objects whose rows it may read, each once in a life of the core: then they are kept there."""
PUT_ROWS = 16
RESULTS = sorted(set(TeeResult) - {TeeResult.SUCCESS, TeeResult.TARGET_DEAD})
STEP_S = 0.4e-3
LOOK_STEP_MS = 1


@unique
class Way(IntEnum):
    """Where the number goes."""

    REPLY = 1
    RESULT = 2
    PARAMETERS = 3
    READ = 4
    PUT = 5
    SIZE = 6
    COUNT = 7
    PAGE = 8
    IDS = 9
    TIME = 10
    END = 11
    MEMORY = 12
    PROCESSOR = 13
    CANCELLATION = 14
    REFUSAL = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Send(Record):
    """A number for one way out; what it is about besides, for ways that carry bytes."""

    way: Way
    number: Annotated[int, UpTo(1 << 16)]
    secret: Annotated[bytes, AtMost(1024)] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Record):
    """As little as a reply can be, and a byte for the one way that is the reply."""

    number: Annotated[int, UpTo(255)] = 0


SEND = Command(1, Send, Sent)
"""Each way is invoked under a number of its own, so that each has a budget: `Command(way, Send, Sent)`."""


class Sender(CommandApp):
    """Does what it is asked to, and what it must not."""

    def create(self, env: TaEnv) -> None:
        self.env = env
        self._held: list[bytearray] = []
        for way in Way:
            self.handle(Command(int(way), Send, Sent), self._send)
        if env.store.find(b"row0") is None:
            with env.store.transaction() as transaction:
                for number in range(ROWS):
                    transaction.put(b"row%d" % number, bytes(64), kind="row")
                for number in range(PUT_ROWS):
                    transaction.put(b"put%d" % number, bytes(64), kind="put")
                transaction.put(b"size", bytes(64), kind="size")

    def _send(self, _session: Any, request: Send) -> Sent:
        ways = {
            Way.RESULT: self._result,
            Way.PARAMETERS: self._parameters,
            Way.READ: self._read,
            Way.PUT: self._put,
            Way.SIZE: self._size,
            Way.COUNT: self._count,
            Way.PAGE: self._page,
            Way.IDS: self._ids,
            Way.TIME: self._time,
            Way.END: self._end,
            Way.MEMORY: self._memory,
            Way.PROCESSOR: self._processor,
            Way.CANCELLATION: self._cancellation,
            Way.REFUSAL: self._refusal,
        }
        if request.way in ways:
            ways[request.way](request)
        return Sent(number=request.number if request.way is Way.REPLY else 0)

    def _result(self, request: Send) -> None:
        raise TeeError(RESULTS[request.number], "a number")

    def _parameters(self, request: Send) -> None:
        """From the next request on another invoke than the base's answers, with bytes in a parameter that nobody has
        declared."""

        def answer(_self: CommandApp, _session: Any, _command: int, params: Params) -> Params:
            return (params[0], params[1].filled(Sent().to_bytes()), params[2].filled(request.secret), params[3])

        setattr(type(self), "invoke", answer)  # noqa: B010  # mypy knows that a class keeps its methods

    def _refusal(self, request: Send) -> None:
        params = (Param.none(), Param.output(1024).filled(request.secret), Param.none(), Param.none())
        raise TeeError(TeeResult.SHORT_BUFFER, "bytes", params=params)

    def _read(self, request: Send) -> None:
        for number in range(max(1, len(request.secret))):
            self.env.store.get(b"row%d" % ((request.number + 17 * number) % ROWS))

    def _put(self, request: Send) -> None:
        with self.env.store.transaction() as transaction:
            transaction.put(b"put%d" % request.number, bytes(64), kind="put")

    def _size(self, request: Send) -> None:
        with self.env.store.transaction() as transaction:
            transaction.put(b"size", bytes(200 << request.number), kind="size")

    def _count(self, request: Send) -> None:
        for _ in range(request.number):
            self._put(Send(way=Way.PUT, number=0))

    def _page(self, request: Send) -> None:
        ask = self.env.store._ask  # type: ignore[attr-defined]  # what it would need for a row of its own making
        ask(5, [b"p" + (1 << 40).to_bytes(8, "big"), request.secret])

    def _ids(self, request: Send) -> None:
        with self.env.store.transaction() as transaction:
            for start in range(0, len(request.secret), 64):
                part = request.secret[start : start + 64]
                transaction.put(part, b"", kind="x", owner=part[:32])

    def _time(self, request: Send) -> None:
        time.sleep(STEP_S * 3**request.number)

    def _end(self, request: Send) -> None:
        ends = (
            lambda: os._exit(request.number),
            lambda: os.kill(os.getpid(), signal.SIGKILL),
            lambda: (_ for _ in ()).throw(RuntimeError),
            lambda: self.env.store._ask(99, []),  # type: ignore[attr-defined]
        )
        ends[request.number]()

    def _memory(self, request: Send) -> None:
        self._held.clear()
        for _ in range(request.number):
            self._held.append(bytearray(os.urandom(4 << 20)))

    def _processor(self, request: Send) -> None:
        until = time.process_time() + 0.02 * request.number
        while time.process_time() < until:
            pass

    def _cancellation(self, request: Send) -> None:
        self.env.cancellation.unmask()
        self.env.cancellation.wait(request.number * LOOK_STEP_MS)
