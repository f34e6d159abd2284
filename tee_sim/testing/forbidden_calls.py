"""Refuse, in a test's own process, what the lock would forbid an application: files, sockets, processes, threads.

No lock, and no substitute for one: it goes by Python's audit events, which code in C need not raise, and by stand-ins
for functions that raise none (`tee_sim.testing.stand_ins`). It is there so that a test that runs in one process fails
where the locked run would, at the line that does it.

As after the lock, modules that are not in memory are not found, and no source line is read. The event `breakpoint` ends
all of it for the rest of the process: a debugger reads files.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tee_sim.testing.stand_ins import Environment, Interrupts, StandIns

_FORBIDDEN = (
    "open", "os.", "socket.", "subprocess.", "shutil.", "_thread.start", "glob.", "pty.", "signal.", "resource.",
    "fcntl.", "syslog.", "tempfile.", "sqlite3.", "pathlib.", "mmap.", "ctypes.dlopen",
)  # fmt: skip
_HARMLESS = frozenset({"os.putenv", "os.unsetenv", "os.truncate"})
"""The first two change memory only; the last is the secure world's own, for memory that keeps keys."""
_TOOLS = frozenset({"coverage", "bdb", "pdb", "pydevd", "_pydevd_bundle", "debugpy"})
"""They are called in the middle of an application's code, by the interpreter, and look at files."""


class ForbiddenCallError(BaseException):
    """What the lock would have killed for. No Exception: nobody shall go on after it."""


class _Guard:
    """One for the process: an audit hook cannot be removed again.

    Attributes:
        refused: how often, for each application that is being run; the last one is the one on top.
        refusals: how often ever.
    """

    def __init__(self) -> None:
        self.active = False
        self.debugged = False
        self.refused: list[int] = []
        self.refusals = 0
        self.environment: Environment = {}
        self.stand_ins = StandIns(self.refuse, self._applies)
        self._installed = False
        self._thread = 0

    def install(self) -> None:
        if not self._installed:
            self._installed = True
            sys.addaudithook(self._hear)
            # Before Python 3.12 a new thread raises no event.
            vars(threading)["_start_new_thread"] = self._no_thread(vars(threading)["_start_new_thread"])

    def _no_thread(self, start: Callable[..., int]) -> Callable[..., int]:
        def guarded(*args: Any, **named: Any) -> int:
            if self._applies():
                self.refuse("a thread")
            return start(*args, **named)

        return guarded

    def _applies(self) -> bool:
        """Whether it is an application that asks: not another thread, and not a tool that looks at its code."""
        if not self.active or threading.get_ident() != self._thread:
            return False
        frame = sys._getframe(1)  # there is no other way to ask who calls
        while frame.f_back is not None and frame.f_code is not run_as_locked.__code__:
            if str(frame.f_globals.get("__name__")).partition(".")[0] in _TOOLS:
                return False
            frame = frame.f_back
        return True

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event == "builtins.breakpoint":
            self.debugged = True
            self.switch(False)
        elif event == "ctypes.dlopen" and args[:1] == (None,):
            return  # what is in memory already
        elif event.startswith(_FORBIDDEN) and event not in _HARMLESS and self._applies():
            self.refuse(f"{event}{args[:1]!r}")

    def refuse(self, what: str) -> None:
        """Raise ForbiddenCallError, and count it: an application that catches it has been killed all the same."""
        if self.refused:
            self.refused[-1] += 1
        self.refusals += 1
        raise ForbiddenCallError(f"the lock forbids {what}")

    def switch(self, active: bool) -> None:
        """Refuse from now on, or no more."""
        active = active and not self.debugged
        if active == self.active:
            return
        if active:
            self._thread = threading.get_ident()
            self.stand_ins.put_in(self.environment)
            self.active = True
        else:
            self.active = False
            self.stand_ins.take_out()


_GUARD = _Guard()


def refusals() -> int:
    """How many calls were refused so far."""
    return _GUARD.refusals


def run_as_locked(work: Callable[[], Any], environment: Environment) -> Any:
    """Run an application's code; what the lock forbids raises ForbiddenCallError where it is called.

    Raises:
        ForbiddenCallError: it was refused something, also if it caught that and went on.
        RuntimeError: it raised KeyboardInterrupt, and nobody has pressed Ctrl-C.
    """
    _GUARD.install()
    interrupts = Interrupts()
    _GUARD.refused.append(0)
    try:
        with _set(False), _own(environment), interrupts.listening(), _set(True):
            answer, failure = work(), None
    except BaseException as error:
        failure = error
    refused = _GUARD.refused.pop()
    if isinstance(failure, KeyboardInterrupt):
        if interrupts.heard:
            raise failure
        failure = RuntimeError("the application raised KeyboardInterrupt")
    if refused and not isinstance(failure, ForbiddenCallError):
        raise ForbiddenCallError("the application went on after a call that the lock kills for") from failure
    if failure is not None:
        raise failure
    return answer


@contextmanager
def allowed_calls() -> Iterator[None]:
    """For the parts of the normal world that work in between."""
    with _set(False):
        yield


@contextmanager
def _own(environment: Environment) -> Iterator[None]:
    before, _GUARD.environment = _GUARD.environment, environment
    try:
        yield
    finally:
        _GUARD.environment = before


@contextmanager
def _set(active: bool) -> Iterator[None]:
    before = _GUARD.active
    _GUARD.switch(active)
    try:
        yield
    finally:
        _GUARD.switch(before)
