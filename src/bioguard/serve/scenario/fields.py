"""Fields of a method or event as a scenario writes them, and as they stand on the wire, by the tables of version 2.

Numbers, flags and texts are themselves; enumerations are words; names, PINs and scenarios are text, other bytes are
hexadecimal digits; records are tables, lists are lists. What may be null is left out then.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

from bioguard.errors import InputRefused
from bioguard.serve.scenario.references import is_reference
from bioguard.serve.v2.values import PresentedForm
from bioguard.simulate.people.numbered import numbered_sample
from bioguard.simulate.scenario.values import wrong_type
from bioguard.text import word
from bioguard.user_files import open_input
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest_values import MAX_I64, ManifestError, Misfit, key_shown, number, shown
from tee_sim.shared.schema import MisfitError, Record, RecordField, record_fields

TEXTS = frozenset({"name", "pin", "current", "toml"})
"""Fields of bytes that hold text."""
LEFT_OUT: dict[str, Any] = {"token": b"", "by_operator": False, "position": 0}
"""What a field is that a scenario leaves out, beside null."""
PENDING = object()
"""In place of what is not known before it has come."""
_MAX_FILE_BYTES = 1 << 20
_PERSON = {"person": number(0, 0xFFFF_FFFF), "position": number(0, 10), "impression": number(0, 0xFFFF_FFFF)}

Resolve = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where values come from: references to what has come, and files beside the scenario."""

    resolve: Resolve
    folder: Path

    def fields(self, record: type[Record], table: Mapping[str, Any], place: str) -> list[Any]:
        """The fields of a record, in its order.

        Args:
            place: the table, for errors.

        Raises:
            ManifestError: with the key at fault.
        """
        known = {field.name for field in record_fields(record)}
        for name in table:
            if name not in known:
                hint = f"the fields here are {', '.join(sorted(known)) or 'none'}"
                raise ManifestError(Misfit.UNKNOWN_KEY, "unknown key", key=f"{place}.{key_shown(name)}", hint=hint)
        if isinstance(table.get("sample"), dict) and "person" in table["sample"] and "form" in known:
            table = {"form": word(PresentedForm.CANONICAL)} | dict(table)
        return [self._field(field, table, f"{place}.{field.name}") for field in record_fields(record)]

    def _field(self, field: RecordField, table: Mapping[str, Any], key: str) -> Any:
        if field.name not in table:
            if field.optional:
                return None
            if field.name in LEFT_OUT:
                return LEFT_OUT[field.name]
            raise ManifestError(Misfit.MISSING_KEY, "missing", key=key, hint=f"write {field.name} = {_example(field)}")
        try:
            value = self._value(field, table[field.name], key)
            if not _is_pending(value):
                field.from_plain(value)
        except MisfitError as error:
            raise ManifestError(Misfit.OUT_OF_RANGE, error.why, key=key, hint=f"write {_example(field)}") from None
        except ManifestError as error:
            if error.key:
                raise
            raise ManifestError(error.misfit, error.why, key=key, hint=error.hint) from None
        return value

    def _value(self, field: RecordField, raw: Any, key: str) -> Any:
        if is_reference(raw):
            return self.resolve(raw)
        if field.item is None:
            return self._scalar(field.kind, field.name, raw, key)
        if not isinstance(raw, list):
            raise wrong_type("a list", raw)
        return [
            self.resolve(one) if is_reference(one) else self._scalar(field.item, field.name, one, f"{key}.{place}")
            for place, one in enumerate(raw)
        ]

    def _scalar(self, kind: type[Any], name: str, raw: Any, key: str) -> Any:
        if issubclass(kind, Record):
            if not isinstance(raw, dict):
                raise wrong_type("a table", raw)
            return self.fields(kind, raw, key)
        if issubclass(kind, IntEnum):
            return _member(kind, raw)
        if kind is bytes:
            return self._bytes(name, raw)
        if kind is int and isinstance(raw, str):
            return _large(raw)
        if type(raw) is not kind:
            raise wrong_type(_KINDS[kind], raw)
        return raw

    def _bytes(self, name: str, raw: Any) -> bytes:
        if isinstance(raw, dict):
            return self._made(raw)
        if not isinstance(raw, str):
            raise wrong_type("text in quotes", raw)
        return raw.encode() if name in TEXTS else _unhex(raw)

    def _made(self, table: Mapping[str, Any]) -> bytes:
        """Bytes that a table describes: a file, a simulated person, or digits where text is usual."""
        if set(table) == {"file"} and isinstance(table["file"], str):
            return _content(self.folder, table["file"])
        if set(table) == {"hex"} and isinstance(table["hex"], str):
            return _unhex(table["hex"])
        if set(table) == set(_PERSON):
            numbers = {name: read(table[name]) for name, read in _PERSON.items()}
            return numbered_sample(**numbers).to_bytes()  # type: ignore[arg-type]  # numbers, by their readers
        raise ManifestError(Misfit.WRONG_VALUE, "is no description of bytes", hint=_BYTES)


