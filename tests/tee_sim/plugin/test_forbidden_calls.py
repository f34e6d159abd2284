"""What is refused in a test's own process, with what words, and that nothing of it is left for the test."""

import ctypes
import linecache
import mmap
import os
import posix
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tee_sim.testing.forbidden_calls import ForbiddenCallError, allowed_calls, refusals, run_as_locked
from tee_sim.testing.stand_ins import new_environment


def run(work: Callable[[], Any]) -> Any:
    return run_as_locked(work, {})


@pytest.fixture(autouse=True)
def as_before() -> Any:
    """pytest is not to notice."""

    def image() -> list[object]:
        kept = [getattr(os, name) for name in ("stat", "write", "read", "_exit", "abort", "getcwd", "putenv")]
        kept += [signal.signal, signal.getsignal(signal.SIGINT), sys.stdin, linecache.updatecache, linecache.checkcache]
        named = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        return [*kept, *sys.meta_path, named, len(os.environb)]

    before = image()
    yield
    assert image() == before


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: os.write(2, b""), "os.write"),
        (lambda: os.read(0, 1), "os.read"),
        (lambda: posix.write(2, b""), "posix.write"),
        (lambda: posix._exit(3), "posix._exit"),
        (lambda: os.stat("/"), "os.stat"),  # noqa: PTH116
        (lambda: os.path.exists("/"), "os.stat"),  # noqa: PTH110
        (lambda: os.getcwd(), "os.getcwd"),  # noqa: PTH109, PLW0108
        (lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN), "signal.signal"),
        (lambda: signal.alarm(0), "signal.alarm"),
        (lambda: os._exit(3), "os._exit"),
        (lambda: os.abort(), "os.abort"),  # noqa: PLW0108
        (lambda: os.kill(os.getpid(), 0), "os.kill"),
        (lambda: mmap.mmap(-1, 100), r"mmap\.__new__\(-1,\)"),
        (lambda: ctypes.CDLL("libabsent.so"), r"ctypes\.dlopen\('libabsent\.so',\)"),
        (lambda: open("/etc/passwd", "rb"), r"open\('/etc/passwd',\)"),  # noqa: PTH123, SIM115
        (lambda: threading.Thread(target=print).start(), "a thread"),
    ],
)
def test_it_is_refused_where_it_is_called(call: Callable[[], Any], words: str) -> None:
    before = refusals()
    with pytest.raises(ForbiddenCallError, match=f"^the lock forbids {words}"):
        run(call)
    assert refusals() == before + 1


@pytest.mark.parametrize(
    "call",
    [
        os.getpid, lambda: os.urandom(3), lambda: ctypes.CDLL(None), lambda: ctypes.create_string_buffer(3),
        lambda: signal.getsignal(signal.SIGINT), lambda: time.sleep(0), threading.Lock, sys.stdin.isatty,
    ],
)  # fmt: skip
def test_what_the_lock_allows_is_allowed(call: Callable[[], Any]) -> None:
    before = refusals()
    run(call)
    assert refusals() == before


def test_who_catches_it_is_killed_all_the_same() -> None:
    def work() -> int:
        try:
            return os.write(2, b"")
        except BaseException:
            return 1

    with pytest.raises(ForbiddenCallError, match=r"^the application went on after a call that the lock kills for$"):
        run(work)


def test_the_environment_is_that_of_the_locked_world_and_its_own() -> None:
    environment = new_environment()
    os.environ["HOME_OF_TEST"] = "1"

    def work() -> set[str]:
        names = set(os.environ)
        os.environ["ODD"] = "1"
        os.putenv("ODD_TOO", "1")
        return names

    names = run_as_locked(work, environment)
    del os.environ["HOME_OF_TEST"]
    assert {"LC_ALL", "PATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"} <= names
    assert names.isdisjoint({"HOME", "HOME_OF_TEST"})
    assert environment[b"ODD"] == b"1"
    assert run_as_locked(lambda: os.environ["ODD"], environment) == "1"
    if sys.platform == "linux":
        getenv = ctypes.CDLL(None).getenv
        getenv.restype = ctypes.c_char_p
        assert (getenv(b"ODD"), getenv(b"ODD_TOO")) == (None, None)


def test_a_keyboard_interrupt_of_its_own_is_a_panic() -> None:
    def work() -> None:
        raise KeyboardInterrupt

    with pytest.raises(RuntimeError, match=r"^the application raised KeyboardInterrupt$"):
        run(work)


def test_ctrl_c_reaches_the_test() -> None:
    def work() -> None:
        for _ in range(500):
            time.sleep(0.01)

    press = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    press.start()
    with pytest.raises(KeyboardInterrupt):
        run(work)
    press.join()


def test_other_threads_and_tools_are_not_refused() -> None:
    begun, seen = threading.Event(), threading.Event()

    def beside() -> None:
        begun.wait(10)
        if os.stat("/"):  # noqa: PTH116
            seen.set()

    thread = threading.Thread(target=beside)
    thread.start()
    tool = {"__name__": "coverage.files", "os": os}
    exec("def look():\n    return bool(os.stat('/'))", tool)

    def work() -> bool:
        begun.set()
        return seen.wait(10) and tool["look"]()  # type: ignore[operator]

    assert run(work)
    thread.join()


def test_what_it_kept_works_for_others_and_the_normal_world_works_in_between() -> None:
    def work() -> Any:
        with allowed_calls():
            assert os.stat("/")  # noqa: PTH116
            assert "PATH" in os.environ
        return os.stat

    assert run(work)("/")


def test_an_application_that_calls_another_outlives_it() -> None:
    """Two processes in the locked world: what ends one is an error to the other, and each has an environment."""

    def caller() -> tuple[str, bool]:
        with pytest.raises(ForbiddenCallError):
            run_as_locked(lambda: os.write(2, os.environ["WHO"].encode()), {b"WHO": b"called"})
        return os.environ["WHO"], "PATH" in os.environ

    assert run_as_locked(caller, {b"WHO": b"caller"}) == ("caller", False)
