"""Compare two results figure by figure, and fail on the changes a rule forbids.

A rule names figures and how much worse they may get:

    eer:+0.2pp          no `eer` may rise by more than 0.2 percentage points (rates are fractions)
    p95:10%             no `p95` may rise by more than 10 percent; `p95:+10%` says the same
    per_second:-5%      no `per_second` may fall by more than 5 percent
    histogram:=         must stay equal
    *.faces.*.eer:+1pp  with dots: a pattern for the whole path

A name without a dot means the last part of the path, or the last but one if the last is a number in a list. A figure
that is missing or no longer measurable fails its rule; a rule that fits no figure is an error.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from bioguard.errors import InputRefused
from bioguard.json_text import parse_json
from bioguard.user_files import read_input

RULE = re.compile(r"(?P<name>[^:]+):(?:(?P<sign>[+-]?)(?P<amount>\d+(?:\.\d+)?)(?P<unit>pp|%|)|(?P<equal>=))")
_IDENTITY = (("command",), ("data",), ("inputs", "sha256"))
_MADE_FROM = {"campaign": (("people",), ("seed",))}
"""Where a result says what it was measured on; one that was made without files, by its seed."""
Value = float | str | None


@dataclass(frozen=True, slots=True)
class Rule:
    """How far the figures of a name may move: `text` is how the user wrote it."""

    text: str
    name: str
    falling: bool
    limit: float
    unit: str

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """Read a rule.

        Raises:
            InputRefused: it is not of the form name:[+-]amount(pp|%) or name:=.
        """
        match = RULE.fullmatch(text)
        if match is None:
            raise InputRefused(
                f"{text!r} is not a rule",
                hint="write for instance eer:+0.2pp, p95:10% or false_matches:=",
                code="bench.rule",
            )
        if match["unit"] == "":
            raise InputRefused(
                f"the rule {text} has no unit",
                hint=f"write {text}pp for percentage points of a rate, {text}% for a share of the old figure",
                code="bench.rule",
            )
        if match["equal"]:
            return cls(text, match["name"], False, 0.0, "=")
        return cls(text, match["name"], match["sign"] == "-", float(match["amount"]), match["unit"])

    def applies(self, path: str) -> bool:
        """Whether a figure is meant."""
        if "." in self.name or "*" in self.name:
            return fnmatchcase(path, self.name)
        parts = path.split(".")
        return parts[-1] == self.name or (len(parts) > 1 and parts[-1].isdigit() and parts[-2] == self.name)

    def broken(self, old: Value, new: Value) -> bool:
        """Whether the change is too large to the worse; anything that cannot be compared is."""
        if old == new:
            return False
        if self.unit == "=" or not isinstance(old, float) or not isinstance(new, float):
            return not (isinstance(old, str) and isinstance(new, float))  # measurable now, not before: fine
        worse = old - new if self.falling else new - old
        allowed = {"pp": self.limit / 100, "%": abs(old) * self.limit / 100}[self.unit]
        return worse > allowed * (1 + 1e-12)


@dataclass(frozen=True, slots=True)
class Change:
    """One figure that differs, and the rules it breaks."""

    path: str
    old: Value
    new: Value
    broken: tuple[str, ...]

    def line(self) -> str:
        """One line for people."""
        mark = f"  FAILS {', '.join(self.broken)}" if self.broken else ""
        share = ""
        if isinstance(self.old, float) and isinstance(self.new, float) and self.old:
            share = f" ({100 * (self.new / self.old - 1):+.2f} %)"
        return f"{self.path}: {_text(self.old)} -> {_text(self.new)}{share}{mark}"


def compare(old: Mapping[str, Any], new: Mapping[str, Any], rules: Sequence[Rule]) -> tuple[list[Change], list[str]]:
    """All figures that changed, and the paths each rule looked at.

    Returns:
        Changes by path, and one text `rule: n figures` for each rule.

    Raises:
        InputRefused: a rule fits no figure of the old result.
    """
    before, after = dict(_flat(old)), dict(_flat(new))
    looked = []
    for rule in rules:
        count = sum(rule.applies(path) for path in before)
        if not count:
            raise InputRefused(f"rule {rule.text} fits no figure", hint="look up names in the .json", code="bench.rule")
        looked.append(f"{rule.text}: {count} figures")
    changes = []
    for path in sorted(before.keys() | after.keys()):
        a, b = before.get(path), after.get(path)
        if a != b:
            broken = tuple(r.text for r in rules if path in before and r.applies(path) and r.broken(a, b))
            changes.append(Change(path, a, b, broken))
    return changes, looked


def refuse_other_data(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Refuse results that say that they are of different data; what one of them does not say is not held against it.

    Raises:
        InputRefused: `bench.other_data`.
    """
    for keys in (*_IDENTITY, *_MADE_FROM.get(str(old.get("command")), ())):
        a, b = _at(old, keys), _at(new, keys)
        if a is not None and b is not None and a != b:
            raise InputRefused(
                f"the results are of different data: {'.'.join(keys)} is {str(a)[:80]} and {str(b)[:80]}",
                hint="compare results of the same data; --other-data if it is meant, for instance two matchers",
                code="bench.other_data",
            )


def _at(result: Mapping[str, Any], keys: Sequence[str]) -> Any:
    value: Any = result
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def read_result(path: Path) -> dict[str, Any]:
    """A result: a .json file, or a directory that holds exactly one.

    Raises:
        InputRefused: none or several, or it is not JSON.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if len(files) != 1:
        raise InputRefused(f"{path} holds {len(files)} .json files", hint="name one of them", code="bench.result")
    try:
        data: Any = parse_json(read_input(files[0], code="bench.result"))
    except ValueError as error:
        raise InputRefused(f"{files[0]}: {error}", hint="give a result of this bench", code="bench.result") from error
    if not isinstance(data, dict):
        raise InputRefused(f"{files[0]} is no JSON object", hint="give a result of this bench", code="bench.result")
    return data


def _flat(data: Any) -> list[tuple[str, Value]]:
    """Path and value of every figure. With a stack of its own: a result may be nested as deep as JSON is read."""
    found: list[tuple[str, Value]] = []
    left: list[tuple[str, Any]] = [("", data)]
    while left:
        prefix, value = left.pop()
        if isinstance(value, Mapping):
            inner = [(str(k), v) for k, v in value.items() if (prefix, k) not in {("", "environment"), ("", "created")}]
        elif isinstance(value, list):
            inner = [(str(i), v) for i, v in enumerate(value)]
        else:
            found.append((prefix, _number(value) if isinstance(value, int | float) else value))
            continue
        left += [(f"{prefix}.{name}" if prefix else name, v) for name, v in inner]
    return found


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _text(value: Value) -> str:
    return "missing" if value is None else f"{value:.6g}" if isinstance(value, float) else value
