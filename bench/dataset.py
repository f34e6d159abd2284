"""What a data set is: the fields ISO/IEC 19795-1 wants in a report, from a TOML file, and the groups of its subjects.

name = "Spring collection"                       # all of these are needed; a text says "not known" if it is not
description = "right index fingers, 8 impressions each"
test_type = "technology"                         # technology, scenario or operational
operator = "Biometrics laboratory, ..."
population = "40 students, 18 to 30 years, volunteers"
sensor = "optical, 500 dpi, maker and model"
extractor = "minutiae extractor and version, or embedding model"
sessions = 3
time_lapse = "two weeks between sessions"
enrollment_policy = "first three impressions of the first session"
attempt_policy = "one touch against one touch, no feedback"
collected_from = 2025-03-01                      # dates, without quotes
collected_to = 2025-06-30
environment = "office, 21 degrees"               # may be left out, and so may these:
samples_to_enroll = 3                            # samples that the gate of the enrollment judges together
attempts = 3                                     # in one transaction
subjects = "subjects.csv"                        # columns subject, perhaps set, and one column a grouping
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bench.tables import rows_of
from bench.wording import NOT_STATED
from bioguard.errors import InputRefused
from bioguard.report import Fact

CODE = "bench.dataset"
MAX_BYTES, MAX_TEXT, MAX_COLUMNS, MAX_VALUES = 1 << 16, 2000, 16, 20
TEST_TYPES = ("technology", "scenario", "operational")
SAMPLES_TO_ENROLL = 3
"""Samples of one enrollment unless the file says otherwise; what the demo and the documentation enroll."""
ATTEMPTS = 3
"""Attempts of a transaction unless the file says otherwise; what Android shows before it asks for the PIN is 5."""

_TEXTS = (
    "name", "description", "operator", "population", "sensor", "extractor", "time_lapse", "enrollment_policy",
    "attempt_policy", "environment", "subjects", "test_type",
)  # fmt: skip
_DATES = ("collected_from", "collected_to")
_NUMBERS = {"sessions": (1, 10_000), "samples_to_enroll": (1, 16), "attempts": (1, 20)}
_OPTIONAL = frozenset({"environment", "samples_to_enroll", "attempts", "subjects"})
_KEYS = (*_TEXTS, *_DATES, *_NUMBERS)
_LABELS = {
    "name": "data set", "description": "description", "test_type": "type of test", "operator": "operator",
    "population": "population", "sensor": "sensor", "extractor": "extractor or model", "sessions": "sessions",
    "time_lapse": "time lapse", "enrollment_policy": "enrollment policy", "attempt_policy": "attempt policy",
    "environment": "environment",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Groups:
    """Columns of the subjects' file.

    Attributes:
        columns: their names.
        values: for (set, subject) one value a column, "not stated" for an empty cell; the set is "" if there is no
            such column.
        by_set: whether there is one.
        path: of the file.
    """

    columns: tuple[str, ...]
    values: Mapping[tuple[str, str], tuple[str, ...]]
    by_set: bool
    path: Path

    def of(self, name: str, subjects: Sequence[str]) -> list[tuple[str, ...]]:
        """The values of all subjects of a set.

        Raises:
            InputRefused: a subject has no row.
        """
        keys = [(name if self.by_set else "", subject) for subject in subjects]
        missing = [key[1] for key in keys if key not in self.values]
        if missing:
            raise InputRefused(
                f"{self.path} has no row for {len(missing)} of {len(keys)} subjects of {name}, first {missing[0]!r}",
                hint=f"give every subject a row; an empty cell means {NOT_STATED!r}",
                code=CODE,
            )
        return [self.values[key] for key in keys]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set as its file describes it; `fields` holds what stands in the file, dates as ISO 8601."""

    fields: Mapping[str, str | int]
    groups: Groups | None = None
    files: tuple[Path, ...] = ()
    samples_to_enroll: int = SAMPLES_TO_ENROLL
    attempts: int = ATTEMPTS

    def as_data(self) -> dict[str, Any]:
        """For the JSON of a run."""
        return {**self.fields, "samples_to_enroll": self.samples_to_enroll, "attempts": self.attempts}

    def facts(self) -> list[Fact]:
        """For the head of a page."""
        if not self.fields:
            return [Fact("data set", "not described: give --dataset FILE.toml")]
        found = [Fact(label, str(self.fields[key])) for key, label in _LABELS.items() if key in self.fields]
        return [*found, Fact("collected", f"{self.fields['collected_from']} to {self.fields['collected_to']}")]


UNDESCRIBED = Dataset({})


