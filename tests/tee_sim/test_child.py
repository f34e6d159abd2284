"""The process that is started ahead: who takes it, and that it never outlives the one who started it."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tee_sim.normal import child
from tee_sim.normal.child import Child, child_environment, discard_ahead, start_ahead, take_ahead, tell_ahead

BOOT = b"\0\0\0\5what?"
"""No BOOT: a secure world that reads it ends."""


@pytest.fixture(autouse=True)
def _nobody_is_left() -> Iterator[None]:
    yield
    discard_ahead()
    assert child._ahead == []


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_it_is_taken_once() -> None:
    start_ahead(child_environment())
    tell_ahead(BOOT)
    taken = take_ahead(child_environment(), BOOT)
    assert taken is not None
    assert taken.told == BOOT
    assert take_ahead(child_environment(), BOOT) is None
    taken.discard()
    assert gone(taken.process.pid)


@pytest.mark.parametrize(
    ("environment", "boot"),
    [(child_environment() | {"OPENBLAS_CORETYPE": "x"}, BOOT), (child_environment(), BOOT + b"!")],
    ids=["another environment", "told something else"],
)
def test_one_that_is_another_ends(environment: dict[str, str], boot: bytes) -> None:
    start_ahead(child_environment())
    tell_ahead(BOOT)
    (waiting,) = child._ahead
    assert take_ahead(environment, boot) is None
    assert gone(waiting.process.pid)


def test_one_that_was_told_nothing_is_told_by_whoever_takes_it() -> None:
    start_ahead(child_environment())
    taken = take_ahead(child_environment(), BOOT)
    assert taken is not None
    assert taken.told == b""
    taken.discard()


def test_one_that_has_ended_is_not_given() -> None:
    start_ahead(child_environment())
    (waiting,) = child._ahead
    waiting.process.kill()
    waiting.process.wait()
    assert take_ahead(child_environment(), BOOT) is None


@pytest.mark.parametrize(("started", "wanted"), [(0, 2), (2, 0), (2, 3)])
def test_one_with_other_pipes_for_pictures_is_not_given(started: int, wanted: int) -> None:
    start_ahead(child_environment(), pictures=started)
    (waiting,) = child._ahead
    assert len(waiting.picture_fds) == started
    assert take_ahead(child_environment(), BOOT, pictures=wanted) is None
    assert gone(waiting.process.pid)
    assert waiting.picture_fds == []


def test_there_is_one_at_most() -> None:
    start_ahead(child_environment())
    (first,) = child._ahead
    start_ahead(child_environment())
    assert gone(first.process.pid)


def test_what_does_not_fit_into_the_pipe_is_not_begun() -> None:
    start_ahead(child_environment())
    (waiting,) = child._ahead
    tell_ahead(bytes(1 << 21))
    assert gone(waiting.process.pid)
    assert take_ahead(child_environment(), BOOT) is None


def test_it_is_given_nothing_of_ours_but_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process was told by its own variables and its own folder must not decide what is loaded there."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(subprocess, "Popen", lambda command, **named: given.update(named, command=command))
    for name in ("PYTHONPATH", "LD_PRELOAD", "OPENBLAS_CORETYPE", "NAMED"):
        monkeypatch.setenv(name, "ours")
    Child(child_environment(("NAMED", "NOT_THERE"))).close_pipes()
    assert given["command"][1:4] == ["-I", "-B", "-m"]
    assert given["cwd"] == "/"
    libraries = {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}
    assert {"NAMED", "OPENBLAS_CORETYPE"} <= given["env"].keys() <= libraries | {"LC_ALL", "PATH", "NAMED"}


def test_a_host_that_starts_none_is_met_by_whoever_wants_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "no processes left")

    monkeypatch.setattr(subprocess, "Popen", refused)
    before = len(list(Path("/proc/self/fd").iterdir()))
    start_ahead(child_environment())
    assert take_ahead(child_environment(), BOOT) is None
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_it_ends_with_the_process_that_started_it() -> None:
    """Killed, so that nothing could be tidied up: the pipe closes."""
    program = (
        "import os, signal; from tee_sim.normal.child import *; import tee_sim.normal.child as c\n"
        "start_ahead(child_environment()); print(c._ahead[0].process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=False)
    try:
        descriptor = os.pidfd_open(int(done.stdout))
    except ProcessLookupError:
        return
    assert select.select([descriptor], [], [], 60)[0]
    os.close(descriptor)


def test_its_end_is_waited_for_and_not_longer() -> None:
    process = Child(child_environment())
    assert process.ended_within(10) is None
    os.close(process.write_fd)  # it reads the end of its pipe, and ends
    process.write_fd = os.dup(process.read_fd)
    assert process.ended_within(60_000) == 0
    assert process.ended_within(0) == 0
    process.discard()


def test_a_host_without_process_descriptors_waits_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    process = Child(child_environment())
    assert process.ended_within(10) is None
    process.process.kill()
    assert process.ended_within(60_000) == -9
    process.discard()
