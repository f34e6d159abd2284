"""Numbers of sessions over many starts, against a model: each is one session for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tee_sim.normal.machine.errors import MachineError
from tee_sim.normal.machine.sessions import SessionNumbers
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.params import NO_PARAMS
from tee_sim.shared.wire import CloseSession, Invoke, OpenSession, ReadClock, Return

OPEN = OpenSession(uuid=bytes(16), params=NO_PARAMS)


def invoke(number: int) -> Invoke:
    return Invoke(session=number, command=1, params=NO_PARAMS)


def answered(number: int = 0, result: TeeResult = TeeResult.SUCCESS) -> Return:
    return Return(result=result, origin=Origin.TEE, session=number)


@given(st.lists(st.one_of(st.just("open"), st.just("die"), st.integers(0, 12)), max_size=60))
def test_a_number_means_one_session_for_ever(events: list[str | int]) -> None:
    numbers = SessionNumbers()
    given_out: dict[int, tuple[int, int]] = {}  # what a client holds: the start, and its number there
    start, inner = 0, 0
    for event in events:
        if event == "open":
            inner += 1
            assert numbers.inward(OPEN) is OPEN
            outer = numbers.outward(OPEN, answered(inner)).session
            assert outer not in given_out
            given_out[outer] = (start, inner)
        elif event == "die":
            numbers.end_all()
            start, inner = start + 1, 0  # a new secure world counts from one
        elif isinstance(event, int):
            if event not in given_out:
                with pytest.raises(TeeError, match=r"^no such session \(BAD_PARAMETERS, origin API\)$"):
                    numbers.inward(invoke(event))
            elif given_out[event][0] < start:
                with pytest.raises(MachineError) as caught:
                    numbers.inward(invoke(event))
                assert caught.value.code == "machine.session"
            else:
                sent = numbers.inward(invoke(event))
                assert isinstance(sent, Invoke)
                assert sent.session == given_out[event][1]
                assert numbers.outward(invoke(event), answered(sent.session)).session == event
    assert numbers.open == sum(1 for at, _ in given_out.values() if at == start)


def test_a_closed_session_is_none_and_a_refused_one_has_no_number() -> None:
    numbers = SessionNumbers()
    assert numbers.outward(OPEN, answered(result=TeeResult.BUSY)).session == 0
    outer = numbers.outward(OPEN, answered(5)).session
    sent = numbers.inward(CloseSession(session=outer))
    assert sent == CloseSession(session=5)
    numbers.outward(CloseSession(session=outer), answered())
    with pytest.raises(TeeError, match="no such session"):
        numbers.inward(invoke(outer))
    assert numbers.inward(ReadClock()) == ReadClock()
