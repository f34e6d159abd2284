"""The fault language: what goes wrong, where, and when.

    plan   := rule (";" rule)*
    rule   := point ["@" when] ":" action ["(" number ")"] [selector]
    point  := "read" | "commit" | "rpmb.read" | "rpmb.write" | "ta.call" | "ta.alloc"
    when   := N          the N-th time only, counted from 1
            | N "+"      from the N-th time on
            | "p" X      each time with probability X (seeded)
            | (missing)  always
    selector := "all" | "objects" | "pages" | "anchor"       of names; default all

`ta.call@N: panic` and `ta.alloc@N: no-memory` are of native applications: the N-th call of the Internal Core API, or
the N-th allocation, in each of their processes. They are set when a machine starts, and stay.

The first rule that fires at a point wins. Actions and the points they exist at: `ACTIONS`; docs/storage.md explains
each. Examples: `commit@2: lie`, `read: stale objects`, `rpmb.write@p0.1: lose-reply`, `commit@5: drop(0)`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from tee_sim.normal import events
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.native_run import NativeRun

ACTIONS: dict[str, frozenset[str]] = {
    "read": frozenset({"stale", "swap", "truncate", "flip", "missing", "eio", "busy", "delay", "die-before"}),
    "commit": frozenset(
        {"drop", "lie", "flip", "enospc", "eio", "eio-after", "busy", "delay", "die-before", "die-after"}
    ),
    "rpmb.read": frozenset({"stale", "flip", "truncate", "eio", "delay", "die-before", "die-after"}),
    "rpmb.write": frozenset({"withhold", "lose-reply", "stale", "flip", "eio", "delay", "die-before", "die-after"}),
    "ta.call": frozenset({"panic"}),
    "ta.alloc": frozenset({"no-memory"}),
}
_NATIVE = ("ta.call", "ta.alloc")
_SELECTORS = {"all": b"", "objects": b"o", "pages": b"p", "anchor": b"a"}
_RULE = re.compile(
    r"(?P<point>[a-z.]+)(?:@(?P<when>[p0-9.+]+))?\s*:\s*(?P<action>[a-z-]+)(?:\((?P<number>\d{1,9})\))?"
    r"(?:\s+(?P<selector>[a-z]+))?"
)
_WHEN = re.compile(r"(?P<first>[1-9]\d{0,8})(?P<on>\+?)|p(?P<chance>[01](?:\.\d{1,9})?)")
MAX_RULES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule. `number` is the argument of the action: a byte offset, a length, a position, milliseconds. text: as it
    was written."""

    point: str
    action: str
    number: int = 0
    names: bytes = b""
    first: int = 1
    last: int | None = None
    chance: float | None = None
    text: str = ""

    def concerns(self, name: bytes) -> bool:
        """Whether a blob of this name is meant."""
        return name.startswith(self.names)


def _refuse(text: str, why: str) -> TeeError:
    return TeeError(TeeResult.BAD_PARAMETERS, f"fault rule {text!r}: {why}", hint="see the fault language in the docs")


def _parse_rule(text: str) -> Fault:
    found = _RULE.fullmatch(text)
    if found is None:
        raise _refuse(text, "expected point[@when]: action[(number)] [selector]")
    point, action, selector = found["point"], found["action"], found["selector"] or "all"
    if point not in ACTIONS:
        raise _refuse(text, f"unknown point, one of {', '.join(ACTIONS)}")
    if action not in ACTIONS[point]:
        raise _refuse(text, f"no such action here, one of {', '.join(sorted(ACTIONS[point]))}")
    if selector not in _SELECTORS:
        raise _refuse(text, f"unknown selector, one of {', '.join(_SELECTORS)}")
    first, last, chance = 1, None, None
    if found["when"] is not None:
        when = _WHEN.fullmatch(found["when"])
        if when is None:
            raise _refuse(text, "when is N, N+ or pX")
        if when["chance"] is not None:
            chance = float(when["chance"])
        else:
            first = int(when["first"])
            last = None if when["on"] else first
    if point in _NATIVE and (last is None or found["number"] or found["selector"]):
        raise _refuse(text, f"write {point}@N: {action}")
    return Fault(
        point=point, action=action, number=int(found["number"] or 0), names=_SELECTORS[selector],
        first=first, last=last, chance=chance, text=text,
    )  # fmt: skip


def _die() -> None:
    raise SystemExit(70)


@dataclass(slots=True)
class FaultPlan:
    """Rules, how often each point was passed, what has fired, and what of that met nothing that it could spoil.

    Args:
        rules: in order of precedence.
        seed: of the probabilities.
        die: ends the process that holds the disk; tests raise instead.
        sleep_ms: carries out delays.
    """

    rules: tuple[Fault, ...] = ()
    seed: int = 0
    die: Callable[[], None] = _die
    sleep_ms: Callable[[int], None] = field(default=lambda _ms: None)
    passed: dict[str, int] = field(default_factory=dict)
    fired: list[Fault] = field(default_factory=list)
    idle: list[Fault] = field(default_factory=list)
    _random: Random | None = None

    @classmethod
    def parse(cls, text: str, *, seed: int = 0) -> "FaultPlan":
        """Parse the language above. Raises TeeError BAD_PARAMETERS with the rule that is wrong."""
        rules = [_parse_rule(rule.strip()) for rule in text.split(";") if rule.strip()]
        if len(rules) > MAX_RULES:
            raise TeeError(TeeResult.BAD_PARAMETERS, f"more than {MAX_RULES} fault rules")
        return cls(tuple(rules), seed)

    def of_native(self, how: NativeRun) -> NativeRun:
        """The same with what this plan says of native applications. Raises TeeError for two rules of one point."""
        places = {point: [rule.first for rule in self.rules if rule.point == point] for point in _NATIVE}
        if any(len(numbers) > 1 for numbers in places.values()):
            raise TeeError(TeeResult.BAD_PARAMETERS, "two fault rules of one point of native applications")
        panic_at, no_memory_at = (places[point][0] if places[point] else 0 for point in _NATIVE)
        return replace(how, panic_at=panic_at, no_memory_at=no_memory_at)

    @property
    def is_of_native(self) -> bool:
        """Whether a rule is about native applications."""
        return any(rule.point in _NATIVE for rule in self.rules)

    def unfired(self) -> list[str]:
        """The rules that have changed nothing, each with the reason."""
        return [
            f"{rule.text!r} was due {due} times and met nothing to spoil" if (due := self.fired.count(rule)) else
            f"{rule.text!r} was never due, {rule.point} was passed {self.passed.get(rule.point, 0)} times"
            for rule in self.rules
            if self.idle.count(rule) == self.fired.count(rule)
        ]  # fmt: skip

    def at(self, point: str) -> Fault | None:
        """Count one passage of a point; return the rule that fires, if any."""
        count = self.passed[point] = self.passed.get(point, 0) + 1
        for rule in self.rules:
            if rule.point == point and self._is_due(rule, count):
                self.fired.append(rule)
                events.fault(point, rule.action, count)  # before it is carried out: it may end this process
                return rule
        return None

    def _is_due(self, rule: Fault, count: int) -> bool:
        if rule.chance is not None:
            if self._random is None:
                self._random = Random(self.seed)  # noqa: S311  a fault schedule, repeatable on purpose
            return self._random.random() < rule.chance
        return count >= rule.first and (rule.last is None or count <= rule.last)
