"""The generated tables of docs/formats/serve-2.md."""

from collections.abc import Iterator
from enum import IntEnum

from bioguard.commands.keystore import KeyAlgorithm
from bioguard.hal.aidl_codes import (
    EnrollmentStage,
    EnrollmentType,
    ErrorCode,
    FaceAcquired,
    Feature,
    FingerprintAcquired,
)
from bioguard.hal.context import DisplayState, FoldState, OperationReason
from bioguard.records.consent import Purpose
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import FaceSensorType, FingerprintSensorType
from bioguard.records.strength import SensorStrength
from bioguard.serve.hints import FAMILIES, HINTS
from bioguard.serve.v2.events import EVENTS
from bioguard.serve.v2.machine import AttestationProfile
from bioguard.serve.v2.table import METHODS
from bioguard.serve.v2.values import PresentedForm, RestartKind
from tee_sim.shared.limits import U64_MAX
from tee_sim.shared.schema import AtMost, Bound, Fixed, Items, Record, RecordField, Text, UpTo, record_fields

_POWERS = {U64_MAX: "u64", 0xFFFF_FFFF: "u32", 1 << 48: "0..2^48", 1 << 45: "0..2^45", 1 << 40: "0..2^40"}
ENUMS: tuple[tuple[str, type[IntEnum]], ...] = (
    ("Modality", Modality),
    ("Purpose", Purpose),
    ("PresentedForm", PresentedForm),
    ("Lock", Lock),
    ("SensorStrength", SensorStrength),
    ("FingerprintSensorType (sensor_type)", FingerprintSensorType),
    ("FaceSensorType (sensor_type)", FaceSensorType),
    ("Feature (faces)", Feature),
    ("EnrollmentType (faces)", EnrollmentType),
    ("EnrollmentStage (faces)", EnrollmentStage),
    ("Error", ErrorCode),
    ("AcquiredInfo of fingerprints", FingerprintAcquired),
    ("AcquiredInfo of faces", FaceAcquired),
    ("OperationReason (reason)", OperationReason),
    ("DisplayState (display_state)", DisplayState),
    ("FoldState (fold_state)", FoldState),
    ("KeyAlgorithm", KeyAlgorithm),
    ("AttestationProfile", AttestationProfile),
    ("RestartKind", RestartKind),
)


def _scalar(bound: Bound | None) -> str:
    match bound:
        case UpTo(maximum):
            return _POWERS.get(maximum, f"0..{maximum}")
        case Fixed(size_bytes):
            return f"bytes {size_bytes}"
        case AtMost(size_bytes):
            return f"bytes 0..{size_bytes}"
        case Text(size_chars):
            return f"text 0..{size_chars}"
    raise TypeError(bound)


def _kind(kind: type, bound: Bound | None) -> str:
    if issubclass(kind, Record | IntEnum) and bound is None:
        return kind.__name__.removesuffix("Entry")
    return "bool" if kind is bool else _scalar(bound)


def _field(field: RecordField) -> str:
    if isinstance(field.bound, Items):
        text = f"[0..{field.bound.count} of {_kind(field.item, field.bound.item)}]"
    else:
        text = _kind(field.kind, field.bound)
    return f"{field.name}: {text}{' / null' if field.optional else ''}"


def _fields(record: type[Record]) -> str:
    return "; ".join(map(_field, record_fields(record))) or "none"


def methods() -> str:
    """Numbers, names and fields."""
    rows = ["| number | method | request fields | answer fields |", "|---|---|---|---|"]
    rows += [f"| {m.number} | {m.name} | {_fields(m.request)} | {_fields(m.reply)} |" for m in METHODS]
    return "\n".join(rows) + "\n"


def events() -> str:
    """The same for events."""
    rows = ["| number | event | fields |", "|---|---|---|"]
    rows += [f"| {int(event)} | {event.name} | {_fields(record)} |" for event, record in EVENTS.items()]
    return "\n".join(rows) + "\n"


def _inner(record: type[Record]) -> Iterator[type[Record]]:
    for field in record_fields(record):
        kind = field.item or field.kind
        if issubclass(kind, Record):
            yield kind
            yield from _inner(kind)


def records() -> str:
    """Records that are fields of others."""
    tops = [m.request for m in METHODS] + [m.reply for m in METHODS] + list(EVENTS.values())
    inner = dict.fromkeys(kind for top in tops for kind in _inner(top))
    rows = ["| record | fields, as a list in this order |", "|---|---|"]
    rows += [f"| {kind.__name__.removesuffix('Entry')} | {_fields(kind)} |" for kind in inner]
    return "\n".join(rows) + "\n"


def enums() -> str:
    """Every enumeration with its numbers."""
    rows = ["| enumeration | numbers |", "|---|---|"]
    rows += [f"| {name} | {', '.join(f'{int(m)} {m.name}' for m in kind)} |" for name, kind in ENUMS]
    return "\n".join(rows) + "\n"


def refusals() -> str:
    """Codes with their hints; families with a star."""
    rows = ["| code | hint |", "|---|---|"]
    rows += [f"| `{code}` | {hint} |" for code, hint in sorted(HINTS.items())]
    rows += [f"| `{family}*` | {hint} |" for family, hint in sorted(FAMILIES.items())]
    return "\n".join(rows) + "\n"


BLOCKS = {
    "methods-2": methods,
    "events-2": events,
    "records-2": records,
    "enums-2": enums,
    "refusals-2": refusals,
}
