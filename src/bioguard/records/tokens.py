"""The hardware auth token: 69 bytes that say who was authenticated, by what, when, and for which operation.

Layout (Android `hw_auth_token_t` version 0, packed; docs/formats/token.md). The byte order is mixed and fixed:

| offset | bytes | field              | byte order |
|--------|-------|--------------------|------------|
| 0      | 1     | version            | always 0   |
| 1      | 8     | challenge          | little     |
| 9      | 8     | user_id            | little     |
| 17     | 8     | authenticator_id   | little     |
| 25     | 4     | authenticator_type | big        |
| 29     | 8     | timestamp_ms       | big        |
| 37     | 32    | mac                |            |

The MAC is HMAC-SHA-256 over bytes 0..36. `from_bytes` only reads; nothing in a token is true before `verify` returned
it. `repr` leaves the MAC out: tokens are credentials and are never logged.
"""

import hmac
import struct
from collections.abc import Callable
from dataclasses import field, fields
from enum import Enum, IntFlag, unique
from typing import ClassVar, Self

from bioguard.errors import InputRefused, NotPermitted
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.limits import U64_MAX

TOKEN_KEY_NAME = "auth-token"  # noqa: S105  # the name of a key, not a key
"""Name of the per-boot key in the manifests of the three trusted applications that have tokens made and checked."""
_U32 = 0xFFFF_FFFF


@unique
class AuthenticatorType(IntFlag):
    """`hw_authenticator_type_t`: a bit mask. FINGERPRINT stands for every biometric, faces too."""

    NONE = 0
    PASSWORD = 1
    FINGERPRINT = 2
    ANY = _U32


class MalformedToken(InputRefused):
    """The bytes are not a token of this version."""

    code = "token.malformed"


class TokenRejected(NotPermitted):
    """The MAC does not fit: changed, made elsewhere, or from another boot."""

    code = "token.rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthToken:
    """One token.

    Attributes:
        challenge: u64; 0, the operation handle of a key, or the challenge of an enrollment.
        user_id: u64 secure user id, made by Gatekeeper; not the user's name or number.
        authenticator_id: u64; 0 from Gatekeeper, the sensor's authenticator id from a biometric TA.
        authenticator_type: u32 mask, see AuthenticatorType.
        timestamp_ms: u64, milliseconds since boot.
        mac: 32 bytes.
    """

    VERSION: ClassVar[int] = 0
    SIZE_BYTES: ClassVar[int] = 69
    MACED_BYTES: ClassVar[int] = 37
    _HEAD: ClassVar[struct.Struct] = struct.Struct("<BQQQ")
    _TAIL: ClassVar[struct.Struct] = struct.Struct(">IQ")

    challenge: int
    user_id: int
    authenticator_id: int
    authenticator_type: int
    timestamp_ms: int
    mac: bytes = field(repr=False)

    def __post_init__(self) -> None:
        for name, limit in (
            ("challenge", U64_MAX),
            ("user_id", U64_MAX),
            ("authenticator_id", U64_MAX),
            ("authenticator_type", _U32),
            ("timestamp_ms", U64_MAX),
        ):
            if not 0 <= getattr(self, name) <= limit:
                raise MalformedToken(f"token field {name} is out of range", hint="fields are unsigned integers")
        if len(self.mac) != self.SIZE_BYTES - self.MACED_BYTES:
            raise MalformedToken("token MAC is not 32 bytes", hint="an unsigned AIDL token is not a token")

    @classmethod
    def sign(
        cls,
        key: bytes,
        *,
        challenge: int,
        user_id: int,
        authenticator_id: int,
        authenticator_type: int,
        timestamp_ms: int,
    ) -> Self:
        """Make a token. On a device the core makes them (`tee_sim.shared.statement`); this is for models of one.

        Raises:
            MalformedToken: a field is out of range.
        """
        unsigned = cls(
            challenge=challenge,
            user_id=user_id,
            authenticator_id=authenticator_id,
            authenticator_type=int(authenticator_type),
            timestamp_ms=timestamp_ms,
            mac=bytes(32),
        )
        values = {f.name: getattr(unsigned, f.name) for f in fields(unsigned)}
        return cls(**{**values, "mac": hmac.digest(key, unsigned.signed_bytes(), "sha256")})

    def signed_bytes(self) -> bytes:
        """The 37 bytes under the MAC."""
        head = self._HEAD.pack(self.VERSION, self.challenge, self.user_id, self.authenticator_id)
        return head + self._TAIL.pack(self.authenticator_type, self.timestamp_ms)

    def to_bytes(self) -> bytes:
        """The 69 bytes."""
        return self.signed_bytes() + self.mac

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a token. Says nothing about its truth.

        Raises:
            MalformedToken: not 69 bytes, or not version 0.
        """
        if len(data) != cls.SIZE_BYTES:
            raise MalformedToken(
                f"{len(data)} bytes, an auth token has {cls.SIZE_BYTES}",
                hint="send the token as it came from the device",
            )
        version, challenge, user_id, authenticator_id = cls._HEAD.unpack_from(data)
        if version != cls.VERSION:
            raise MalformedToken(
                f"auth token version {version}, only 0 is known", hint="check for a missing version byte"
            )
        authenticator_type, timestamp_ms = cls._TAIL.unpack_from(data, cls._HEAD.size)
        return cls(
            challenge=challenge,
            user_id=user_id,
            authenticator_id=authenticator_id,
            authenticator_type=authenticator_type,
            timestamp_ms=timestamp_ms,
            mac=bytes(data[cls.MACED_BYTES :]),
        )

    def verify(self, key: bytes) -> Self:
        """Return this token if its MAC was made with `key`; compares in constant time.

        Raises:
            TokenRejected: it was not.
        """
        if not hmac.compare_digest(self.mac, hmac.digest(key, self.signed_bytes(), "sha256")):
            raise TokenRejected(
                "the token's MAC does not verify", hint="tokens live until the device reboots: get a new one"
            )
        return self


Check = Callable[[bytes], bool]
"""Whether the MAC of a token is that of this boot. In an application this is the core's answer: no key is at hand."""


def verified_token(data: bytes, check: Check, *, now_ms: int) -> AuthToken:
    """The one check of a token's own truth: 69 bytes, the MAC of this boot's key, not from the future.

    What a consumer wants of it besides (type, age, owner, challenge) is that consumer's rule.

    Raises:
        TokenUnusable: one reason for all that is wrong, so that the answer does not help a forger.
    """
    try:
        token = AuthToken.from_bytes(data)
    except MalformedToken:
        raise TokenUnusable from None
    if not check(data):
        raise TokenUnusable
    # A token from the future is from before a reboot, or from a clock that somebody moved: its age cannot be known.
    if token.timestamp_ms > now_ms:
        raise TokenUnusable
    return token


@unique
class Denial(Enum):
    """Why an enrollment is not allowed. All that is wrong with a token is one reason, so that it tells nothing; the
    others are told to somebody without a token, or to the user, who has shown the PIN."""

    TOKEN = "the token is missing, wrong, or somebody else's"  # noqa: S105  # no password
    NO_PIN = "this device enrolls with a PIN, and the user has none"
    WITHOUT_PIN = "what is enrolled was enrolled without a PIN"
    OTHER_PIN = "what is enrolled belongs to a PIN that was reset since"


class TokenUnusable(NotPermitted):
    """The token does not allow this. One text for every reason; `why` is for the application's own answer."""

    code = "token.unusable"

    def __init__(self, why: Denial = Denial.TOKEN) -> None:
        super().__init__("the auth token does not allow this", hint="ask for the PIN again, with a fresh challenge")
        self.why = why
