"""Time, memory and processes of an application behind the lock: it ends alone, and its neighbor goes on."""

import time
from dataclasses import replace

import pytest

from tee_sim.normal.client import Context, Session
from tee_sim.normal.secure_process import SecureProcess
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.params import Param, operation
from tests.tee_sim.locked.applications.greedy.app import (
    ASK,
    ASK_FOREVER,
    END,
    GROW,
    GROW_NUMPY,
    HOLD,
    LOOP,
    READ_FOREVER,
    SLEEP,
    STORED,
    TRANSACT_AND_LOOP,
)
from tests.tee_sim.locked.conftest import World, counter, manifest

TIME_MS = 1500
HEAP_BYTES = 64 << 20
GREEDY = replace(manifest(7, "greedy"), time_ms=TIME_MS, heap_bytes=HEAP_BYTES, spares=2)
READ = 2


def ask(session: Session, command: int, value: int = 0) -> int:
    out = session.invoke(command, operation(Param.value(value), Param.number(0)))
    return out[1].as_number()


def count(neighbor: Session) -> None:
    """The neighbor's session, opened before, still answers."""
    with pytest.raises(TeeError) as caught:
        neighbor.invoke(255, operation())
    assert caught.value.result is TeeResult.NOT_SUPPORTED


@pytest.fixture
def process(world: World) -> SecureProcess:
    return world(GREEDY, counter())


@pytest.mark.parametrize("command", [LOOP, TRANSACT_AND_LOOP, ASK_FOREVER, READ_FOREVER])
def test_one_that_loops_ends_alone_after_the_time_of_its_manifest(process: SecureProcess, command: int) -> None:
    context = Context(process)
    neighbor, session = context.open_session(counter().ta_uuid), context.open_session(GREEDY.ta_uuid)
    ask(session, ASK)
    began = time.monotonic()
    with pytest.raises(TeeError, match="it took longer than its manifest allows and was killed") as caught:
        ask(session, command)
    assert time.monotonic() - began >= TIME_MS / 1000
    assert (caught.value.result, caught.value.origin) == (TeeResult.TARGET_DEAD, Origin.TEE)
    count(neighbor)
    with pytest.raises(TeeError, match="panicked, then or before"):
        ask(session, STORED)
    assert ask(context.open_session(GREEDY.ta_uuid), STORED) == 1, "a spare, and what was committed"


def test_sleeping_is_its_own_time_and_counts_for_one_call_only(process: SecureProcess) -> None:
    session = Context(process).open_session(GREEDY.ta_uuid)
    for _ in range(3):
        ask(session, SLEEP, TIME_MS // 2)
    with pytest.raises(TeeError, match="took longer"):
        ask(session, SLEEP, 2 * TIME_MS)


@pytest.mark.parametrize("command", [GROW, GROW_NUMPY])
def test_memory_over_its_heap_is_a_panic_and_is_given_back(process: SecureProcess, command: int) -> None:
    context = Context(process)
    neighbor = context.open_session(counter().ta_uuid)
    for _ in range(4):  # more often than there are processes: a panic costs none
        session = context.open_session(GREEDY.ta_uuid)
        with pytest.raises(TeeError, match="panicked"):
            ask(session, command)
    count(neighbor)
    session = context.open_session(GREEDY.ta_uuid)
    ask(session, HOLD, HEAP_BYTES // 2)
    with pytest.raises(TeeError, match="panicked"):
        ask(session, HOLD, HEAP_BYTES)


def test_the_heap_is_beyond_what_the_process_starts_with(world: World) -> None:
    session = Context(world(replace(GREEDY, heap_bytes=16 << 20))).open_session(GREEDY.ta_uuid)
    ask(session, HOLD, 8 << 20)


def test_when_the_processes_are_used_up_the_world_ends_and_says_so(process: SecureProcess) -> None:
    context = Context(process)
    neighbor = context.open_session(counter().ta_uuid)
    for left in (2, 1, 0):
        with pytest.raises(TeeError, match=r"process ended \(it ended by itself\)"):
            ask(context.open_session(GREEDY.ta_uuid), END)
        count(neighbor)
        assert process.alive, left
    with pytest.raises(TeeError, match="every process of the trusted application has ended: the session was not"):
        context.open_session(GREEDY.ta_uuid)
    assert not process.alive
    assert process.how_it_ended() == "every process of the trusted application has ended"
