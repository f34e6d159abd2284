"""A device's table of sensors, for people and as JSON."""

from bioguard.device import Device
from bioguard.device.pins import search_lock_info
from bioguard.records.sensor_props import SensorProps
from bioguard.text import word


def names_of(table: tuple[SensorProps, ...]) -> dict[str, SensorProps]:
    """Each sensor by a name: the kind of the first of its kind, `fingerprint-2` for another one with the id 2."""
    found: dict[str, SensorProps] = {}
    for props in table:
        name = props.kind.word
        found[f"{name}-{props.sensor_id}" if name in found else name] = props
    return found


def search_locks(device: Device) -> dict[str, str]:
    """How 1:N is locked on each sensor, by its name."""
    return {
        name: word(search_lock_info(device, props.kind, props.sensor_id).lock)
        for name, props in names_of(device.configuration.sensor_table).items()
    }


def sensor_rows(device: Device) -> list[dict[str, object]]:
    """What the sensors are, for JSON."""
    return [
        {
            "id": props.sensor_id,
            "kind": props.kind.word,
            "strength": word(props.strength),
            "type": props.type_word,
            "max_enrollments": props.max_enrollments,
            "detect_interaction": props.detect_interaction,
            "location": _place(props),
            "navigation_gestures": props.navigation_gestures,
            "handles_display_touches": props.handles_display_touches,
            "controls_illumination": props.controls_illumination,
        }
        for props in device.configuration.sensor_table
    ]


def _place(props: SensorProps) -> dict[str, object] | None:
    place = props.location
    return None if place is None else {"x": place.x, "y": place.y, "radius": place.radius, "display": place.display}


def sensor_lines(device: Device) -> list[str]:
    """The same for people."""
    return [
        f"sensor {props.sensor_id}:      {props.kind.word}, {word(props.strength)}, {props.type_word}, "
        f"{props.max_enrollments} records a user"
        for props in device.configuration.sensor_table
    ]
