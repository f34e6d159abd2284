"""Commands of the biometric trusted application.

Rules:
* a refusal is a `ReplyStatus` in the reply, not an exception: it is an answer, and it carries no more than its name;
* no reply can hold features, a key, a threshold or a score: ids, digests, counts and small enumerations only;
* users are 16 random bytes; their names stay in the normal world.
"""

from typing import Annotated
from uuid import UUID

from bioguard.commands.status import Done, ReplyStatus
from bioguard.records.acquired import AcquiredCode
from bioguard.records.feature_limits import MAX_DIMENSION, MAX_MODEL_CHARS
from bioguard.records.modality import Modality, Profile
from bioguard.records.sample_origin import SampleOrigin
from bioguard.records.scores import Basis
from bioguard.records.sensor_props import MAX_SENSOR_ID
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import U64, AtMost, Commitment, Fixed, Items, ObjectId, Record, Stated, Text, UpTo
from tee_sim.shared.ta_api import Command

BIOMETRIC_UUID = UUID("6f1f3c1a-9f0e-5b51-8d0c-2c7c2f3b7a01")

MAX_VIEWS = 16
"""Samples in one enrollment: fingerprint sensors ask for up to about 16 touches."""
MAX_SAMPLE_BYTES = 4096
"""A face record of 1024 dimensions is 2052 bytes, a fingerprint record of 255 minutiae 2048."""
MAX_TOKEN_BYTES = 256
"""A token has 69 bytes; longer input is let in so that the application itself refuses it, by name."""
PAGE = 64
_ID = Fixed(16)
_SENSOR = UpTo(MAX_SENSOR_ID)
_DIGEST = Fixed(32)
_STORED_USER = ObjectId(16, b"U")
_STORED_RECORD = ObjectId(16, b"R")
_STORED_DIGEST = Commitment(32)
"""In replies: the core knows them, for it has stored them, and counts which one is told and not its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddUser(Record):
    """Create the state of a user. label: binds a name, which stays outside (`bioguard.device.names`)."""

    user: Annotated[bytes, _ID]
    label: Annotated[bytes, _DIGEST]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLabel(Record):
    """Whether this is the user's label."""

    user: Annotated[bytes, _ID]
    label: Annotated[bytes, _DIGEST]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLabel(Record):
    """A user has another name now. The token as in `EraseAuthorization`."""

    user: Annotated[bytes, _ID]
    label: Annotated[bytes, _DIGEST]
    token: Annotated[bytes, AtMost(MAX_TOKEN_BYTES)] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseAuthorization(Record):
    """Who authorizes an erasure: the person, shown by a PIN token, or the operator, which the log records.

    A user who never presented a PIN, to enroll or to consent, needs no token.
    """

    token: Annotated[bytes, AtMost(MAX_TOKEN_BYTES)] = b""
    by_operator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveUser(Record):
    """Erase a user's records and state."""

    user: Annotated[bytes, _ID]
    leave: EraseAuthorization


