"""What a trusted application answers: yes (0) or which no, and the replies that say no more than that.

One vocabulary for each interface, because their numbers are those of Android where Android has them and overlap: -2 is
RETRY_TIMEOUT of Gatekeeper and UNSUPPORTED_PURPOSE of Keystore. What each no is to a caller:
`bioguard.device.refusals`.
"""

from enum import IntEnum, unique

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import Record


@unique
class ReplyStatus(IntEnum):
    """Answers of the biometric application. A refusal changes nothing but the log and what time has ended."""

    OK = 0
    UNKNOWN_USER = 1
    UNKNOWN_RECORD = 2
    ALREADY_ENROLLED = 3
    DUPLICATE_FINGER = 4
    USER_FULL = 5
    STORE_FULL = 6
    POOR_QUALITY = 7
    INCONSISTENT_SAMPLES = 8
    WRONG_DIMENSION = 9
    NOT_ENROLLED = 10
    BAD_REQUEST = 11
    NOT_CONFIGURABLE = 12
    FMR_NOT_MEASURABLE = 13
    USER_EXISTS = 14
    LOCKED_TIMED = 15
    LOCKED_PERMANENT = 16
    TOKEN_REFUSED = 17
    NO_CONSENT = 18
    CONSENT_EXPIRED = 19
    SUSPENDED = 20
    OBJECTED = 21
    RESTRICTED = 22
    UNDERAGE = 23
    UNKNOWN_REQUEST = 24
    NOT_SUPPORTED = 25
    NOT_CONFIGURED = 26
    WRONG_LABEL = 27
    PIN_REQUIRED = 28
    ENROLLED_WITHOUT_PIN = 29
    ENROLLED_WITH_OTHER_PIN = 30
    NOT_OWNER = 31
    NOT_CENTERED = 32
    PROBE_NOT_CENTERED = 33
    PROBE_DIMENSION = 34
    RATE_NOT_OFFERED = 35
    RECORD_EXPIRED = 36
    PROFILE_REFUSED = 37
    NOT_CALIBRATED = 38
    OTHER_EXTRACTOR = 39
    SENSOR_ONLY = 40
    UNKNOWN_CAPTURE = 41
    SAMPLE_UNREADABLE = 42
    NO_SENSOR = 43
    UNKNOWN_SENSOR = 44
    NO_FEATURE = 45


@unique
class SensorStatus(IntEnum):
    """Answers of its sensor commands.

    Not `ReplyStatus`: these commands refuse for three reasons only, and a reply can carry no more out of the secure
    world than its type has values. Its numbers differ too: TOKEN_REFUSED is 17 there.
    """

    OK = 0
    UNKNOWN_USER = 1
    TOKEN_REFUSED = 2
    UNKNOWN_SENSOR = 3


@unique
class GatekeeperStatus(IntEnum):
    """IGatekeeper status codes."""

    OK = 0
    REENROLL = 1
    GENERAL_FAILURE = -1
    RETRY_TIMEOUT = -2
    NOT_IMPLEMENTED = -3


@unique
class KeystoreError(IntEnum):
    """android.hardware.security.keymint ErrorCode, the ones we give."""

    OK = 0
    UNSUPPORTED_PURPOSE = -2
    INCOMPATIBLE_PURPOSE = -3
    INVALID_AUTHORIZATION_TIMEOUT = -16
    KEY_USER_NOT_AUTHENTICATED = -26
    INVALID_OPERATION_HANDLE = -28
    VERIFICATION_FAILED = -30
    TOO_MANY_OPERATIONS = -31
    INVALID_KEY_BLOB = -33
    INVALID_ARGUMENT = -38


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing(Record):
    """A request without arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Record):
    """Just the status."""

    status: ReplyStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorDone(Record):
    """Just the status, of a sensor command."""

    status: SensorStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class GatekeeperDone(Record):
    """Just the status, of Gatekeeper."""

    status: GatekeeperStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class KeystoreDone(Record):
    """Just the status, of Keystore, which calls it an error."""

    error: KeystoreError
