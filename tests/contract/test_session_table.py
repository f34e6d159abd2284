"""The session table: complete, nothing illegal passes, and the figure in the docs is drawn from it."""

from pathlib import Path

import pytest

from bioguard.hal.session import CANCELLABLE, TRANSITIONS, SessionEvent, SessionState, WrongState, diagram, step

DOCS = Path(__file__).parents[2] / "docs" / "android-contract.md"


@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("event", SessionEvent)
def test_every_pair_is_decided(state: SessionState, event: SessionEvent) -> None:
    if event in TRANSITIONS[state]:
        assert step(state, event) is TRANSITIONS[state][event]
    else:
        with pytest.raises(WrongState) as caught:
            step(state, event)
        assert caught.value.message == f"{event.value} is not allowed while {state.value}"
        assert caught.value.hint == "wait for the operation's last callback"


def test_states_are_those_of_the_reference_hal_and_the_two_face_operations() -> None:
    reference = {
        "IDLING", "CLOSED", "GENERATING_CHALLENGE", "REVOKING_CHALLENGE", "ENROLLING", "AUTHENTICATING",
        "DETECTING_INTERACTION", "ENUMERATING_ENROLLMENTS", "REMOVING_ENROLLMENTS", "GETTING_AUTHENTICATOR_ID",
        "INVALIDATING_AUTHENTICATOR_ID", "RESETTING_LOCKOUT",
    }  # fmt: skip
    assert {s.name for s in SessionState} == reference | {"GETTING_FEATURES", "SETTING_FEATURE"}


def test_only_what_waits_for_a_person_can_be_canceled() -> None:
    assert {s.name for s in CANCELLABLE} == {"ENROLLING", "AUTHENTICATING", "DETECTING_INTERACTION"}


def test_every_state_can_be_left_and_reached() -> None:
    reached = {target for events in TRANSITIONS.values() for target in events.values()}
    assert reached == set(SessionState)
    assert all(TRANSITIONS[s] for s in SessionState)


def test_the_figure_in_the_docs_is_this_table() -> None:
    assert diagram() in DOCS.read_text("utf-8")
    assert diagram().count("-->") == 1 + sum(len(e) for e in TRANSITIONS.values())