@dataclass(frozen=True, slots=True, kw_only=True)
class Enroll(Record):
    """Enroll one finger or one face from several samples (canonical bytes of `bioguard.records`).

    sensor: whose record it becomes; the samples are of its kind.
    position: ISO/IEC 19794-2 table 2 finger position 1..10 (1 right thumb, 6 left thumb); 0 for a face, and for a
        finger that nobody has named, of which a user may have several.
    replace: erase an existing record of the same position in the same transaction. A finger without a name replaces
        none.
    token: a PIN token that carries a live challenge of this sensor and user; empty for a user without a PIN.
    model: which embedding model or extractor the files say that they are of; empty where they say nothing, which
        declares that it is the one of the device's comparison profile.
    captures: in place of the samples, what the device's sensor has captured; each can be taken once.
    """

    user: Annotated[bytes, _ID]
    sensor: Annotated[int, _SENSOR]
    position: Annotated[int, UpTo(10)]
    samples: Annotated[tuple[bytes, ...], Items(MAX_VIEWS, AtMost(MAX_SAMPLE_BYTES))] = ()
    replace: bool = False
    token: Annotated[bytes, AtMost(MAX_TOKEN_BYTES)] = b""
    model: Annotated[str, Text(MAX_MODEL_CHARS)] = ""
    captures: Annotated[tuple[bytes, ...], Items(MAX_VIEWS, _ID)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled(Record):
    """record_id and digest are set when status is OK; acquired judges each sample."""

    status: ReplyStatus
    record_id: Annotated[bytes, _STORED_RECORD] | None = None
    digest: Annotated[bytes, _STORED_DIGEST] | None = None
    views: Annotated[int, UpTo(MAX_VIEWS)] = 0
    acquired: Annotated[tuple[AcquiredCode, ...], Items(MAX_VIEWS)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareEnrollment(Record):
    """Whether an enrollment would be let begin: all that `Enroll` refuses before it looks at a sample."""

    user: Annotated[bytes, _ID]
    sensor: Annotated[int, _SENSOR]
    token: Annotated[bytes, AtMost(MAX_TOKEN_BYTES)] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge(Record):
    """How good the last of these samples is beside the others, for an enrollment of them all. Nothing that is enrolled
    is looked at, and a capture stays to be enrolled.

    sensor, samples, model, captures: as in `Enroll`.
    """

    sensor: Annotated[int, _SENSOR]
    samples: Annotated[tuple[bytes, ...], Items(MAX_VIEWS, AtMost(MAX_SAMPLE_BYTES))] = ()
    model: Annotated[str, Text(MAX_MODEL_CHARS)] = ""
    captures: Annotated[tuple[bytes, ...], Items(MAX_VIEWS, _ID)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged(Record):
    """acquired: set when status is OK."""

    status: ReplyStatus
    acquired: AcquiredCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate(Record):
    """1:1: is this sample of that user? Opens only that user's records of that sensor.

    sensor: of the sample's kind.
    fmr_inverse: 0 for the device's false match rate, or a stricter one that it offers, as 1/fmr_inverse.
    operation_id: becomes the challenge of the token.
    model: as in `Enroll`.
    capture: in place of the sample, what the device's sensor has captured.
    """

    user: Annotated[bytes, _ID]
    sensor: Annotated[int, _SENSOR]
    sample: Annotated[bytes, AtMost(MAX_SAMPLE_BYTES)] = b""
    fmr_inverse: Annotated[int, UpTo(10_000_000)] = 0
    operation_id: Annotated[int, U64] = 0
    model: Annotated[str, Text(MAX_MODEL_CHARS)] = ""
    capture: Annotated[bytes, _ID] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Record):
    """record_id: the record that matched. token: the auth token of a match, for users who enrolled with a PIN."""

    status: ReplyStatus
    match: bool = False
    record_id: Annotated[bytes, _STORED_RECORD] | None = None
    token: Annotated[bytes, Stated(69, "auth-token")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify(Record):
    """1:N: whose sample is this, among the records of that sensor?

    sensor: of the sample's kind.
    fpir_inverse: 0 for the device's false positive identification rate, or a stricter one that it offers.
    model, capture: as in `Authenticate`.
    """

    sensor: Annotated[int, _SENSOR]
    sample: Annotated[bytes, AtMost(MAX_SAMPLE_BYTES)] = b""
    fpir_inverse: Annotated[int, UpTo(10_000_000)] = 0
    model: Annotated[str, Text(MAX_MODEL_CHARS)] = ""
    capture: Annotated[bytes, _ID] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified(Record):
    """The one accepted identity, or none. Candidate lists do not leave."""

    status: ReplyStatus
    match: bool = False
    user: Annotated[bytes, _STORED_USER] | None = None
    record_id: Annotated[bytes, _STORED_RECORD] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBasis(Record):
    """How far is the rate of a decision founded? Asked apart: an answer about a person has no bits to spare for it.

    user: of a claim; None for a search.
    inverse: 0 for the device's rate, or the one that was asked for, as 1/inverse.
    dimension: numbers of a face embedding, 0 for a finger.
    """

    user: Annotated[bytes, _ID] | None = None
    sensor: Annotated[int, _SENSOR]
    dimension: Annotated[int, UpTo(MAX_DIMENSION)] = 0
    inverse: Annotated[int, UpTo(10_000_000)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RateBasis(Record):
    """It depends on the rate and on how many samples are enrolled, not on any score. None where nobody is."""

    status: ReplyStatus
    basis: Basis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSummary(Record):
    """What may be known of a record outside: no feature of the person.

    origin: how it is known which extractor made it; which one that is says `Configured.models`.
    """

    record_id: Annotated[bytes, _STORED_RECORD]
    user: Annotated[bytes, _STORED_USER]
    sensor: Annotated[int, _SENSOR]
    modality: Modality
    position: Annotated[int, UpTo(10)]
    views: Annotated[int, UpTo(MAX_VIEWS)]
    profile: Profile
    enrolled_s: Annotated[int, UpTo(1 << 40)]
    digest: Annotated[bytes, _STORED_DIGEST]
    origin: SampleOrigin = SampleOrigin.DECLARED


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRecords(Record):
    """Records of a user, or of all users, in record-id order, after a given id."""

    user: Annotated[bytes, _ID] | None = None
    after: Annotated[bytes, _ID] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Record):
    """At most PAGE summaries; `more` says whether to ask again."""

    status: ReplyStatus
    records: Annotated[tuple[RecordSummary, ...], Items(PAGE)] = ()
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Show(Record):
    """One record."""

    record_id: Annotated[bytes, _ID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown(Record):
    """Its summary."""

    status: ReplyStatus
    record: RecordSummary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase(Record):
    """Erase one record of a user: destroy its key, its row and its digest's salt."""

    user: Annotated[bytes, _ID]
    record_id: Annotated[bytes, _ID]
    leave: EraseAuthorization


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased(Record):
    """What was erased, by its digest."""

    status: ReplyStatus
    digest: Annotated[bytes, _DIGEST] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Relabel(Record):
    """A record is of another finger than was said: position 1..10 as in `Enroll`.

    The token is the one of `EraseAuthorization`.
    """

    user: Annotated[bytes, _ID]
    record_id: Annotated[bytes, _ID]
    position: Annotated[int, UpTo(10)]
    token: Annotated[bytes, AtMost(MAX_TOKEN_BYTES)] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relabeled(Record):
    """The record that took its place. Its digest commits to the new position, so id, salt and digest are new."""

    status: ReplyStatus
    record_id: Annotated[bytes, _STORED_RECORD] | None = None
    digest: Annotated[bytes, _STORED_DIGEST] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewCodes(Record):
    """Make a new epoch secret and encode every record anew under it, in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed(Record):
    """How many records carry new codes."""

    status: ReplyStatus
    records: Annotated[int, UpTo(1 << 32)] = 0


ADD_USER = Command(2, AddUser, Done)
REMOVE_USER = Command(3, RemoveUser, Done)
RENEW_CODES = Command(4, RenewCodes, Renewed)
CHECK_LABEL = Command(5, CheckLabel, Done)
CHANGE_LABEL = Command(6, ChangeLabel, Done)
ENROLL = Command(10, Enroll, Enrolled)
AUTHENTICATE = Command(11, Authenticate, Decision)
IDENTIFY = Command(12, Identify, Identified)
RATE_BASIS = Command(13, AskBasis, RateBasis)
PREPARE_ENROLLMENT = Command(14, PrepareEnrollment, Done)
JUDGE = Command(15, Judge, Judged)
LIST = Command(20, ListRecords, Page)
SHOW = Command(21, Show, Shown)
ERASE = Command(22, Erase, Erased)
RELABEL = Command(23, Relabel, Relabeled)
