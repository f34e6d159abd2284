"""Spans of time as people write them: 31s, 5m, 2h30m, 3d, 250ms, or ISO 8601 (PT31S, P3DT4H)."""

import re

from bioguard.errors import InputRefused

_UNITS_MS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))
_SHORT = re.compile("".join(f"(?:(?P<{unit}>[0-9]{{1,15}}){unit})?" for unit, _ in _UNITS_MS))
_ISO = re.compile(
    r"P(?:(?P<d>[0-9]{1,15})D)?(?:T(?:(?P<h>[0-9]{1,15})H)?(?:(?P<m>[0-9]{1,15})M)?(?:(?P<s>[0-9]{1,15})S)?)?"
)


def parse_duration(text: str) -> int:
    """Milliseconds of a span of time, longest unit first, each unit once.

    Raises:
        InputRefused: anything else, or no time at all.
    """
    found = _SHORT.fullmatch(text) or _ISO.fullmatch(text)
    parts = found.groupdict() if found else {}
    ms = sum(int(parts.get(unit) or 0) * factor for unit, factor in _UNITS_MS)
    if not ms:
        raise InputRefused(
            f"{text[:40]!r} is not a span of time",
            hint="write for instance 31s, 5m, 2h30m, 3d or PT31S",
            code="clock.duration",
        )
    return ms
