"""Declare and store what the policy keeps: consents of users, policy of the device, register of requests.

| object id          | kind    | owner | body          |
|--------------------|---------|-------|---------------|
| `C` + user         | consent | user  | ConsentState   |
| `P`                | policy  |       | PolicyState   |
| `Q` + number, 8 B  | request | user  | RightsRequest |
"""

from typing import Annotated

from bioguard.records.consent import MAX_MS, ConsentState
from bioguard.records.rights_requests import RightsRequest
from bioguard.trusted.kept_objects import erase_if_stored, keep, value_of
from bioguard.trusted.policy.doubts import MAX_SPANS, Span
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import Items, Record, UpTo
from tee_sim.shared.ta_api import Store, Transaction, find_record


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyState(Record):
    """The device's policy and counters.

    Attributes:
        version: of the policy text that grants are made under.
        minimum_age: years; the policy's own is 16.
        retention_days: how long a record is kept after enrollment.
        boots: starts of this application.
        requests: how many were registered.
        next_expiry_ms: no record expires before this time, so a start need not look at every record.
        looked_ms: when the clock was last looked at, by a start or a purge, in the log's time; 0 for never.
        doubts: spans of time that were skipped, and that nobody has confirmed.
        held: records that are over and kept, because they became so within such a span.
    """

    version: Annotated[int, UpTo(65_535)] = 1
    minimum_age: Annotated[int, UpTo(30)] = 16
    retention_days: Annotated[int, UpTo(3650)] = 365
    boots: Annotated[int, UpTo(1 << 40)] = 0
    requests: Annotated[int, UpTo(1 << 32)] = 0
    next_expiry_ms: Annotated[int, UpTo(MAX_MS)] = MAX_MS
    looked_ms: Annotated[int, UpTo(MAX_MS)] = 0
    doubts: Annotated[tuple[Span, ...], Items(MAX_SPANS)] = ()
    held: Annotated[int, UpTo(1 << 32)] = 0


def consent_object(user: bytes) -> bytes:
    """Where the consents of a user are."""
    return b"C" + user


def _consent_of(body: bytes, _ids: bytes) -> ConsentState:
    return ConsentState.from_bytes(body)


class PolicyObjects:
    """Reading and writing of these objects."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def policy(self) -> PolicyState:
        """The device's policy."""
        return find_record(self._store, b"P", PolicyState) or PolicyState()

    def put_policy(self, transaction: Transaction, state: PolicyState) -> None:
        """Store it with other changes."""
        transaction.put(b"P", state.to_bytes(), kind="policy")

    def consent(self, user: bytes) -> ConsentState:
        """What a user consents to; empty if nothing is stored."""
        return value_of(self._store, consent_object(user), _consent_of) or ConsentState()

    def put_consent(self, transaction: Transaction, user: bytes, consent: ConsentState) -> None:
        """Store it with other changes."""
        transaction.put(consent_object(user), consent.to_bytes(), kind="consent", owner=user)
        keep(transaction, consent_object(user), consent)

    def forget(self, transaction: Transaction, user: bytes) -> None:
        """Erase a user's consents with other changes, unread: damage keeps nobody here. Nothing happens without one."""
        erase_if_stored(transaction, consent_object(user))

    def request(self, number: int) -> RightsRequest | None:
        """One request, or None."""
        return find_record(self._store, b"Q" + number.to_bytes(8, "big"), RightsRequest)

    def put_request(self, transaction: Transaction, request: RightsRequest) -> None:
        """Store it with other changes."""
        object_id = b"Q" + request.number.to_bytes(8, "big")
        transaction.put(object_id, request.to_bytes(), kind="request", owner=request.subject)
