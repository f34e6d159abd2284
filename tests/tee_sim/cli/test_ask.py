"""invoke, list, run and shell: what they print and end with, and that a refusal changes no file."""

import io
import sys
from pathlib import Path

import pytest

from tests.tee_sim.cli.conftest import Command, image

DEAD = "the trusted application panicked, then or before: command 3 may have been carried out in part"


def test_a_value_is_kept_by_a_machine_and_by_none_without_one(tee_sim: Command) -> None:
    assert tee_sim("invoke", "--machine", "phone", "counter", "ADD", "step=3").out == "value = 3\ncalls = 1\n"
    assert tee_sim("invoke", "counter/manifest.toml", "READ").out == "value = 0\ncalls = 1\n"
    said = tee_sim("invoke", "--machine", "phone", "counter", "READ")
    assert (said.status, said.out, said.err) == (0, "value = 3\ncalls = 1\n", "")


def test_a_command_by_number_has_four_parameters(tee_sim: Command) -> None:
    said = tee_sim("invoke", "counter", "1", "hex:8103", "out:64")
    assert (said.status, said.out) == (0, "p1 = 3 bytes 820301\n")
    said = tee_sim("invoke", "counter", "1", "hex:8103", "out:4")
    assert (said.status, said.out) == (3, "p1 = 27 bytes\n")
    assert said.err.splitlines() == [
        "tee-sim: error[tee.short_buffer]: command 1 was refused",
        "hint: give an output more room: the size that is needed stands with the parameter",
    ]


@pytest.mark.parametrize(
    ("words", "status", "error", "hint"),
    [
        (("invoke", "counter", "ADD"), 4, "error[tee.bad_parameters]: Add needs step", "give: step=..."),
        (
            ("invoke", "counter", "ADD", "steps=1"),
            4,
            "error[tee.bad_parameters]: Add has no field 'steps'",
            "give: step=...",
        ),
        (
            ("invoke", "counter", "AD", "step=1"),
            4,
            "error[tee.bad_parameters]: counter has no command 'AD'",
            "its commands are: ADD, CRASH, READ",
        ),
        (
            ("invoke", "counter", "1", "hex:0g", "out:64"),
            4,
            "error[tee.bad_parameters]: parameter 'hex:0g': expected hexadecimal digits, two for each byte",
            "a parameter is one of: none, value:A[,B], value-out, value-inout:A[,B], hex:, text:, file:, out:SIZE, "
            "inout:hex:",
        ),
        (
            ("invoke", "counter", "1", "value:4294967296"),
            4,
            "error[tee.bad_parameters]: parameter 'value:4294967296': a number has 32 bits",
            None,
        ),
        (
            ("invoke", "counter", "1", "file:absent"),
            4,
            "error[tee.bad_parameters]: parameter 'file:absent': No such file or directory",
            None,
        ),
        (
            ("invoke", "--fault", "commit: explode", "counter", "READ"),
            4,
            "error[tee.bad_parameters]: fault rule 'commit: explode': no such action here, one of busy, delay, "
            "die-after, die-before, drop, eio, eio-after, enospc, flip, lie",
            None,
        ),
        (("invoke", "counter", "9"), 3, "error[tee.not_supported]: command 9 was refused", None),
        (
            ("invoke", "counter", "CRASH"),
            6,
            f"error[tee.target_dead]: {DEAD}",
            "what it had stored stays; to see file and line run the same with --debug",
        ),
        (
            ("invoke", "absent", "READ"),
            4,
            "error[machine.path]: there is no file absent",
            "give a manifest, a .ta file, or the folder it is in; to make a new one: tee-sim new NAME",
        ),
        (
            ("list", "app.ta"),
            4,
            "error[machine.path]: there is no file app.ta",
            "build it first, or give the folder it is in; in C: TA_DEV_KIT_DIR=$(tee-sim dev-kit) make",
        ),
        (
            ("list", "counter", "counter/manifest.toml"),
            4,
            "error[manifest.twice]: counter/manifest.toml:1: uuid: 0b2c8f64-6c39-5a56-9a0f-3d5d6a1a7c10 is also that "
            "of counter/manifest.toml",
            "give one of them, or make one: python3 -c 'import uuid; print(uuid.uuid4())'",
        ),
        (("run", "counter"), 2, "error[usage]: no program is given: tee-sim run PATH... -- PROGRAM", None),
        (("list",), 2, "error[usage]: Missing argument 'PATH...'.", "run: tee-sim list --help"),
    ],
)
def test_a_refusal_has_two_lines_and_changes_nothing(
    tee_sim: Command, here: Path, words: tuple[str, ...], status: int, error: str, hint: str | None
) -> None:
    tee_sim("invoke", "--machine", "phone", "counter", "ADD", "step=3")
    before = image(here)
    said = tee_sim(*words)
    assert (said.status, said.out) == (status, "")
    lines = said.err.splitlines()
    assert lines[0] == f"tee-sim: {error}"
    assert len(lines) == 2
    assert lines[1].startswith("hint: ")
    if hint is not None:
        assert lines[1] == f"hint: {hint}"
    assert image(here) == before


