"""Release of replies on a time grid, so that how long the secure world thinks reveals little.

A reply is handed to the caller at the next multiple of the period after its request. What is left visible is the number
of periods: log2 of it is counted with the bits of the reply. With a period longer than the usual work, that is zero.

Does not promise: to hide the work from whoever watches the process itself (processor time, storage calls).
"""

import math
import time
from collections.abc import Callable

from tee_sim.shared.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyQuantizer:
    """When replies are released.

    Attributes:
        period_ms: grid period; 0 releases at once and leaves timing open.
        now_s, sleep_s: the clock and the wait, arguments so that tests do not sleep.
    """

    period_ms: float
    now_s: Callable[[], float] = time.monotonic
    sleep_s: Callable[[float], None] = time.sleep

    def hold(self, started_s: float) -> float:
        """Wait for the grid line after `started_s`; return the bits the wait still shows."""
        if self.period_ms <= 0:
            return math.inf
        elapsed_ms = (self.now_s() - started_s) * 1000
        periods = max(1, math.ceil(elapsed_ms / self.period_ms))
        self.sleep_s(max(0.0, started_s + periods * self.period_ms / 1000 - self.now_s()))
        return math.log2(periods)
