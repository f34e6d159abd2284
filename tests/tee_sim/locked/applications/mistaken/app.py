"""Each command does one thing that no application may do. The comments name the lines that a report must name."""

import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.params import Params
from tee_sim.shared.ta_api import TaEnv

LIBC = ctypes.CDLL(None, use_errno=True)


def opens_a_file() -> None:
    Path("/etc/passwd").read_text()  # line of opens_a_file


def swallows_it() -> int:
    with suppress(OSError):
        os.stat("/etc/shadow")  # noqa: PTH116 - line of swallows_it
    return 1


def asks_for_something_else_before() -> None:
    ctypes.CDLL(None)
    with suppress(OSError):
        Path("/proc/self").rmdir()
    LIBC.getppid()  # line of asks_for_something_else_before


def in_c() -> int:
    return LIBC.getppid()  # line of in_c


def writes_to_a_descriptor() -> None:
    os.write(2, b"x")  # line of writes_to_a_descriptor


def makes_a_socket() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM)  # line of makes_a_socket


def starts_a_program() -> None:
    subprocess.run(["/bin/true"], check=False)  # line of starts_a_program


def starts_a_thread() -> None:
    threading.Thread(target=print).start()  # line of starts_a_thread


def forks() -> None:
    os.fork()  # line of forks


def crashes() -> bytes:
    return ctypes.string_at(0)


def divides() -> float:
    secret = 0
    return 1 / secret  # line of divides


def refers_to_another() -> None:
    try:
        divides()
    except ZeroDivisionError as error:
        raise Unprintable from error  # line of refers_to_another


class Unprintable(Exception):
    """Has no text."""

    def __str__(self) -> str:
        raise ValueError("no")


def recurses(depth: int = 0) -> int:
    return recurses(depth + 1) + 1  # line of recurses


def answers_no_result() -> None:
    raise TeeError(TeeResult.SUCCESS, "none")  # line of answers_no_result


MISTAKES: tuple[Callable[[], Any], ...] = (
    opens_a_file, swallows_it, in_c, writes_to_a_descriptor, makes_a_socket, starts_a_program, starts_a_thread, forks,
    asks_for_something_else_before, divides, refers_to_another, recurses, answers_no_result,
    crashes,
)  # fmt: skip
LEAVE_OPEN = 100


class Mistaken:
    """Does what it is asked for."""

    def create(self, env: TaEnv) -> None:
        self.env = env

    def open_session(self, params: Params) -> object:
        return object()

    def invoke(self, session: object, command: int, params: Params) -> Params:
        if command == LEAVE_OPEN:
            self.left = self.env.store.transaction()
            self.left.__enter__().put(b"left", b"open", kind="x")
        else:
            MISTAKES[command]()
        return params

    def close_session(self, session: object) -> None: ...

    def destroy(self) -> None: ...
