"""The frame protocol of `bioguard serve --stdio`: its records. The methods are in `bioguard.serve.methods`.

Frame: length u32 little-endian, then that many bytes of canonical CBOR (RFC 8949 section 4.2.1; no floats, no tags).

    request   [1, id, method, [field, ...]]
    answer    [1, id, 0, [field, ...]]
    refusal   [1, id, 1, [code, message, hint, exit code]]

id is the caller's, 0 to 2^32-1. Fields come in the order of the record; absent optional ones are null. One request is
answered before the next is read. The first frame, unasked, is the answer to method 0 with id 0.
"""

from enum import IntEnum, unique
from typing import Annotated

from bioguard.commands.biometric import MAX_TOKEN_BYTES
from bioguard.commands.gatekeeper import MAX_PIN_BYTES
from bioguard.errors import InputRefused
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import U64, AtMost, Fixed, Items, Record, Text, UpTo

VERSION = 1
MAX_SAMPLES = 16
MAX_SAMPLE_BYTES = 16_384
"""An ISO/IEC 19794-2 file with extended data fits; canonical records are smaller."""
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
class Hello(Record):
    """simulated is always true; sandbox_level as in `bioguard doctor`."""

    version: Annotated[int, UpTo(65_535)]
    software: Annotated[str, Text(32)]
    simulated: bool
    sandbox_level: Annotated[str, Text(32)]
    device_is_seeded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Record):
    """name in UTF-8: the first field of every request about a user."""

    name: Annotated[bytes, _NAME]

    @property
    def user(self) -> str:
        """The name as text. Raises InputRefused for what is not UTF-8."""
        try:
            return self.name.decode("utf-8")
        except UnicodeDecodeError:
            raise InputRefused("a name is not UTF-8", hint="send UTF-8 bytes", code="serve.name") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveUserRequest(User):
    """A user with everything enrolled; token and by_operator as in EraseRequest."""

    token: Annotated[bytes, _TOKEN]
    by_operator: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Users(Record):
    """Names in UTF-8, sorted."""

    names: Annotated[tuple[bytes, ...], Items(1000, _NAME)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(User):
    """Consent to unlocking with one modality; of_age: the person attested the minimum age."""

    modality: Modality
    days: Annotated[int, UpTo(3650)]
    of_age: bool
    token: Annotated[bytes, _TOKEN] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPin(User):
    """current: the present PIN, so that the secure user id stays; null sets a new one."""

    pin: Annotated[bytes, _PIN]
    current: Annotated[bytes, _PIN] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureUserId(Record):
    """Gatekeeper's id of the user."""

    secure_user_id: Annotated[int, U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyPinRequest(User):
    """challenge goes into the token."""

    pin: Annotated[bytes, _PIN]
    challenge: Annotated[int, U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(Record):
    """69 bytes (docs/formats/token.md)."""

    token: Annotated[bytes, Fixed(69)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor(User):
    """One sensor and user."""

    modality: Modality


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeAnswer(Record):
    """Live for ten minutes, or until the server ends."""

    challenge: Annotated[int, U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollRequest(User):
    """position: 1 right thumb to 10 left little finger, 0 for a face. token: empty for a user without a PIN."""

    position: Annotated[int, UpTo(10)]
    form: SampleForm
    samples: Annotated[tuple[bytes, ...], Items(MAX_SAMPLES, AtMost(MAX_SAMPLE_BYTES))]
    token: Annotated[bytes, _TOKEN] = b""
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollAnswer(Record):
    """record_id and salted digest."""

    record_id: Annotated[bytes, _ID]
    digest: Annotated[bytes, Fixed(32)]
    views: Annotated[int, UpTo(MAX_SAMPLES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticateRequest(User):
    """operation_id becomes the challenge of the token. fmr_inverse: decide at 1/fmr_inverse; 0 for the default."""

    form: SampleForm
    sample: Annotated[bytes, AtMost(MAX_SAMPLE_BYTES)]
    operation_id: Annotated[int, U64]
    fmr_inverse: Annotated[int, UpTo(10_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticateAnswer(Record):
    """record_id and token with a match; no token for users who enrolled without a PIN."""

    match: bool
    record_id: Annotated[bytes, _ID] | None = None
    token: Annotated[bytes, Fixed(69)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifyRequest(Record):
    """fpir_inverse: search at 1/fpir_inverse; 0 for the default."""

    form: SampleForm
    sample: Annotated[bytes, AtMost(MAX_SAMPLE_BYTES)]
    fpir_inverse: Annotated[int, UpTo(10_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifyAnswer(Record):
    """The one accepted identity, or none."""

    match: bool
    name: Annotated[bytes, _NAME] | None = None
    record_id: Annotated[bytes, _ID] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordIds(Record):
    """At most 1000 of them."""

    record_ids: Annotated[tuple[bytes, ...], Items(1000, _ID)]


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseRequest(User):
    """One record of a user. token: a fresh PIN token, for a user who presented one before; or by_operator, logged."""

    record_id: Annotated[bytes, _ID]
    token: Annotated[bytes, _TOKEN]
    by_operator: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseAnswer(Record):
    """The salted digest of what is gone."""

    digest: Annotated[bytes, Fixed(32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockAnswer(Record):
    """0 none, 1 timed with the milliseconds left, 2 permanent."""

    lock: Lock
    remaining_ms: Annotated[int, UpTo(1 << 45)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlock(User):
    """End the user's lockouts with the PIN."""

    pin: Annotated[bytes, _PIN]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorIdAnswer(Record):
    """0 when nothing is enrolled."""

    authenticator_id: Annotated[int, U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyToken(Record):
    """A token to check."""

    token: Annotated[bytes, _TOKEN]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFields(Record):
    """What a genuine token says."""

    challenge: Annotated[int, U64]
    user_id: Annotated[int, U64]
    authenticator_id: Annotated[int, U64]
    authenticator_type: Annotated[int, UpTo(0xFFFF_FFFF)]
    timestamp_ms: Annotated[int, U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalFrame(Record):
    """An error, as on the command line."""

    code: Annotated[str, Text(64)]
    message: Annotated[str, Text(400)]
    hint: Annotated[str, Text(400)]
    exit_code: Annotated[int, UpTo(255)]
