"""When a sensor captures: at once, or under the display when finger, pointer and light are there, in any order."""

from itertools import permutations

import pytest

from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import FingerprintAcquired
from bioguard.hal.backend import NotMatched
from bioguard.hal.context import OperationContext, PointerContext
from bioguard.hal.session import SessionState, WrongState
from tests.hal.rig import Facts, Rig, rig

SUCCESS = [cb.Acquired(1), cb.AuthenticationSucceeded(5, None)]
TOO_SOON = [cb.Acquired(int(FingerprintAcquired.LIFT_TOO_SOON))]


def waiting(**facts: bool) -> Rig:
    made = rig(Facts(under_display=True, **facts))
    made.run(lambda: made.session.authenticate(1))
    return made


STEPS = {
    "finger": lambda session: session.present("x"),
    "pointer": lambda session: session.on_pointer_down(PointerContext()),
    "light": lambda session: session.on_ui_ready(),
}


@pytest.mark.parametrize("touches", [False, True], ids=["framework's touches", "own touches"])
@pytest.mark.parametrize("light", [False, True], ids=["framework's light", "own light"])
@pytest.mark.parametrize("order", list(permutations(STEPS)), ids="-".join)
def test_a_finger_under_the_display_is_captured_once_when_all_is_there(
    touches: bool, light: bool, order: tuple[str, ...]
) -> None:
    made = waiting(handles_display_touches=touches, controls_illumination=light)
    needed = {"finger"} | (set() if touches else {"pointer"}) | (set() if light else {"light"})
    done: set[str] = set()
    told = False
    for step in order:
        heard = made.run(lambda step=step: STEPS[step](made.session))
        done.add(step)
        assert heard == (SUCCESS if needed <= done and not told else [])
        told = told or bool(heard)
    assert told


def test_the_next_touch_needs_pointer_and_light_again() -> None:
    made = waiting()
    made.backend.outcome = NotMatched()
    for step in STEPS.values():
        made.run(lambda step=step: step(made.session))
    assert made.heard == [cb.Acquired(1), cb.AuthenticationFailed()]
    assert made.run(lambda: made.session.present("x")) == []
    assert made.run(made.session.on_ui_ready) == []
    assert made.run(made.session.on_pointer_down) == [cb.Acquired(1), cb.AuthenticationFailed()]


@pytest.mark.parametrize("lift", ["lift", "on_pointer_up"])
def test_a_finger_lifted_before_its_capture_is_too_soon(lift: str) -> None:
    made = waiting()
    made.run(made.session.on_pointer_down)
    made.run(lambda: made.session.present("x"))
    assert made.run(getattr(made.session, lift)) == TOO_SOON
    assert made.run(made.session.on_ui_ready) == []
    assert made.run(getattr(made.session, lift)) == [], "nothing lies there any more"
    assert [name for name, *_ in made.backend.asked] == ["lock_status"], "nothing was compared"


def test_a_pointer_that_is_canceled_was_no_touch() -> None:
    made = waiting()
    made.run(lambda: made.session.present("x"))
    made.run(made.session.on_pointer_down)
    assert made.run(made.session.on_pointer_cancel) == []
    assert made.run(made.session.on_ui_ready) == []


def test_a_finger_may_lie_there_before_anything_waits_and_lifting_it_then_says_nothing() -> None:
    made = rig(Facts(under_display=True, handles_display_touches=True))
    made.run(lambda: made.session.present("x"))
    assert made.run(made.session.lift) == []
    made.run(lambda: made.session.present("x"))
    made.run(made.session.on_ui_ready)
    assert made.heard == []
    made.run(lambda: made.session.authenticate(1))
    assert made.run(made.session.on_ui_ready) == SUCCESS


@pytest.mark.parametrize("how", ["setting", "context"])
def test_ignored_touches_of_the_display_capture_nothing_until_they_count_again(how: str) -> None:
    made = waiting(controls_illumination=True)

    def ignore(ignored: bool) -> None:
        if how == "setting":
            made.session.set_ignore_display_touches(ignored)
        else:
            made.session.on_context_changed(OperationContext(hardware_ignoring_touches=ignored))

    ignore(True)
    made.run(made.session.on_pointer_down)
    assert made.run(lambda: made.session.present("x")) == []
    made.session.on_context_changed(OperationContext())
    assert made.run(made.session.on_pointer_down) == [], "a context that says nothing of touches changes nothing"
    ignore(False)
    made.run(made.session.on_pointer_down)
    assert made.session.state is SessionState.IDLING


def test_a_context_comes_with_the_operation_too() -> None:
    made = rig(Facts(under_display=True, handles_display_touches=True, controls_illumination=True))
    context = OperationContext(hardware_ignoring_touches=True)
    made.run(lambda: made.session.authenticate(1, context))
    assert made.session.context == context
    assert made.run(lambda: made.session.present("x")) == []


def test_a_sensor_at_the_back_captures_at_once_and_only_while_something_waits(finger: Rig) -> None:
    with pytest.raises(WrongState, match=r"^capture is not allowed while idling$"):
        finger.session.present("x")
    finger.run(lambda: finger.session.authenticate(1))
    assert finger.run(lambda: finger.session.present("x")) == SUCCESS
    assert finger.run(finger.session.lift) == []
