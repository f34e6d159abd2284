"""The timeline: complete, of its schema, readable when its writer was killed, and without a byte of a parameter."""

import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from counter.commands import ADD, COUNTER_UUID, CRASH, READ, Add, Nothing

from tee_sim.normal import events, timeline, timeline_reader
from tee_sim.normal.client import Context
from tee_sim.normal.secure_process import SecureProcess
from tee_sim.normal.supplicant import Supplicant
from tee_sim.normal.supplicant.files import STORAGE_FILE
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.params import Param, operation
from tee_sim.shared.wire import Boot, LockProfile, Provision
from tee_sim.testing.faults import FaultPlan, HostileDisk
from tee_sim.testing.in_process import InProcessTee
from tests.tee_sim.locked.conftest import COUNTER, counter, inspect

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/schemas/timeline.schema.json").read_text("utf-8"))
ROOT_SECRET = bytes(range(100, 132))
Event = dict[str, Any]


@pytest.fixture(autouse=True)
def _no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands without names: a test elsewhere that runs `tee-sim` has given them some, for the whole process."""
    monkeypatch.setattr(events, "_command_names", {})


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the timeline of this test is written."""
    file = tmp_path / "timeline.json"
    monkeypatch.setenv(timeline.VARIABLE, str(file))
    return file


