"""All knobs: one table with name, kind of sensor, form, values, default and meaning. `bioguard fault list` prints it.

Names are those of the virtual HALs without their property prefix (`[persist.]vendor.fingerprint.virtual.` and
`vendor.face.virtual.`), which is accepted too. Knobs whose origin is "bioguard" have no counterpart there.
"""

from enum import Enum, unique

from bioguard.device.command_names import COMMANDS
from bioguard.hal.aidl_codes import VENDOR_OFFSET, ErrorCode, FaceAcquired, Feature
from bioguard.records.modality import Modality
from bioguard.simulate.knobs.grammar import MAX_INT, MAX_WAIT_MS
from tee_sim.shared.clock import MAX_STEP_MS
from tee_sim.shared.dataclass import dataclass


@unique
class Form(Enum):
    """How a value is written."""

    FLAG = "true or false"
    NUMBER = "a number"
    NUMBERS = "numbers between commas"
    LATENCY = "one number, or two for a range, in milliseconds"
    ENROLLMENT = "<id>:<ms>[-[codes]],...:<true|false>"
    TEXT = "a word"
    LOCATION = "x:y:radius[:display]"
    RATE = "a number from 0 to 1"
    PLAN = "point[@when]: action[(number)] [selector]; ... (docs/storage.md)"
    COMMAND = "a command of a trusted application, or the number of one of the biometric application's"


@unique
class ActsOn(Enum):
    """Where a knob does something. On a device samples are real, so knobs about ids and sensor properties do not."""

    VIRTUAL_HAL = "virtual HAL"
    DEVICE = "device"
    BOTH = "both"


@unique
class ReadAt(Enum):
    """When a value is read: a later one changes nothing."""

    SENSOR = "when the sensor is made"
    SESSION = "when a session is created"
    USE = "each time"


@dataclass(frozen=True, slots=True)
class Numbers:
    """Which numbers a value may have. words: the same, for a hint."""

    ranges: tuple[range, ...]
    words: str

    def __contains__(self, number: int) -> bool:
        return any(number in one for one in self.ranges)


def up_to(most: int, *, least: int = 0) -> Numbers:
    """From `least` to `most`, both allowed."""
    return Numbers((range(least, most + 1),), f"{least} to {most}")


MAX_VENDOR = 65_535
MAX_THRESHOLD = 1_000
"""Failures; far above any policy, and a session that reaches it takes seconds."""
MAX_LISTED = 1_000
MAX_VALUE_CHARS = 6_000
"""Of any value: MAX_LISTED acquired codes of five digits, with their commas."""
_VENDOR = range(VENDOR_OFFSET + 1, VENDOR_OFFSET + MAX_VENDOR + 1)
_VENDOR_WORDS = f"{_VENDOR[0]} to {_VENDOR[-1]} for a vendor code"
ERRORS = Numbers((range(max(ErrorCode) + 1), _VENDOR), f"0, 1 to {max(ErrorCode)} of Error.aidl, {_VENDOR_WORDS}")
ACQUIRED = Numbers(
    (range(max(FaceAcquired) + 1), _VENDOR), f"0 to {max(FaceAcquired)} of AcquiredInfo.aidl, {_VENDOR_WORDS}"
)
"""Of either kind: the face's has all numbers of the fingerprint's."""
_U63 = up_to((1 << 63) - 1)


@dataclass(frozen=True, slots=True)
class Knob:
    """One knob. numbers: which of them, for the forms that have any; choices: the words of a TEXT or COMMAND."""

    name: str
    form: Form
    default: str
    meaning: str
    kinds: tuple[Modality, ...] = (Modality.FINGERPRINT, Modality.FACE)
    choices: tuple[str, ...] = ()
    origin: str = "virtual HAL"
    numbers: Numbers = _U63
    acts_on: ActsOn = ActsOn.VIRTUAL_HAL
    read_at: ReadAt = ReadAt.USE

    @property
    def values(self) -> str:
        """What may be written, for people."""
        if self.choices and self.form is not Form.COMMAND:
            return " / ".join(self.choices)
        if self.form in (Form.NUMBER, Form.NUMBERS, Form.LATENCY):
            return f"{self.form.value}: {self.numbers.words}"
        return str(self.form.value)


_FP = (Modality.FINGERPRINT,)
_FACE = (Modality.FACE,)
_OURS = "bioguard"
_DEVICE = ActsOn.DEVICE
_BOTH = ActsOn.BOTH
_MADE = ReadAt.SENSOR
_SESSION = ReadAt.SESSION
_OPERATIONS = ("authenticate", "enroll", "detect_interaction")
_CAPTURED = ("authenticate", "detect_interaction")

