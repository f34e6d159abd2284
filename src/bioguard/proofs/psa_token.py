"""PSA attestation token (RFC 9783, an EAT profile of RFC 9711) of a simulated device.

The claims are the standard's; what is ours travels as software components, so a stock verifier accepts the token:

    type          value (32 bytes)                          version
    PRoT          digest over the simulator's files         its name and version
    App           digest over the product's files           its name and version
    ARoT_NATIVE   SHA-256 of one compiled file              its name
    PRoT_CONFIG   hash of the system call filter in force   sandbox verdict, in words
    ARoT          measurement of one trusted application    its name and version (one component each)
    PRoT_HOST     hash of that of an application's process  its name and how many it has (one component each)
    PRoT_SETTINGS hash of the words beside it               clock, randomness, and whether callers choose the rates
    TS            root of the transparency log              "log size N"

Two export profiles, because the standard and Trusted Firmware's own verifier disagree about the boot seed: `rfc9783`
(key 268, optional) and `tfm` (key 2397, mandatory).

The security lifecycle never says "secured": a simulator has no root of trust to secure.
"""

from collections.abc import Sequence
from enum import Enum, IntEnum, unique
from typing import Any, Self, cast

from bioguard.proofs import cose
from bioguard.proofs.encoding import PARSE_FAULTS, ProofInvalid
from tee_sim.shared import codec
from tee_sim.shared.dataclass import dataclass

PROFILE = "tag:psacertified.org,2023:psa#tfm"
NONCE_SIZES = frozenset({32, 48, 64})
"""RFC 9783 section 4.1.1."""
CLIENT_ID_NON_SECURE = -1
"""RFC 9783 section 4.1.2: negative for a caller in the non-secure processing environment."""
_NONCE, _UEID, _PROFILE, _BOOT_SEED_RFC = 10, 256, 265, 268
_CLIENT, _LIFECYCLE, _IMPLEMENTATION, _BOOT_SEED_TFM, _COMPONENTS = 2394, 2395, 2396, 2397, 2399
_TYPE, _VALUE, _VERSION, _SIGNER, _HASH = 1, 2, 4, 5, 6
MAX_COMPONENTS = 32
MAX_TEXT = 128


@unique
class Lifecycle(IntEnum):
    """RFC 9783 section 4.3.1, without SECURED (0x3000): this code cannot say it."""

    UNKNOWN = 0x0000
    ASSEMBLY_AND_TEST = 0x1000
    PROVISIONING = 0x2000
    NON_PSA_ROT_DEBUG = 0x4000
    RECOVERABLE_PSA_ROT_DEBUG = 0x5000
    DECOMMISSIONED = 0x6000


class EatProfile(Enum):
    """Where the boot seed goes."""

    RFC9783 = "rfc9783"
    TFM = "tfm"

    @property
    def boot_seed_key(self) -> int:
        """Claim key of the boot seed."""
        return _BOOT_SEED_RFC if self is EatProfile.RFC9783 else _BOOT_SEED_TFM


def _refuse(why: str) -> ProofInvalid:
    return ProofInvalid(f"attestation token: {why}", hint="ask the device for a new token with your own nonce")


def check_nonce(nonce: bytes) -> None:
    """Raises ProofInvalid unless the nonce has 32, 48 or 64 bytes."""
    if len(nonce) not in NONCE_SIZES:
        raise _refuse("the nonce must have 32, 48 or 64 bytes")


@dataclass(frozen=True, slots=True)
class SoftwareComponent:
    """One measured thing. `measurement` and `signer` are SHA-256 values (32 bytes)."""

    kind: str
    measurement: bytes
    version: str
    signer: bytes

    def __post_init__(self) -> None:
        if len(self.measurement) != 32 or len(self.signer) != 32:
            raise _refuse("a measurement is not 32 bytes")
        if any(not t.isascii() or not t.isprintable() or not 0 < len(t) <= MAX_TEXT for t in (self.kind, self.version)):
            raise _refuse("a component's type or version is not short ASCII text")

    def _plain(self) -> dict[int, object]:
        return {
            _TYPE: self.kind,
            _VALUE: self.measurement,
            _VERSION: self.version,
            _SIGNER: self.signer,
            _HASH: "sha-256",
        }

    @classmethod
    def _read(cls, raw: Any) -> Self:
        if dict(raw).keys() != {_TYPE, _VALUE, _VERSION, _SIGNER, _HASH} or raw[_HASH] != "sha-256":
            raise _refuse("a software component has unexpected fields")
        return cls(raw[_TYPE], raw[_VALUE], raw[_VERSION], raw[_SIGNER])


