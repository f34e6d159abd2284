"""All knobs: one table with name, kind of sensor, form, default and meaning. `bioguard fault list` prints it.

Names are those of the virtual HALs without their property prefix (`[persist.]vendor.fingerprint.virtual.` and
`vendor.face.virtual.`), which is accepted too. SensorProperties marked "bioguard" have no counterpart there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique

from bioguard.errors import InputRefused
from bioguard.records.modality import Modality
from bioguard.simulate.faults import grammar
from tee_sim.shared.clock import MAX_STEP_MS
from tee_sim.shared.errors import TeeError
from tee_sim.testing.faults import FaultPlan


@unique
class Form(Enum):
    """How a value is written."""

    FLAG = "true or false"
    NUMBER = "a number from 0"
    NUMBERS = "numbers between commas"
    LATENCY = "one number, or two for a range, in milliseconds"
    ENROLLMENT = "<id>:<ms>[-[codes]],...:<true|false>"
    TEXT = "a word"
    RATE = "a number from 0 to 1"
    PLAN = "point[@when]: action[(number)] [selector]; ... (docs/storage.md)"


@unique
class ActsOn(Enum):
    """Where a knob does something. On a device samples are real, so knobs about ids and sensor properties do not."""

    VIRTUAL_HAL = "virtual HAL"
    DEVICE = "device"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Knob:
    """One knob."""

    name: str
    form: Form
    default: str
    meaning: str
    kinds: tuple[Modality, ...] = (Modality.FINGERPRINT, Modality.FACE)
    choices: tuple[str, ...] = ()
    origin: str = "virtual HAL"
    maximum: int = (1 << 63) - 1
    acts_on: ActsOn = ActsOn.VIRTUAL_HAL


_FP = (Modality.FINGERPRINT,)
_FACE = (Modality.FACE,)
_OURS = "bioguard"
_DEVICE = ActsOn.DEVICE
_BOTH = ActsOn.BOTH

_TABLE = (
    Knob("type", Form.TEXT, "default", "sensor type", _FP, ("default", "rear", "udfps", "udfps-us", "side")),
    Knob("face_type", Form.TEXT, "RGB", "sensor type", _FACE, ("RGB", "IR")),
    Knob("enrollments", Form.NUMBERS, "", "ids that are enrolled"),
    Knob("enrollment_hit", Form.NUMBER, "0", "id that is presented; 0 is somebody unknown"),
    Knob(
        "next_enrollment", Form.ENROLLMENT, "", "script of the next enrollment; forgotten when it ends, kept on cancel"
    ),
    Knob("authenticator_id", Form.NUMBER, "0", "authenticator id to start with; 0 leaves it alone"),
    Knob("challenge", Form.NUMBER, "0", "value of the next challenge; 0 leaves it random"),
    Knob("features", Form.NUMBERS, "", "face features that are set", _FACE),
    Knob("operation_authenticate_fails", Form.FLAG, "false", "every attempt is rejected", acts_on=_BOTH),
    Knob("operation_enroll_fails", Form.FLAG, "false", "every enrollment ends with UNABLE_TO_PROCESS", acts_on=_BOTH),
    Knob("operation_detect_interaction_fails", Form.FLAG, "false", "nobody is ever present", _FACE),
    *(
        Knob(f"operation_{op}_error", Form.NUMBER, "0", "end with this error; above 1000 a vendor code", acts_on=on)
        for op, on in (("authenticate", _BOTH), ("enroll", _BOTH), ("detect_interaction", ActsOn.VIRTUAL_HAL))
    ),
    *(
        Knob(f"operation_{op}_latency", Form.LATENCY, "400", "time before the answer", acts_on=on)
        for op, on in (("authenticate", _BOTH), ("enroll", _BOTH), ("detect_interaction", ActsOn.VIRTUAL_HAL))
    ),
    *(
        Knob(
            f"operation_{op}_duration",
            Form.NUMBER,
            "10",
            "length of a capture in ms; its codes are spread over it",
            acts_on=on,
        )
        for op, on in (("authenticate", _BOTH), ("detect_interaction", ActsOn.VIRTUAL_HAL))
    ),
    *(
        Knob(f"operation_{op}_acquired", Form.NUMBERS, "1", "acquired codes of a capture", acts_on=on)
        for op, on in (("authenticate", _BOTH), ("detect_interaction", ActsOn.VIRTUAL_HAL))
    ),
    Knob("sensor_id", Form.NUMBER, "0", "SensorProps.sensorId"),
    Knob("sensor_strength", Form.NUMBER, "2", "0 convenience, 1 weak, 2 strong", choices=("0", "1", "2")),
    Knob("max_enrollments", Form.NUMBER, "5", "enrollments per user"),
    Knob("sensor_location", Form.TEXT, "", "x:y:radius[:display]", _FP),
    Knob("navigation_guesture", Form.FLAG, "false", "SensorProps flag (spelled as in Android)", _FP),
    Knob("detect_interaction", Form.FLAG, "false", "whether presence detection is supported"),
    Knob("udfps.display_touch", Form.FLAG, "true", "SensorProps.halHandlesDisplayTouches", _FP),
    Knob("udfps.control_illumination", Form.FLAG, "false", "capture at touch, without waiting for the display", _FP),
    Knob("lockout", Form.FLAG, "false", "permanently locked, with HW_UNAVAILABLE", acts_on=_BOTH),
    Knob("lockout_enable", Form.FLAG, "false", "count failures by the four knobs below instead of the device's policy"),
    Knob("lockout_timed_enable", Form.FLAG, "true", "whether there is a timed tier", _FACE),
    Knob("lockout_timed_threshold", Form.NUMBER, "5", "failures until a timed lockout"),
    Knob("lockout_timed_duration", Form.NUMBER, "10000", "its length in ms"),
    Knob("lockout_permanent_threshold", Form.NUMBER, "20", "failures until only the PIN helps"),
    Knob(
        "sensor_noise",
        Form.RATE,
        "0",
        "how far samples are disturbed: 0 not at all, 1 beyond recognition",
        origin=_OURS,
        acts_on=_BOTH,
    ),
    Knob(
        "quality_sequence",
        Form.NUMBERS,
        "",
        "acquired codes of the next captures; only GOOD is compared",
        origin=_OURS,
        acts_on=_BOTH,
    ),
    Knob("wrong_finger", Form.FLAG, "false", "somebody else's sample is presented", origin=_OURS, acts_on=_BOTH),
    Knob(
        "spoof_score",
        Form.RATE,
        "0",
        "liveness doubt of what is presented; from spoof_limit on it is refused",
        origin=_OURS,
        acts_on=_BOTH,
    ),
    Knob(
        "spoof_limit",
        Form.RATE,
        "0.5",
        "doubt from which a presentation counts as an attack",
        origin=_OURS,
        acts_on=_BOTH,
    ),
    Knob(
        "storage",
        Form.PLAN,
        "",
        "what the untrusted disk and the RPMB do, power cuts included",
        origin=_OURS,
        acts_on=_DEVICE,
    ),
    Knob(
        "pipe",
        Form.TEXT,
        "none",
        "what happens to messages on their way in",
        choices=("none", "truncate", "garble", "cut"),
        origin=_OURS,
        acts_on=_DEVICE,
    ),
    Knob("pipe_after", Form.NUMBER, "0", "messages that pass before that", origin=_OURS, acts_on=_DEVICE),
    Knob(
        "ta_panic",
        Form.NUMBER,
        "0",
        "the secure world dies at this command number; 0 never",
        origin=_OURS,
        acts_on=_DEVICE,
    ),
    Knob(
        "clock_step_ms",
        Form.NUMBER,
        "0",
        "a stepped clock jumps ahead this far before the next operation, once",
        origin=_OURS,
        acts_on=_DEVICE,
        maximum=MAX_STEP_MS,
    ),
)
KNOBS: dict[str, Knob] = {k.name: k for k in _TABLE}
_PREFIXES = ("persist.vendor.fingerprint.virtual.", "vendor.fingerprint.virtual.", "persist.vendor.face.virtual.",
             "vendor.face.virtual.")  # fmt: skip


def knob(name: str) -> Knob:
    """Find a knob by its name, with or without Android's prefix.

    Raises:
        InputRefused: there is none.
    """
    for prefix in _PREFIXES:
        short = name.removeprefix(prefix)
        if short != name:
            name = "face_type" if short == "type" and "face" in prefix else short
            break
    name = {"strength": "sensor_strength"}.get(name, name)
    if name not in KNOBS:
        raise InputRefused(f"there is no knob {name[:60]!r}", hint="run: bioguard fault list", code="fault.unknown")
    return KNOBS[name]


def _check_plan(value: str) -> None:
    try:
        FaultPlan.parse(value)
    except TeeError as error:
        raise InputRefused(
            error.message, hint="see docs/storage.md for the fault language", code="fault.value"
        ) from None


def checked(entry: Knob, value: str) -> str:
    """The value as it is kept.

    Raises:
        InputRefused: the knob has no such value.
    """
    value = value.strip()
    good = True
    if entry.form is Form.FLAG:
        value = {"1": "true", "0": "false"}.get(value, value)
        good = value in ("true", "false")
    elif entry.form is Form.NUMBER:
        good = (
            value.isascii() and value.isdecimal() and len(value) <= grammar.MAX_DIGITS and int(value) <= entry.maximum
        )
        value = str(int(value)) if good else value
    elif entry.form is Form.NUMBERS:
        good = value == "" or bool(grammar.int_sequence(value))
        value = ",".join(map(str, grammar.int_sequence(value)))
    elif entry.form is Form.LATENCY:
        good = len(grammar.int_sequence(value)) in (1, 2)
        value = ",".join(map(str, grammar.int_sequence(value)))
    elif entry.form is Form.RATE:
        good = value.isascii() and value.replace(".", "", 1).isdecimal() and 0 <= float(value) <= 1
        value = f"{float(value):g}" if good else value
    elif entry.form is Form.PLAN:
        _check_plan(value)
    elif entry.form is Form.ENROLLMENT and value:
        value = str(grammar.next_enrollment(value))
    if not good or (entry.choices and value not in entry.choices):
        wanted = " or ".join(entry.choices) if entry.choices else entry.form.value
        raise InputRefused(f"cannot use this value for {entry.name}", hint=f"write {wanted}", code="fault.value")
    return value


class SensorProperties:
    """Values of all knobs of one sensor. Unset ones have their defaults."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values: dict[str, str] = {}
        for name, value in (values or {}).items():
            self.set(name, value)

    def set(self, name: str, value: str) -> None:
        """Check and set one knob; setting the default clears it.

        Raises:
            InputRefused: unknown name or unusable value; the old value stays.
        """
        entry = knob(name)
        kept = checked(entry, value)
        self._values[entry.name] = kept
        if kept == entry.default:
            del self._values[entry.name]

    def clear(self, name: str | None = None) -> None:
        """Back to the default: one knob, or all (the virtual HAL's resetconfig)."""
        if name is None:
            self._values.clear()
        else:
            self._values.pop(knob(name).name, None)

    def changed(self) -> dict[str, str]:
        """What is not at its default, in table order."""
        return {name: self._values[name] for name in KNOBS if name in self._values}

    def text(self, name: str) -> str:
        """The value as written."""
        return self._values.get(name, KNOBS[name].default)

    def flag(self, name: str) -> bool:
        """A FLAG."""
        return self.text(name) == "true"

    def number(self, name: str) -> int:
        """A NUMBER."""
        return int(self.text(name))

    def numbers(self, name: str) -> tuple[int, ...]:
        """A NUMBERS or LATENCY list."""
        return grammar.int_sequence(self.text(name))

    def rate(self, name: str) -> float:
        """A RATE."""
        return float(self.text(name))