REFUSES = """        raise TeeError(TeeResult.{result}, "no", origin=Origin.TRUSTED_APP)
"""
OWN = "hint: the result is the application's own: look there for what raises it"


@pytest.mark.parametrize("result", ["ITEM_NOT_FOUND", "BUSY"])
def test_a_result_that_the_application_made_is_said_to_be_its_own(tee_sim: Command, here: Path, result: str) -> None:
    app = here / "counter/counter/app.py"
    text = app.read_text().replace("        raise ZeroDivisionError\n", REFUSES.format(result=result))
    app.write_text(text + "\n\nfrom tee_sim.shared.errors import Origin, TeeError, TeeResult\n")
    said = tee_sim("invoke", "counter", "CRASH")
    assert (said.status, said.err.splitlines()) == (
        3, [f"tee-sim: error[tee.{result.lower()}]: command 3 was refused", OWN],
    )  # fmt: skip


def test_after_a_run_with_debug_it_is_not_said_to_debug(tee_sim: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    said = tee_sim("invoke", "--debug", "counter", "CRASH")
    assert said.status == 6
    assert said.err.splitlines()[-1] == "hint: what it had stored stays; file and line stand above, if it panicked"
    assert "ZeroDivisionError" in said.err
    typed(monkeypatch, "CRASH")
    said = tee_sim("shell", "--debug", "counter")
    assert said.err.splitlines()[-1] == "hint: what it had stored stays; file and line stand above, if it panicked"


def test_a_manifest_is_no_timeline(tee_sim: Command) -> None:
    said = tee_sim("trace", "counter/manifest.toml")
    assert (said.status, said.out) == (4, "")
    assert said.err.splitlines() == [
        "tee-sim: error[tee.bad_format]: line 1 of the timeline is not `[`",
        "hint: give a file that was written by: TEE_SIM_TRACE=FILE tee-sim run ...",
    ]


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("file", "file is a file, not a directory"),
        ("file/phone", "file/phone cannot be one: Not a directory"),
        ("link", "link is a symbolic link, not a directory"),
        ("x" * 300, f"{'x' * 300} cannot be one: File name too long"),
    ],
)
def test_a_machine_that_is_no_directory_is_a_wrong_path(tee_sim: Command, here: Path, path: str, what: str) -> None:
    (here / "file").write_bytes(b"mine")
    (here / "link").symlink_to("counter")
    before = image(here)
    said = tee_sim("list", "--machine", path, "counter")
    assert (said.status, said.err.splitlines()) == (4, [
        f"tee-sim: error[machine.path]: {what}",
        "hint: give a machine's directory, an empty one, or a name that is free",
    ])  # fmt: skip
    assert image(here) == before


def everything(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if "__pycache__" not in path.parts)


@pytest.mark.parametrize("name", ["letter.txt", ".hidden", "folder/"])
def test_no_machine_is_made_among_other_things(tee_sim: Command, here: Path, name: str) -> None:
    (here / "mine").mkdir()
    (here / "mine" / name).mkdir() if name.endswith("/") else (here / "mine" / name).write_bytes(b"dear")
    before = image(here), everything(here)
    said = tee_sim("list", "--machine", "mine", "counter")
    assert (said.status, said.err.splitlines()) == (5, [
        f"tee-sim: error[machine.exists]: mine is no machine, and has other things in it: {name.rstrip('/')!r}",
        "hint: choose an empty directory for --machine, or a name that is free",
    ])  # fmt: skip
    assert (image(here), everything(here)) == before


def test_a_machine_is_made_in_an_empty_directory_and_may_hold_other_things_later(tee_sim: Command, here: Path) -> None:
    (here / "mine").mkdir()
    assert tee_sim("invoke", "--machine", "mine", "counter", "ADD", "step=3").status == 0
    (here / "mine" / "letter.txt").write_bytes(b"dear")
    assert tee_sim("invoke", "--machine", "mine", "counter", "READ").out == "value = 3\ncalls = 1\n"


def test_a_device_of_bioguard_is_no_machine(tee_sim: Command, here: Path) -> None:
    (here / "d").mkdir(mode=0o700)
    (here / "d" / "fuses.simulated").write_text("bioguard-fuses 3\n")
    (here / "d" / "fuses.simulated").chmod(0o600)
    before = image(here)
    said = tee_sim("list", "--machine", "d", "counter")
    assert said.status == 5
    assert said.err.splitlines()[0] == (
        "tee-sim: error[machine.foreign]: d is no machine of tee-sim: its fuses are bioguard-fuses"
    )
    assert image(here) == before


