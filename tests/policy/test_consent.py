"""The consent rule against a model that says it in other words."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.records.consent import (
    DAY_MS,
    ConsentState,
    Grant,
    Purpose,
    Refusal,
    allowed,
    granted,
    purpose_ends_ms,
    withdrawn,
)
from bioguard.records.modality import Modality

NOW = 1_767_225_600_000
FACE = Modality.FACE


def grant(purpose: Purpose = Purpose.UNLOCK, *, modality: Modality = FACE, version: int = 3, days: int = 1) -> Grant:
    return Grant(
        modality=modality, purpose=purpose, policy_version=version, granted_ms=NOW, expires_ms=NOW + days * DAY_MS
    )


BOOK = granted(ConsentState(), grant())


@pytest.mark.parametrize(
    ("book", "purpose", "now_ms", "version", "answer"),
    [
        (BOOK, Purpose.UNLOCK, NOW, 3, None),
        (BOOK, None, NOW, 3, None),
        (ConsentState(), Purpose.UNLOCK, NOW, 3, Refusal.NO_CONSENT),
        (BOOK, Purpose.IDENTIFY, NOW, 3, Refusal.NO_CONSENT),
        (BOOK, Purpose.UNLOCK, NOW + DAY_MS - 1, 3, None),
        (BOOK, Purpose.UNLOCK, NOW + DAY_MS, 3, Refusal.EXPIRED),
        (BOOK, Purpose.UNLOCK, NOW, 4, Refusal.SUSPENDED),
        (replace(BOOK, objections=(1,)), Purpose.UNLOCK, NOW, 3, Refusal.OBJECTED),
        (replace(BOOK, restricted=True), Purpose.UNLOCK, NOW, 3, Refusal.RESTRICTED),
        (replace(BOOK, of_age=False), Purpose.UNLOCK, NOW, 3, Refusal.UNDERAGE),
        (withdrawn(BOOK, FACE, Purpose.UNLOCK), Purpose.UNLOCK, NOW, 3, Refusal.NO_CONSENT),
    ],
)
def test_the_rule(
    book: ConsentState, purpose: Purpose | None, now_ms: int, version: int, answer: Refusal | None
) -> None:
    assert allowed(book, FACE, purpose, policy_version=version, now_ms=now_ms) is answer
    assert allowed(book, Modality.FINGERPRINT, purpose, policy_version=version, now_ms=now_ms) is not None


BOOKS = st.builds(
    ConsentState,
    grants=st.lists(
        st.builds(
            Grant,
            modality=st.sampled_from(Modality),
            purpose=st.sampled_from(Purpose),
            policy_version=st.integers(1, 3),
            granted_ms=st.just(NOW),
            expires_ms=st.integers(NOW - 2, NOW + 2),
        ),
        max_size=6,
        unique_by=lambda g: (g.modality, g.purpose),
    ).map(tuple),
    objections=st.sets(st.integers(1, 3)).map(lambda s: tuple(sorted(s))),
    restricted=st.booleans(),
    of_age=st.booleans(),
)


@given(BOOKS, st.sampled_from(Modality), st.sampled_from([None, *Purpose]))
def test_allowed_means_one_grant_satisfies_everything(
    book: ConsentState, modality: Modality, purpose: Purpose | None
) -> None:
    some = any(
        g.modality is modality
        and purpose in (None, g.purpose)
        and int(g.purpose) not in book.objections
        and g.expires_ms > NOW
        and g.policy_version == 3
        for g in book.grants
    )
    expected = some and book.of_age and not book.restricted
    assert (allowed(book, modality, purpose, policy_version=3, now_ms=NOW) is None) is expected


@given(BOOKS)
def test_a_book_reads_back_from_its_bytes(book: ConsentState) -> None:
    assert ConsentState.from_bytes(book.to_bytes()) == book


@given(BOOKS, st.sampled_from(Purpose))
def test_after_a_withdrawal_that_purpose_is_never_allowed(book: ConsentState, purpose: Purpose) -> None:
    left = withdrawn(book, FACE, purpose)
    assert allowed(left, FACE, purpose, policy_version=3, now_ms=NOW) is not None


def test_a_new_grant_replaces_the_old_one_and_lifts_the_objection_to_it() -> None:
    book = granted(replace(BOOK, objections=(1, 3)), grant(days=9))
    assert len(book.grants) == 1
    assert book.grants[0].expires_ms == NOW + 9 * DAY_MS
    assert book.objections == (3,)


def test_a_suspended_grant_keeps_its_records_and_an_expired_one_does_not() -> None:
    assert purpose_ends_ms(granted(ConsentState(), grant(version=1)), FACE) == NOW + DAY_MS
    assert purpose_ends_ms(BOOK, FACE) == NOW + DAY_MS
    assert purpose_ends_ms(BOOK, Modality.FINGERPRINT) == 0
    assert purpose_ends_ms(replace(BOOK, of_age=False), FACE) == 0
