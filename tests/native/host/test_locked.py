"""A native application that does whatever it can, under the lock: its process ends, core and neighbors go on."""

import platform
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest

from tee_sim.normal.client import Session
from tee_sim.normal.machine.applications import Application
from tee_sim.secure.hosts.messages import Ask, HostReturn, Panicked, SensorLocked, pack
from tee_sim.shared import codec
from tee_sim.shared.debug_report import DebugKind, report
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.params import NO_PARAMS, Param, ParamType, operation
from tee_sim.shared.wire import framed
from tee_sim.testing.machine_fixture import Tee, machine_for_test
from tests.native.host.test_entry_points import DO, NONE, OUT, four, inout
from tests.native.host.test_memory import number

ROOT = Path(__file__).parents[3]
ROUGH = UUID("3c9e6b0a-4f1d-4e2a-9d57-b0c41a8e7f13")
CALLS = {
    "x86_64": {"socket": 41, "openat": 257, "open": 2, "execve": 59, "fork": 57, "clone": 56, "kill": 62, "ptrace": 101,
               "memfd_create": 319, "process_vm_readv": 310, "prctl": 157, "rt_sigaction": 13, "dup": 32, "pipe2": 293,
               "io_uring_setup": 425, "userfaultfd": 323, "bpf": 321, "shmget": 29, "unlink": 87, "ppoll": 271},
    "aarch64": {"socket": 198, "openat": 56, "execve": 221, "clone": 220, "kill": 129, "ptrace": 117},
}  # fmt: skip
NUMBERS = CALLS.get(platform.machine(), {})
WRITE, READ, MMAP, MPROTECT = {"x86_64": (1, 0, 9, 10), "aarch64": (64, 63, 222, 226)}.get(platform.machine(), (0,) * 4)


@pytest.fixture(scope="module")
def tee(rough: Path) -> Iterator[Tee]:
    application = Application.read(rough)
    hasty = replace(application, manifest=replace(application.manifest, time_ms=1500, spares=8))
    with machine_for_test([hasty, Application.read(ROOT / "docs/examples/counter")], "locked") as tee:
        yield tee


@pytest.fixture
def neighbor(tee: Tee) -> Iterator[None]:
    """Another application, which counts on, with all that it has stored."""

    def count() -> int:
        with tee.session("counter") as session:
            step = operation(Param.memref(codec.encode([1])), Param.output(64))
            value, _calls = cast("list[int]", codec.decode(session.invoke(1, step)[1].buffer))
            return value

    before = count()
    yield
    assert count() == before + 1


def opened(tee: Tee) -> Session:
    """A session; where every process of the application has ended, in the secure world that is started then."""
    try:
        return tee.context.open_session(ROUGH)
    except TeeError as error:
        assert error.origin is Origin.COMMS
    return tee.context.open_session(ROUGH)


@pytest.fixture
def session(tee: Tee, neighbor: None) -> Session:
    return opened(tee)


def ends(session: Session, what: int, *params: Param) -> HostEnd:
    """How the process of the application ended over this command."""
    with pytest.raises(TeeError) as caught:
        session.invoke(what, four(*params))
    assert caught.value.result is TeeResult.TARGET_DEAD
    found = [end for end in HostEnd if end is not HostEnd.NONE and end.words in str(caught.value)]
    assert len(found) == 1, str(caught.value)
    with pytest.raises(TeeError, match="TARGET_DEAD"):
        session.invoke(DO["COUNT"], four(OUT, OUT))
    return found[0]


def again(tee: Tee) -> tuple[int, int, int]:
    with opened(tee) as session:
        first, second, *_ = session.invoke(DO["COUNT"], four(OUT, OUT))
        return first.a, first.b, second.a


def test_it_runs_enforced_and_says_that_its_replies_are_free(tee: Tee, session: Session) -> None:
    status = tee._machine.status()
    assert status["sandbox_level"] in ("ENFORCED", "ENFORCED+")
    assert isinstance(status["applications"], list)
    assert [(a["replies"], a.get("native", False)) for a in status["applications"]] == [
        ("free", True),
        ("closed", False),
    ]
    first, second, *_ = session.invoke(DO["COUNT"], four(OUT, OUT))
    assert (first.a, first.b, second.a) == (1, 41, 40)
    assert again(tee) == (1, 41, 40)
    session.close()


