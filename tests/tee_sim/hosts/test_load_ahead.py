"""What a host does while nobody waits for it: it executes its modules when it is told that it will be wanted, and lets
an application get ready after its first answer. It says nothing of either, and hides no failure from later."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tee_sim.secure.blocking_pipe import BlockingPipe
from tee_sim.secure.hosts.messages import (
    FROM_HOST,
    Create,
    HostMessage,
    HostReturn,
    Load,
    Open,
    Panicked,
    Run,
    pack,
    unpack,
)
from tee_sim.secure.hosts.process import Host
from tee_sim.shared.clock import ClockKind
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.login import ClientIdentity, Login
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import NO_PARAMS, Param, operation
from tee_sim.shared.rng import RandomnessKind
from tee_sim.shared.schema import Record
from tee_sim.shared.task import Task
from tee_sim.shared.wire import HEAD_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Record):
    flag: bool


MANIFEST = Manifest(uuid=bytes(range(16)), name="s", entry="ahead_sample:App", code=("ahead_sample",))
CREATE = Create(
    instance=1, device_id=bytes(16), began_ms=None, verdict="", filter_sha256=bytes(32), host_filter_sha256=bytes(32),
    names=(), measurements=(), processes=(), file_names=(), file_digests=(), clock=ClockKind.HOST,
    randomness=RandomnessKind.SYSTEM,
)  # fmt: skip


class _Ended(Exception):
    pass


class _Pipe:
    """Gives these messages and keeps what is answered."""

    def __init__(self, *messages: HostMessage) -> None:
        self._bodies = [pack(message)[HEAD_BYTES:] for message in messages]
        self.answers: list[HostMessage] = []

    def body(self) -> bytes:
        if not self._bodies:
            raise _Ended
        return self._bodies.pop(0)

    def write(self, frame: bytes) -> None:
        self.answers.append(unpack(frame[HEAD_BYTES:], FROM_HOST))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("ahead_sample", None)


def _served(*messages: HostMessage) -> list[HostMessage]:
    pipe = _Pipe(*messages)
    with pytest.raises(_Ended):
        Host(cast("BlockingPipe", pipe), MANIFEST).serve()
    return pipe.answers


def test_it_executes_them_once_and_answers_nothing(folder: Path) -> None:
    (folder / "ahead_sample.py").write_text("import sys\nsys.ran_ahead = getattr(sys, 'ran_ahead', 0) + 1\n")
    assert _served(Load(), Load()) == []
    assert vars(sys).pop("ran_ahead") == 1


@pytest.mark.parametrize("fails", ["raise SystemExit", "raise KeyboardInterrupt", "1 / 0", "import nothing_of_this"])
def test_what_fails_then_is_a_panic_when_it_is_made(folder: Path, fails: str) -> None:
    (folder / "ahead_sample.py").write_text(f"{fails}\n")
    assert _served(Load(), CREATE) == [Panicked()]


LEISURELY = """
import sys
from tee_sim.shared.schema import Record
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.ta_api import Command, CommandApp

@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Record):
    flag: bool

class App(CommandApp):
    def create(self, env):
        self.handle(Command(1, Word, Word), lambda _session, request: request)

    def at_leisure(self):
        sys.leisure.append(len(sys.answers))
        raise %s
"""


@pytest.mark.parametrize("fails", ["SystemExit", "ValueError", "MemoryError"])
def test_an_application_gets_ready_once_after_its_first_answer_and_fails_alone(
    folder: Path, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "ahead_sample.py").write_text(LEISURELY % fails)
    task = Task(client=ClientIdentity(login=Login.PUBLIC, uuid=bytes(16)))
    params = operation(Param.memref(Word(flag=True).to_bytes()), Param.output(64))
    run = Run(instance=1, context=1, command=1, params=params, task=task)
    pipe = _Pipe(CREATE, Open(instance=1, params=NO_PARAMS, task=task), run, run)
    monkeypatch.setattr(sys, "answers", pipe.answers, raising=False)
    monkeypatch.setattr(sys, "leisure", [], raising=False)
    with pytest.raises(_Ended):
        Host(cast("BlockingPipe", pipe), MANIFEST).serve()
    assert [type(answer) for answer in pipe.answers] == [HostReturn] * 4
    assert (len(pipe.answers), sys.leisure) == (4, [3])  # type: ignore[attr-defined]
