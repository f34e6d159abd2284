"""What an input takes from an earlier answer or event: `{ from = "verify_pin.token" }`.

The first word is a method or an event, the second a field of its answer or of it; more words go into it, by field or by
number. Of several the last is meant, or with `nth` the n-th, counted from 1.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from bioguard.serve.v2.events import EVENTS, EventKind
from bioguard.serve.v2.table import BY_NAME
from tee_sim.shared.manifest_values import ManifestError, Misfit, shown
from tee_sim.shared.schema import Record, record_fields

_HINT = 'write for instance { from = "verify_pin.token" } or { from = "CHALLENGE_GENERATED.challenge", nth = 1 }'


def _wrong(why: str, misfit: Misfit = Misfit.WRONG_VALUE) -> ManifestError:
    return ManifestError(misfit, why, hint=_HINT)


def is_reference(value: object) -> bool:
    """Whether it is a table with `from`."""
    return isinstance(value, dict) and "from" in value


def _source(name: str) -> type[Record] | None:
    if name in BY_NAME:
        return BY_NAME[name].reply
    return EVENTS[EventKind[name]] if name in EventKind.__members__ else None


def parsed(value: Mapping[str, Any]) -> tuple[str, list[str], int | None]:
    """Source, way into it, and which one. Raises ManifestError for what names nothing."""
    where, nth = value["from"], value.get("nth")
    if set(value) - {"from", "nth"} or not isinstance(where, str) or not (nth is None or type(nth) is int):
        raise _wrong("is no reference", Misfit.WRONG_TYPE)
    if nth is not None and nth < 1:
        raise _wrong("nth is counted from 1", Misfit.OUT_OF_RANGE)
    source, *way = where.split(".")
    record = _source(source)
    if record is None:
        raise _wrong(f"{shown(source)} is no method or event")
    if not way or way[0] not in [field.name for field in record_fields(record)]:
        fields = ", ".join(field.name for field in record_fields(record)) or "no fields"
        raise _wrong(f"{shown(where)}: {source} has {fields}")
    return source, way, nth


class Heard:
    """Answers and events so far, by name."""

    def __init__(self) -> None:
        self._by_name: defaultdict[str, list[list[Any]]] = defaultdict(list)

    def add(self, name: str, fields: list[Any]) -> None:
        """Keep one."""
        self._by_name[name].append(fields)

    def resolve(self, value: Mapping[str, Any]) -> Any:
        """What a reference stands for. Raises ManifestError where it has not come."""
        source, way, nth = parsed(value)
        heard = self._by_name[source]
        if not heard or (nth or 1) > len(heard):
            raise _wrong(f"{source} has come {len(heard)} times before")
        found: Any = heard[(nth or 0) - 1]
        record: type[Record] | None = _source(source)
        for step in way:
            found, record = _into(found, record, step)
        return found


def _into(found: Any, record: type[Record] | None, step: str) -> tuple[Any, type[Record] | None]:
    if isinstance(found, list) and record is None and step in map(str, range(len(found))):
        return found[int(step)], None
    if isinstance(found, list) and record is not None:
        for field, value in zip(record_fields(record), found, strict=True):
            if field.name == step:
                inner = field.item if field.item is not None else field.kind
                of_record = isinstance(inner, type) and issubclass(inner, Record)
                return (_Items(value, inner) if field.item is not None and of_record else value), (
                    inner if of_record and field.item is None else None
                )
    if isinstance(found, _Items) and step in map(str, range(len(found.items))):
        return found.items[int(step)], found.record
    raise _wrong(f"there is no {shown(step)} in it")


class _Items:
    """A list of records, whose items have fields by name."""

    def __init__(self, items: list[Any], record: type[Record]) -> None:
        self.items = items
        self.record = record