@pytest.mark.parametrize("name", NUMBERS)
def test_a_system_call_of_its_own_ends_it(tee: Tee, session: Session, name: str) -> None:
    assert ends(session, DO["RAW_CALL"], inout(NUMBERS[name]), Param.value(0, 0), OUT) is HostEnd.FORBIDDEN_CALL
    assert again(tee) == (1, 41, 40)


def test_it_reads_and_writes_its_own_pipes_alone(session: Session) -> None:
    assert ends(session, DO["RAW_CALL"], inout(WRITE), Param.value(1, 0), OUT) is HostEnd.FORBIDDEN_CALL


def test_it_gets_no_memory_that_it_may_execute(tee: Tee, session: Session) -> None:
    assert ends(session, DO["RAW_CALL"], inout(MPROTECT, 7), Param.value(0, 4096), OUT) is HostEnd.FORBIDDEN_CALL
    other = opened(tee)
    assert ends(other, DO["RAW_CALL"], inout(MMAP, 7), Param.value(0, 4096), OUT) is HostEnd.FORBIDDEN_CALL


@pytest.mark.parametrize("what", ["WRITE_NULL", "WRITE_CODE", "SMASH"])
def test_what_crashes_ends_its_process(tee: Tee, session: Session, what: str) -> None:
    assert ends(session, DO[what], Param.value(64)) is HostEnd.SIGNAL
    assert again(tee) == (1, 41, 40)


def test_a_stack_that_overflows_ends_its_process(session: Session) -> None:
    assert ends(session, DO["RECURSE"], inout(100_000)) is HostEnd.SIGNAL


def test_an_endless_loop_is_ended_by_its_own_deadline(tee: Tee, session: Session) -> None:
    assert ends(session, DO["LOOP"]) is HostEnd.TOO_SLOW
    assert again(tee) == (1, 41, 40)


@pytest.mark.parametrize("rule", ["FREE_TWICE", "HEAD_OVERRUN"])
def test_a_panic_ends_the_instance_and_not_the_process(tee: Tee, session: Session, rule: str) -> None:
    other = opened(tee)
    other.invoke(DO["COUNT"], four(OUT, OUT))
    with pytest.raises(TeeError, match="panicked") as caught:
        session.invoke(number(rule), NO_PARAMS)
    assert caught.value.result is TeeResult.TARGET_DEAD
    first, second, *_ = other.invoke(DO["COUNT"], four(OUT, OUT))
    assert (first.a, first.b, second.a) == (2, 41, 41)
    other.close()


def test_functions_of_the_c_library_ask_the_kernel_for_nothing(session: Session) -> None:
    session.invoke(DO["SORT"], four(Param.value(10_000)))
    session.invoke(DO["FLOATS"], four(inout(7)))


def test_an_overrun_that_the_compiler_knows_of_is_a_panic(tee: Tee, session: Session) -> None:
    session.invoke(DO["FORTIFIED"], four(Param.value(4)))
    with pytest.raises(TeeError, match="panicked"):
        session.invoke(DO["FORTIFIED"], four(Param.value(5)))


