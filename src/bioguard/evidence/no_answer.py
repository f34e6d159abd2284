"""A check that ends in an error has an answer too: no broken product can keep a report from being made."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from bioguard.errors import BioguardError, TeeUnavailable
from bioguard.evidence.policy_clauses import CLAUSES
from bioguard.report.model import Check, Status

TITLE = "This check comes to an end"
FIX = "a product that ends a check is broken, or the check is: do not ship; read the summary, then run it again"


def reason(error: Exception) -> tuple[Status, str]:
    """UNKNOWN if the secure world was not there, since nothing was shown; else FAIL. And why, in one sentence."""
    if isinstance(error, TeeUnavailable):
        return Status.UNKNOWN, f"could not run: {error.message}"
    if isinstance(error, BioguardError):
        return Status.FAIL, f"ended in error {error.code}: {error.message}"
    return Status.FAIL, f"ended in an unexpected {type(error).__name__}"


def failed(name: str, error: Exception, *, title: str = TITLE) -> Check:
    """The check that ended in an error."""
    status, summary = reason(error)
    clauses = tuple(c.id for c in CLAUSES if name in c.checks)
    return Check(id=name, title=title, status=status, summary=summary, fix=FIX, clauses=clauses)


def answered(names: Sequence[str], step: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """The checks of a step, and how long each took.

    When the step ends in an error, each of `names` that it did not answer ended in it.
    """
    open_still, since = dict.fromkeys(names), time.monotonic()
    try:
        for check in step():
            open_still.pop(check.id, None)
            yield replace(check, duration_ms=check.duration_ms or round((time.monotonic() - since) * 1000))
            since = time.monotonic()
    except Exception as error:  # whatever it is: the others go on, and the report says so
        yield from (failed(name, error) for name in open_still)
