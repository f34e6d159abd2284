"""Refuse, in a test's own process, what the lock would forbid an application: files, sockets, processes, threads.

No lock, and no substitute for one: it goes by Python's audit events, which code in C need not raise. It is there so
that a test that runs in one process fails where the locked run would, at the line that does it.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_FORBIDDEN = (
    "open", "os.", "socket.", "subprocess.", "shutil.", "_thread.start", "ctypes.", "glob.", "pty.", "signal.",
    "fcntl.", "syslog.", "tempfile.", "sqlite3.", "pathlib.",
)  # fmt: skip
_HARMLESS = frozenset({"os.putenv", "os.unsetenv", "os.truncate"})
"""The first two change memory only; the last is the secure world's own, for memory that keeps keys."""


class _Guard:
    """One for the process: an audit hook cannot be removed again."""

    def __init__(self) -> None:
        self.active = False
        self.installed = False
        self.debugged = False

    def install(self) -> None:
        if not self.installed:
            self.installed = True
            sys.addaudithook(self.hear)
            # Before Python 3.12 a new thread raises no event.
            vars(threading)["_start_new_thread"] = self._no_thread(vars(threading)["_start_new_thread"])

    def _no_thread(self, start: Callable[..., int]) -> Callable[..., int]:
        def guarded(*args: Any, **named: Any) -> int:
            if self.active and not self.debugged:
                raise PermissionError("the lock forbids a thread")
            return start(*args, **named)

        return guarded

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.active or self.debugged:
            return
        if event == "builtins.breakpoint":
            self.debugged = True  # a debugger reads sources and a terminal: from here on nothing is refused
        elif event.startswith(_FORBIDDEN) and event not in _HARMLESS:
            raise PermissionError(f"the lock forbids {event}{args[:1]!r}")


_GUARD = _Guard()


@contextmanager
def forbidden_calls() -> Iterator[None]:
    """While this lasts, what the lock forbids raises PermissionError where it is called."""
    _GUARD.install()
    with _set(True):
        yield


@contextmanager
def allowed_calls() -> Iterator[None]:
    """For the parts of the normal world that work in between."""
    with _set(False):
        yield


@contextmanager
def _set(active: bool) -> Iterator[None]:
    before, _GUARD.active = _GUARD.active, active
    try:
        yield
    finally:
        _GUARD.active = before