def read(path: Path) -> list[Event]:
    """The events, held against the schema; begins and ends are in order in every row."""
    found: list[Event] = timeline_reader.read(path.read_bytes())
    jsonschema.validate(found, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert found == json.loads(path.read_text("ascii").rstrip().removesuffix(",") + "]")
    return found


def open_ends(found: list[Event]) -> list[str]:
    """Names of what began and did not end. What ends is what began last in its row."""
    stacks: dict[tuple[int, int], list[str]] = {}
    for event in found:
        stack = stacks.setdefault((event["pid"], event["tid"]), [])
        if event["ph"] == "B":
            stack.append(event["name"])
        elif event["ph"] == "E":
            assert stack.pop() == event["name"]
    return [name for stack in stacks.values() for name in stack]


def rows(found: list[Event]) -> dict[str, tuple[int, int]]:
    """Process and thread number of each row, by its name."""
    return {e["args"]["name"]: (e["pid"], e["tid"]) for e in found if e["name"] == "thread_name"}


def of(found: list[Event], row: str) -> list[Event]:
    """What stands in one row."""
    where = rows(found)[row]
    return [e for e in found if (e["pid"], e["tid"]) == where and e["ph"] != "M"]


def spoken(found: list[Event]) -> list[tuple[str, str]]:
    """Phase and name of each."""
    return [(e["ph"], e["name"]) for e in found]


def boot() -> Boot:
    """The counter alone."""
    return Boot(manifests=(counter(),), profile=LockProfile.STRICT, folders=(bytes(COUNTER),))


def locked_life(folder: Path, *, uuid: bytes | None = None) -> SecureProcess:
    """A locked world that has counted to 7 and was closed."""
    supplicant = Supplicant(folder)
    process = SecureProcess(boot(), supplicant)
    try:
        process.boot(inspect, Provision(huk=ROOT_SECRET, device_id=bytes(16), create=True, stepped_wall_ms=10**12))
        context = Context(process)
        with context.open_session(COUNTER_UUID) as session:
            session.call(ADD, Add(step=7))
            with pytest.raises(TeeError):
                session.invoke(77, operation(Param.memref(b"canary bytes of a parameter"), Param.value(1234567891)))
        context.advance_clock(60_000)
        process.close()
    finally:
        process.kill()
        supplicant.close()
    return process


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")
def test_a_locked_life(path: Path, tmp_path: Path) -> None:
    process = locked_life(tmp_path)
    found = read(path)
    assert open_ends(found) == []
    assert {e["args"]["name"] for e in found if e["name"] == "process_name"} >= {f"secure world {process.pid}"}
    assert rows(found)["TA counter"][0] == rows(found)["secure world"][0] == process.pid
    assert rows(found)["disk"][0] == rows(found)["RPMB"][0] == os.getpid()
    assert spoken(of(found, "secure world")) == [
        ("i", "start"), ("i", "locked"), ("i", "ready"),
        ("B", "advance clock"), ("E", "advance clock"), ("i", "end"),
    ]  # fmt: skip
    application = of(found, "TA counter")
    assert spoken(application) == [
        ("B", "open session"), ("E", "open session"), ("B", "command 1"), ("E", "command 1"),
        ("B", "command 77"), ("E", "command 77"), ("B", "close session"), ("E", "close session"),
    ]  # fmt: skip
    assert application[1]["args"] == {"result": "SUCCESS", "origin": "TRUSTED_APP", "session": 1, "out_bytes": 0}
    assert application[2]["args"] == {"session": 1, "command": 1, "in_bytes": 2, "room_bytes": 524288}
    assert application[4]["args"] == {"session": 1, "command": 77, "in_bytes": 27, "room_bytes": 0}
    assert application[5]["args"]["result"] not in ("SUCCESS", "TARGET_DEAD")
    assert {e["name"] for e in of(found, "disk")} >= {"READ", "COMMIT"}
    assert {e["name"] for e in of(found, "RPMB")} >= {"PROGRAM_KEY", "WRITE", "READ", "READ_COUNTER"}
    began, ended = application[2]["ts"], application[3]["ts"]
    inside = [e for e in of(found, "disk") if began <= e["ts"] and e["ts"] + e["dur"] <= ended]
    assert [e["name"] for e in inside if e["name"] == "COMMIT"] == ["COMMIT"]
    (moment,) = of(found, "simulated time")
    assert (moment["ph"], moment["name"], sorted(moment["args"])) == ("C", "simulated time", ["boot_ms", "wall_ms"])
    assert moment["args"]["wall_ms"] == 10**12 + 60_000
    assert of(found, "secure world")[-1]["args"] == {"how": "it ended by itself"}


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")
def test_no_byte_of_a_parameter_an_object_or_a_key_is_in_it(path: Path, tmp_path: Path) -> None:
    locked_life(tmp_path)
    text = path.read_bytes()
    with closing(sqlite3.connect(tmp_path / STORAGE_FILE)) as store:
        sealed = [blob for (blob,) in store.execute("SELECT ciphertext FROM object UNION SELECT ciphertext FROM page")]
    assert len(sealed) > 2
    for secret in (b"canary bytes of a parameter", ROOT_SECRET, *sealed):
        for form in (secret, secret.hex().encode(), base64.b64encode(secret)[:-4], str(list(secret)).encode()):
            assert form not in text
    assert b"1234567891" not in text


def test_the_search_of_the_test_above_finds_what_is_there(path: Path) -> None:
    """Positive control: a writer that put a parameter into an event would be found, in each of the forms."""
    written = timeline.current()
    assert written is not None
    secret = b"canary bytes of a parameter"
    forms = (secret.decode(), secret.hex(), base64.b64encode(secret).decode(), str(list(secret)))
    for form in forms:
        written.instant(timeline.Row(1, "p", "t", "world"), "x", {"leak": form})
    text = path.read_bytes()
    for form in (secret, secret.hex().encode(), base64.b64encode(secret)[:-4], str(list(secret)).encode()):
        assert form in text


def test_a_panic_and_a_fault_in_one_process(path: Path, tmp_path: Path) -> None:
    supplicant = Supplicant(tmp_path, faults=HostileDisk(FaultPlan.parse("commit@9: enospc")))
    context = Context(InProcessTee([counter()], supplicant))
    with context.open_session(COUNTER_UUID) as session:
        for _ in range(9):
            with suppress(TeeError):
                session.call(ADD, Add(step=1))
    crashing = context.open_session(COUNTER_UUID)
    with pytest.raises(TeeError):
        crashing.call(CRASH, Nothing())
    supplicant.close()
    found = read(path)
    assert open_ends(found) == []
    assert [(e["name"], e["args"]) for e in of(found, "faults")] == [("commit: enospc", {"passage": 9})]
    assert "STORAGE_NO_SPACE" in {e["args"]["result"] for e in of(found, "disk")}
    application = of(found, "TA counter")
    assert spoken(application)[-3:] == [("B", "command 3"), ("E", "command 3"), ("i", "panic")]
    assert application[-2]["args"] == {"result": "TARGET_DEAD", "origin": "TEE", "out_bytes": 0}


def test_commands_have_the_names_that_were_given(path: Path, tmp_path: Path) -> None:
    events.name_commands(COUNTER_UUID, {1: "add"})
    supplicant = Supplicant(tmp_path)
    with Context(InProcessTee([counter()], supplicant)).open_session(COUNTER_UUID) as session:
        session.call(ADD, Add(step=1))
        session.call(READ, Nothing())
    supplicant.close()
    assert [name for _, name in spoken(of(read(path), "TA counter"))][2:6] == ["add", "add", "command 2", "command 2"]


KILLED = """
import os, signal, sys
from pathlib import Path
from tee_sim.testing.faults import FaultPlan, HostileDisk
from tee_sim.testing.in_process import InProcessTee
from tee_sim.normal.client import Context
from tee_sim.normal.supplicant import Supplicant
from counter.commands import ADD, COUNTER_UUID, Add
from tests.tee_sim.locked.conftest import counter
plan = FaultPlan.parse("commit@8+: die-before")
plan.die = lambda: os.kill(os.getpid(), signal.SIGKILL)
context = Context(InProcessTee([counter()], Supplicant(Path(sys.argv[1]), faults=HostileDisk(plan))))
with context.open_session(COUNTER_UUID) as session:
    while True:
        session.call(ADD, Add(step=1))
"""


def test_the_file_of_a_killed_writer_says_what_it_was_about(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "machine"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": str(COUNTER)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    found = read(path)
    assert open_ends(found) == ["command 1"]
    assert spoken(found)[-1] == ("i", "commit: die-before")


def test_commands_after_each_other_write_to_one_file(path: Path, tmp_path: Path) -> None:
    for _ in range(2):
        supplicant = Supplicant(tmp_path)
        with Context(InProcessTee([counter()], supplicant)).open_session(COUNTER_UUID) as session:
            session.call(ADD, Add(step=1))
        supplicant.close()
    events_of_both = read(path)
    assert spoken(of(events_of_both, "TA counter")).count(("B", "command 1")) == 2
    stamps = [e["ts"] for e in events_of_both if e["ph"] in "BEi"]
    assert stamps == sorted(stamps)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")
def test_a_secure_world_that_is_killed(path: Path, tmp_path: Path) -> None:
    supplicant = Supplicant(tmp_path)
    process = SecureProcess(boot(), supplicant)
    process.boot(inspect, Provision(huk=ROOT_SECRET, device_id=bytes(16), create=True))
    session = Context(process).open_session(COUNTER_UUID)
    os.kill(process.pid, signal.SIGKILL)
    process._process.wait()
    time.sleep(0.1)  # what it waited for is killed by the kernel in turn
    with pytest.raises(TeeError):
        session.call(READ, Nothing())
    supplicant.close()
    found = read(path)
    assert open_ends(found) == []
    assert of(found, "TA counter")[-1]["args"] == {"result": "TARGET_DEAD", "origin": "COMMS"}
    assert spoken(of(found, "secure world"))[-1] == ("i", "end")
    assert "killed by signal 9" in of(found, "secure world")[-1]["args"]["how"]


def test_nothing_is_opened_measured_or_written_when_it_is_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(timeline.VARIABLE, raising=False)

    def forbidden(*_args: object) -> None:
        raise AssertionError("a timeline was opened")

    monkeypatch.setattr(timeline, "Timeline", forbidden)
    supplicant = Supplicant(tmp_path)
    tee = InProcessTee([counter()], supplicant)
    with Context(tee).open_session(COUNTER_UUID) as session:
        session.call(ADD, Add(step=1))
    supplicant.close()
    assert type(tee._events) is events.WorldEvents
    assert supplicant._events is None
    assert type(supplicant._rpmb).__name__ == "RpmbFile"


def _directory(path: Path) -> None:
    path.mkdir()


def _something_else(path: Path) -> None:
    path.write_text("[ 1, 2 ]")


UNFIT: dict[str, tuple[Callable[[Path], None], str]] = {
    "a directory": (_directory, "Is a directory"),
    "a file of something else": (_something_else, "it holds something else"),
    "a FIFO": (os.mkfifo, "it is no regular file"),
    "a link": (lambda path: path.symlink_to("absent"), "it is a symbolic link"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_what_can_be_no_timeline_is_refused_before_anything_starts(path: Path, tmp_path: Path, what: str) -> None:
    make, why = UNFIT[what]
    make(path)
    with pytest.raises(TeeError) as caught:
        Supplicant(tmp_path)
    assert caught.value.result is TeeResult.BAD_PARAMETERS
    assert caught.value.origin is Origin.API
    assert caught.value.message == f"no timeline can be written to {str(path)!a}: {why}"
    if what == "a file of something else":
        assert path.read_text() == "[ 1, 2 ]"
    assert not path.with_name("absent").exists()


def test_when_it_cannot_be_written_it_ends_and_the_work_goes_on(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    supplicant = Supplicant(tmp_path)
    context = Context(InProcessTee([counter()], supplicant))
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(timeline.os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "no space")))
        with context.open_session(COUNTER_UUID) as session:
            assert session.call(ADD, Add(step=1)).value == 1
    said = f"note: the timeline ends here: {str(path)!a} cannot be written any more\n"
    assert capsys.readouterr().err == said
    assert path.read_bytes() == before
    with context.open_session(COUNTER_UUID) as session:
        assert session.call(ADD, Add(step=1)).value == 2
    assert path.read_bytes() == before
    supplicant.close()


EVENT: Event = {"name": "x", "cat": "world", "ph": "i", "s": "t", "ts": 1, "pid": 1, "tid": 1, "args": {}}
SPOILED = [
    *({key: value for key, value in EVENT.items() if key != left_out} for left_out in EVENT if left_out != "s"),
    *(EVENT | {key: None} for key in EVENT if key != "s"),
    *(EVENT | {"ts": number} for number in (-1, 1.5, True, 1 << 63, "1")),
    EVENT | {"dur": 1}, EVENT | {"ph": "X"}, EVENT | {"ph": "X", "dur": "1"}, EVENT | {"ph": "M"}, EVENT | {"args": []},
    EVENT | {"args": {"a": []}}, EVENT | {"args": {"a": None}}, EVENT | {"args": {"a": 1.5}},
    EVENT | {"ph": "N"}, EVENT | {"ph": ""}, EVENT | {"bind_id": 1.5}, EVENT | {"bind_id": "1"},
]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [b"{}", b"{},", b"[],", b"1,", b"{,", b"", b"[" * 5000 + b",", *(json.dumps(e).encode() + b"," for e in SPOILED)],
)
def test_what_is_no_event_is_named_by_its_line(line: bytes) -> None:
    with pytest.raises(TeeError, match="line 3 of the timeline is no event"):
        timeline_reader.read(b"[\n" + json.dumps(EVENT).encode() + b",\n" + line + b"\n")


def test_a_torn_last_line_is_left_out() -> None:
    assert timeline_reader.read(b"[\n" + json.dumps(EVENT).encode() + b',\n{"b":') == [EVENT]
    assert timeline_reader.read(b"[\n") == []
    with pytest.raises(TeeError, match="line 1 of the timeline"):
        timeline_reader.read(b"{}\n")
