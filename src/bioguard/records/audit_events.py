"""What the log holds: one closed record, and for each kind of event exactly the fields it has.

There is no text and no byte string that a caller chooses: ids are random, digests are salted, the rest are small
enumerations and numbers. So an entry cannot hold a feature, a template, a key, a token, a PIN, a threshold or a score.

`blind` is 16 random bytes: the hash of an entry stays when its body is pruned, and without the blind nobody can test
guesses about a pruned body against it.
"""

from enum import IntEnum, unique
from typing import Annotated

from bioguard.proofs.merkle import leaf_hash
from bioguard.records.consent import MAX_MS, Purpose
from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import Fixed, Record, UpTo

MAX_SEQUENCE = 1 << 40
_ID = Fixed(16)


@unique
class Event(IntEnum):
    """Kinds of events. Numbers are never reused."""

    STARTED = 1
    POLICY_CHANGED = 2
    USER_ADDED = 3
    USER_REMOVED = 4
    CLOCK_MOVED = 5
    PROFILE_SEALED = 6
    UNCALIBRATED_ALLOWED = 7
    SENSOR_SEALED = 8
    CONSENT_GRANTED = 10
    CONSENT_CONFIRMED = 11
    CONSENT_WITHDRAWN = 12
    OBJECTED = 13
    RESTRICTED = 14
    UNRESTRICTED = 15
    MARKED_UNDERAGE = 16
    RECORD_STORED = 20
    RECORD_ERASED = 21
    ENROLL_REFUSED = 22
    DECIDED = 30
    MATCH_REFUSED = 31
    REQUEST_OPENED = 40
    REQUEST_EXTENDED = 41
    REQUEST_ANSWERED = 42
    LOG_PRUNED = 50
    ATTESTED = 51
    INCIDENT = 60
    INCIDENT_ACKNOWLEDGED = 61
    OVER_BUDGET = 62


@unique
class Cause(IntEnum):
    """Why, or how it ended: the closed vocabulary of all events."""

    ACCEPTED = 1
    NOT_SIMILAR = 2
    REQUESTED = 10
    REPLACED = 11
    WITHDRAWN = 12
    RETENTION = 13
    UNDERAGE = 14
    BY_OPERATOR = 15
    MODEL_STATED = 16
    MODEL_DECLARED = 17
    MODEL_CAPTURED = 18
    NO_CONSENT = 20
    EXPIRED = 21
    SUSPENDED = 22
    OBJECTED = 23
    RESTRICTED = 24
    LOCKED = 25
    INFORMATION = 40
    ACCESS = 41
    RECTIFICATION = 42
    ERASURE = 43
    RESTRICTION = 44
    PORTABILITY = 45
    OBJECTION = 46
    COMPLAINT = 47
    COMPLEX = 50
    MANY_REQUESTS = 51
    FULFILLED = 52
    REFUSED = 53
    TAMPERED = 60
    ROLLED_BACK = 61
    CLOCK_MOVED = 62
    OVER_BUDGET = 63
    SCRIPTED = 64


_SUBJECT = frozenset({"subject"})
_CONSENT = frozenset({"subject", "modality", "purpose"})
_RECORD = frozenset({"subject", "modality", "record_id", "digest"})
FIELDS: dict[Event, frozenset[str]] = {
    Event.STARTED: frozenset({"number"}),
    Event.POLICY_CHANGED: frozenset({"number"}),
    Event.USER_ADDED: _SUBJECT,
    Event.USER_REMOVED: _SUBJECT,
    Event.CLOCK_MOVED: frozenset({"number"}),
    Event.PROFILE_SEALED: frozenset({"modality", "digest"}),
    Event.UNCALIBRATED_ALLOWED: frozenset({"modality"}),
    Event.SENSOR_SEALED: frozenset({"modality", "digest"}),
    Event.CONSENT_GRANTED: _CONSENT | {"number"},
    Event.CONSENT_CONFIRMED: _SUBJECT | {"number"},
    Event.CONSENT_WITHDRAWN: _CONSENT,
    Event.OBJECTED: frozenset({"subject", "purpose"}),
    Event.RESTRICTED: _SUBJECT,
    Event.UNRESTRICTED: _SUBJECT,
    Event.MARKED_UNDERAGE: _SUBJECT,
    Event.RECORD_STORED: _RECORD,
    Event.RECORD_ERASED: _RECORD | {"cause"},
    Event.ENROLL_REFUSED: frozenset({"subject", "modality", "cause"}),
    Event.DECIDED: frozenset({"subject", "modality", "purpose", "cause"}),
    Event.MATCH_REFUSED: _CONSENT | {"cause"},
    Event.REQUEST_OPENED: frozenset({"subject", "cause", "number"}),
    Event.REQUEST_EXTENDED: frozenset({"subject", "cause", "number"}),
    Event.REQUEST_ANSWERED: frozenset({"subject", "cause", "number"}),
    Event.LOG_PRUNED: frozenset({"number"}),
    Event.ATTESTED: frozenset({"digest"}),
    Event.INCIDENT: frozenset({"cause", "number"}),
    Event.INCIDENT_ACKNOWLEDGED: frozenset({"number"}),
    Event.OVER_BUDGET: frozenset({"number"}),
}
"""number: boot count, days the clock moved, policy version, request or incident id, before which entry bodies were
pruned, or the bits that a request came to."""
ADDED_FIELDS: dict[Event, frozenset[str]] = {
    Event.RECORD_STORED: frozenset({"cause"}),
    Event.DECIDED: frozenset({"number"}),
}
"""Fields that entries of before 2026-12 do not have. RECORD_STORED: whether the device's sensor made the samples, or
their files stated a model (the one of the comparison profile, but where any is allowed) or were declared to be of the
profile's; none where a record was only stored anew. DECIDED: the basis of the rate (`bioguard.records.scores.Basis`);
none where nothing was compared."""
NOBODY = bytes(16)
"""subject of a search that accepted nobody."""
_OPTIONAL = ("subject", "modality", "purpose", "record_id", "digest", "cause", "number")
_LEAF_PREFIX = b"bioguard log entry v1\x00"


def leaf_of(entry: bytes) -> bytes:
    """The Merkle leaf hash of an encoded entry."""
    return leaf_hash(_LEAF_PREFIX + entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Record):
    """One event. Raises ValueError when it is made with a field its kind does not have, or without one it has."""

    sequence: Annotated[int, UpTo(MAX_SEQUENCE)]
    wall_ms: Annotated[int, UpTo(MAX_MS)]
    event: Event
    blind: Annotated[bytes, _ID]
    subject: Annotated[bytes, _ID] | None = None
    modality: Modality | None = None
    purpose: Purpose | None = None
    record_id: Annotated[bytes, _ID] | None = None
    digest: Annotated[bytes, Fixed(32)] | None = None
    cause: Cause | None = None
    number: Annotated[int, UpTo(MAX_MS)] | None = None

    def __post_init__(self) -> None:
        present = {name for name in _OPTIONAL if getattr(self, name) is not None}
        if present - ADDED_FIELDS.get(self.event, frozenset()) != FIELDS[self.event]:
            raise ValueError(f"{self.event.name} has exactly the fields {sorted(FIELDS[self.event])}")

    def leaf(self) -> bytes:
        """The Merkle leaf hash of this entry."""
        return leaf_of(self.to_bytes())


@dataclass(frozen=True, slots=True, kw_only=True)
class LogItem(Record):
    """A leaf and, unless it was pruned, its entry."""

    leaf: Annotated[bytes, Fixed(32)]
    entry: Entry | None