_TABLE = (
    Knob(
        "type", Form.TEXT, "default", "sensor type", _FP, ("default", "rear", "udfps", "udfps-us", "side"),
        read_at=_MADE,
    ),
    Knob("face_type", Form.TEXT, "RGB", "sensor type", _FACE, ("RGB", "IR"), read_at=_MADE),
    Knob(
        "enrollments", Form.NUMBERS, "", "ids that are enrolled", numbers=up_to(MAX_INT, least=1), read_at=_SESSION
    ),
    Knob("enrollment_hit", Form.NUMBER, "0", "id that is presented; 0 is somebody unknown", numbers=up_to(MAX_INT)),
    Knob(
        "next_enrollment", Form.ENROLLMENT, "",
        "script of the next enrollment; forgotten when it ends, kept on cancel; a device makes its ids itself",
        acts_on=_BOTH,
    ),
    Knob(
        "authenticator_id", Form.NUMBER, "0", "authenticator id to start with; 0 leaves it alone", read_at=_SESSION
    ),
    Knob("challenge", Form.NUMBER, "0", "value of the next challenge; 0 leaves it random"),
    Knob(
        "features", Form.NUMBERS, "", "face features that are set", _FACE, numbers=up_to(max(Feature)),
        read_at=_SESSION,
    ),
    Knob("operation_authenticate_fails", Form.FLAG, "false", "every attempt is rejected", acts_on=_BOTH),
    Knob("operation_enroll_fails", Form.FLAG, "false", "every enrollment ends with UNABLE_TO_PROCESS", acts_on=_BOTH),
    Knob("operation_detect_interaction_fails", Form.FLAG, "false", "nobody is ever present", _FACE, acts_on=_BOTH),
    *(
        Knob(
            f"operation_{op}_error", Form.NUMBER, "0", "end with this error; 0 is none", numbers=ERRORS, acts_on=_BOTH
        )
        for op in _OPERATIONS
    ),
    *(
        Knob(
            f"operation_{op}_latency", Form.LATENCY, "400", "time before the answer", numbers=up_to(MAX_WAIT_MS),
            acts_on=_BOTH,
        )
        for op in _OPERATIONS
    ),
    *(
        Knob(
            f"operation_{op}_duration", Form.NUMBER, "10",
            "length of a capture in ms; its codes are spread over it", numbers=up_to(MAX_WAIT_MS), acts_on=_BOTH,
        )
        for op in _CAPTURED
    ),
    *(
        Knob(
            f"operation_{op}_acquired", Form.NUMBERS, "1", "acquired codes of a capture", numbers=ACQUIRED,
            acts_on=_BOTH,
        )
        for op in _CAPTURED
    ),
    Knob("sensor_id", Form.NUMBER, "0", "SensorProps.sensorId", numbers=up_to(15), read_at=_MADE),
    Knob(
        "sensor_strength", Form.NUMBER, "2", "0 convenience, 1 weak, 2 strong", choices=("0", "1", "2"), read_at=_MADE
    ),
    Knob("max_enrollments", Form.NUMBER, "5", "enrollments per user", numbers=up_to(10, least=1), read_at=_MADE),
    Knob("sensor_location", Form.LOCATION, "", "where it is, in pixels", _FP, read_at=_MADE),
    Knob(
        "navigation_guesture", Form.FLAG, "false", "SensorProps flag (spelled as in Android)", _FP, read_at=_MADE
    ),
    Knob("detect_interaction", Form.FLAG, "false", "whether presence detection is supported", read_at=_MADE),
    Knob("udfps.display_touch", Form.FLAG, "true", "SensorProps.halHandlesDisplayTouches", _FP, read_at=_MADE),
    Knob(
        "udfps.control_illumination", Form.FLAG, "false", "capture at touch, without waiting for the display", _FP,
        read_at=_MADE,
    ),
    Knob("lockout", Form.FLAG, "false", "permanently locked, with HW_UNAVAILABLE", acts_on=_BOTH),
    Knob(
        "lockout_enable", Form.FLAG, "false",
        "count failures by the four knobs below instead of the device's policy", read_at=_MADE,
    ),
    Knob("lockout_timed_enable", Form.FLAG, "true", "whether there is a timed tier", _FACE, read_at=_MADE),
    Knob(
        "lockout_timed_threshold", Form.NUMBER, "5", "failures until a timed lockout", numbers=up_to(MAX_THRESHOLD),
        read_at=_MADE,
    ),
    Knob(
        "lockout_timed_duration", Form.NUMBER, "10000", "its length in ms", numbers=up_to(MAX_STEP_MS), read_at=_MADE
    ),
    Knob(
        "lockout_permanent_threshold", Form.NUMBER, "20", "failures until only the PIN helps",
        numbers=up_to(MAX_THRESHOLD), read_at=_MADE,
    ),
    Knob(
        "sensor_noise", Form.RATE, "0", "how far samples are disturbed: 0 not at all, 1 beyond recognition",
        origin=_OURS, acts_on=_BOTH,
    ),
    Knob(
        "quality_sequence", Form.NUMBERS, "", "acquired codes of the next captures; only GOOD is compared",
        origin=_OURS, numbers=ACQUIRED, acts_on=_BOTH,
    ),
    Knob("wrong_finger", Form.FLAG, "false", "somebody else's sample is presented", origin=_OURS, acts_on=_BOTH),
    Knob(
        "spoof_score", Form.RATE, "0", "liveness doubt of what is presented; from spoof_limit on it is refused",
        origin=_OURS, acts_on=_BOTH,
    ),
    Knob(
        "spoof_limit", Form.RATE, "0.5", "doubt from which a presentation counts as an attack", origin=_OURS,
        acts_on=_BOTH,
    ),
    Knob(
        "storage", Form.PLAN, "", "what the untrusted disk and the RPMB do, power cuts included", origin=_OURS,
        acts_on=_DEVICE,
    ),
    Knob(
        "pipe", Form.TEXT, "none", "what happens to messages on their way in",
        choices=("none", "truncate", "garble", "cut"), origin=_OURS, acts_on=_DEVICE,
    ),
    Knob(
        "pipe_after", Form.NUMBER, "0", "messages that pass before that", origin=_OURS, numbers=up_to(MAX_INT),
        acts_on=_DEVICE,
    ),
    Knob(
        "ta_panic", Form.COMMAND, "none", "the secure world dies at this command",
        choices=("none", *COMMANDS), origin=_OURS, acts_on=_DEVICE,
    ),
    Knob(
        "clock_step_ms", Form.NUMBER, "0", "a stepped clock jumps ahead this far before the next operation, once",
        origin=_OURS, numbers=up_to(MAX_STEP_MS), acts_on=_DEVICE,
    ),
)  # fmt: skip
KNOBS: dict[str, Knob] = {k.name: k for k in _TABLE}
