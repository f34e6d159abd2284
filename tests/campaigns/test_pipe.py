"""Random steps through the pipe against the model: a short form here, twenty thousand as a campaign."""

import pytest

from tests.campaigns import pipe, pipe_reference

SHORT_STEPS, LONG_STEPS = 160, 20_000


def test_every_answer_and_callback_of_some_steps_is_the_models() -> None:
    assert sum(pipe.run(SHORT_STEPS, seed=3).values()) >= SHORT_STEPS


@pytest.mark.campaign
@pytest.mark.parametrize("seed", [1, 2])
def test_every_answer_and_callback_of_many_steps_is_the_models(seed: int) -> None:
    assert min(pipe.run(LONG_STEPS, seed).values()) >= LONG_STEPS // 1000


@pytest.mark.parametrize(
    ("heard", "wanted", "same"),
    [
        ((1, "ACQUIRED", [1, 0]), (1, "ACQUIRED", [1, 0]), True),
        ((1, "ACQUIRED", [1, 0]), (1, "ACQUIRED", [2, 0]), False),
        ((1, "ACQUIRED", [1, 0]), (2, "ACQUIRED", [1, 0]), False),
        ((1, "ACQUIRED", [1, 0]), (1, "AUTHENTICATION_FAILED", [1, 0]), False),
        ((1, "ACQUIRED", [1, 0]), (1, "ACQUIRED", [1]), False),
        ((1, "CHALLENGE_GENERATED", [5]), (1, "CHALLENGE_GENERATED", [lambda v: v > 5]), False),
    ],
)
def test_one_field_of_one_event_is_a_difference(heard: pipe.Event, wanted: pipe.Event, same: bool) -> None:
    assert pipe.agrees(heard, wanted) is same


def test_a_device_that_counts_one_attempt_too_few_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe_reference, "TIMED_EVERY", 4)
    with pytest.raises(pipe.Difference, match="the model"):
        pipe.run(2_000, seed=3)
