"""A hostile application sends what it was trusted with by every way out: refused, ended, or counted with its capacity.

The sender and the receiver are those of `python -m bench channels`, in a locked world. The ways are those by which one
once sent whole templates while nothing was counted (names asked for, object ids, page rows, unused outputs, results).
"""

import sys
from collections.abc import Iterator
from math import log2
from pathlib import Path

import pytest

from bench.channels.above import new_secret, told
from bench.channels.sender import ROWS, Way
from bench.channels.world import Outside, outside
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.storage_requests import Operation

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")

DECISION_BITS = 64
TIME_BITS = log2(51)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The disk of a device on which the sender has stored its rows in an earlier life."""
    made = tmp_path_factory.mktemp("channels")
    with outside(made) as place:
        place.ask(Way.REPLY, 0)
    return made


@pytest.fixture
def place(folder: Path) -> Iterator[Outside]:
    with outside(folder, dict.fromkeys(Way, DECISION_BITS)) as place:
        yield place


def names_read(storage: list[tuple[int, object, float]]) -> set[bytes]:
    asked = [names for operation, names, _ in storage if operation == Operation.READ]
    return {name for names in asked for name in names if name[:1] == b"o"}  # type: ignore[attr-defined]


def test_names_asked_for_are_keyed_and_a_choice_of_rows_is_counted(place: Outside) -> None:
    seen = place.ask(Way.READ, 5)
    (name,) = names_read(seen.storage)
    assert len(name) == 33
    assert b"row" not in name
    assert seen.answer.bits >= log2(ROWS) + TIME_BITS, "which of 256 rows, and when"
    again = place.ask(Way.READ, 5)
    assert names_read(again.storage) == set(), "it is kept: it is not asked for a second time"


def test_more_rows_than_a_decision_may_tell_are_not_asked_for(place: Outside) -> None:
    seen = place.ask(Way.READ, 1, bytes(40))
    assert seen.answer.result is TeeResult.TARGET_DEAD
    assert seen.answer.host_end is HostEnd.BUDGET
    assert seen.answer.bits > DECISION_BITS
    assert len(names_read(seen.storage)) * log2(ROWS) <= DECISION_BITS, "the one that was too much was not sent"


def test_number_of_messages_is_bounded(place: Outside) -> None:
    one = place.ask(Way.COUNT, 1)
    assert one.answer.result is TeeResult.SUCCESS
    many = place.ask(Way.COUNT, 60)
    assert many.answer.host_end is HostEnd.BUDGET
    commits = [operation for operation, _, _ in many.storage if operation == Operation.COMMIT]
    assert len(commits) < DECISION_BITS / TIME_BITS


def test_a_new_object_with_an_id_of_its_own_choice_is_counted_with_all_its_bits(place: Outside, folder: Path) -> None:
    secret = new_secret()
    seen = place.ask(Way.IDS, 0, secret)
    assert seen.answer.host_end is HostEnd.BUDGET
    assert seen.answer.bits >= 8 * len(secret)
    assert not told(place, secret, folder)


def test_a_page_row_of_its_own_has_no_word(place: Outside, folder: Path) -> None:
    secret = new_secret()
    seen = place.ask(Way.PAGE, 0, secret)
    assert (seen.answer.result, seen.answer.host_end) == (TeeResult.TARGET_DEAD, HostEnd.OUT_OF_TURN)
    assert [operation for operation, _, _ in seen.storage if operation == Operation.COMMIT] == []
    assert not told(place, secret, folder)


def test_an_output_that_nothing_declares_ends_it(place: Outside) -> None:
    secret = new_secret()
    place.ask(Way.PARAMETERS, 0, secret)
    seen = place.ask(Way.PARAMETERS, 1, secret)
    assert seen.answer.result is TeeResult.TARGET_DEAD
    assert seen.answer.params == ()


def test_bytes_with_a_refusal_end_it(place: Outside) -> None:
    seen = place.ask(Way.REFUSAL, 0, new_secret())
    assert seen.answer.result is TeeResult.TARGET_DEAD
    assert seen.answer.params == ()


def test_a_result_costs_what_its_names_are_worth(place: Outside) -> None:
    seen = place.ask(Way.RESULT, 3)
    assert seen.answer.bits >= log2(len(TeeResult)) + TIME_BITS


def test_which_row_is_put_and_how_large_it_becomes_is_counted(place: Outside) -> None:
    assert place.ask(Way.PUT, 3).answer.bits >= 4 + 2 * TIME_BITS
    place.ask(Way.SIZE, 0)
    same, other = place.ask(Way.SIZE, 0).answer.bits, place.ask(Way.SIZE, 6).answer.bits
    assert other >= same + 4 + log2(24) - 2


def test_a_question_about_a_cancellation_costs_its_milliseconds(place: Outside) -> None:
    seen = place.ask(Way.CANCELLATION, 2)
    assert seen.waits_ms == [2]
    assert seen.answer.bits >= log2(60_000) + 2 * TIME_BITS


@pytest.mark.parametrize("number", range(4))
def test_how_it_ends_is_one_word(place: Outside, number: int) -> None:
    seen = place.ask(Way.END, number)
    assert seen.answer.result is TeeResult.TARGET_DEAD
    assert seen.answer.params == ()
    assert place.ask(Way.REPLY, 7).answer.result is TeeResult.SUCCESS, "the next session has a spare"


def test_moments_are_few(place: Outside) -> None:
    """Whatever the sender sleeps, the answer comes at a step, so all that it can say by it is which."""
    times = [place.ask(Way.TIME, 0).elapsed_s for _ in range(3)]
    assert min(times) >= 0.25e-3
    assert place.ask(Way.TIME, 3).answer.bits == place.ask(Way.TIME, 0).answer.bits
