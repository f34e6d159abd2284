"""Describe a sensor, as far as the contract looks at it (common/CommonProps.aidl, SensorProps.aidl of both kinds)."""

from enum import IntEnum, unique

from bioguard.errors import InputRefused
from bioguard.records.modality import Modality
from bioguard.records.strength import SensorStrength
from tee_sim.shared.dataclass import dataclass


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


@dataclass(frozen=True, slots=True)
class Location:
    """Where an under-display or side sensor is, in pixels (fingerprint/SensorLocation.aidl)."""

    x: int
    y: int
    radius: int
    display: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorProps:
    """Properties that do not change while the device runs.

    Attributes:
        sensor_id: from 0, shared across kinds.
        kind: fingerprint or face.
        strength: Class 1, 2 or 3.
        max_enrollments: per user.
        sensor_type: FingerprintSensorType or FaceSensorType by kind.
        detect_interaction: whether presence alone can be asked for.
        component_id: names the component in ComponentInfo.
        location: None where the sensor is not under or beside the display.
        navigation_gestures, handles_display_touches, controls_illumination: as in SensorProps.aidl.
    """

    sensor_id: int
    kind: Modality
    strength: SensorStrength = SensorStrength.STRONG
    max_enrollments: int = 5
    sensor_type: FingerprintSensorType | FaceSensorType = FingerprintSensorType.REAR
    detect_interaction: bool = True
    component_id: str = "bioguard simulator"
    location: Location | None = None
    navigation_gestures: bool = False
    handles_display_touches: bool = False
    controls_illumination: bool = False

    def __post_init__(self) -> None:
        expected = FingerprintSensorType if self.kind is Modality.FINGERPRINT else FaceSensorType
        if self.sensor_id < 0 or self.max_enrollments < 1 or not isinstance(self.sensor_type, expected):
            raise InputRefused(
                "sensor properties do not fit together", hint="ids from 0, at least one enrollment", code="sensor.props"
            )

    @property
    def under_display(self) -> bool:
        """Whether a capture starts when the display is ready, not when the finger is down."""
        return self.kind is Modality.FINGERPRINT and self.sensor_type in (
            FingerprintSensorType.UNDER_DISPLAY_OPTICAL,
            FingerprintSensorType.UNDER_DISPLAY_ULTRASONIC,
        )


FINGERPRINT = SensorProps(sensor_id=0, kind=Modality.FINGERPRINT)
FACE = SensorProps(sensor_id=1, kind=Modality.FACE, sensor_type=FaceSensorType.RGB, max_enrollments=2)
SENSOR_IDS = {props.kind: props.sensor_id for props in (FINGERPRINT, FACE)}
"""The sensor of each modality on this device."""
