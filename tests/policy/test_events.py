"""Log entries: exactly the fields of their kind, closed, and hashed without a way to guess what was pruned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.records import rights_requests
from bioguard.records.audit_events import FIELDS, Cause, Entry, Event
from bioguard.records.consent import DAY_MS, Purpose
from bioguard.records.modality import Modality
from bioguard.records.rights_requests import RequestState
from tee_sim.shared.schema import is_closed, max_bits

VALUES = {
    "subject": bytes(16),
    "modality": Modality.FACE,
    "purpose": Purpose.UNLOCK,
    "record_id": bytes(16),
    "digest": bytes(32),
    "cause": Cause.REQUESTED,
    "number": 1,
}
ADDED = {(Event.RECORD_STORED, "cause"), (Event.DECIDED, "number")}
"""What entries of before 2026-12 do not have: they are read still."""


def entry(event: Event, **fields: object) -> Entry:
    return Entry(sequence=0, wall_ms=0, event=event, blind=b"b" * 16, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("event", Event)
def test_each_kind_has_exactly_its_fields(event: Event) -> None:
    fields = {name: VALUES[name] for name in FIELDS[event]}
    made = entry(event, **fields)
    assert Entry.from_bytes(made.to_bytes()) == made
    for name, value in VALUES.items():
        wrong = {k: v for k, v in fields.items() if k != name} if name in fields else {**fields, name: value}
        if (event, name) in ADDED:
            added = entry(event, **wrong)
            assert Entry.from_bytes(added.to_bytes()) == added
            continue
        with pytest.raises(ValueError, match="has exactly the fields"):
            entry(event, **wrong)


def test_an_entry_is_closed_and_smaller_than_any_template() -> None:
    assert is_closed(Entry)
    assert max_bits(Entry) < 1024  # the smallest protected code has 1024 bits, a template more


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_the_blind_hides_the_body(one: bytes, other: bytes) -> None:
    leaves = {Entry(sequence=0, wall_ms=0, event=Event.STARTED, blind=blind, number=1).leaf() for blind in (one, other)}
    assert (len(leaves) == 1) == (one == other)


def test_terms_of_a_request() -> None:
    request = rights_requests.opened(4, bytes(16), Cause.ERASURE, 1000)
    assert (request.state, request.due_ms) == (RequestState.OPEN, 1000 + 7 * DAY_MS)
    assert not request.overdue(request.due_ms)
    assert request.overdue(request.due_ms + 1)
    longer = rights_requests.extended(request, Cause.MANY_REQUESTS)
    assert (longer.due_ms, longer.reason) == (1000 + 30 * DAY_MS, Cause.MANY_REQUESTS)
    assert rights_requests.answered(longer, Cause.REFUSED).state is RequestState.REFUSED
    for bad in (
        lambda: rights_requests.opened(1, bytes(16), Cause.TAMPERED, 0),
        lambda: rights_requests.extended(longer, Cause.COMPLEX),
        lambda: rights_requests.extended(request, Cause.REFUSED),
        lambda: rights_requests.answered(rights_requests.answered(request, Cause.FULFILLED), Cause.REFUSED),
        lambda: rights_requests.answered(request, Cause.COMPLEX),
    ):
        with pytest.raises(ValueError, match=r"only|not a kind"):
            bad()
