"""An application that takes what it can get: time, memory, its own life."""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tee_sim.shared.params import Param, Params
from tee_sim.shared.ta_api import TaEnv

LOOP, SLEEP, GROW, GROW_NUMPY, HOLD, END, TRANSACT_AND_LOOP, STORED, ASK, ASK_FOREVER, READ_FOREVER = range(1, 12)


def _forever(work: Callable[[], object] = lambda: None) -> None:
    while True:
        work()


class Greedy:
    """One command for each."""

    def create(self, env: TaEnv) -> None:
        self.env = env
        self.held: list[Any] = []

    def open_session(self, params: Params) -> object:
        return object()

    def invoke(self, session: object, command: int, params: Params) -> Params:
        ways: dict[int, Callable[[int], object]] = {
            LOOP: lambda _: _forever(),
            SLEEP: lambda ms: time.sleep(ms / 1000),
            GROW: lambda _: self._grow(),
            GROW_NUMPY: lambda _: self.held.append(np.ones(1 << 28)),
            HOLD: lambda size_bytes: self.held.append(bytearray(size_bytes)),
            END: lambda _: os._exit(9),
            TRANSACT_AND_LOOP: lambda _: self._transact_and_loop(),
            ASK: lambda _: self._put(),
            ASK_FOREVER: lambda _: _forever(self._put),
            READ_FOREVER: lambda _: _forever(self._stored),
            STORED: lambda _: self._stored(),
        }
        number = ways[command](params[0].a)
        return (params[0], Param.number(number if isinstance(number, int) else 0), params[2], params[3])

    def _grow(self) -> None:
        while True:
            self.held.append(bytearray(1 << 20))

    def _put(self) -> None:
        with self.env.store.transaction() as transaction:
            transaction.put(b"kept", b"x", kind="x")

    def _stored(self) -> int:
        return len(list(self.env.store.headers()))

    def _transact_and_loop(self) -> None:
        with self.env.store.transaction() as transaction:
            transaction.put(b"lost", b"x", kind="x")
            self._stored()  # now the core has the transaction open
            _forever()

    def close_session(self, session: object) -> None:
        """Nothing to release."""

    def destroy(self) -> None:
        """Nothing to release."""