@dataclass(frozen=True, slots=True)
class Claims:
    """What the device says about itself.

    Attributes:
        nonce: 32, 48 or 64 bytes from the caller.
        instance_id: 33 bytes, 0x01 and the SHA-256 of the attestation public key.
        implementation_id: 32 bytes, names the simulator's version.
        boot_seed: 32 bytes, new at every start of the secure world.
        lifecycle: never SECURED.
        components: what runs, and in which state.
    """

    nonce: bytes
    instance_id: bytes
    implementation_id: bytes
    boot_seed: bytes
    lifecycle: Lifecycle
    components: tuple[SoftwareComponent, ...]

    def __post_init__(self) -> None:
        check_nonce(self.nonce)
        if len(self.instance_id) != 33 or self.instance_id[0] != 1:
            raise _refuse("the instance id is not 01 and a hash")
        if len(self.implementation_id) != 32 or len(self.boot_seed) != 32:
            raise _refuse("the implementation id or boot seed is not 32 bytes")
        if not 0 < len(self.components) <= MAX_COMPONENTS:
            raise _refuse(f"1 to {MAX_COMPONENTS} software components are allowed")
        Lifecycle(self.lifecycle)

    def to_payload(self, profile: EatProfile) -> bytes:
        """The CBOR claims set that is signed."""
        claims = {
            _NONCE: self.nonce,
            _UEID: self.instance_id,
            _PROFILE: PROFILE,
            profile.boot_seed_key: self.boot_seed,
            _CLIENT: CLIENT_ID_NON_SECURE,
            _LIFECYCLE: int(self.lifecycle),
            _IMPLEMENTATION: self.implementation_id,
            _COMPONENTS: [c._plain() for c in self.components],
        }
        return codec.encode(claims)

    @classmethod
    def from_payload(cls, payload: bytes) -> tuple[Self, EatProfile]:
        """Read a claims set strictly.

        Raises:
            ProofInvalid: missing or unknown claims, a lifecycle that claims SECURED, not canonical.
        """
        try:
            raw = cast("dict[int, Any]", codec.decode(payload))
            profile = EatProfile.RFC9783 if _BOOT_SEED_RFC in raw else EatProfile.TFM
            lifecycle = raw[_LIFECYCLE]
            if lifecycle not in list(Lifecycle):
                raise _refuse("its lifecycle is one a simulator must not claim")
            claims = cls(
                raw[_NONCE],
                raw[_UEID],
                raw[_IMPLEMENTATION],
                raw[profile.boot_seed_key],
                Lifecycle(lifecycle),
                tuple(SoftwareComponent._read(c) for c in raw[_COMPONENTS]),
            )
            again = claims.to_payload(profile)
        except PARSE_FAULTS:
            raise _refuse("claims are missing or malformed") from None
        if again != payload:
            raise _refuse("claims are unknown or not canonical")
        return claims, profile

    @classmethod
    def verify(cls, token: bytes, public_key: bytes, nonce: bytes) -> tuple[Self, EatProfile]:
        """Check a token's signature, form and freshness.

        Raises:
            ProofInvalid: any of them fails.
        """
        claims, profile = cls.from_payload(cose.verify(token, public_key))
        if claims.nonce != nonce:
            raise _refuse("it answers another nonce")
        return claims, profile

    def component(self, kind: str) -> Sequence[SoftwareComponent]:
        """All components of one type."""
        return tuple(c for c in self.components if c.kind == kind)
