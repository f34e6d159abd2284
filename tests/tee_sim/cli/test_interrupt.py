"""Ctrl-C in `tee-sim run`: the program may finish, with the machine; then it is terminated, then killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tee_sim.cli.conftest import Command

MAIN = """
import sys
from tee_sim.cli import interrupt
from tee_sim.cli.main import main
interrupt.GRACE_S, interrupt.TERMINATED_S = {grace}, {terminated}
main()
"""
PROGRAM = """
import os, signal, sys, time
sys.path.insert(0, "counter")
from counter.commands import *
from tee_sim.normal.connect import connect
session = connect().open_session(COUNTER_UUID)
def say(*words):
    print(*words, flush=True)
def ready():
    say("ready", os.getpid())
    while True:
        time.sleep(0.05)
"""
FINISHES = """
try:
    ready()
except KeyboardInterrupt:
    say(session.call(ADD, Add(step=3)).value)
    raise SystemExit(41)
"""
DIES = "signal.signal(signal.SIGINT, signal.SIG_DFL)\nready()\n"
ENDS_WHEN_TERMINATED = """
signal.signal(signal.SIGINT, lambda *_: say("int"))
def end(*_):
    say("term", session.call(READ, Nothing()).value)
    os._exit(7)
signal.signal(signal.SIGTERM, end)
ready()
"""
STAYS = """
signal.signal(signal.SIGINT, lambda *_: say("int"))
signal.signal(signal.SIGTERM, lambda *_: say("term"))
ready()
"""
CLOSES_ITS_PIPES = """
os.closerange(3, 64)
signal.signal(signal.SIGINT, lambda *_: say("int"))
signal.signal(signal.SIGTERM, lambda *_: say("term"))
ready()
"""
WAITS_FOR_AN_ANSWER = """
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
say("ready", os.getpid())
session.call(CRASH, Nothing())
"""
KILLS = (STAYS, CLOSES_ITS_PIPES)
KILLED = f"note: {sys.executable} did not end after Ctrl-C and was killed\n\n"
"""The empty line is click's: a terminal shows ^C in the line before."""
Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def run(here: Path) -> Run:
    """`tee-sim run` in a process group of its own, as a terminal has it, once the program is ready."""

    def started(program: str, grace: float, terminated: float) -> "subprocess.Popen[str]":
        (here / "program.py").write_text(PROGRAM + program)
        words = ("run", "--machine", "phone", "counter", "--", sys.executable, "program.py")
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN.format(grace=grace, terminated=terminated), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        assert process.stdout is not None
        word, _, pid = process.stdout.readline().partition(" ")
        assert word == "ready"
        process.program = int(pid)  # type: ignore[attr-defined]
        return process

    return started


def ctrl_c(process: "subprocess.Popen[str]") -> None:
    os.killpg(process.pid, signal.SIGINT)


@pytest.mark.parametrize(
    ("program", "grace", "terminated", "status", "said"),
    [
        pytest.param(FINISHES, 60, 60, 41, "3\n", id="finishes with the machine"),
        pytest.param(DIES, 60, 60, 130, "", id="dies of it"),
        pytest.param(ENDS_WHEN_TERMINATED, 0.4, 60, 7, "int\nterm 0\n", id="is terminated"),
        pytest.param(STAYS, 0.4, 0.4, 130, "int\nterm\n", id="is killed"),
        pytest.param(CLOSES_ITS_PIPES, 0.4, 0.4, 130, "int\nterm\n", id="is killed when it is only waited for"),
    ],
)
def test_ctrl_c(
    run: Run, tee_sim: Command, program: str, grace: float, terminated: float, status: int, said: str
) -> None:
    process = run(program, grace, terminated)
    ctrl_c(process)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (status, said, KILLED if program in KILLS else "")
    with pytest.raises(ProcessLookupError):
        os.kill(process.program, 0)  # type: ignore[attr-defined]
    value = 3 if program is FINISHES else 0
    assert tee_sim("invoke", "--machine", "phone", "counter", "READ").out == f"value = {value}\ncalls = 1\n"


def test_an_application_that_never_answers_puts_nothing_off(run: Run, here: Path) -> None:
    app = here / "counter/counter/app.py"
    app.write_text(
        app.read_text().replace("        raise ZeroDivisionError\n", "        while True:\n            pass\n")
    )
    process = run(WAITS_FOR_AN_ANSWER, 1, 0.4)
    began = time.monotonic()
    time.sleep(0.5)
    ctrl_c(process)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, KILLED)
    assert time.monotonic() - began < 8, "the application may take longer than that"


def test_each_further_one_takes_the_next_step_at_once(run: Run) -> None:
    process = run(STAYS, 60, 60)
    began = time.monotonic()
    for _ in range(3):
        ctrl_c(process)
        time.sleep(0.3)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, KILLED)
    assert out.count("term") == 1
    assert time.monotonic() - began < 30


def test_ignored_it_stays_ignored(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for what a shell runs in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = run("say('ready', os.getpid())\ntime.sleep(2)\n", 0.2, 0.2)
    finally:
        signal.signal(signal.SIGINT, before)
    ctrl_c(process)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")


def test_the_times_that_the_page_gives() -> None:
    from tee_sim.cli import interrupt

    assert (interrupt.GRACE_S, interrupt.TERMINATED_S) == (5.0, 2.0)
    page = Path(__file__).parents[3] / "docs/tee-sim.md"
    text = " ".join(page.read_text().split())
    assert "sends SIGTERM after 5 seconds and SIGKILL after 2 more" in text