_BYTES = '"00ff", { file = "x.iso" }, { person = 3, position = 2, impression = 1 } or { from = "verify_pin.token" }'
_BESIDE = "files stand beside the scenario"
_KINDS = {int: "an integer", bool: "true or false", str: "text in quotes"}


def _is_pending(value: Any) -> bool:
    return value is PENDING or (isinstance(value, list) and any(map(_is_pending, value)))


def _member(kind: type[IntEnum], raw: Any) -> int:
    words = {word(member): int(member) for member in kind}
    if not isinstance(raw, str):
        raise wrong_type("a word", raw)
    if raw not in words:
        raise ManifestError(Misfit.WRONG_VALUE, f"{shown(raw)} is not {' or '.join(words)}", hint="write one of these")
    return words[raw]


def _large(raw: str) -> int:
    digits = raw.removeprefix("0x")
    if digits == raw or not 0 < len(digits) <= 16 or not set(digits) <= set("0123456789abcdef"):
        raise ManifestError(Misfit.WRONG_TYPE, f"expected an integer, found {shown(raw)}", hint='write 5, or "0x5"')
    return int(digits, 16)


def _unhex(raw: str) -> bytes:
    if len(raw) % 2 or not set(raw) <= set("0123456789abcdef"):
        raise ManifestError(Misfit.WRONG_VALUE, f"{shown(raw)} are no hexadecimal digits", hint=f"write {_BYTES}")
    return bytes.fromhex(raw)


def _content(folder: Path, name: str) -> bytes:
    """Of a file in the scenario's folder: whoever sends a scenario must not choose what of a reader's disk goes into
    the frames, nor a pipe to wait for.
    """
    path = folder / name
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
        if not inside or (path.exists() and not path.is_file()):
            raise ManifestError(Misfit.WRONG_VALUE, f"{shown(name)} is no file beside the scenario", hint=_BESIDE)
        with open_input(path) as stream:
            data = stream.read(_MAX_FILE_BYTES + 1)
    except (OSError, RuntimeError, ValueError) as error:  # a link in a circle, a zero in the name
        why = f"{path.name}: {getattr(error, 'strerror', None) or 'cannot be read'}"
        raise ManifestError(Misfit.WRONG_VALUE, why, hint=_BESIDE) from None
    if len(data) > _MAX_FILE_BYTES:
        raise ManifestError(Misfit.OUT_OF_RANGE, f"{path.name} is larger than 1 MiB", hint="name a sample")
    return data


def _example(field: RecordField) -> str:
    kind = field.item if field.item is not None else field.kind
    if issubclass(kind, IntEnum):
        one = f'"{word(next(iter(kind)))}"'
    elif issubclass(kind, Record):
        one = "{ " + ", ".join(f"{inner.name} = {_example(inner)}" for inner in record_fields(kind)) + " }"
    else:
        one = {bytes: '"alice"' if field.name in TEXTS else _BYTES, bool: "true", str: '"text"'}.get(kind, "1")
    return f"[{one}]" if field.item is not None else one


def table_of(record: type[Record], plain: list[Any]) -> dict[str, Any]:
    """The fields of a record as a scenario writes them; null is left out."""
    return {
        field.name: _written_list(field, value) if field.item is not None else _written(field.kind, field.name, value)
        for field, value in zip(record_fields(record), plain, strict=True)
        if value is not None
    }


def _written_list(field: RecordField, values: list[Any]) -> list[Any]:
    assert field.item is not None  # noqa: S101 - asked by the caller
    return [_written(field.item, field.name, value) for value in values]


def _written(kind: type[Any], name: str, value: Any) -> Any:
    if issubclass(kind, Record):
        return table_of(kind, value)
    if issubclass(kind, IntEnum):
        return word(kind(value)) if value in kind.__members__.values() else value
    if kind is bytes:
        return _written_bytes(name, value)
    return hex(value) if kind is int and value > MAX_I64 else value


def _written_bytes(name: str, value: bytes) -> Any:
    if name not in TEXTS:
        return value.hex()
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"hex": value.hex()}


def refused(error: ManifestError, file: str, line: int) -> InputRefused:
    """A mistake in an input, with its place."""
    placed = error.at(file, line)
    return InputRefused(placed.message, hint=placed.hint, code=f"scenario.{placed.misfit}")
