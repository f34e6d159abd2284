"""Commands of the biometric trusted application about consent, rights, retention, the log and attestation.

A command that acts for a person carries a PIN token of that person (`bioguard.records.tokens`), not older than
RIGHTS_TOKEN_AGE_MS. Replies hold ids, digests, hashes, signatures, dates and small enumerations.
"""

from typing import Annotated

from bioguard.commands.biometric import MAX_TOKEN_BYTES
from bioguard.commands.status import Done, Nothing, ReplyStatus
from bioguard.records.audit_events import MAX_SEQUENCE, Cause, LogItem
from bioguard.records.consent import DAY_MS, MAX_MS, Grant, Purpose
from bioguard.records.modality import Modality
from bioguard.records.rights_requests import RightsRequest
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import AtMost, Fixed, Items, Record, UpTo
from tee_sim.shared.ta_api import Command

RIGHTS_TOKEN_AGE_MS = 300_000
"""Time to type a PIN and then a command; the contract's own resets allow 10 minutes ("minutes, not hours")."""
REQUESTS_ITEMS = 8
LOG_READ_ITEMS = 3
"""Entries in one reply: bounds what one reply can carry below the size of a template."""
_ID = Fixed(16)
_HASH = Fixed(32)
_TOKEN = AtMost(MAX_TOKEN_BYTES)
MAX_ERASED = 15
"""Digests in one reply, for the same reason; `count` and the log have the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantConsent(Record):
    """Consent to each of these purposes for each of these modalities; none of either twice.

    of_age: the person attested the minimum age of this device's policy.
    """

    user: Annotated[bytes, _ID]
    modalities: Annotated[tuple[Modality, ...], Items(len(Modality))]
    purposes: Annotated[tuple[Purpose, ...], Items(len(Purpose))]
    days: Annotated[int, UpTo(3650)]
    of_age: bool
    token: Annotated[bytes, _TOKEN] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw(Record):
    """Take a consent back."""

    user: Annotated[bytes, _ID]
    modality: Modality
    purpose: Purpose
    token: Annotated[bytes, _TOKEN] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Record):
    """How many records were erased because no purpose is left, and the digests of the first ones."""

    status: ReplyStatus
    count: Annotated[int, UpTo(64)] = 0
    erased: Annotated[tuple[bytes, ...], Items(MAX_ERASED, _HASH)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectTo(Record):
    """Object to one purpose."""

    user: Annotated[bytes, _ID]
    purpose: Purpose
    token: Annotated[bytes, _TOKEN] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm(Record):
    """Confirm all grants under the present policy version."""

    user: Annotated[bytes, _ID]
    token: Annotated[bytes, _TOKEN] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restrict(Record):
    """Start or end a restriction. Needs a PIN token."""

    user: Annotated[bytes, _ID]
    on: bool
    token: Annotated[bytes, _TOKEN]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkUnderage(Record):
    """The operator found out that the user is a child: everything is erased."""

    user: Annotated[bytes, _ID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consents(Record):
    """What a user decided."""

    user: Annotated[bytes, _ID]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentsReply(Record):
    """The book without the secure user id."""

    status: ReplyStatus
    grants: Annotated[tuple[Grant, ...], Items(6)] = ()
    objections: Annotated[tuple[int, ...], Items(3, UpTo(3))] = ()
    restricted: bool = False
    of_age: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPolicy(Record):
    """The operator's part: version (never lower), minimum age, retention."""

    version: Annotated[int, UpTo(65_535)]
    minimum_age: Annotated[int, UpTo(30)]
    retention_days: Annotated[int, UpTo(3650)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyReply(Record):
    """What is in force."""

    status: ReplyStatus
    version: Annotated[int, UpTo(65_535)] = 0
    minimum_age: Annotated[int, UpTo(30)] = 0
    retention_days: Annotated[int, UpTo(3650)] = 0
    log_days: Annotated[int, UpTo(3650)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge(Record):
    """Erase what is over. confirmed: also what may only seem so, because the clock skipped time; a person said so."""

    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged(Record):
    """What was erased because its time is over, by a purge or by the last start, and what was kept.

    Attributes:
        erased: records, and the digests of the first ones.
        pruned: bodies of log entries.
        held: records that are over and kept: they became so in a span of time that the clock skipped.
        log_held: whether bodies of log entries are kept for the same reason.
        moved_days: by how much the clock had moved since it was last looked at, if that was more than is plausible.
    """

    status: ReplyStatus
    erased: Annotated[int, UpTo(1 << 32)] = 0
    digests: Annotated[tuple[bytes, ...], Items(MAX_ERASED, _HASH)] = ()
    pruned: Annotated[int, UpTo(MAX_SEQUENCE)] = 0
    held: Annotated[int, UpTo(1 << 32)] = 0
    log_held: bool = False
    moved_days: Annotated[int, UpTo(MAX_MS // DAY_MS)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest(Record):
    """Register a request of a person. Needs a PIN token."""

    user: Annotated[bytes, _ID]
    kind: Cause
    token: Annotated[bytes, _TOKEN]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend(Record):
    """Take the longer term, with one of the two reasons."""

    number: Annotated[int, UpTo(1 << 32)]
    reason: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Record):
    """FULFILLED or REFUSED."""

    number: Annotated[int, UpTo(1 << 32)]
    answer: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReply(Record):
    """The request as it is now."""

    status: ReplyStatus
    request: RightsRequest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests(Record):
    """The register, by number, from `first` on."""

    first: Annotated[int, UpTo(1 << 32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPage(Record):
    """Some requests; an empty page is the end."""

    status: ReplyStatus
    requests: Annotated[tuple[RightsRequest, ...], Items(REQUESTS_ITEMS)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead(Record):
    """State of the log, signed by the log key: the signature is over the C2SP checkpoint text."""

    status: ReplyStatus
    size: Annotated[int, UpTo(MAX_SEQUENCE)] = 0
    root: Annotated[bytes, _HASH] | None = None
    first_body: Annotated[int, UpTo(MAX_SEQUENCE)] = 0
    signature: Annotated[bytes, Fixed(64)] | None = None
    log_key: Annotated[bytes, _HASH] | None = None
    attestation_key: Annotated[bytes, Fixed(65)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsHeadReply(Record):
    """Which records there are now, as one root, signed by the log key (`bioguard.proofs.records_head`)."""

    status: ReplyStatus
    size: Annotated[int, UpTo(MAX_SEQUENCE)] = 0
    root: Annotated[bytes, _HASH] | None = None
    log_size: Annotated[int, UpTo(MAX_SEQUENCE)] = 0
    epoch: Annotated[int, UpTo(1 << 62)] = 0
    store_root: Annotated[bytes, _HASH] | None = None
    signature: Annotated[bytes, Fixed(64)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRead(Record):
    """Entries from number `first` on."""

    first: Annotated[int, UpTo(MAX_SEQUENCE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage(Record):
    """Some items; an empty page is the end."""

    status: ReplyStatus
    items: Annotated[tuple[LogItem, ...], Items(LOG_READ_ITEMS)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attest(Record):
    """A nonce of 32, 48 or 64 bytes and the profile: all that a caller may say about the token."""

    nonce: Annotated[bytes, AtMost(64)]
    tfm_profile: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested(Record):
    """The signature, and what the caller cannot know yet. The caller assembles the token from what it saw itself."""

    status: ReplyStatus
    signature: Annotated[bytes, Fixed(64)] | None = None
    boot_seed: Annotated[bytes, _HASH] | None = None
    log_size: Annotated[int, UpTo(MAX_SEQUENCE)] = 0
    log_root: Annotated[bytes, _HASH] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportIncident(Record):
    """Something was found tampered with or rolled back: TAMPERED or ROLLED_BACK.

    SCRIPTED: incident `number` was found while the normal world played faults, by its own word.
    OVER_BUDGET: a request would have let out more than a manifest allows; number: how many bits it came to.
    """

    number: Annotated[int, UpTo(1 << 32)]
    cause: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge(Record):
    """The operator has seen the incident."""

    number: Annotated[int, UpTo(1 << 32)]


GRANT = Command(60, GrantConsent, Done)
WITHDRAW = Command(61, Withdraw, Withdrawn)
OBJECT = Command(62, ObjectTo, Done)
CONFIRM = Command(63, Confirm, Done)
RESTRICT = Command(64, Restrict, Done)
MARK_UNDERAGE = Command(65, MarkUnderage, Withdrawn)
CONSENTS = Command(66, Consents, ConsentsReply)
SET_POLICY = Command(67, SetPolicy, PolicyReply)
POLICY_STATE = Command(68, Nothing, PolicyReply)
PURGE = Command(69, Purge, Purged)
AT_START = Command(74, Nothing, Purged)
OPEN_REQUEST = Command(70, OpenRequest, RequestReply)
EXTEND = Command(71, Extend, RequestReply)
ANSWER = Command(72, Answer, RequestReply)
REQUESTS = Command(73, Requests, RequestPage)
LOG_HEAD = Command(80, Nothing, LogHead)
LOG_READ = Command(81, LogRead, LogPage)
ATTEST = Command(82, Attest, Attested)
INCIDENT = Command(83, ReportIncident, Done)
ACKNOWLEDGE = Command(84, Acknowledge, Done)
RECORDS_HEAD = Command(85, Nothing, RecordsHeadReply)
