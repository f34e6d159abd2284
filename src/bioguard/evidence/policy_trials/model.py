"""Trials: something done to a temporary device, and what was seen. One passes if everything seen was as promised."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, unique
from pathlib import Path

from bioguard.evidence.no_answer import reason
from bioguard.evidence.policy_clauses import CLAUSES
from bioguard.evidence.second_reader import Unreadable
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.records.modality import Modality
from bioguard.report.model import Check, Evidence, Status
from bioguard.text import word


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that was looked at: what was promised, and whether it was so. `seen` says what was there instead."""

    promised: str
    holds: bool
    seen: str = ""


@unique
class Turn(Enum):
    """When a trial may run."""

    TIMED = "it measures time, so that nothing else runs"
    ON_THE_DEVICE = "one after the other on the device that is given"
    APART = "on devices of its own, beside others; of the one that is given it reads where it is"


def in_both(
    look: Callable[[TemporaryDevice, Modality], list[Observation]],
) -> Callable[[TemporaryDevice], list[Observation]]:
    """The same observations of a face and of a finger: a promise is about both."""

    def observe(temporary: TemporaryDevice) -> list[Observation]:
        return [
            replace(seen, promised=f"{seen.promised} ({word(modality)})")
            for modality in Modality
            for seen in look(temporary, modality)
        ]

    return observe


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One check that is answered by observations."""

    id: str
    title: str
    limits: str = ""
    fix: str = "a promise is broken: do not ship; run the tests of tests/policy and look at the details"

    @property
    def clauses(self) -> tuple[str, ...]:
        """The rows it gives evidence for."""
        return tuple(c.id for c in CLAUSES if self.id in c.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial(Question):
    """One check of a promise on a temporary device."""

    run: Callable[[TemporaryDevice], list[Observation]]
    turn: Turn = Turn.ON_THE_DEVICE


def conduct(trial: Trial, temporary: TemporaryDevice, raw: Path | None = None) -> Check:
    """Run a trial and write what was seen to `raw`/<id>.json."""
    return answer(trial, lambda: trial.run(temporary), raw)


def answer(trial: Question, look: Callable[[], list[Observation]], raw: Path | None = None) -> Check:
    """Look, and write what was seen to `raw`/<id>.json.

    An error of bioguard that was not expected is a FAIL; a secure world that is not there is UNKNOWN.
    """
    started = time.monotonic()
    status, seen = Status.UNKNOWN, list[Observation]()
    try:
        seen = look()
        status = Status.PASS if seen and all(o.holds for o in seen) else Status.FAIL
        summary = f"{sum(o.holds for o in seen)} of {len(seen)} observations as promised"
    except Unreadable as flaw:
        seen = [Observation("the store is what the published format says", False, str(flaw))]
        status, summary = Status.FAIL, "a second reader cannot account for the store"
    except Exception as error:  # a bug of ours must not hide the other checks, and is no pass
        status, summary = reason(error)
    details = tuple(f"NOT as promised: {o.promised}{f' ({o.seen})' if o.seen else ''}" for o in seen if not o.holds)
    if status is Status.PASS:
        details = tuple(o.promised for o in seen)
    evidence: tuple[Evidence, ...] = ()
    if raw is not None:
        rows = [{"promised": o.promised, "holds": o.holds, "seen": o.seen} for o in seen]
        body = {"check": trial.id, "summary": summary, "observations": rows}
        (raw / f"{trial.id}.json").write_text(json.dumps(body, indent=1) + "\n", "utf-8")
        evidence = (Evidence(label=f"{trial.id}.json", path=f"raw/{trial.id}.json"),)
    return Check(
        id=trial.id,
        title=trial.title,
        status=status,
        summary=summary,
        details=details,
        evidence=evidence,
        limits=trial.limits,
        fix=trial.fix,
        clauses=trial.clauses,
        duration_ms=round((time.monotonic() - started) * 1000),
    )
