"""Refuse, in a test's own process, what the lock would forbid an application: files, sockets, processes, threads.

No lock, and no substitute for one: it goes by Python's audit events, which code in C need not raise. It is there so
that a test that runs in one process fails where the locked run would, at the line that does it.

As after the lock, modules that are not in memory are not found, and no source line is read. The event `breakpoint` ends
all of it for the rest of the process: a debugger reads files.
"""

import linecache
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import BuiltinImporter, FrozenImporter
from typing import Any

_FORBIDDEN = (
    "open", "os.", "socket.", "subprocess.", "shutil.", "_thread.start", "ctypes.", "glob.", "pty.", "signal.",
    "fcntl.", "syslog.", "tempfile.", "sqlite3.", "pathlib.",
)  # fmt: skip
_HARMLESS = frozenset({"os.putenv", "os.unsetenv", "os.truncate"})
"""The first two change memory only; the last is the secure world's own, for memory that keeps keys."""


class ForbiddenCallError(BaseException):
    """What the lock would have killed for. No Exception: nobody shall go on after it."""


def _no_lines(*_args: Any) -> list[str]:
    """Instead of reading a source file."""
    return []


class _Guard:
    """One for the process: an audit hook cannot be removed again."""

    def __init__(self) -> None:
        self.active = False
        self.installed = False
        self.debugged = False
        self.refused = 0
        self._finders: list[Any] = []
        self._updatecache = linecache.updatecache

    def install(self) -> None:
        if not self.installed:
            self.installed = True
            sys.addaudithook(self._hear)
            # Before Python 3.12 a new thread raises no event.
            vars(threading)["_start_new_thread"] = self._no_thread(vars(threading)["_start_new_thread"])

    def _no_thread(self, start: Callable[..., int]) -> Callable[..., int]:
        def guarded(*args: Any, **named: Any) -> int:
            if self.active:
                self._refuse("a thread")
            return start(*args, **named)

        return guarded

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event == "builtins.breakpoint":
            self.debugged = True
            self.switch(False)
        elif event.startswith(_FORBIDDEN) and event not in _HARMLESS:
            self._refuse(f"{event}{args[:1]!r}")

    def _refuse(self, what: str) -> None:
        self.refused += 1
        raise ForbiddenCallError(f"the lock forbids {what}")

    def switch(self, active: bool) -> None:
        """Refuse from now on, or no more."""
        active = active and not self.debugged
        if active == self.active:
            return
        self.active = active
        if active:
            self._finders = sys.meta_path[:]
            sys.meta_path[:] = [BuiltinImporter, FrozenImporter]
            linecache.updatecache = _no_lines  # type: ignore[assignment]  # whatever is asked for
        else:
            sys.meta_path[:] = self._finders
            linecache.updatecache = self._updatecache


_GUARD = _Guard()


@contextmanager
def forbidden_calls() -> Iterator[Callable[[], bool]]:
    """While this lasts, what the lock forbids raises ForbiddenCallError where it is called.

    Yields a function that says whether something was refused.
    """
    _GUARD.install()
    refused = _GUARD.refused
    with _set(True):
        yield lambda: _GUARD.refused > refused


@contextmanager
def allowed_calls() -> Iterator[None]:
    """For the parts of the normal world that work in between."""
    with _set(False):
        yield


@contextmanager
def _set(active: bool) -> Iterator[None]:
    before = _GUARD.active
    _GUARD.switch(active)
    try:
        yield
    finally:
        _GUARD.switch(before)
