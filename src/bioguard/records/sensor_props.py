"""Describe a sensor, as far as the contract looks at it (common/CommonProps.aidl, SensorProps.aidl of both kinds).

What a device's sensors are is sealed when it is made (`Configuration.sensor_table`): the secure world goes by it, and
the sessions of the normal world show it.
"""

from enum import IntEnum, unique
from typing import Annotated, Final, Self

from bioguard.errors import InputRefused
from bioguard.records.modality import Modality
from bioguard.records.strength import SensorStrength
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import Items, MisfitError, Record, UpTo

MAX_SENSOR_ID: Final = 15
MAX_SENSORS: Final = 8
"""Chosen: a phone has two to four. Each has a row of counts that every decision of it writes."""
MAX_ENROLLMENTS: Final = 10
"""Of a user on one sensor of a device: as many as there are fingers."""
MAX_USER_RECORDS: Final = 40
"""Of a user on all sensors together: the core reads 64 rows of whom a request names, free of charge
(docs/formats/budget.md), and consents, requests and a state for each sensor are among them."""
_MAX_PIXELS: Final = 65_535
_MAX_DISPLAY: Final = 32


@unique
class FingerprintSensorType(IntEnum):
    """fingerprint/FingerprintSensorType.aidl."""

    UNKNOWN = 0
    REAR = 1
    UNDER_DISPLAY_ULTRASONIC = 2
    UNDER_DISPLAY_OPTICAL = 3
    POWER_BUTTON = 4
    HOME_BUTTON = 5


@unique
class FaceSensorType(IntEnum):
    """face/FaceSensorType.aidl."""

    UNKNOWN = 0
    RGB = 1
    IR = 2


SENSOR_TYPES: Final[dict[Modality, type[FingerprintSensorType | FaceSensorType]]] = {
    Modality.FINGERPRINT: FingerprintSensorType,
    Modality.FACE: FaceSensorType,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Location(Record):
    """Where an under-display or side sensor is, in pixels (fingerprint/SensorLocation.aidl).

    letters: of the display's name, a byte each, as a reply of the secure world holds no text; none: the default one.
    """

    x: Annotated[int, UpTo(_MAX_PIXELS)]
    y: Annotated[int, UpTo(_MAX_PIXELS)]
    radius: Annotated[int, UpTo(_MAX_PIXELS)]
    letters: Annotated[tuple[int, ...], Items(_MAX_DISPLAY, UpTo(127))] = ()

    @classmethod
    def of(cls, x: int, y: int, radius: int, display: str = "") -> Self:
        """On a display, by its name in ASCII."""
        return cls(x=x, y=y, radius=radius, letters=tuple(display.encode("ascii")))

    @property
    def display(self) -> str:
        """The display's name; empty for the default one."""
        return bytes(self.letters).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorProps(Record):
    """Properties that do not change while the device runs.

    Attributes:
        sensor_id: from 0, shared across kinds.
        kind: fingerprint or face.
        strength: Class 1, 2 or 3.
        max_enrollments: per user.
        sensor_type: FingerprintSensorType or FaceSensorType by kind.
        detect_interaction: whether presence alone can be asked for.
        location: None where the sensor is not under or beside the display.
        navigation_gestures, handles_display_touches, controls_illumination: as in SensorProps.aidl.

    Raises:
        InputRefused: `sensor.props`: a negative id, no enrollments, or a type that its kind does not have.
    """

    sensor_id: Annotated[int, UpTo(MAX_SENSOR_ID)]
    kind: Modality
    strength: SensorStrength = SensorStrength.STRONG
    max_enrollments: Annotated[int, UpTo(255)] = 5
    sensor_type: Annotated[int, UpTo(5)] = FingerprintSensorType.REAR
    detect_interaction: bool = True
    location: Location | None = None
    navigation_gestures: bool = False
    handles_display_touches: bool = False
    controls_illumination: bool = False

    def __post_init__(self) -> None:
        if self.sensor_id < 0 or self.max_enrollments < 1 or self.sensor_type not in set(SENSOR_TYPES[self.kind]):
            raise InputRefused(
                "sensor properties do not fit together", hint="ids from 0, at least one enrollment", code="sensor.props"
            )

    @classmethod
    def from_plain(cls, raw: object) -> Self:
        """As `Record.from_plain`, also for what does not fit together: a request of anybody holds it."""
        try:
            return super(SensorProps, cls).from_plain(raw)  # noqa: UP008 - with slots the class is made anew
        except InputRefused as error:
            raise MisfitError(error.message) from None

    @property
    def component_id(self) -> str:
        """Names the component in ComponentInfo."""
        return "bioguard simulator"

    @property
    def under_display(self) -> bool:
        """Whether a capture starts when the display is ready, not when the finger is down."""
        return self.kind is Modality.FINGERPRINT and self.sensor_type in (
            FingerprintSensorType.UNDER_DISPLAY_OPTICAL,
            FingerprintSensorType.UNDER_DISPLAY_ULTRASONIC,
        )

    @property
    def type_word(self) -> str:
        """The type's name for people."""
        return SENSOR_TYPES[self.kind](self.sensor_type).name.lower().replace("_", "-")


def default_table(max_fingers: int = 5, max_faces: int = 2) -> tuple[SensorProps, ...]:
    """The sensors of a device whose maker names none: a strong one of each kind."""
    return (
        SensorProps(sensor_id=0, kind=Modality.FINGERPRINT, max_enrollments=max_fingers),
        SensorProps(sensor_id=1, kind=Modality.FACE, sensor_type=FaceSensorType.RGB, max_enrollments=max_faces),
    )


SENSOR_IDS: Final = {props.kind: props.sensor_id for props in default_table()}
"""The sensor of each kind on such a device."""


def flaw_of_table(table: tuple[SensorProps, ...]) -> str:
    """What is wrong with the sensors of a device; empty if nothing."""
    if not 1 <= len(table) <= MAX_SENSORS or [props.sensor_id for props in table] != list(range(len(table))):
        return f"a device has 1 to {MAX_SENSORS} sensors, numbered from 0 in their order"
    if any(props.max_enrollments > MAX_ENROLLMENTS for props in table):
        return f"a user has 1 to {MAX_ENROLLMENTS} records on a sensor"
    if sum(props.max_enrollments for props in table) > MAX_USER_RECORDS:
        return f"a user has at most {MAX_USER_RECORDS} records on all sensors together"
    return ""
