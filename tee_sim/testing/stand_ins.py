"""Put something in the place of what raises no audit event, and take it away again.

While an application's code runs: functions that the lock kills for and Python does not report, the environment, the
standard input and the way to a source file. All of it is as before for whoever comes next, pytest first.
"""

import linecache
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from importlib.machinery import BuiltinImporter, FrozenImporter
from types import FrameType
from typing import Any

from tee_sim.normal.child import child_environment
from tee_sim.secure.quiet import Nowhere
from tee_sim.testing.forbidden_names import FORBIDDEN
from tee_sim.testing.own_modules import OwnModules

_MODULES = ("os", "signal", "select", "time", "resource", "pwd")
_ENDS = ("os._exit",)
_MEMORY_ONLY = ("os.putenv", "os.unsetenv")
Environment = dict[bytes, bytes]


def new_environment() -> Environment:
    """What a process of the locked world begins with."""
    return {os.fsencode(name): os.fsencode(value) for name, value in child_environment().items()}


def _nothing(*_args: Any) -> None:
    """Instead of looking whether a source file has changed, and of what would outlive the application."""


def _no_lines(*_args: Any) -> list[str]:
    """Instead of reading a source file."""
    return []


class StandIns:
    """One set for the process.

    Args:
        refuse: called with the name of a function that the lock kills for; returns if it shall be called after all.
        applies: whether a caller is held to the lock now.
    """

    def __init__(self, refuse: Callable[[str], None], applies: Callable[[], bool]) -> None:
        self._refuse, self._applies = refuse, applies
        self._undo: list[tuple[dict[str, Any], str, Any]] = []
        self._made: list[tuple[dict[str, Any], str, Callable[..., Any]]] = []

    def put_in(self, environment: Environment) -> None:
        """From now on. What the application changes in its environment is left in `environment`."""
        for names, name, stand_in in self._made or self._make():
            self._set(names, name, stand_in)
        for variables in (os.environ, os.environb):
            self._set(vars(variables), "_data", environment)
        self._set(vars(linecache), "updatecache", _no_lines)
        self._set(vars(linecache), "checkcache", _nothing)
        self._set(vars(sys), "stdin", Nowhere())
        own = [finder for finder in sys.meta_path if isinstance(finder, OwnModules)]
        self._set(vars(sys), "meta_path", [*own, BuiltinImporter, FrozenImporter])

    def take_out(self) -> None:
        """As if nothing had been there."""
        while self._undo:
            names, name, before = self._undo.pop()
            names[name] = before

    def _set(self, names: dict[str, Any], name: str, value: Any) -> None:
        self._undo.append((names, name, names[name]))
        names[name] = value

    def _make(self) -> list[tuple[dict[str, Any], str, Callable[..., Any]]]:
        """Once: they are put in and taken out around every call of an application and every disk operation."""
        for module, name in _functions():
            real = getattr(module, name)
            full = f"{module.__name__}.{name}"
            stand_in = self._void(real) if full in _MEMORY_ONLY else self._guarded(full, real)
            self._made.append((vars(module), name, stand_in))
        return self._made

    def _guarded(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(real)
        def guarded(*args: Any, **named: Any) -> Any:
            if self._applies():  # also long after: an application may have kept it
                self._refuse(name)
            return real(*args, **named)

        return guarded

    def _void(self, real: Callable[..., Any]) -> Callable[..., Any]:
        return wraps(real)(lambda *args: None if self._applies() else real(*args))


class Interrupts:
    """Ctrl-C is the developer's; a KeyboardInterrupt without it is the application's, and a panic.

    Attributes:
        heard: somebody has pressed it.
    """

    def __init__(self) -> None:
        self.heard = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note it while this lasts, and do what is done otherwise."""
        before = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is not threading.main_thread() or not callable(before):
            yield
            return

        def pressed(number: int, frame: FrameType | None) -> Any:
            self.heard = True
            return before(number, frame)

        signal.signal(signal.SIGINT, pressed)
        try:
            yield
        finally:
            if signal.getsignal(signal.SIGINT) is pressed:
                signal.signal(signal.SIGINT, before)


def _functions() -> Iterator[tuple[Any, str]]:
    for full in (*FORBIDDEN, *_ENDS, *_MEMORY_ONLY):
        module, _, name = full.partition(".")
        if module in _MODULES and "." not in name:
            found = import_module(module)
            for holder in (found, import_module("posix")) if module == "os" else (found,):
                if callable(getattr(holder, name, None)):
                    yield holder, name
