"""An application that takes what it can get: time, memory, its own life."""

import os
import time
from typing import Any

import numpy as np

from tee_sim.shared.params import Params
from tee_sim.shared.ta_api import TaEnv

LOOP, SLEEP, GROW, GROW_NUMPY, HOLD, END, TRANSACT_AND_LOOP, STORED, ASK = range(1, 10)
KEPT = b"kept"


def _forever() -> None:
    while True:
        pass


class Greedy:
    """One command for each."""

    def create(self, env: TaEnv) -> None:
        self.env = env
        self.held: list[Any] = []

    def open_session(self, params: Params) -> object:
        return object()

    def invoke(self, session: object, command: int, params: Params) -> Params:
        number = 0
        if command == LOOP:
            _forever()
        elif command == SLEEP:
            time.sleep(params[0].a / 1000)
        elif command == GROW:
            while True:
                self.held.append(bytearray(1 << 20))
        elif command == GROW_NUMPY:
            self.held.append(np.ones(1 << 28))
        elif command == HOLD:
            self.held.append(bytearray(params[0].a))
        elif command == END:
            os._exit(9)
        elif command == TRANSACT_AND_LOOP:
            with self.env.store.transaction() as transaction:
                transaction.put(b"lost", b"x", kind="x")
                list(self.env.store.headers())  # now the core has the transaction open
                _forever()
        elif command == STORED:
            number = len(list(self.env.store.headers()))
        elif command == ASK:
            with self.env.store.transaction() as transaction:
                transaction.put(KEPT, b"x", kind="x")
        return (params[0], params[1].__class__.number(number), params[2], params[3])

    def close_session(self, session: object) -> None:
        """Nothing to release."""

    def destroy(self) -> None:
        """Nothing to release."""
