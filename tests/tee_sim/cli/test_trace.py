"""trace prints a timeline: spans as one line, in order, and only what is asked for."""

import json
import sys
from pathlib import Path

import pytest

from tests.tee_sim.cli.conftest import Command

META = [
    {"name": "thread_name", "ph": "M", "ts": 0, "cat": "__metadata", "pid": 7, "tid": 2, "args": {"name": "TA vault"}},
    {"name": "thread_name", "ph": "M", "ts": 0, "cat": "__metadata", "pid": 8, "tid": 1, "args": {"name": "disk"}},
    {"name": "thread_name", "ph": "M", "ts": 0, "cat": "__metadata", "pid": 8, "tid": 2, "args": {"name": "faults"}},
]


def event(ph: str, ts: int, pid: int, tid: int, name: str, **args: object) -> dict[str, object]:
    return {"name": name, "ph": ph, "ts": ts, "cat": "command", "pid": pid, "tid": tid, "args": args}


EVENTS = [
    *META,
    event("B", 5000, 7, 2, "ADD", session=1),
    {**event("X", 5500, 8, 1, "COMMIT", result="SUCCESS"), "dur": 250},
    event("i", 5800, 8, 2, "commit: enospc", passage=2) | {"s": "t"},
    event("E", 6000, 7, 2, "ADD", result="STORAGE_NO_SPACE"),
    event("B", 7000, 7, 2, "READ", session=1),
]
ADD = "      0.000     1.000  TA vault         ADD  session=1 result=STORAGE_NO_SPACE\n"
COMMIT = "      0.500     0.250  disk             COMMIT  result=SUCCESS\n"
COMMIT_BELOW = COMMIT.replace(" COMMIT", "   COMMIT")
FAULT_BELOW = "      0.800            faults             commit: enospc  passage=2\n"
READ = "      2.000            TA vault         READ  session=1\n"


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ((), ADD + COMMIT_BELOW + FAULT_BELOW + READ),
        (("--row", "TA"), ADD + READ),
        (("--name", "COMMIT", "--name", "READ"), COMMIT_BELOW + READ),
        (("--row", "disk"), COMMIT),
        (("--failed",), ADD + FAULT_BELOW),
        (("--slower-than", "0.5"), ADD),
        (("--row", "nothing"), ""),
    ],
)
def test_lines(tee_sim: Command, here: Path, options: tuple[str, ...], lines: str) -> None:
    (here / "t.json").write_text("[\n" + "".join(f"{json.dumps(e)},\n" for e in EVENTS))
    said = tee_sim("trace", *options, "t.json")
    assert (said.status, said.out, said.err) == (0, lines, "")


def test_a_line_that_was_not_written_to_its_end_is_left_out_and_said(tee_sim: Command, here: Path) -> None:
    (here / "t.json").write_text(f"[\n{json.dumps(EVENTS[5])},\n" + '{"name":"ADD","ph"')
    said = tee_sim("trace", "t.json")
    assert said.out.split() == ["0.000", "?", "commit:", "enospc", "passage=2"]
    assert said.err == "note: the last line of t.json was not written to its end: 18 bytes are left out\n"


def test_what_a_terminal_would_obey_is_escaped(tee_sim: Command, here: Path) -> None:
    odd = event("i", 0, 7, 2, "ADD\x1b[2J", text="a\nb\u202e")
    (here / "t.json").write_text(f"[\n{json.dumps(odd)},\n")
    said = tee_sim("trace", "t.json")
    assert said.out == "      0.000            ?                ADD\\x1b[2J  text=a\\x0ab\\u202e\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, "error[machine.path]: t.json cannot be read: No such file or directory"),
        ("{}\n", "error[tee.bad_format]: line 1 of the timeline is not `[`"),
        ('[\n{"name":"x"},\n', "error[tee.bad_format]: line 2 of the timeline is no event"),
    ],
)
def test_no_timeline(tee_sim: Command, here: Path, text: str | None, error: str) -> None:
    if text is not None:
        (here / "t.json").write_text(text)
    said = tee_sim("trace", "t.json")
    assert said.status == 4
    assert said.err.splitlines()[0] == f"tee-sim: {error}"


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")
def test_commands_of_an_application_have_their_names(
    tee_sim: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEE_SIM_TRACE", str(here / "t.json"))
    tee_sim("invoke", "--fault", "commit@1: enospc", "counter", "ADD", "step=3")
    monkeypatch.delenv("TEE_SIM_TRACE")
    lines = tee_sim("trace", "--failed", "t.json").out.splitlines()
    assert [line.split()[2:5] for line in lines if " TA " in line] == [["TA", "counter", "ADD"]]
    assert [line for line in lines if " faults " in line]