def test_list_says_what_is_hosted_and_how_it_is_locked(tee_sim: Command) -> None:
    lines = tee_sim("list", "counter").out.splitlines()
    assert lines[0].startswith("sandbox level: ENFORCED")
    assert lines[5] == "counter  0b2c8f64-6c39-5a56-9a0f-3d5d6a1a7c10  counter/manifest.toml"
    assert lines[7:] == ["  1 ADD: Add -> Value", "  2 READ: Nothing -> Value", "  3 CRASH: Nothing -> Value"]


def test_run_gives_a_program_the_machine_and_ends_with_its_status(tee_sim: Command, here: Path) -> None:
    for value in (1, 2):
        said = tee_sim("run", "--machine", "phone", "counter", "--", sys.executable, "counter/client.py")
        assert (said.status, said.out, said.err) == (0, f"the counter is {value}\n", "")
    (here / "ends.py").write_text("raise SystemExit(41)\n")
    assert tee_sim("run", "counter", "--", sys.executable, "ends.py").status == 41
    assert tee_sim("run", "counter", "--", "./absent").status == 127
    assert tee_sim("run", "counter", "--", "./ends.py").status == 126


def test_run_passes_errors_on_and_starts_again(tee_sim: Command, here: Path) -> None:
    (here / "meets.py").write_text(
        "import sys\n"
        "sys.path.insert(0, 'counter')\n"
        "from counter.commands import *\n"
        "from tee_sim.normal.connect import connect\n"
        "from tee_sim.normal.machine.errors import MachineError\n"
        "from tee_sim.shared.errors import TeeError\n"
        "context = connect()\n"
        "session = context.open_session(COUNTER_UUID)\n"
        "for command, request in ((CRASH, Nothing()), (READ, Nothing()), (ADD, Add(step=1))):\n"
        "    try:\n"
        "        print(session.call(command, request))\n"
        "    except MachineError as error:\n"
        "        print(error.code, '|', error, '|', error.hint)\n"
        "    except TeeError as error:\n"
        "        print(error.result.name, error.origin.name)\n"
        "        session = context.open_session(COUNTER_UUID)\n"
    )
    said = tee_sim("run", "--fault", "commit@1: die-before", "counter", "--", sys.executable, "meets.py")
    assert said.out.splitlines() == [
        "TARGET_DEAD TEE",
        "Value(value=0, calls=1)",
        "machine.power | the power was cut at commit 1, by the fault plan (TARGET_DEAD, origin COMMS) | the next call "
        "boots the machine again; what was not committed is gone",
    ]


def test_a_program_that_sends_no_frame_is_answered_no_more(tee_sim: Command, here: Path) -> None:
    (here / "babbles.py").write_text(
        "import os\n"
        "read, write = map(int, os.environ['TEE_SIM_CLIENT'].split(','))\n"
        "os.write(write, bytes([255]) * 8)\n"
        "print(os.read(read, 1))\n"
    )
    said = tee_sim("run", "counter", "--", sys.executable, "babbles.py")
    assert (said.status, said.out) == (0, "b''\n")
    assert said.err == (
        "note: the program sent what is no request and is answered no more: frame of 4294967295 bytes is larger than "
        "1048576\n"
    )


ASKS = """
import os
from tee_sim.normal.connect import VARIABLE, Link, connect
from tee_sim.shared import codec
from tee_sim.shared.wire import OpenSession, ReadClock, framed, pack
link = Link(*map(int, os.environ[VARIABLE].split(",")))
for head in ([1 << 62], [(1 << 64) - 1], [1_000_000_001], [0], [-1], [True], ["1"], [1, 2], {}, 7, [1_000_000_000]):
    link.send(framed(codec.encode(head)), pack(ReadClock()))
    answer = codec.decode(link.receive())
    print(head, answer[2:4])
print(len(link.receive()) > 8)
"""


def test_a_request_whose_second_frame_is_none_is_answered_no_more(tee_sim: Command, here: Path) -> None:
    (here / "babbles.py").write_text(
        "import os\n"
        "from tee_sim.shared import codec\n"
        "from tee_sim.shared.wire import framed\n"
        "read, write = map(int, os.environ['TEE_SIM_CLIENT'].split(','))\n"
        "os.write(write, framed(codec.encode([1000])) + bytes([255]) * 8)\n"
        "print(os.read(read, 1))\n"
    )
    said = tee_sim("run", "counter", "--", sys.executable, "babbles.py")
    assert (said.status, said.out) == (0, "b''\n")
    assert said.err.startswith("note: the program sent what is no request and is answered no more: frame of 42949672")


