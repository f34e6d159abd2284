"""Records about users, consent, PINs, records and the device's other answers about a person."""

from typing import Annotated

from bioguard.records.consent import Grant, Purpose
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality
from bioguard.serve.protocol import User
from bioguard.serve.v2.values import (
    DIGEST,
    MAX_LISTED,
    MAX_PICTURE_BYTES,
    MILLISECONDS,
    NAME,
    RECORD_ID,
    SENSOR,
    TOKEN,
    U32,
    PresentedForm,
)
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import AtMost, Items, Record, UpTo


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest(User):
    """Consent to these purposes for one modality, all or none. of_age: the person attests the minimum age."""

    modality: Modality
    purposes: Annotated[tuple[Purpose, ...], Items(len(Purpose))]
    days: Annotated[int, UpTo(3650)]
    of_age: bool
    token: Annotated[bytes, TOKEN]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawConsentRequest(User):
    """Take consents back. Records that no purpose is left for are erased."""

    modality: Modality
    purposes: Annotated[tuple[Purpose, ...], Items(len(Purpose))]
    token: Annotated[bytes, TOKEN]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestsAnswer(Record):
    """Salted digests of erased records, for receipts."""

    digests: Annotated[tuple[bytes, ...], Items(MAX_LISTED, DIGEST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentsAnswer(Record):
    """What a user decided."""

    grants: Annotated[tuple[Grant, ...], Items(6)]
    objections: Annotated[tuple[Purpose, ...], Items(len(Purpose))]
    restricted: bool
    of_age: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LockStatusRequest(User):
    """One sensor and user."""

    sensor: Annotated[int, SENSOR]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLockStatusRequest(Record):
    """One sensor."""

    sensor: Annotated[int, SENSOR]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockStateAnswer(Record):
    """remaining_ms of a timed lock, else 0."""

    lock: Lock
    remaining_ms: Annotated[int, MILLISECONDS]


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSearchRequest(Record):
    """A search among all users of one sensor (1:N). sample: as of PresentRequest."""

    sensor: Annotated[int, SENSOR]
    form: PresentedForm
    sample: Annotated[bytes, AtMost(MAX_PICTURE_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundAnswer(Record):
    """The one identity that was accepted, or none."""

    match: bool
    name: Annotated[bytes, NAME] | None = None
    record_id: Annotated[bytes, RECORD_ID] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEntry(Record):
    """One enrollment. enrollment_id is how sessions and events name it; enrolled_s is wall time in seconds."""

    record_id: Annotated[bytes, RECORD_ID]
    sensor: Annotated[int, SENSOR]
    position: Annotated[int, UpTo(10)]
    enrollment_id: Annotated[int, U32]
    enrolled_s: Annotated[int, UpTo(1 << 40)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsAnswer(Record):
    """In the order of their ids; at most 1000."""

    records: Annotated[tuple[RecordEntry, ...], Items(MAX_LISTED)]
