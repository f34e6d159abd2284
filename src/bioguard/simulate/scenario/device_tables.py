"""The tables `[device]` and `[[sensor]]` of a scenario: what a device is made as."""

from dataclasses import field

from bioguard.commands.configuration import DEFAULT_FMR_INVERSE, DEFAULT_FPIR_INVERSE, LockoutChoice
from bioguard.records.modality import Modality, Profile
from bioguard.records.sensor_props import FaceSensorType, FingerprintSensorType, Location, SensorProps
from bioguard.records.strength import SensorStrength
from bioguard.simulate.scenario import values
from bioguard.simulate.scenario.latency import SensorLatency
from bioguard.text import word
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest_file import Key, tables
from tee_sim.shared.manifest_values import ManifestError, Misfit, number, one_of, text

MAX_SENSORS = 8
MAX_ENROLLMENTS = 10
MAX_PIXELS = 65_535
_TYPES: dict[Modality, type[FingerprintSensorType] | type[FaceSensorType]] = {
    Modality.FINGERPRINT: FingerprintSensorType,
    Modality.FACE: FaceSensorType,
}
_DEFAULT_TYPES = {
    Modality.FINGERPRINT: FingerprintSensorType.REAR,
    Modality.FACE: FaceSensorType.RGB,
}
_DEFAULT_ENROLLMENTS = {Modality.FINGERPRINT: 5, Modality.FACE: 2}
"""Of a device without a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTable:
    """What a device is made as; the fields of `bioguard device init`, with its defaults.

    Attributes:
        seed: of the device's randomness; None for the kernel's.
        clock_ms: milliseconds since 1970 at which its stepped clock begins; None for the host's clocks.
        lockout_cascade: whether the lock of a sensor is the lock of weaker ones too.
        uncalibrated: whether features of any model are taken.
        fmr_inverse, fpir_inverse: N of 1/N.
    """

    seed: str | None = None
    clock_ms: int | None = None
    profile: Profile = Profile.STANDARD
    lockout: LockoutChoice = LockoutChoice.ANDROID_13
    lockout_cascade: bool = False
    require_pin: bool = True
    for_testing: bool = False
    uncalibrated: bool = False
    fmr_inverse: int = DEFAULT_FMR_INVERSE
    fpir_inverse: int = DEFAULT_FPIR_INVERSE


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorTable:
    """One sensor: its properties, its id is its place in the file; and how long it takes."""

    props: SensorProps
    latency: SensorLatency = field(default_factory=SensorLatency)


DEVICE_KEYS = tuple(
    Key(("device", name), f"device.{field_name}", read, example)
    for name, field_name, read, example in (
        ("seed", "seed", text(200), '"seven"'),
        ("clock", "clock_ms", values.clock, '"fixed:2026-01-31T12:00:00Z"'),
        ("profile", "profile", one_of({word(p): p for p in Profile}), '"standard"'),
        ("lockout", "lockout", one_of({word(c): c for c in LockoutChoice}), '"android-13"'),
        ("lockout_cascade", "lockout_cascade", values.flag, "false"),
        ("require_pin", "require_pin", values.flag, "true"),
        ("for_testing", "for_testing", values.flag, "false"),
        ("uncalibrated", "uncalibrated", values.flag, "false"),
        ("fmr", "fmr_inverse", values.rate, '"1/50000"'),
        ("fpir", "fpir_inverse", values.rate, '"1/100"'),
    )
)

_PIXELS = number(0, MAX_PIXELS)
_SENSOR_KEYS = (
    Key(("kind",), "kind", one_of({m.word: m for m in Modality}), '"fingerprint"', required=True),
    Key(("strength",), "strength", one_of({word(s): s for s in SensorStrength}), '"strong"'),
    Key(
        ("type",),
        "type_word",
        one_of(values.words_of({word(t): t for kind in _TYPES.values() for t in kind})),
        '"rear"',
    ),
    Key(("max_enrollments",), "max_enrollments", number(1, MAX_ENROLLMENTS), "5"),
    Key(("detect_interaction",), "detect_interaction", values.flag, "true"),
    *(Key(("location", part), part, _PIXELS, "600") for part in ("x", "y", "radius")),
    Key(("location", "display"), "display", text(32), '"inner"'),
    Key(("navigation_gestures",), "navigation_gestures", values.flag, "false"),
    Key(("handles_display_touches",), "handles_display_touches", values.flag, "false"),
    Key(("controls_illumination",), "controls_illumination", values.flag, "false"),
    Key(("latency_ms", "capture"), "capture", values.latency, "[300, 500]"),
    Key(("latency_ms", "match"), "match", values.latency, "40"),
)
_FINGERPRINT_ONLY = ("location", "navigation_gestures", "handles_display_touches", "controls_illumination")
_LATENCIES = ("capture", "match")
_PLACE = ("x", "y", "radius")


def _sensor(**fields: object) -> tuple[dict[str, object], SensorLatency]:
    """A sensor without its id."""
    kind = fields["kind"]
    assert isinstance(kind, Modality)  # noqa: S101 - the reader's own word
    latency = SensorLatency(**{name: fields.pop(name) for name in _LATENCIES if name in fields})  # type: ignore[arg-type]
    place = {name: fields.pop(name) for name in (*_PLACE, "display") if name in fields}
    if place:
        missing = [name for name in _PLACE if name not in place]
        if missing:
            raise ManifestError(
                Misfit.MISSING_KEY, f"lacks {missing[0]}", key="location", hint="write x, y and radius, in pixels"
            )
        if not str(place.get("display", "")).isascii():
            raise ManifestError(Misfit.WRONG_VALUE, "is not ASCII", key="location.display", hint="name it in ASCII")
        fields["location"] = Location.of(**place)  # type: ignore[arg-type]
    if kind is Modality.FACE:
        for name in _FINGERPRINT_ONLY:
            if name in fields:
                raise ManifestError(Misfit.WRONG_VALUE, "is of fingerprint sensors", key=name, hint="remove it")
    fields["sensor_type"] = _type(kind, fields.pop("type_word", word(_DEFAULT_TYPES[kind])))
    fields.setdefault("max_enrollments", _DEFAULT_ENROLLMENTS[kind])
    return fields, latency


def _type(kind: Modality, name: object) -> FingerprintSensorType | FaceSensorType:
    types: dict[object, FingerprintSensorType | FaceSensorType] = {word(t): t for t in _TYPES[kind]}
    if name not in types:
        why = f"is no type of a {kind.word} sensor"
        raise ManifestError(Misfit.WRONG_VALUE, why, key="type", hint=f"write {' or '.join(map(word, types.values()))}")
    return types[name]


def read_sensors(value: object) -> tuple[SensorTable, ...]:
    """The tables `[[sensor]]`, numbered in their order."""
    made = _TABLES(value)
    assert isinstance(made, tuple)  # noqa: S101 - the reader's own word
    return tuple(
        SensorTable(props=SensorProps(sensor_id=number, **fields), latency=latency)
        for number, (fields, latency) in enumerate(made)
    )


_TABLES = tables(MAX_SENSORS, _SENSOR_KEYS, _sensor)
SENSOR_KEY = Key(("sensor",), "sensors", read_sensors, '[[sensor]] kind = "fingerprint"')