RETURN = HostReturn(params=(Param(kind=ParamType.MEMREF_INPUT), Param(kind=ParamType.VALUE_INPUT), NONE, NONE))
SAID: dict[str, bytes] = {
    "no frame": b"\xff" * 8,
    "no message": framed(codec.encode([99])),
    "no canonical one": framed(b"\x82\x18\x0b\x00"),
    "one of a core's": framed(codec.encode([7, 0, [0, 0]])),
    "one of a sensor's": pack(SensorLocked(report=b"", extractor=b"")),
    "a report where none may come": pack(report(DebugKind.OUTPUT, "rough", "trace", "free text")),
    "a question that is none": pack(Ask(question=200, words=[])),
    "words that do not fit": pack(Ask(question=16, words=[1])),
    "a function that is none": pack(Ask(question=27, words=[0x9999, 1])),
    "a function by another kind of number": pack(Ask(question=27, words=["TEE_Malloc"])),
    "handles that are none": pack(Ask(question=27, words=[0x701, b"handle"])),
    "a store of a Python application's": framed(codec.encode([8, 10, [b"no transaction"]])) + b"\0\0",
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says_to_the_core_past_its_host_ends_it(tee: Tee, session: Session, name: str) -> None:
    reply_fd = int(tee._machine.running.process._child.process.args[-1])  # type: ignore[attr-defined]
    assert ends(session, DO["SPEAK"], Param.memref(SAID[name]), Param.value(reply_fd)) is HostEnd.OUT_OF_TURN
    assert again(tee) == (1, 41, 40)


def test_it_may_answer_for_itself_and_no_more(tee: Tee, session: Session) -> None:
    """One that speaks in the place of its host gets what it could have answered anyway, and its host then speaks out of
    turn."""
    reply_fd = int(tee._machine.running.process._child.process.args[-1])  # type: ignore[attr-defined]
    session.invoke(DO["SPEAK"], four(Param.memref(pack(RETURN)), Param.value(reply_fd)))
    with pytest.raises(TeeError, match="TARGET_DEAD"):
        session.invoke(DO["COUNT"], four(OUT, OUT))
    assert again(tee) == (1, 41, 40)
    other = opened(tee)
    with pytest.raises(TeeError, match="panicked"):
        other.invoke(DO["SPEAK"], four(Param.memref(pack(Panicked())), Param.value(reply_fd)))


def test_sizes_above_the_room_and_results_of_any_number(tee: Tee, session: Session) -> None:
    with pytest.raises(TeeError) as caught:
        session.invoke(DO["SAY_SIZE"], four(Param.output(8), Param.value(0, 9)))
    assert caught.value.result is TeeResult.TARGET_DEAD
    other = opened(tee)
    with pytest.raises(TeeError) as caught:
        other.invoke(DO["SAY_SIZE"], four(Param.output(8), Param.value(0xFFFF0010, 9)))
    assert (caught.value.result, caught.value.origin) == (TeeResult.SHORT_BUFFER, Origin.TRUSTED_APP)
    assert caught.value.params is not None
    assert caught.value.params[0].size_bytes == 9
    with pytest.raises(TeeError) as caught:
        other.invoke(DO["RESULT"], four(Param.value(0xABCDEF)))
    assert (int(caught.value.result), caught.value.origin) == (0xABCDEF, Origin.TRUSTED_APP)


def test_sixteen_sessions_with_an_instance_each(tee: Tee, neighbor: None) -> None:
    tee.restart()
    sessions = [tee.context.open_session(ROUGH) for _ in range(15)]
    for session in sessions:
        assert isinstance(session.invoke(number("FILL_UP"), NO_PARAMS), tuple)
        session.invoke(DO["COUNT"], four(OUT, OUT))
    for session in sessions:
        first, *_ = session.invoke(DO["COUNT"], four(OUT, OUT))
        assert first.a == 2
        session.close()


@pytest.mark.parametrize(("fault", "what"), [("ta.call@3: panic", "panicked"), ("ta.alloc@1: no-memory", "0x8000")])
def test_a_plan_makes_a_call_panic_or_an_allocation_fail(rough: Path, fault: str, what: str) -> None:
    with machine_for_test([Application.read(rough)], "locked", fault=fault) as tee:
        session = tee.context.open_session(ROUGH)
        with pytest.raises(TeeError, match=what):
            session.invoke(number("BASICS"), NO_PARAMS)
        again = tee.context.open_session(ROUGH)
        again.invoke(number("BASICS"), NO_PARAMS)
        with pytest.raises(TeeError, match="when a machine starts"):
            tee.fault(fault)


def test_a_file_that_changed_after_its_manifest_was_made_is_not_loaded(rough: Path, rough_11: Path) -> None:
    application = Application.read(rough)
    other = replace(application, folder=rough_11.parent, path=rough_11)
    with (
        pytest.raises(TeeError, match="is not the file that its manifest was made of"),
        machine_for_test([other], "locked"),
    ):
        pass
