"""Tests of the counter: `pytest` in this process, `pytest --tee=locked` as on a device."""

import pytest
from counter.commands import ADD, CRASH, MAXIMUM, READ, Add, Nothing

from tee_sim.shared.errors import TeeError


def test_a_session_counts_its_calls_and_the_store_the_steps(tee):
    first, second = tee.session(), tee.session()
    first.call(ADD, Add(step=3))
    value = second.call(ADD, Add(step=4))
    assert (value.value, value.calls) == (7, 1)


def test_the_value_outlives_a_panic_and_a_power_cut(tee):
    session = tee.session()
    session.call(ADD, Add(step=3))
    with pytest.raises(TeeError, match="TARGET_DEAD"):
        session.call(CRASH, Nothing())
    assert tee.session().call(READ, Nothing()).value == 3
    tee.power_cut()
    assert tee.session().call(READ, Nothing()).value == 3


@pytest.mark.parametrize(("action", "left"), [("die-before", 3), ("die-after", 7), ("enospc", 3)])
def test_a_write_that_goes_wrong_is_whole_or_not_at_all(tee, action, left):
    session = tee.session()
    session.call(ADD, Add(step=3))
    tee.fault(f"commit@1: {action}")
    with pytest.raises(TeeError):
        session.call(ADD, Add(step=4))
    assert tee.fired == (f"commit: {action}",)
    assert tee.session().call(READ, Nothing()).value == left
    assert left < MAXIMUM
