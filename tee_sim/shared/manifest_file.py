"""Reads the text of a manifest: which keys there are, what each may hold, and in which line one is wrong.

Strict at every level: an unknown key is refused, for a misspelled limit would be no limit.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest_values import MAX_I64, ManifestError, Misfit, Read, key_shown, kind_of
from tee_sim.shared.toml_lines import KeyPath, key_lines

R = TypeVar("R")

MAX_TEXT_CHARS = 65_536
"""Far above what 256 modules need; a text of any length would be read before anything is compared."""

_DEEP_KEY = re.compile(r"(?<![\w.-])[\w-]++(?:\s*+\.\s*+[\w-]++){32}", re.ASCII)
"""A dotted key of more than 32 parts. `tomllib` takes time with the square of their number."""
_MAX_WHY_CHARS = 200
_SYNTAX_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a manifest.

    Attributes:
        path: the tables it stands in and its own name.
        field: of the record.
        read: how its value is checked and converted.
        example: a value as it is written in TOML, for hints.
    """

    path: KeyPath
    field: str
    read: Read
    example: str
    required: bool = False

    @property
    def name(self) -> str:
        """As it is shown."""
        return ".".join(self.path)

    @property
    def sample(self) -> str:
        """A line that could stand in a manifest."""
        table = f"under [{'.'.join(self.path[:-1])}] " if len(self.path) > 1 else ""
        return f"write {table}for instance: {self.path[-1]} = {self.example}"


def read_record(
    make: Callable[..., R], source: str, file: str, keys: tuple[Key, ...], *, most_chars: int = MAX_TEXT_CHARS
) -> R:
    """What `make` makes of the fields in a text.

    Raises:
        ManifestError: with file, key and line.
    """
    fields = _read_keys(source, file, keys, most_chars)
    try:
        return make(**fields)
    except ManifestError as error:  # what no key can judge alone
        raise error.at(file, line_of(source, error.key)) from None


def _read_keys(source: str, file: str, keys: tuple[Key, ...], most_chars: int) -> dict[str, Any]:
    """The fields of a record, from a text.

    Raises:
        ManifestError: with file, key and line.
    """
    import tomllib  # noqa: PLC0415 - the secure world is given manifests that were read

    if len(source) > most_chars:
        raise ManifestError(Misfit.SYNTAX, f"longer than {most_chars} characters", file=file)
    deep = _DEEP_KEY.search(source)
    if deep is not None:
        line = source.count("\n", 0, deep.start()) + 1
        raise ManifestError(Misfit.SYNTAX, "not TOML for us: nested too deep", file=file, line=line)
    try:
        top = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX_LINE.search(str(error))
        why = _SYNTAX_LINE.sub("", str(error))[:_MAX_WHY_CHARS]
        raise ManifestError(Misfit.SYNTAX, f"not TOML: {why}", file=file, line=int(found[1]) if found else 0) from None
    except ValueError:
        raise ManifestError(Misfit.SYNTAX, "not TOML: an integer of thousands of digits", file=file) from None
    except RecursionError:
        raise ManifestError(Misfit.SYNTAX, "not TOML: nested too deep", file=file) from None
    try:
        _refuse_large(top)
        _refuse_unknown(top, (), keys)
        return {key.field: value for key in keys for value in _value(top, key)}
    except ManifestError as error:
        raise error.at(file, line_of(source, error.key)) from None


def line_of(source: str, key: str) -> int:
    """The line of a key as errors show it, or else of the table that it should stand in; 0 if neither appears."""
    lines = {_shown(path): line for path, line in reversed(key_lines(source).items())}
    while key and key not in lines:
        key = key.rpartition(".")[0]
    return lines.get(key, 0)


def _shown(path: KeyPath) -> str:
    return ".".join(map(key_shown, path))


def _refuse_large(top: Mapping[str, Any]) -> None:
    """No integer beyond those that TOML 1.0 promises: hexadecimal digits make one that cannot be written again."""
    left: list[tuple[str, object]] = [(key_shown(name), value) for name, value in top.items()]
    while left:
        where, value = left.pop()
        if isinstance(value, dict):
            left += [(f"{where}.{key_shown(name)}", inner) for name, inner in value.items()]
        elif isinstance(value, list):
            left += [(f"{where}.{place}", inner) for place, inner in enumerate(value)]
        elif type(value) is int and not -MAX_I64 - 1 <= value <= MAX_I64:
            why = "an integer of more than 64 bits, which TOML does not promise"
            raise ManifestError(Misfit.OUT_OF_RANGE, why, key=where, hint="write a smaller one")


def _refuse_unknown(table: Mapping[str, Any], above: KeyPath, keys: tuple[Key, ...]) -> None:
    known = {key.path[len(above)]: key for key in reversed(keys) if key.path[: len(above)] == above}
    for name, value in table.items():
        path = (*above, name)
        if name not in known:
            raise ManifestError(Misfit.UNKNOWN_KEY, "unknown key", key=_shown(path), hint=_meant(name, above, keys))
        if len(known[name].path) > len(path):
            if not isinstance(value, dict):
                why = f"expected a table, found {kind_of(value)}"
                raise ManifestError(Misfit.WRONG_TYPE, why, key=_shown(path), hint=known[name].sample)
            _refuse_unknown(value, path, keys)


def _meant(name: str, above: KeyPath, keys: tuple[Key, ...]) -> str:
    """What to do about an unknown key: move it, spell it right, or look at what there is."""
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes only

    elsewhere = [key for key in keys if key.path[-1] == name]
    if elsewhere:
        table = ".".join(elsewhere[0].path[:-1])
        return f"move it under [{table}]" if table else "move it above the first table"
    here = list(dict.fromkeys(key.path[len(above)] for key in keys if key.path[: len(above)] == above))
    close = get_close_matches(name, here, n=1, cutoff=0.7)
    return f"write {close[0]}" if close else f"remove it; the keys here are {', '.join(here)}"


def _value(top: Mapping[str, Any], key: Key) -> tuple[object, ...]:
    """The converted value, or nothing if the key may be missing."""
    table: Any = top
    for part in key.path:
        if part not in table:
            if key.required:
                raise ManifestError(Misfit.MISSING_KEY, "missing", key=key.name, hint=key.sample)
            return ()
        table = table[part]
    try:
        return (key.read(table),)
    except ManifestError as error:
        if error.key:  # of a table of a list, which has said what to write
            raise ManifestError(error.misfit, error.why, key=f"{key.name}.{error.key}", hint=error.hint) from None
        raise ManifestError(error.misfit, error.why, key=key.name, hint=key.sample) from None


def tables(most: int, keys: tuple[Key, ...], make: Callable[..., object]) -> Read:
    """A list of at most `most` tables with these keys, each as what `make` makes of its fields."""

    def read_one(number: int, table: object) -> object:
        if not isinstance(table, dict):
            raise ManifestError(Misfit.WRONG_TYPE, f"expected a list of tables, found {kind_of(table)} in it")
        try:
            _refuse_unknown(table, (), keys)
            return make(**{key.field: value for key in keys for value in _value(table, key)})
        except ManifestError as error:
            raise ManifestError(error.misfit, error.why, key=f"{number}.{error.key}", hint=error.hint) from None

    def read(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise ManifestError(Misfit.WRONG_TYPE, f"expected a list of tables, found {kind_of(value)}")
        if len(value) > most:
            raise ManifestError(Misfit.OUT_OF_RANGE, f"{len(value)} tables, expected at most {most}")
        return tuple(read_one(number, table) for number, table in enumerate(value))

    return read
