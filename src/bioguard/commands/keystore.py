"""Commands of the Keystore trusted application: keys that need a token, by KeyMint's authorization rules."""

from enum import IntEnum, unique
from typing import Annotated
from uuid import UUID

from bioguard.commands.status import KeystoreDone, KeystoreError
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import U64, AtMost, Fixed, Items, Record, UpTo
from tee_sim.shared.ta_api import Command

KEYSTORE_UUID = UUID("9a418d0c-2c7c-5f03-8b7a-01c21d52c6e3")

U32_MAX = 0xFFFF_FFFF
MAX_INPUT_BYTES = 4096


@unique
class KeyAlgorithm(IntEnum):
    """What a key does."""

    HMAC_SHA256 = 128
    """keymint Algorithm.HMAC."""
    ED25519 = 3
    """keymint Algorithm.EC on curve 25519."""


@unique
class KeyPurpose(IntEnum):
    """keymint KeyPurpose."""

    SIGN = 2
    VERIFY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizations(Record):
    """Who may use a key.

    Attributes:
        secure_ids: USER_SECURE_ID, repeatable: one must equal the token's user id or authenticator id.
        no_auth_required: NO_AUTH_REQUIRED, exclusive with secure_ids.
        auth_types: USER_AUTH_TYPE mask; one bit must be in the token's type.
        timeout_s: AUTH_TIMEOUT; None means a token for each operation.
    """

    secure_ids: Annotated[tuple[int, ...], Items(8, U64)] = ()
    no_auth_required: bool = False
    auth_types: Annotated[int, UpTo(U32_MAX)] = 0
    timeout_s: Annotated[int, UpTo(U32_MAX)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateKey(Record):
    """Make a key. It never leaves."""

    algorithm: KeyAlgorithm
    authorizations: Authorizations


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated(Record):
    """key_id with OK; public_key for ED25519."""

    error: KeystoreError
    key_id: Annotated[bytes, Fixed(16)] | None = None
    public_key: Annotated[bytes, Fixed(32)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin(Record):
    """Start an operation. A timeout key needs its token here, a per-operation key at the end."""

    key_id: Annotated[bytes, Fixed(16)]
    purpose: KeyPurpose
    token: Annotated[bytes, AtMost(256)] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun(Record):
    """The operation handle is the challenge that a per-operation token must carry."""

    error: KeystoreError
    operation: Annotated[int, U64] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish(Record):
    """End an operation; its handle is gone afterwards, whatever the answer."""

    operation: Annotated[int, U64]
    message: Annotated[bytes, AtMost(MAX_INPUT_BYTES)]
    signature: Annotated[bytes, AtMost(64)] = b""
    token: Annotated[bytes, AtMost(256)] = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Record):
    """mac for HMAC, signature for ED25519; neither for VERIFY."""

    error: KeystoreError
    mac: Annotated[bytes, Fixed(32)] | None = None
    signature: Annotated[bytes, Fixed(64)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort(Record):
    """Give an operation up."""

    operation: Annotated[int, U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteKey(Record):
    """Destroy a key. An absent one is no error."""

    key_id: Annotated[bytes, Fixed(16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckToken(Record):
    """Ask whether a token was made in this boot of this device. Tells what its holder could try anyway: yes or no."""

    token: Annotated[bytes, AtMost(256)]


GENERATE_KEY = Command(1, GenerateKey, Generated)
BEGIN = Command(2, Begin, Begun)
FINISH = Command(3, Finish, Finished)
ABORT = Command(4, Abort, KeystoreDone)
DELETE_KEY = Command(5, DeleteKey, KeystoreDone)
CHECK_TOKEN = Command(6, CheckToken, KeystoreDone)