def test_a_timeout_that_is_none_is_refused_and_the_machine_goes_on(tee_sim: Command, here: Path) -> None:
    (here / "asks.py").write_text(ASKS)
    said = tee_sim("run", "counter", "--", sys.executable, "asks.py")
    none = "['no request of a client', '']"
    assert said.out.splitlines() == [
        *(
            f"[{ms}] ['timeout_ms is {ms}, above 1000000000', 'nothing was sent']"
            for ms in (1 << 62, (1 << 64) - 1, 1_000_000_001)
        ),
        *(f"{head} {none}" for head in ("[0]", "[-1]", "[True]", "['1']", "[1, 2]", "{}", "7")),
        "[1000000000] []",
        "True",
    ]
    assert (said.status, said.err) == (0, "")


def test_a_program_that_nobody_runs_is_told_how(here: Path) -> None:
    from tee_sim.normal.connect import connect
    from tee_sim.normal.machine.errors import MachineError

    with pytest.raises(MachineError) as caught:
        connect()
    assert caught.value.code == "machine.not_run"
    assert caught.value.hint == "start it with: tee-sim run PATH -- PROGRAM"


class Typed(io.StringIO):
    """A terminal: errors end nothing."""

    def __init__(self, *lines: str) -> None:
        super().__init__("".join(f"{line}\n" for line in lines))

    def isatty(self) -> bool:
        return True


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_the_shell_opens_invokes_cuts_and_fails_by_plan(tee_sim: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(
        monkeypatch,
        "open counter", "ADD step=3", "open", "READ", "use 1", "READ", "close", "power-cut", "READ", "restart",
        "fault commit@1: enospc", "commands", "# a remark", "1 hex:8101 out:64",
    )  # fmt: skip
    said = tee_sim("shell", "--machine", "phone", "counter")
    assert said.out.splitlines() == [
        "session 1 with counter", "value = 3", "calls = 1", "session 2 with counter", "value = 3", "calls = 1",
        "value = 3", "calls = 2", "booted; all sessions are gone", "value = 3", "calls = 1",
        "booted; all sessions are gone", "counter: 1 ADD step=...", "counter: 2 READ", "counter: 3 CRASH",
    ]  # fmt: skip
    assert said.status == 3
    assert said.err.splitlines()[0] == "error[tee.storage_no_space]: command 1 was refused"


def test_the_shell_opens_another_session_after_a_death(tee_sim: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ("ADD step=3", "CRASH", "READ", "fault commit@1: die-after", "ADD step=1", "READ")
    monkeypatch.setattr(sys, "stdin", Typed(*lines))
    said = tee_sim("shell", "--machine", "phone", "counter")
    answers = said.out.replace("tee> ", "").splitlines()
    assert (said.status, answers[2:]) == (0, ["value = 3", "calls = 1", "value = 4", "calls = 1"])
    assert [line for line in said.err.splitlines() if not line.startswith("hint")] == [
        f"error[tee.target_dead]: {DEAD}",
        "error[machine.power]: the power was cut at commit 1, by the fault plan",
        "note: the secure world was started again: the power was cut at commit 1, by the fault plan",
    ]


def test_the_shell_moves_a_stepped_clock(tee_sim: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for clock in (("--clock", "2026-01-31T12:00:00Z"), ()):
        typed(monkeypatch, "advance 60000")
        said = tee_sim("shell", "--machine", "phone", *clock, "counter")
        assert said.out == f"wall_ms = {1_769_860_800_000 + (60_000 if clock else 120_000)}\n"
    said = tee_sim("list", "--machine", "phone", "--clock", "2026-01-31T12:00:01Z", "counter")
    assert (said.status, said.err.splitlines()[0]) == (
        5, "tee-sim: error[machine.options]: clock or seed are not what this machine was made with",
    )  # fmt: skip
    said = tee_sim("list", "--clock", "noon", "counter")
    assert (said.status, said.err.splitlines()[0]) == (4, "tee-sim: error[tee.bad_parameters]: 'noon' is no time")


@pytest.mark.parametrize(
    ("line", "error", "hint"),
    [
        ("restart now", "restart takes no word(s)", "type: help"),
        ("use 7", "no session 7", "open are: none"),
        ("open other", "which application is meant by 'other'", "one of: counter"),
        ("fault nothing", "fault rule 'nothing': expected point[@when]: action[(number)] [selector]", None),
        ("ADD 'step=3", "the line cannot be read: No closing quotation", "close every quote"),
        ("advance soon", "'soon' is no number of milliseconds", "for instance: advance 60000"),
    ],
)
def test_a_line_that_is_wrong(
    tee_sim: Command, monkeypatch: pytest.MonkeyPatch, line: str, error: str, hint: str | None
) -> None:
    typed(monkeypatch, line)
    said = tee_sim("shell", "counter")
    assert said.status == 4
    lines = said.err.splitlines()
    assert lines[0] == f"error[tee.bad_parameters]: {error}"
    assert hint is None or lines[1] == f"hint: {hint}"
