"""Programs that end in the middle, machines that end, and machines that a program has started itself."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.native.client.conftest import PARROT, Ended, Run

Program = Callable[[str], Path]


def servers(machine: Path) -> list[int]:
    """The processes that `tee-sim serve` of a machine runs in."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if b"serve" in words and os.fsencode(machine) in words:
                found.append(int(entry.name))
    return found


def wait_until(what: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 30
    while not what():
        assert time.monotonic() < until_s
        time.sleep(0.02)


@pytest.fixture
def alone(surroundings: dict[str, str]) -> Callable[..., "subprocess.Popen[str]"]:
    """A program without `tee-sim run`; `variables` go to it."""

    def started(*words: object, **variables: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(word) for word in words], env=surroundings | variables, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return started


def test_a_program_that_is_killed_while_it_waits_leaves_a_machine_in_order(
    run: Run, program: Program, machine: Path
) -> None:
    ended = run(program("dies"), "killed while it waits", options=("--machine", machine))
    assert (ended.status, ended.out, ended.err) == (128 + signal.SIGKILL, "open 0\n", "")
    again = run(program("dies"), options=("--machine", machine))
    assert again == Ended(0, "open 0\n", "")


def test_sessions_of_programs_that_have_ended_are_closed(run: Run, program: Program) -> None:
    """A secure world has 16 at once."""
    script = f'for i in $(seq 20); do "{program("dies")}" "ends with an open session" || exit 1; done'
    assert run("sh", "-c", script) == Ended(0, "open 0\n" * 20, "")


def test_a_program_starts_its_machine_twice_and_has_no_child(
    alone: Callable[..., "subprocess.Popen[str]"], program: Program, machine: Path
) -> None:
    process = alone(program("dies"), "twice", TEE_SIM_MACHINE=str(machine))
    assert process.communicate(timeout=60) == ("open 0\nagain 0, a child of mine: 0\n", "")
    assert process.returncode == 0
    wait_until(lambda: not servers(machine))


def test_the_name_of_a_context_is_a_machine_too(
    alone: Callable[..., "subprocess.Popen[str]"], program: Program, machine: Path
) -> None:
    process = alone(program("dies"), "twice", machine)
    assert process.communicate(timeout=60) == ("open 0\nagain 0, a child of mine: 0\n", "")


def test_a_machine_that_ends_is_a_dead_target_and_another_context_starts_it_again(
    alone: Callable[..., "subprocess.Popen[str]"], program: Program, machine: Path
) -> None:
    process = alone(program("dies"), "its machine ends", TEE_SIM_MACHINE=str(machine))
    assert process.stdout is not None
    assert process.stdout.readline() == "open 0\n"
    for server in servers(machine):
        os.kill(server, signal.SIGKILL)
    wait_until(lambda: not servers(machine))
    out, err = process.communicate("\n", timeout=60)
    assert (out, err) == ("invoke ffff3024 of 2\ninvoke ffff3024 of 2\nagain 0\n", "")
    assert process.returncode == 0


def test_a_machine_ends_with_the_program_that_started_it(
    alone: Callable[..., "subprocess.Popen[str]"], program: Program, machine: Path, run: Run
) -> None:
    process = alone(program("dies"), "its machine ends", TEE_SIM_MACHINE=str(machine))
    assert process.stdout is not None
    assert process.stdout.readline() == "open 0\n"
    assert servers(machine)
    process.kill()
    process.communicate()
    wait_until(lambda: not servers(machine))
    assert run(program("dies"), options=("--machine", machine)) == Ended(0, "open 0\n", "")


def test_ctrl_c_is_the_programs_and_not_its_machines(
    alone: Callable[..., "subprocess.Popen[str]"], program: Program, machine: Path
) -> None:
    process = alone(program("dies"), "its machine ends", TEE_SIM_MACHINE=str(machine))
    assert process.stdout is not None
    assert process.stdout.readline() == "open 0\n"
    for server in servers(machine):
        os.kill(server, signal.SIGINT)
    out, err = process.communicate("\n", timeout=60)
    assert (out, err) == ("invoke 0 of 4\ninvoke 0 of 4\nagain 0\n", "")


@pytest.mark.parametrize(
    ("variables", "result", "said"),
    [
        ({}, "ffff0008", "libteec: there is no machine: start this program with `tee-sim run PATH... -- PROGRAM`"),
        ({"TEE_SIM_CLIENT": "3,4"}, "ffff000e", "libteec: TEE_SIM_CLIENT=3,4 are no pipes of this process"),
        ({"TEE_SIM_CLIENT": "0,1,2"}, "ffff000e", "libteec: TEE_SIM_CLIENT=0,1,2 are no pipes of this process"),
        ({"TEE_SIM_MACHINE": "/absent"}, "ffff0008", "tee-sim: error[machine.missing]: there is no machine in /absent"),
        (
            {"TEE_SIM_MACHINE": "/absent", "TEE_SIM_COMMAND": "/bin/true"},
            "ffff000e",
            "libteec: the machine /absent was not started by `/bin/true serve`",
        ),
        (
            {"TEE_SIM_MACHINE": "/absent", "TEE_SIM_COMMAND": "/not/there"},
            "ffff000e",
            "libteec: the machine /absent was not started by `/not/there serve`",
        ),
    ],
)
def test_no_machine_is_an_error_that_says_what_to_do(
    alone: Callable[..., "subprocess.Popen[str]"],
    program: Program,
    variables: dict[str, str],
    result: str,
    said: str,
) -> None:
    process = alone(program("dies"), "", **variables)
    out, err = process.communicate(timeout=60)
    assert (out, process.returncode) == (f"open {result}\n", 3)
    assert err.startswith(said)


def test_a_machine_that_is_in_use_says_so(
    alone: Callable[..., "subprocess.Popen[str]"], program: Program, machine: Path
) -> None:
    first = alone(program("dies"), "its machine ends", TEE_SIM_MACHINE=str(machine))
    assert first.stdout is not None
    assert first.stdout.readline() == "open 0\n"
    second = alone(program("dies"), "", TEE_SIM_MACHINE=str(machine))
    out, err = second.communicate(timeout=60)
    assert (out, err.splitlines()[0]) == (
        "open ffff000d\n", f"tee-sim: error[machine.in_use]: {machine} is in use by another process",
    )  # fmt: skip
    first.communicate("\n", timeout=60)


def test_what_a_machine_hosts_is_remembered_strictly(
    alone: Callable[..., "subprocess.Popen[str]"], program: Program, machine: Path
) -> None:
    hosted = machine / "hosted.json"
    whole = hosted.read_text()
    for damaged in (
        "",
        "{",
        whole[:-3],
        whole.replace('"debug"', '"more"'),
        whole.replace("false", "1"),
        "[" * 100_000,
    ):
        hosted.write_text(damaged)
        process = alone(program("dies"), "", TEE_SIM_MACHINE=str(machine))
        out, err = process.communicate(timeout=60)
        assert out == "open ffff000f\n", damaged
        assert err.startswith(f"tee-sim: error[machine.file]: hosted.json of {machine} is damaged\nhint: start it once")
    hosted.unlink()
    process = alone(program("dies"), "", TEE_SIM_MACHINE=str(machine))
    assert process.communicate(timeout=60)[1].startswith(
        f"tee-sim: error[machine.file]: {machine} does not say what it hosts\n"
    )


def test_a_timeline_shows_what_a_c_program_asks(run: Run, program: Program, tmp_path: Path) -> None:
    ended = run(program("dies"), TEE_SIM_TRACE=str(tmp_path / "timeline.json"))
    assert ended == Ended(0, "open 0\n", "")
    assert re.findall("(?:open|close) session", (tmp_path / "timeline.json").read_text())


@pytest.mark.parametrize("in_c", [False, True])
def test_a_power_cut_is_a_dead_target_and_another_session_goes_on(
    run: Run, program: Program, request: pytest.FixtureRequest, in_c: bool
) -> None:
    application = request.getfixturevalue("parrot_in_c") if in_c else PARROT
    options = ("--fault", "commit@2: die-before")
    ended = run(program("dies"), "its power is cut", options=options, application=application)
    dead = "invoke ffff3024 of 2\n"
    assert (ended.status, ended.out) == (0, f"open 0\ninvoke 0 of 4\n{dead}{dead}open 0\ninvoke 0 of 4\n")
    assert ended.err == ("note: the secure world was started again: the power was cut at commit 2, by the fault plan\n")


GARBAGE = """
import os
from uuid import UUID
from tee_sim.normal.connect import VARIABLE, connect
from tee_sim.normal.link import Link
from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError
from tee_sim.shared.params import NO_PARAMS
from tee_sim.shared.wire import framed
context = connect()
uuid = UUID("5c6a7a3e-52a3-4a55-9c0e-2f8f8d1b7a01")
session = context.open_session(uuid)
session.invoke(1, NO_PARAMS)
link = Link(*map(int, os.environ[VARIABLE].split(",")))
rests = (b"\\xff\\xff", bytes(40), b"\\x01\\x84\\x00\\x00\\x00\\x00\\xf5")
for number, rest in enumerate(rests, start=1):  # of the session that is open then
    body = b"\\x85\\x07" + bytes([number]) + rest
    link.send(framed(codec.encode([60_000, os.getpid() << 32, None])), framed(body))
    head = codec.decode(link.receive())
    print(hex(head[1]) if head[1:] else hex(codec.decode(link.receive())[1]))
    try:
        session.invoke(1, NO_PARAMS)
        print("goes on")
    except TeeError as error:
        print(error.result.name, error.origin.name)
    session = context.open_session(uuid)
"""


@pytest.mark.parametrize("in_c", [False, True])
def test_a_request_that_is_none_ends_no_more_than_the_secure_world_that_was_asked(
    run: Run, request: pytest.FixtureRequest, tmp_path: Path, in_c: bool
) -> None:
    application = request.getfixturevalue("parrot_in_c") if in_c else PARROT
    (tmp_path / "garbage.py").write_text(GARBAGE)
    ended = run(sys.executable, tmp_path / "garbage.py", application=application)
    assert (ended.status, ended.out.splitlines()) == (0, [
        *("0xffff3024", "TARGET_DEAD COMMS") * 2,  # no frame: exit 70, and another one for the next call
        *("0xffff0005", "goes on"),  # a frame, and no request: refused
    ])  # fmt: skip
    assert ended.err.count("note: the secure world was started again: exit status 70") == 2
