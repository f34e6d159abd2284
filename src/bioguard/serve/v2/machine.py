"""Records of the device itself: hello, keys, attestation and log, clock, faults, simulated people."""

from enum import IntEnum, unique
from typing import Annotated

from bioguard.commands.keystore import MAX_INPUT_BYTES, KeyAlgorithm
from bioguard.records.modality import Modality
from bioguard.records.strength import SensorStrength
from bioguard.serve.protocol import User
from bioguard.serve.v2.values import (
    BYTE,
    MAX_SAMPLE_BYTES,
    MAX_SENSORS,
    MILLISECONDS,
    RECORD_ID,
    SENSOR,
    TOKEN,
    U32,
    WORD,
    PresentedForm,
)
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import U64, AtMost, Fixed, Items, Record, Text, UpTo


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsEntry(Record):
    """queue: operations of a session that may wait. sessions: open at once, one of each modality."""

    frame_bytes: Annotated[int, U32]
    sample_bytes: Annotated[int, U32]
    queue: Annotated[int, BYTE]
    sessions: Annotated[int, BYTE]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceEntry(Record):
    """Where a sensor is under or beside the display, in pixels."""

    x: Annotated[int, U32]
    y: Annotated[int, U32]
    radius: Annotated[int, U32]


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorEntry(Record):
    """One sensor, as SensorProps.aidl. sensor_type: FingerprintSensorType or FaceSensorType by the modality."""

    sensor: Annotated[int, SENSOR]
    modality: Modality
    strength: SensorStrength
    max_enrollments: Annotated[int, BYTE]
    sensor_type: Annotated[int, UpTo(5)]
    detect_interaction: bool
    navigation_gestures: bool
    handles_display_touches: bool
    controls_illumination: bool
    place: PlaceEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHello(Record):
    """What answers here.

    Attributes:
        version: of the protocol.
        simulated: always true.
        sandbox_level: the verdict on the secure world that runs now, in the words of `bioguard doctor`.
        seeded: keys come from a seed: for tests only.
        stepped_clock: time moves by clock_advance and by modeled latencies only.
        for_testing: a laboratory's device: no match gives a token.
        require_pin: nobody enrolls without a PIN.
        lockout_cascade: a lockout of a stronger sensor locks weaker ones.
        fingerprint_version, face_version: of the AIDL interfaces that sessions follow.
        restarts: how often the secure world was started again in this connection.
    """

    version: Annotated[int, UpTo(65_535)]
    software: Annotated[str, Text(32)]
    simulated: bool
    sandbox_level: Annotated[str, Text(32)]
    seeded: bool
    stepped_clock: bool
    for_testing: bool
    require_pin: bool
    lockout_cascade: bool
    fingerprint_version: Annotated[int, BYTE]
    face_version: Annotated[int, BYTE]
    restarts: Annotated[int, U32]
    limits: LimitsEntry
    sensors: Annotated[tuple[SensorEntry, ...], Items(MAX_SENSORS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCreateRequest(User):
    """timeout_s: how long after an authentication the key can be used; null: a token for each operation."""

    algorithm: KeyAlgorithm
    biometric_only: bool
    invalidated_by_enrollment: bool
    timeout_s: Annotated[int, U32] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAnswer(Record):
    """secure_ids: what it is bound to: the PIN's secure user id, or authenticator ids. public_key: of ED25519."""

    key_id: Annotated[bytes, RECORD_ID]
    secure_ids: Annotated[tuple[int, ...], Items(8, U64)]
    public_key: Annotated[bytes, Fixed(32)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyBeginRequest(Record):
    """Begin a signature. token: a fresh one for a key with a timeout; empty: none."""

    key_id: Annotated[bytes, RECORD_ID]
    token: Annotated[bytes, TOKEN]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOperationAnswer(Record):
    """The operation_id to authenticate with, for a key that wants a token for each operation."""

    operation: Annotated[int, U64]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFinishRequest(Record):
    """End a signature; the operation is gone afterwards, whatever the answer."""

    operation: Annotated[int, U64]
    message: Annotated[bytes, AtMost(MAX_INPUT_BYTES)]
    token: Annotated[bytes, TOKEN]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureAnswer(Record):
    """32 bytes of HMAC-SHA-256, or 64 of Ed25519."""

    signature: Annotated[bytes, AtMost(64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDeleteRequest(Record):
    """One key. An absent one is no error where it is deleted."""

    key_id: Annotated[bytes, RECORD_ID]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVerdictRequest(User):
    """secure_ids: of the answer to key_create."""

    secure_ids: Annotated[tuple[int, ...], Items(8, U64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyVerdictAnswer(Record):
    """false: permanently invalidated, no token of this user can release the key any more."""

    usable: bool


@unique
class AttestationProfile(IntEnum):
    """Profile of an attestation token (docs/formats/attestation.md)."""

    RFC9783 = 0
    TFM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestRequest(Record):
    """nonce: 32, 48 or 64 fresh bytes of the verifier."""

    nonce: Annotated[bytes, AtMost(64)]
    profile: AttestationProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationAnswer(Record):
    """A COSE_Sign1 token (docs/formats/attestation.md) and the P-256 point of its key."""

    token: Annotated[bytes, AtMost(65_536)]
    public_key: Annotated[bytes, Fixed(65)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHeadAnswer(Record):
    """size: entries. first_body: number of the first whose body is kept. key: Ed25519, of the log."""

    size: Annotated[int, UpTo(1 << 40)]
    root: Annotated[bytes, Fixed(32)]
    first_body: Annotated[int, UpTo(1 << 40)]
    key: Annotated[bytes, Fixed(32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReadRequest(Record):
    """Entries from number first on."""

    first: Annotated[int, UpTo(1 << 40)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLeafEntry(Record):
    """leaf: SHA-256(00 || "bioguard log entry v1" || 00 || entry). entry: canonical CBOR (log.md); null: pruned."""

    leaf: Annotated[bytes, Fixed(32)]
    entry: Annotated[bytes, AtMost(512)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReadAnswer(Record):
    """Some of them, in order; none: the end."""

    items: Annotated[tuple[LogLeafEntry, ...], Items(256)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointAnswer(Record):
    """A C2SP checkpoint (docs/formats/log.md) and the verifier key of it, both UTF-8."""

    checkpoint: Annotated[bytes, AtMost(4_096)]
    vkey: Annotated[bytes, AtMost(512)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockAnswer(Record):
    """wall_ms since 1970-01-01 UTC; boot_ms since the boot, which timestamps of tokens and events count."""

    stepped: bool
    wall_ms: Annotated[int, MILLISECONDS]
    boot_ms: Annotated[int, MILLISECONDS]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockAdvanceRequest(Record):
    """Forward, from 1 ms."""

    ms: Annotated[int, MILLISECONDS]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEntry(Record):
    """A knob and its value, both as `bioguard fault list` writes them."""

    name: Annotated[str, WORD]
    value: Annotated[str, Text(6_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultsAnswer(Record):
    """seed of everything random in the faults, and the knobs that are not at their defaults."""

    seed: Annotated[int, U64]
    changed: Annotated[tuple[FaultEntry, ...], Items(256)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultClearRequest(Record):
    """One knob; empty: all of them."""

    name: Annotated[str, WORD]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultReportAnswer(Record):
    """Rules of storage and pipe that were set and did not fire so far, in the words of the scenario."""

    rules: Annotated[tuple[str, ...], Items(256, Text(400))]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioLoadRequest(Record):
    """A scenario file (docs/formats/scenario.md), UTF-8: its faults, seed and latencies take effect at once."""

    toml: Annotated[bytes, AtMost(262_144)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSampleRequest(Record):
    """position: 0 the face, 1 to 10 a finger. impression: which view or touch, from 0; each is another one."""

    person: Annotated[int, U32]
    position: Annotated[int, UpTo(10)]
    impression: Annotated[int, U32]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSampleAnswer(Record):
    """To be presented, or searched for."""

    form: PresentedForm
    sample: Annotated[bytes, AtMost(MAX_SAMPLE_BYTES)]
