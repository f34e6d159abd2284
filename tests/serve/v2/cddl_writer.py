"""Writes serve2.cddl (RFC 8610) from the tables of the protocol. Two validators of others check frames with it."""

from collections.abc import Iterator
from enum import IntEnum

from bioguard.serve.protocol import RefusalFrame
from bioguard.serve.v2.events import EVENTS, EventKind
from bioguard.serve.v2.table import METHODS
from tee_sim.shared.limits import U64_MAX
from tee_sim.shared.schema import AtMost, Bound, Fixed, Items, Record, RecordField, Text, UpTo, record_fields

HEAD = """\
; bioguard serve --stdio --protocol 2: every frame after its four bytes of length (docs/formats/serve-2.md).
; Written from the tables of the server. Two things are not said here: CBOR is in core deterministic encoding
; (RFC 8949 section 4.2.1), and text is printable ASCII. An answer does not name its method: it has the form of the
; answer to the request with its id.

"""


def kebab(name: str) -> str:
    """SensorEntry and CREATE_SESSION as CDDL writes names."""
    spaced = "".join(f"-{c.lower()}" if c.isupper() else c for c in name) if not name.isupper() else name.lower()
    return spaced.replace("_", "-").strip("-")


def _scalar(bound: Bound | None) -> str:
    match bound:
        case UpTo(maximum):
            return f"0..{maximum}"
        case Fixed(size_bytes):
            return f"bstr .size {size_bytes}"
        case AtMost(size_bytes):
            return f"bstr .size (0..{size_bytes})"
        case Text(size_chars):
            return f"tstr .size (0..{size_chars})"
    raise TypeError(bound)


def _name(kind: type) -> str:
    """Never the name of a field: a label that is also a rule would be a key."""
    return f"{kebab(kind.__name__.removesuffix('Entry'))}-{'record' if issubclass(kind, Record) else 'enum'}"


def _kind(kind: type, bound: Bound | None) -> str:
    if issubclass(kind, Record) or (issubclass(kind, IntEnum) and bound is None):
        return _name(kind)
    return "bool" if kind is bool else _scalar(bound)


def _field(field: RecordField) -> str:
    if isinstance(field.bound, Items):
        text = f"[0*{field.bound.count} {_kind(field.item, field.bound.item)}]"
    else:
        text = _kind(field.kind, field.bound)
    return f"{kebab(field.name)}: {text}{' / nil' if field.optional else ''}"


def _array(record: type[Record]) -> str:
    return f"[{', '.join(map(_field, record_fields(record)))}]"


def _inner(record: type[Record]) -> Iterator[type]:
    """Records and enumerations in the fields of a record, at any depth."""
    for field in record_fields(record):
        kind = field.item or field.kind
        if issubclass(kind, Record):
            yield kind
            yield from _inner(kind)
        elif issubclass(kind, IntEnum):
            yield kind


def schema() -> str:
    """The whole file."""
    tops = [m.request for m in METHODS] + [m.reply for m in METHODS] + list(EVENTS.values())
    inner = sorted({kind for top in tops for kind in _inner(top)}, key=lambda kind: kebab(kind.__name__))
    lines = [
        "from-client = " + " / ".join(f"request-{kebab(m.name)}" for m in METHODS),
        "from-server = answer / refusal / event",
        "answer = " + " / ".join(dict.fromkeys(f"answer-{kebab(m.name)}" for m in METHODS)),
        "event = " + " / ".join(f"event-{kebab(e.name)}" for e in EVENTS),
        "",
        "request-id = 1..4294967295",
        "answer-id = 0..4294967295",
        "session-number = 0..4294967295",
        f"refusal = [2, answer-id, 1, {_array(RefusalFrame)}]",
        "",
        *(f"request-{kebab(m.name)} = [2, request-id, {m.number}, {_array(m.request)}]" for m in METHODS),
        "",
        *(f"answer-{kebab(m.name)} = [2, answer-id, 0, {_array(m.reply)}]" for m in METHODS),
        "",
        *(f"event-{kebab(e.name)} = {_event(e, record)}" for e, record in EVENTS.items()),
        "",
        *(_named(kind) for kind in inner),
    ]
    return HEAD + "\n".join(lines) + "\n"


def _event(kind: EventKind, record: type[Record]) -> str:
    head = f"sequence: 0..{U64_MAX}, time-ms: 0..{1 << 48}"
    return f"[2, session-number, 2, [{head}, {int(kind)}, {_array(record)}]]"


def _named(kind: type) -> str:
    if issubclass(kind, Record):
        return f"{_name(kind)} = {_array(kind)}"
    members = " / ".join(str(int(member)) for member in kind)
    return f"{_name(kind)} = {members}  ; {', '.join(member.name for member in kind)}"
