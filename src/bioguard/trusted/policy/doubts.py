"""Doubt a clock that moved further than a device is likely to have been off: what became old by that is kept.

Erasing by time is the one thing that a wrong clock does for good. So a start that finds the time moved by more than
PLAUSIBLE_MS since the last start keeps, as a span in doubt, the time that was skipped. What expired within such a span
is refused for use like anything that is over, but it is erased only after a person has confirmed (POL-10;
`date.clock-forward`).

Does not promise: to notice a clock that moves a little at every start.
"""

from typing import Annotated

from bioguard.records.consent import DAY_MS, MAX_MS
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import Record, UpTo

PLAUSIBLE_MS = 40 * DAY_MS
"""A device in a drawer over a long holiday, with a little above the 30 days of the log. Design section 13."""
MAX_SPANS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Span(Record):
    """Time that was skipped: after `after_ms`, up to and with `until_ms`."""

    after_ms: Annotated[int, UpTo(MAX_MS)]
    until_ms: Annotated[int, UpTo(MAX_MS)]


def skipped(spans: tuple[Span, ...], last_ms: int, now_ms: int) -> tuple[Span, ...]:
    """The spans in doubt after a start at `now_ms`, when the start before it was at `last_ms`.

    Beyond MAX_SPANS the two oldest become one, with the time between them: more is kept, nothing less.
    """
    if now_ms - last_ms <= PLAUSIBLE_MS:
        return spans
    spans = (*spans, Span(after_ms=last_ms, until_ms=now_ms))
    if len(spans) > MAX_SPANS:
        spans = (Span(after_ms=spans[0].after_ms, until_ms=spans[1].until_ms), *spans[2:])
    return spans


def in_doubt(spans: tuple[Span, ...], at_ms: int) -> bool:
    """Whether what was over at this time may only seem so."""
    return any(span.after_ms < at_ms <= span.until_ms for span in spans)