def read_dataset(path: Path) -> Dataset:
    """A dataset file and the subjects' file beside it.

    Raises:
        InputRefused: `bench.dataset`, with the line or the key.
    """
    raw = path.read_bytes()
    if len(raw) > MAX_BYTES:
        raise _refuse(f"{path} has {len(raw)} bytes", f"at most {MAX_BYTES} are read")
    try:
        text = raw.decode("utf-8-sig")
        found = tomllib.loads(text)
    except UnicodeDecodeError:
        raise _refuse(f"{path} is no UTF-8 text", "save it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError, and names the line
        raise _refuse(
            f"{path}: {str(error) or 'nested too deep'}", "write it as TOML, one key = value a line"
        ) from None
    for key, value in found.items():
        wrong = _wrong(key, value)
        if wrong:
            raise _refuse(f"{path} line {_line(text, key)}: {wrong[0]}", wrong[1])
    missing = [key for key in _KEYS if key not in found and key not in _OPTIONAL]
    if missing:
        raise _refuse(f"{path} has no {', no '.join(missing)}", 'a text may say "not known"')
    first, last = (found[key] for key in _DATES)
    if first > last:
        raise _refuse(f"{path} line {_line(text, 'collected_to')}: collected_to is before collected_from", "swap them")
    numbers = {key: found[key] for key in ("samples_to_enroll", "attempts") if key in found}
    described = {key: str(value) if isinstance(value, date) else value for key, value in found.items()}
    described = {key: value for key, value in described.items() if key not in numbers and key != "subjects"}
    groups = _read_groups(path, found["subjects"]) if "subjects" in found else None
    return Dataset(described, groups, (path, *([groups.path] if groups else [])), **numbers)


def _wrong(key: str, value: object) -> tuple[str, str] | None:
    """What is wrong with a key or its value, and a hint."""
    if key not in _KEYS:
        near = get_close_matches(key, _KEYS, 1)
        meant = f"did you mean {near[0]}" if near else f"the keys are {', '.join(_KEYS)}"
        return f"{key[:60]!r} is no key of a dataset file", meant
    if key in _NUMBERS:
        low, high = _NUMBERS[key]
        fits = type(value) is int and low <= value <= high
        return None if fits else (f"{key} is a whole number from {low} to {high}", "write it without quotes")
    if key in _DATES:
        return None if type(value) is date else (f"{key} is a date", "write 2025-03-01, without quotes or a time")
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        return f"{key} is a text of 1 to {MAX_TEXT} characters", 'write "not known" if it is not'
    if key == "test_type" and value not in TEST_TYPES:
        return f"test_type {value[:40]!r} is none of {', '.join(TEST_TYPES)}", "ISO/IEC 19795-1 knows these three"
    return None


def _line(text: str, key: str) -> int:
    """The line a key stands in; a quoted or dotted one too."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip(" \t[\"'").startswith(key):
            return number
    return 1


def _read_groups(dataset: Path, name: str) -> Groups:
    path = dataset.parent / name
    if Path(name).is_absolute() or not path.is_file():
        raise _refuse(f"{dataset}: subjects: {name!r} is no file beside it", "give a path relative to the dataset file")
    columns: tuple[str, ...] = ()
    values: dict[tuple[str, str], tuple[str, ...]] = {}
    by_set = False
    for line, row in rows_of(path, ("subject",), CODE):
        where = f"{path} line {line}"
        if not values:
            by_set, columns = "set" in row, tuple(c for c in row if c not in ("set", "subject"))
            _check_columns(path, columns)
        key = row.get("set", "").strip(), row["subject"].strip()
        if not key[1] or (by_set and not key[0]):
            raise _refuse(f"{where}: no {'subject' if key[0] or not by_set else 'set'}", "name one in every row")
        if key in values:
            raise _refuse(f"{where}: subject {key[1]!r} stands above", "give each subject one row")
        values[key] = tuple(row[column].strip()[:60] or NOT_STATED for column in columns)
    if not values:
        raise _refuse(f"{path} has no rows", "give each subject one")
    for at, column in enumerate(columns):
        different = {row[at] for row in values.values()}
        if len(different) > MAX_VALUES:
            raise _refuse(
                f"{path}: column {column!r} has {len(different)} different values",
                f"give classes, at most {MAX_VALUES}: 20 to 29 and not 23",
            )
    return Groups(columns, values, by_set, path)


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    if not 1 <= len(columns) <= MAX_COLUMNS or any(not 1 <= len(c) <= 60 for c in columns):
        raise _refuse(
            f"{path} line 1: {len(columns)} columns beside subject and set",
            f"1 to {MAX_COLUMNS} groupings, each with a name of at most 60 characters",
        )


def _refuse(what: str, hint: str) -> InputRefused:
    return InputRefused(what, hint=hint, code=CODE)
