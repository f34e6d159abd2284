"""Each command does one thing that a trusted application may, or must not, do; the answer is how often it was asked."""

import faulthandler
import logging
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.params import Param, Params
from tee_sim.shared.ta_api import TaEnv


class Loud:
    """Fails when it is collected: Python prints that on its own."""

    def __del__(self) -> None:
        raise ValueError("in a finalizer")


class Unusual(BaseException):
    """No Exception."""


def log_an_exception() -> None:
    try:
        raise ValueError("caught")
    except ValueError:
        logging.getLogger("a").exception("hello")
        traceback.print_exc()
        traceback.format_exc()
        traceback.print_stack()


def configure_a_log() -> None:
    logging.basicConfig(level=logging.DEBUG, force=True)
    logging.getLogger("b").debug("hello")
    logging.captureWarnings(True)
    warnings.warn("x", stacklevel=1)
    logging.captureWarnings(False)


def format_an_exception() -> None:
    try:
        raise ValueError("caught")
    except ValueError:
        traceback.format_exc()


def log_at_every_level() -> None:
    for level in range(logging.NOTSET, logging.CRITICAL + 1, 5):
        logging.log(level, "level %d", level)


def zero_vector() -> None:
    zero = np.zeros(3, np.float32)
    zero / np.linalg.norm(zero)


def close_the_streams() -> None:
    sys.stdout.close()
    sys.stderr.close()


ORDINARY: tuple[Callable[[], Any], ...] = (
    lambda: warnings.warn("x", stacklevel=1),
    lambda: logging.getLogger("a").warning("hello %s", 1),
    lambda: logging.getLogger("a").error("bad format %d", "x"),
    log_an_exception,
    configure_a_log,
    lambda: print("x", flush=True),  # noqa: T201
    lambda: print("x" * 200_000),  # noqa: T201
    lambda: print("x", file=sys.stderr, flush=True),  # noqa: T201
    lambda: sys.__stdout__ and sys.__stdout__.write("x\n" * 10_000),
    zero_vector,
    Loud,
    close_the_streams,
    lambda: sys.excepthook(ValueError, ValueError("x"), None),
    format_an_exception,
    log_at_every_level,
    lambda: print("y" * 20_000, flush=True),  # noqa: T201
    lambda: sys.stderr.write("z"),
    lambda: np.linalg.svd(np.ones((3, 3))),
)


def exhaust_memory() -> None:
    bytearray(1 << 62)


def recurse(depth: int = 0) -> int:
    return recurse(depth + 1) + 1


def raise_(error: BaseException) -> None:
    raise error


PANICS: tuple[Callable[[], Any], ...] = (
    faulthandler.enable,
    faulthandler.dump_traceback,
    exhaust_memory,
    recurse,
    sys.exit,
    lambda: raise_(GeneratorExit()),
    lambda: raise_(Unusual()),
    lambda: raise_(StopIteration()),
    lambda: raise_(TeeError(TeeResult.SUCCESS, "no refusal")),
    lambda: raise_(TeeError(1 << 32, "no result")),
    lambda: raise_(TeeError(-1, "no result")),
    input,
    lambda: __import__("sqlite3"),
)

ANSWERS: tuple[Callable[[Params], Any], ...] = (
    lambda params: None,
    lambda params: params[:3],
    lambda params: (*params, Param.none()),
    lambda params: (Param(kind=params[0].kind, a=1 << 32), *params[1:]),
    lambda params: (params[0], Param(kind=params[1].kind, buffer=bytes(params[1].size_bytes + 1)), *params[2:]),
    lambda params: (params[1], params[0], *params[2:]),
    lambda params: [bytes(4)] * 4,
)
"""None of these is an answer."""

LATE: tuple[Callable[[], Any], ...] = (
    lambda: np.random.default_rng().random(),
    lambda: np.fft.fft(np.ones(8)),
)
"""NumPy loads these parts when they are first named: a panic, unless the manifest names them under `preload`."""

FIRST_LATE = 400
FOREIGN = 300
LEAVE_OPEN, STORE, HOOKS = 301, 302, 303


class Ordinary:
    """A single instance that counts."""

    def create(self, env: TaEnv) -> None:
        self.env = env
        self.asked = 0

    def open_session(self, params: Params) -> object:
        return object()

    def invoke(self, session: object, command: int, params: Params) -> Params:
        self.asked += 1
        if command < 100:
            ORDINARY[command]()
        elif command < 200:
            PANICS[command - 100]()
        elif command < 300:
            return ANSWERS[command - 200](params)  # type: ignore[no-any-return]
        elif command >= FIRST_LATE:
            LATE[command - FIRST_LATE]()
        elif command == FOREIGN:
            raise TeeError(TeeResult.TARGET_DEAD, "I speak for the pipe", origin=Origin.COMMS)
        elif command == LEAVE_OPEN:
            self.left = self.env.store.transaction()
            self.left.__enter__().put(b"left", b"open", kind="x")
        elif command == HOOKS:
            if sys.getprofile() is not None or sys.gettrace() is not None:
                raise RuntimeError("somebody looks on")
        elif command == STORE:
            with self.env.store.transaction() as transaction:
                transaction.put(b"kept", b"x", kind="x")
        return (Param(kind=params[0].kind, a=self.asked), *params[1:])

    def close_session(self, session: object) -> None: ...

    def destroy(self) -> None: ...
