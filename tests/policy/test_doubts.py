"""Spans of time that a clock skipped: what expired within them is in doubt, whatever else moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.records.consent import DAY_MS
from bioguard.trusted.policy.doubts import MAX_SPANS, PLAUSIBLE_MS, Span, in_doubt, skipped


@pytest.mark.parametrize(("moved_ms", "spans"), [(0, 0), (40 * DAY_MS, 0), (40 * DAY_MS + 1, 1), (4000 * DAY_MS, 1)])
def test_forty_days_are_plausible(moved_ms: int, spans: int) -> None:
    assert len(skipped((), 1_000, 1_000 + moved_ms)) == spans
    assert PLAUSIBLE_MS == 40 * DAY_MS


@pytest.mark.parametrize(("at_ms", "doubtful"), [(99, False), (100, False), (101, True), (200, True), (201, False)])
def test_a_span_is_after_its_beginning_and_with_its_end(at_ms: int, doubtful: bool) -> None:
    assert in_doubt((Span(after_ms=100, until_ms=200),), at_ms) is doubtful
    assert not in_doubt((), at_ms)


@given(st.lists(st.integers(0, 200), max_size=40), st.integers(0, 4000))
def test_what_was_skipped_once_stays_in_doubt_and_what_was_lived_through_is_not(days: list[int], at_day: int) -> None:
    """Starts on these days after each other; only where spans were joined may more be in doubt than was skipped."""
    now, spans, jumps = 0, (), []
    for step in days:
        if step > 40:
            jumps.append((now, now + step))
        spans = skipped(spans, now * DAY_MS, (now + step) * DAY_MS)
        now += step
    assert len(spans) <= MAX_SPANS
    truly = any(after < at_day <= until for after, until in jumps)
    found = in_doubt(spans, at_day * DAY_MS)
    assert found or not truly
    if len(jumps) <= MAX_SPANS:
        assert found == truly
