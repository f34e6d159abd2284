"""The things that are tried, by number."""

import logging
import mmap
import os
import signal
import sys
import threading
import traceback
import warnings
from pathlib import Path

import numpy as np

from odd.commands import TRY, Done, Try
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.ta_api import CommandApp, TaEnv

STATE = {"tries": 0}


def _format_exc() -> int:
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        return min(len(traceback.format_exc()), 1)


def _print() -> int:
    print("x" * 20_000, flush=True)  # noqa: T201
    return 1


def _log() -> int:
    logging.getLogger("odd").warning("hello %d", 1)
    logging.getLogger("odd").error("hello")
    return 1


def _numpy_warning() -> int:
    zero = np.zeros(4)
    return int(np.isnan((zero / np.linalg.norm(zero)).sum()))


def _numpy_raises() -> int:
    with np.errstate(all="raise"):
        return int((np.zeros(1) / np.zeros(1)).sum())


def _refused() -> int:
    raise TeeError(TeeResult.BAD_STATE, "not now", origin=Origin.TRUSTED_APP)


def _unlisted() -> int:
    import odd.unlisted

    return odd.unlisted.VALUE


def _caught() -> int:
    try:
        return len(Path("/etc/passwd").read_text())
    except Exception:
        return 1


def _goes_on(call):
    """An application that catches everything is killed all the same."""
    try:
        return min(len(str(call())), 1)
    except BaseException:
        return 1


def _environment() -> int:
    before = len(os.environ)
    os.environ["ODD"] = "1"
    os.putenv("ODD_TOO", "1")
    return before


def _interrupt() -> int:
    raise KeyboardInterrupt


def _count() -> int:
    STATE["tries"] += 1
    return STATE["tries"]


TRIES = {
    1: lambda: sys.stdout.write("hello") and 1,
    2: _print,
    3: lambda: warnings.warn("careful", stacklevel=1) or 1,
    4: _log,
    5: _format_exc,
    6: _numpy_warning,
    7: _numpy_raises,
    8: lambda: sys.exit(3),
    9: lambda: 1 // 0,
    10: _refused,
    11: lambda: len(Path("/etc/passwd").read_text()),
    12: lambda: threading.Thread(target=print).start() or 1,
    13: lambda: len(input()),
    14: _unlisted,
    15: _count,
    16: lambda: 1001,
    17: lambda: int(np.seterr()["divide"] == "warn"),
    19: _caught,
    20: lambda: __import__("colorsys") is not None,
    21: lambda: int(np.random.default_rng(1).integers(1, 2)),
    22: lambda: os.write(2, b"hello"),
    23: lambda: os.read(0, 1) and 1,
    24: lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN) and 1,
    25: lambda: len(mmap.mmap(-1, 100)),
    26: lambda: len(os.environ["HOME"]),
    27: lambda: len(os.getenv("HOME", "")),
    28: lambda: os._exit(3),
    29: _interrupt,
    30: lambda: _goes_on(lambda: os.write(2, b"hello")),
    31: lambda: int(os.path.exists("/")),  # noqa: PTH110
    32: lambda: len(os.getcwd()),  # noqa: PTH109
    33: os.abort,
    34: lambda: signal.raise_signal(signal.SIGUSR1) or 1,
    35: lambda: len(sys.stdin.read()),
    36: lambda: os.getpid() and len(os.path.normpath("a/b")),
    37: lambda: int("ODD" in os.environ),
    38: _environment,
    39: lambda: _goes_on(lambda: Path("/etc/passwd").read_text()),
    40: lambda: signal.alarm(1) + 1,
    18: lambda: warnings.warn("old", DeprecationWarning, stacklevel=1) or 1,
}


class Odd(CommandApp):
    def create(self, env: TaEnv) -> None:
        self._store = env.store
        self._cancellation = env.cancellation
        self.handle(TRY, self._try)

    def _try(self, _session: object, request: Try) -> Done:
        if request.number == 100:
            with self._store.transaction() as transaction:
                transaction.put(b"o", b"stored", kind="odd")
            return Done(value=1)
        if request.number == 101:
            stored = self._store.find(b"o")
            return Done(value=0 if stored is None else len(stored.body))
        if request.number == 102:
            self._cancellation.unmask()
            self._cancellation.wait(20_000)
        return Done(value=TRIES[request.number]())
