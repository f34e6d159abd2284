"""The fault language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.testing.faults import Fault, FaultPlan


def test_rules_with_everything() -> None:
    plan = FaultPlan.parse(" commit@3: drop(2) objects ; read@5+: stale; rpmb.write@p0.25: lose-reply;; read: eio")
    assert plan.rules == (
        Fault(point="commit", action="drop", number=2, names=b"o", first=3, last=3, text="commit@3: drop(2) objects"),
        Fault(point="read", action="stale", first=5, text="read@5+: stale"),
        Fault(point="rpmb.write", action="lose-reply", chance=0.25, text="rpmb.write@p0.25: lose-reply"),
        Fault(point="read", action="eio", text="read: eio"),
    )


def test_first_rule_that_is_due_wins() -> None:
    plan = FaultPlan.parse("read@2: flip; read@3+: eio; read: busy")
    fired = [fault.action for fault in (plan.at("read") for _ in range(4)) if fault]
    assert fired == ["busy", "flip", "eio", "eio"]
    assert plan.at("commit") is None
    assert [fault.action for fault in plan.fired] == fired


def test_chances_are_seeded() -> None:
    def run(seed: int) -> list[bool]:
        plan = FaultPlan.parse("read@p0.5: eio", seed=seed)
        return [plan.at("read") is not None for _ in range(200)]

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert 60 < sum(run(1)) < 140


REFUSED = {
    "nonsense": "fault rule 'nonsense': expected point[@when]: action[(number)] [selector]",
    "reed: eio": "fault rule 'reed: eio': unknown point, one of read, commit, rpmb.read, rpmb.write, ta.call, ta.alloc",
    "rpmb.read: enospc": (
        "fault rule 'rpmb.read: enospc': no such action here, one of delay, die-after, die-before, eio, flip, stale,"
        " truncate"
    ),
    "read@0: eio": "fault rule 'read@0: eio': when is N, N+ or pX",
    "read: eio everything": "fault rule 'read: eio everything': unknown selector, one of all, objects, pages, anchor",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused_rules_say_why(text: str) -> None:
    with pytest.raises(TeeError) as caught:
        FaultPlan.parse(text)
    assert (caught.value.result, caught.value.message) == (TeeResult.BAD_PARAMETERS, REFUSED[text])


@given(st.text(max_size=60))
def test_any_text_is_a_plan_or_our_error(text: str) -> None:
    try:
        assert len(FaultPlan.parse(text).rules) <= 64
    except TeeError as error:
        assert error.result == TeeResult.BAD_PARAMETERS
