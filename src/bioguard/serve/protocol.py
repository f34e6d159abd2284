"""The frame protocol of `bioguard serve --stdio`: every method once, with its request and its reply.

Frame: length u32 little-endian, then that many bytes of canonical CBOR (RFC 8949 section 4.2.1; no floats, no tags).

    request   [1, id, method, [field, ...]]
    answer    [1, id, 0, [field, ...]]
    refusal   [1, id, 1, [code, message, hint, exit code]]

id is the caller's, 0 to 2^32-1. Fields come in the order of the record; absent optional ones are null. One request is
answered before the next is read. The first frame, unasked, is the answer to method 0 with id 0.
"""

from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Annotated

from bioguard.commands.biometric import MAX_TOKEN_BYTES
from bioguard.commands.gatekeeper import MAX_PIN_BYTES
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality
from tee_sim.shared.schema import AtMost, Fixed, Items, Record, Text, UpTo

VERSION = 1
MAX_SAMPLES = 16
MAX_SAMPLE_BYTES = 16_384
"""An ISO/IEC 19794-2 file with extended data fits; canonical records are smaller."""
_U64 = UpTo(0xFFFF_FFFF_FFFF_FFFF)
_NAME = AtMost(256)
_ID = Fixed(16)
_TOKEN = AtMost(MAX_TOKEN_BYTES)
_PIN = AtMost(MAX_PIN_BYTES)


