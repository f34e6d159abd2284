"""Steps beside each other: all are waited for, nothing is lost, told as they end and kept in the register's order."""

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Event, get_ident

import pytest

from bioguard.evidence.policy_trials import TRIALS
from bioguard.evidence.policy_trials.model import Trial, Turn
from bioguard.evidence.side_by_side import Findings
from bioguard.report import Check, Status
from tests.evidence.only_its_place import conduct_beside

WAIT_S = 30
"""Longer than any step here; a test that hangs ends with an error."""


def _check(name: str) -> Check:
    return Check(id=name, title=name, status=Status.PASS, summary="seen")


def _findings(told: list[tuple[str, int, int]] | None = None) -> Findings:
    return Findings(["A", "B", "C"], lambda name: name != "C", None if told is None else lambda *a: told.append(a))


def test_steps_run_at_the_same_time_and_their_checks_are_in_the_order_of_the_register() -> None:
    told: list[tuple[str, int, int]] = []
    found, both, second = _findings(told), Barrier(2, timeout=WAIT_S), Event()
    threads = []

    def here() -> None:
        threads.append(get_ident())
        both.wait()  # passed by two threads only
        assert second.wait(WAIT_S)
        found.add([_check("A")])

    def other() -> None:
        threads.append(get_ident())
        both.wait()
        found.add([_check("C"), _check("B")])
        found.attempts(100, 300)
        found.attempts(101, 300)
        second.set()

    found.together(here, other)
    assert len(set(threads)) == 2
    assert [check.id for check in found.in_order()] == ["A", "B"], "and C was not asked for"
    assert told == [("PASS     B B", 1, 2), ("100 of 300 attempts to get out", 1, 2), ("PASS     A A", 2, 2)]


def test_an_error_of_another_step_is_raised_when_all_have_ended() -> None:
    found = _findings()

    def other() -> None:
        raise ValueError("lost")

    with pytest.raises(ValueError, match="lost"):
        found.together(lambda: found.add([_check("A")]), other)
    assert [check.id for check in found.in_order()] == ["A"]


def test_an_interrupt_stops_the_others_after_their_next_check() -> None:
    found, begun, made = _findings(), Event(), list[str]()

    def endless() -> Iterator[Check]:
        while True:
            made.append("B")
            begun.set()
            yield _check("B")

    def here() -> None:
        assert begun.wait(WAIT_S)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        found.together(here, lambda: found.add(endless()))
    assert made


@pytest.mark.campaign  # tests/evidence/test_run.py: in the whole audit they are given no device either
@pytest.mark.parametrize("trial", [pytest.param(t, id=t.id) for t in TRIALS if t.turn is Turn.APART])
def test_a_trial_that_runs_beside_others_leaves_the_given_device_alone(trial: Trial, tmp_path: Path) -> None:
    check = conduct_beside(trial, tmp_path / "device")
    assert check.status is Status.PASS, check.details
    assert not (tmp_path / "device").exists()
