"""The exposure budget: what is counted, what sets it back, and what is stored of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.records.scores import Basis
from bioguard.trusted.biometric.decision import NOTHING, Sighting, judge
from bioguard.trusted.biometric.levels import Levels
from bioguard.trusted.sensor.exposure import CLOSED, LIMIT, Exposures, packed_keys
from bioguard.trusted.sensor.lockout import CLEAR, LockoutState
from bioguard.trusted.sensor.stored_objects import padded, unpadded
from bioguard.trusted.sensor.tally import MAX_RECORDS, Tally, put_tally
from tee_sim.shared.errors import TeeError, TeeResult

RECORDS = [bytes([n]) * 16 for n in range(5)]
STRANGER = b"\xff" * 16
LEVELS = Levels(near=0.2, own=0.4, accept=0.4, strong=0.6, basis=Basis.MEASURED)
EVENTS = st.one_of(
    st.tuples(st.just("near"), st.lists(st.sampled_from(RECORDS), unique=True)),
    st.tuples(st.just("strong"), st.sampled_from(RECORDS)),
    st.tuples(st.sampled_from(["enroll", "erase"]), st.sampled_from(RECORDS)),
)


@given(st.lists(EVENTS, max_size=60))
def test_the_count_is_what_happened_since_the_last_strong_match(events) -> None:
    counted, model = Exposures(), {}
    for event, what in events:
        if event == "near":
            counted = counted.after(near=what)
            model.update({record: model[record] + 1 for record in what if record in model})
        elif event == "strong":
            counted = counted.after(strong=what)
            model.update({what: 0} if what in model else {})
        elif event == "enroll":
            counted = counted.enrolled(what)
            model.setdefault(what, 0)
        else:
            counted = counted.erased(what)
            model.pop(what, None)
        counted = Exposures.unpacked(packed_keys(counted.keys), counted.counts)
        assert len(counted) == len(model)
        for record in RECORDS:
            assert counted.holds(record) == (record in model)
            assert counted.count(record) == min(model.get(record, CLOSED), CLOSED)
            assert counted.spent(record) == (model.get(record, CLOSED) >= LIMIT)
            assert counted.closed(record) == (model.get(record, CLOSED) >= CLOSED)


def test_the_count_stops_where_no_search_looks_any_more() -> None:
    counted = Exposures().enrolled(RECORDS[0])
    for number in range(1, 2 * CLOSED):
        counted = counted.after(near=[RECORDS[0]])
        assert counted.count(RECORDS[0]) == min(number, CLOSED)
        assert counted.spent(RECORDS[0]) == (number >= LIMIT)
        assert counted.closed(RECORDS[0]) == (number >= CLOSED)
    assert counted.after(strong=RECORDS[0]) == Exposures().enrolled(RECORDS[0])


def test_enrolling_again_under_the_same_id_gives_no_budget_back() -> None:
    """Renewed codes store a record again: nothing about it has become unknown."""
    counted = Exposures().enrolled(RECORDS[0]).after(near=[RECORDS[0]])
    assert counted.enrolled(RECORDS[0]) == counted


def test_a_record_that_is_not_counted_has_no_budget() -> None:
    assert Exposures().spent(STRANGER)
    assert Exposures().enrolled(RECORDS[0]).after(near=[STRANGER], strong=STRANGER).count(STRANGER) == CLOSED


@pytest.mark.parametrize(
    ("keys", "counts"),
    [
        (b"\0" * 8, b""),
        (b"\0" * 7, b"\0"),
        (b"\0" * 16, b"\0\0"),
        (b"\1" * 8 + b"\0" * 8, b"\0\0"),
        (b"\0" * 8, bytes([CLOSED + 1])),
    ],
)
def test_what_is_not_written_is_not_read(keys: bytes, counts: bytes) -> None:
    with pytest.raises(ValueError, match="exposure"):
        Exposures.unpacked(keys, counts)


class Sizes:
    """A transaction that notes sizes."""

    def put(self, _object_id, body, **_rest) -> None:
        self.size = len(body)


def tally_of(records: int, count: int = 0, search: LockoutState = CLEAR) -> Tally:
    return Tally(search=search, keys=tuple(range(records)), counts=bytes([count]) * records)


def size_of(tally: Tally) -> int:
    sizes = Sizes()
    put_tally(sizes, 0, tally)
    return sizes.size


@pytest.mark.parametrize("records", [0, 1, 4031, 4032, 4033, 7_000, MAX_RECORDS])
def test_no_count_changes_the_size_of_a_tally(records: int) -> None:
    longest = LockoutState(failed_attempts=(1 << 31) - 1, since_ms=(1 << 62) - 1)
    assert size_of(tally_of(records)) == size_of(tally_of(records, CLOSED, longest))
    assert size_of(tally_of(records)) >= 4096


def test_a_sensor_is_full_before_a_count_would_be_lost() -> None:
    assert MAX_RECORDS == 100_000
    with pytest.raises(TeeError) as caught:
        put_tally(Sizes(), 0, tally_of(MAX_RECORDS + 1))
    assert caught.value.result is TeeResult.STORAGE_NO_SPACE


@given(st.binary(max_size=60))
def test_padding_is_read_back(body: bytes) -> None:
    data = padded(body, 64)
    assert (len(data), unpadded(data)) == (64, body)


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"\0\0\0\5abcd", b"\0\0\0\1ab", b"\xff" * 8])
def test_wrong_padding_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="padded"):
        unpadded(data)


def test_a_body_that_does_not_fit_is_no_body() -> None:
    with pytest.raises(ValueError, match="61 bytes do not fit 64"):
        padded(bytes(61), 64)


def sighting(record: int, score: float, levels: Levels = LEVELS) -> Sighting:
    return Sighting(bytes([record]) * 16, RECORDS[record], score, levels)


def never(_record: bytes) -> bool:
    return False


@pytest.mark.parametrize(
    ("scores", "accepted", "near", "strong"),
    [
        ((0.19,), None, (), None),
        ((0.2,), None, (0,), None),
        ((0.39,), None, (0,), None),
        ((0.4,), 0, (0,), None),
        ((0.59,), 0, (0,), None),
        ((0.6,), 0, (), 0),
        ((0.1, 0.3, 0.5), 2, (1, 2), None),
        ((0.1, 0.3, 0.7), 2, (), 2),
        ((0.65, 0.3, 0.7), 2, (), 2),
        ((0.5, 0.5), 0, (0, 1), None),
        ((), None, (), None),
    ],
)
def test_what_a_decision_tells(scores, accepted, near, strong) -> None:
    verdict = judge([sighting(i, score) for i, score in enumerate(scores)], never)
    assert (verdict.accepted and verdict.accepted.record_id) == (None if accepted is None else RECORDS[accepted])
    assert verdict.near == tuple(RECORDS[i] for i in near)
    assert verdict.strong == (None if strong is None else RECORDS[strong])


def test_a_spent_record_accepts_strong_scores_only_and_is_counted_on() -> None:
    spent = {RECORDS[0]}.__contains__
    verdict = judge([sighting(0, 0.5), sighting(1, 0.45)], spent)
    assert verdict.accepted is None  # not the second best either: that would tell where the best one lies
    assert verdict.near == (RECORDS[0], RECORDS[1])
    assert judge([sighting(0, 0.6)], spent).strong == RECORDS[0]


def test_a_rate_stricter_than_strong_must_be_met_too() -> None:
    strict = replace(LEVELS, accept=0.7)
    assert judge([sighting(0, 0.65, strict)], never) == judge([sighting(0, 0.3, strict)], never)
    assert judge([sighting(0, 0.7, strict)], never).strong == RECORDS[0]


@pytest.mark.parametrize(("score", "beaten"), [(0.39, ()), (0.4, (RECORDS[1],)), (0.69, (RECORDS[1],))])
def test_whom_a_strong_match_of_somebody_else_beat_is_told_of(score: float, beaten: tuple[bytes, ...]) -> None:
    """Whoever enrolls a record beside a half known one chooses the score that it has to beat."""
    verdict = judge([sighting(0, 0.7), sighting(1, score)], never)
    assert (verdict.strong, verdict.near, verdict.beaten) == (RECORDS[0], (), beaten)
    strict = replace(LEVELS, accept=0.65)
    asked = judge([sighting(0, 0.7, strict), sighting(1, score, strict)], never)
    assert asked.beaten == beaten  # a caller who asks for a stricter step does not move it
    own = replace(sighting(1, score), user=sighting(0, 0.7).user)
    assert judge([sighting(0, 0.7), own], never).beaten == ()


def test_five_beaten_scores_close_a_record() -> None:
    counted = Exposures().enrolled(RECORDS[0]).enrolled(RECORDS[1])
    for number in range(1, 6):
        counted = counted.after(strong=RECORDS[0], beaten=[RECORDS[1]])
        assert (counted.count(RECORDS[0]), counted.count(RECORDS[1])) == (0, number * LIMIT)
    assert counted.closed(RECORDS[1])
    assert counted.after(strong=RECORDS[0], beaten=[RECORDS[1], STRANGER]) == counted


def test_a_score_that_is_no_number_is_nobody() -> None:
    assert judge([sighting(0, float("nan"))], never) == NOTHING


@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=5),
    st.sets(st.sampled_from(RECORDS)),
)
def test_who_is_not_strong_and_could_have_changed_the_answer_is_counted(scores, spent) -> None:
    """Without a strong match: moving one record's score anywhere between near and strong is always paid for."""
    verdict = judge([sighting(i, score) for i, score in enumerate(scores)], spent.__contains__)
    if verdict.strong is None:
        assert set(verdict.near) == {RECORDS[i] for i, score in enumerate(scores) if score >= LEVELS.near}
        assert verdict.accepted is None or verdict.accepted.record_id in verdict.near
    else:
        assert max(scores) >= LEVELS.strong
