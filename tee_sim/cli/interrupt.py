"""End a program after Ctrl-C without haste: the terminal has sent it SIGINT too, and it may want to finish."""

import signal
import subprocess
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

GRACE_S = 5.0
"""From Ctrl-C to SIGTERM."""
TERMINATED_S = 2.0
"""From SIGTERM to SIGKILL."""

_Handler = Callable[[int, FrameType | None], Any] | int | None


class Interrupts:
    """While it is entered, Ctrl-C does not end this process: it begins the end of `process`.

    The machine goes on to answer meanwhile. Each further Ctrl-C takes the next step at once. The steps are taken in
    signal handlers, so that an application that takes its time does not put them off.

    Raises:
        KeyboardInterrupt: out of whatever is done meanwhile, once the program was killed.
    """

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._steps = iter((self._wait, self._terminate, self._kill))
        self._before: dict[int, _Handler] = {}

    def __enter__(self) -> Self:
        # Ignored, as a shell does for what runs in the background, it stays ignored: by the program as well.
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
            self._before = {number: signal.signal(number, self._next) for number in (signal.SIGINT, signal.SIGALRM)}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._before:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _next(self, _number: int, _frame: FrameType | None) -> None:
        next(self._steps, self._kill)()

    def _wait(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)

    def _terminate(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, TERMINATED_S)
        if self.process is not None:
            self.process.terminate()

    def _kill(self) -> None:
        if self.process is not None:
            self.process.kill()
        raise KeyboardInterrupt