@unique
class SampleForm(IntEnum):
    """How a sample is written."""

    CANONICAL = 0
    """Bytes of `bioguard.records` (docs/formats/features.md)."""
    MINUTIAE_FILE = 1
    """A whole ISO/IEC 19794-2 or INCITS 378 file with one view."""
    FLOAT32 = 2
    """A face embedding as 32-bit IEEE 754 numbers, little-endian."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing(Record):
    """No fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello(Record):
    """simulated is always true; sandbox_level as in `bioguard doctor`."""

    version: Annotated[int, UpTo(65_535)]
    software: Annotated[str, Text(32)]
    simulated: bool
    sandbox_level: Annotated[str, Text(32)]
    device_is_seeded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Record):
    """name in UTF-8."""

    name: Annotated[bytes, _NAME]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveUser(Record):
    """A user with everything enrolled; token and by_operator as in Erase."""

    name: Annotated[bytes, _NAME]
    token: Annotated[bytes, _TOKEN]
    by_operator: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Users(Record):
    """Names in UTF-8, sorted."""

    names: Annotated[tuple[bytes, ...], Items(1000, _NAME)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(Record):
    """Consent to every purpose for one modality; of_age: the person attested the minimum age."""

    name: Annotated[bytes, _NAME]
    modality: Modality
    days: Annotated[int, UpTo(3650)]
    of_age: bool
    token: Annotated[bytes, _TOKEN] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPin(Record):
    """current: the present PIN, so that the secure user id stays; null sets a new one."""

    name: Annotated[bytes, _NAME]
    pin: Annotated[bytes, _PIN]
    current: Annotated[bytes, _PIN] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureUserId(Record):
    """Gatekeeper's id of the user."""

    secure_user_id: Annotated[int, _U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyPin(Record):
    """challenge goes into the token."""

    name: Annotated[bytes, _NAME]
    pin: Annotated[bytes, _PIN]
    challenge: Annotated[int, _U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(Record):
    """69 bytes (docs/formats/token.md)."""

    token: Annotated[bytes, Fixed(69)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor(Record):
    """One sensor and user."""

    name: Annotated[bytes, _NAME]
    modality: Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge(Record):
    """Live for ten minutes, or until the server ends."""

    challenge: Annotated[int, _U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enroll(Record):
    """position: 1 right thumb to 10 left little finger, 0 for a face. token: empty for a user without a PIN."""

    name: Annotated[bytes, _NAME]
    position: Annotated[int, UpTo(10)]
    form: SampleForm
    samples: Annotated[tuple[bytes, ...], Items(MAX_SAMPLES, AtMost(MAX_SAMPLE_BYTES))]
    token: Annotated[bytes, _TOKEN] = b""
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled(Record):
    """record_id and salted digest."""

    record_id: Annotated[bytes, _ID]
    digest: Annotated[bytes, Fixed(32)]
    views: Annotated[int, UpTo(MAX_SAMPLES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate(Record):
    """operation_id becomes the challenge of the token. fmr_inverse: decide at 1/fmr_inverse; 0 for the default."""

    name: Annotated[bytes, _NAME]
    form: SampleForm
    sample: Annotated[bytes, AtMost(MAX_SAMPLE_BYTES)]
    operation_id: Annotated[int, _U64]
    fmr_inverse: Annotated[int, UpTo(10_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Record):
    """record_id and token with a match; no token for users who enrolled without a PIN."""

    match: bool
    record_id: Annotated[bytes, _ID] | None = None
    token: Annotated[bytes, Fixed(69)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify(Record):
    """fpir_inverse: search at 1/fpir_inverse; 0 for the default."""

    form: SampleForm
    sample: Annotated[bytes, AtMost(MAX_SAMPLE_BYTES)]
    fpir_inverse: Annotated[int, UpTo(10_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified(Record):
    """The one accepted identity, or none."""

    match: bool
    name: Annotated[bytes, _NAME] | None = None
    record_id: Annotated[bytes, _ID] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordIds(Record):
    """At most 1000 of them."""

    record_ids: Annotated[tuple[bytes, ...], Items(1000, _ID)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase(Record):
    """One record of a user. token: a fresh PIN token, for a user who presented one before; or by_operator, logged."""

    name: Annotated[bytes, _NAME]
    record_id: Annotated[bytes, _ID]
    token: Annotated[bytes, _TOKEN]
    by_operator: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased(Record):
    """The salted digest of what is gone."""

    digest: Annotated[bytes, Fixed(32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockAnswer(Record):
    """0 none, 1 timed with the milliseconds left, 2 permanent."""

    lock: Lock
    remaining_ms: Annotated[int, UpTo(1 << 45)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlock(Record):
    """End the user's lockouts with the PIN."""

    name: Annotated[bytes, _NAME]
    pin: Annotated[bytes, _PIN]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorId(Record):
    """0 when nothing is enrolled."""

    authenticator_id: Annotated[int, _U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyToken(Record):
    """A token to check."""

    token: Annotated[bytes, _TOKEN]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFields(Record):
    """What a genuine token says."""

    challenge: Annotated[int, _U64]
    user_id: Annotated[int, _U64]
    authenticator_id: Annotated[int, _U64]
    authenticator_type: Annotated[int, UpTo(0xFFFF_FFFF)]
    timestamp_ms: Annotated[int, _U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Record):
    """An error, as on the command line."""

    code: Annotated[str, Text(64)]
    message: Annotated[str, Text(400)]
    hint: Annotated[str, Text(400)]
    exit_code: Annotated[int, UpTo(255)]


@dataclass(frozen=True, slots=True)
class Method:
    """One method: number, name, request and reply."""

    number: int
    name: str
    request: type[Record]
    reply: type[Record]


METHODS: dict[int, Method] = {
    m.number: m
    for m in (
        Method(0, "hello", Nothing, Hello),
        Method(1, "add_user", User, Nothing),
        Method(2, "remove_user", RemoveUser, Nothing),
        Method(3, "users", Nothing, Users),
        Method(4, "consent", Consent, Nothing),
        Method(10, "set_pin", SetPin, SecureUserId),
        Method(11, "verify_pin", VerifyPin, Token),
        Method(12, "unlock", Unlock, Nothing),
        Method(20, "generate_challenge", Sensor, Challenge),
        Method(21, "enroll", Enroll, Enrolled),
        Method(22, "authenticate", Authenticate, Decision),
        Method(23, "identify", Identify, Identified),
        Method(24, "records", User, RecordIds),
        Method(25, "erase", Erase, Erased),
        Method(26, "lock_status", Sensor, LockAnswer),
        Method(27, "authenticator_id", Sensor, AuthenticatorId),
        Method(30, "check_token", AnyToken, TokenFields),
    )
}
