"""When the secure world lets something out: at steps after what it answers, as far as an application could choose.

The steps (`tee_sim.secure.ledger.step_after`) are a fifth of an octave apart at first and wider later, so that waiting
for one makes a decision little slower, and there are few enough of them to be counted: a moment costs TIME_BITS,
whatever the load of the host makes of it.

Does not promise: that nothing can be told apart between two steps by whoever sees the process itself, or that what is
released comes without the scheduler's own delay, which no application chooses.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from tee_sim.secure.ledger import STEPS_S, Ledger, step_after
from tee_sim.secure.supplicant_client import SupplicantPort

_AWAKE_S: Final = 100e-6


class Pace:
    """`SupplicantPort`, and what holds an answer.

    Args:
        port: the way to the normal world.
        ledger: says whether an application has spoken since it was last heard from outside, and counts it.
        now_s, sleep_s: the clock and the wait.
    """

    def __init__(
        self,
        port: SupplicantPort,
        ledger: Ledger,
        now_s: Callable[[], float] = time.monotonic,
        sleep_s: Callable[[float], None] = time.sleep,
    ) -> None:
        self._port = port
        self._ledger = ledger
        self._now_s = now_s
        self._sleep_s = sleep_s
        self._since_s = now_s()

    def begin(self) -> None:
        """Something has come from outside."""
        self._since_s = self._now_s()

    def call(self, operation: int, request: list[object]) -> object:
        """As `SupplicantPort.call`, at a step."""
        self.hold(timed=self._ledger.timed())
        try:
            return self._port.call(operation, request)
        finally:
            self.begin()

    def hold(self, *, timed: bool, steps_s: Sequence[float] = STEPS_S) -> None:
        """Wait for the next of these steps, if when is an application's choice.

        The last of it awake: a sleep ends later than asked for, by what the kernel adds to a timer (50 microseconds).
        """
        if not timed:
            return
        until_s = self._since_s + step_after(self._now_s() - self._since_s, steps_s)
        self._sleep_s(max(0.0, until_s - self._now_s() - _AWAKE_S))
        while self._now_s() < until_s:
            pass
