"""Attempts, cells and the report of the battery."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, unique
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bioguard.evidence.escape_battery.context import Context, View


@unique
class Outcome(Enum):
    """What became of one attempt at one layer set."""

    ESCAPED = "E"
    """A witness outside saw the token or the state."""
    CAPABILITY = "C"
    """It got something dangerous, but nothing was seen to leave."""
    KILLED = "K"
    """The kernel killed it with SIGSYS."""
    REFUSED = "b"
    """A call failed with an errno."""
    NOTHING = "n"
    """It went through, and the witness saw nothing."""
    PROVES_NOTHING = "-"
    """Not made: what it would show is there before it, or nobody could see it. Never counted as stopped."""

    @property
    def label(self) -> str:
        """As a person reads it."""
        return self.name.lower().replace("_", " ")


Body = Callable[["Context"], object]
Check = Callable[["View"], bool]


@dataclass(frozen=True, slots=True)
class Shift:
    """A witness of a state that holds no token: it reads the value before the attempt, then chooses what is to become
    of it, so that no value which was there at the start (a nice shell, one processor, low limits) counts as an escape.

    Attributes:
        read: the state, seen from outside; None where it cannot be read.
        aim: the value that the attempt is to make, from the one before it; None where no value could be told from it.
        grows: more than the aim counts as well.
    """

    read: Callable[["View"], int | None]
    aim: Callable[["View", int | None], int | None]
    grows: bool = False

    def __call__(self, view: "View") -> bool:
        now = self.read(view)
        if now is None or view.aim is None:
            return False
        return now >= view.aim if self.grows else now == view.aim


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way out.

    Attributes:
        name: stable name.
        group: A network, B other families, C descriptors, D exec, E files, F IPC objects, G other processes,
            H visible state, I ABI and filter, J desktop and system services.
        about: what it does, one line.
        body: runs in the locked process.
        check: runs outside and decides; None where only a capability can be gained. A Shift is asked before, too.
        lingers: the process stays until the witness has looked.
        observer: its packets leave the host, so it is made only where the environment has a network of its own.
        residual: no sandbox closes it; docs/sandbox.md section 6 gives the bound.
    """

    name: str
    group: str
    about: str
    body: Body
    check: Check | None
    lingers: bool
    residual: bool
    observer: bool


ATTEMPTS: dict[str, Attempt] = {}


def attempt(
    about: str, *, check: Check | None = None, lingers: bool = False, residual: bool = False, observer: bool = False
) -> Callable[[Body], Body]:
    """Register a function as an attempt. Its name is the attempt's, its module's letter the group."""

    def register(body: Body) -> Body:
        group = str(body.__globals__["GROUP"])
        name = body.__name__
        if name in ATTEMPTS:
            raise ValueError(f"attempt {name} exists twice")
        ATTEMPTS[name] = Attempt(name, group, about, body, check, lingers, residual, observer)
        return body

    return register


@dataclass(frozen=True, slots=True)
class Cell:
    """One attempt at one layer set.

    Attributes:
        outcome: see Outcome.
        stopped_by: the system call it ended in, with errno where it was refused; empty when it was not stopped.
    """

    outcome: Outcome
    stopped_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressReport:
    """The matrix and what it says.

    Attributes:
        levels: layer sets in the order they ran.
        cells: attempt name -> layer set -> cell.
        unavailable: layer sets this host could not apply, with the reason.
        observed_packets: packets seen in the observing namespace: positive control, and with the whole lock.
        seconds: wall time.
    """

    levels: tuple[str, ...]
    cells: Mapping[str, Mapping[str, Cell]]
    unavailable: Mapping[str, str]
    observed_packets: tuple[int, int] | None
    seconds: float

    def exercisable(self, name: str) -> bool:
        """Whether the attempt works when nothing stops it; otherwise it proves nothing here."""
        base = self.cells[name].get("0")
        return base is not None and base.outcome in (Outcome.ESCAPED, Outcome.CAPABILITY)

    def proving_nothing(self) -> dict[str, str]:
        """Attempts that a cell did not make, with the reason: nothing follows from them for that layer set."""
        cells = ((name, cell) for name, row in self.cells.items() for cell in row.values())
        return {name: cell.stopped_by for name, cell in cells if cell.outcome is Outcome.PROVES_NOTHING}

    def count(self, level: str, outcome: Outcome) -> int:
        """Attempts with that outcome at that layer set."""
        return sum(1 for row in self.cells.values() if level in row and row[level].outcome is outcome)

    def escaped(self, level: str) -> tuple[str, ...]:
        """Names of the attempts that got out or gained something at that layer set."""
        bad = (Outcome.ESCAPED, Outcome.CAPABILITY)
        return tuple(name for name, row in self.cells.items() if level in row and row[level].outcome in bad)

    def unexpected(self, level: str) -> tuple[str, ...]:
        """Escapes that are not a named residual."""
        return tuple(name for name in self.escaped(level) if not ATTEMPTS[name].residual)

    def first_layer(self, name: str) -> tuple[str, ...]:
        """Single layers that stop the attempt on their own."""
        row = self.cells[name]
        good = (Outcome.KILLED, Outcome.REFUSED, Outcome.NOTHING)
        return tuple(level for level in self.levels if level in "HLNRS" and level in row and row[level].outcome in good)

    def to_record(self) -> dict[str, object]:
        """Plain values for evidence and JSON."""
        return {
            "levels": list(self.levels),
            "unavailable": dict(self.unavailable),
            "observed_packets": list(self.observed_packets) if self.observed_packets else None,
            "attempts": [
                {
                    "name": name,
                    "group": ATTEMPTS[name].group,
                    "about": ATTEMPTS[name].about,
                    "residual": ATTEMPTS[name].residual,
                    "exercisable": self.exercisable(name),
                    "proves_nothing_at": [
                        level for level, cell in row.items() if cell.outcome is Outcome.PROVES_NOTHING
                    ],
                    "stopped_by_layers": list(self.first_layer(name)),
                    "cells": {level: [cell.outcome.value, cell.stopped_by] for level, cell in row.items()},
                }
                for name, row in self.cells.items()
            ],
            "seconds_ms": int(self.seconds * 1000),
        }
