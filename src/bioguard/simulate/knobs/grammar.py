"""The little languages inside knob values, as Android's virtual HALs write them (`common/util/Util.h`).

    next_enrollment = <id>:<step>[,<step>...]:<result>       step = <ms>[-[<code>,...]]
    2:1000-[5,1],500:true      finger 2, a second with codes 5 and 1, half a second with GOOD, then success

A code above 1000 is a vendor code: 1013 is VENDOR with vendor code 13. Spaces in the step list mean nothing.
"""

import re
from dataclasses import dataclass

from bioguard.errors import InputRefused
from bioguard.hal.aidl_codes import VENDOR_OFFSET, FaceAcquired, FingerprintAcquired
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import Location

FACE_DEFAULT_ENROLLMENT = "1:1000-[21,7,1,1103],1500-[1108,1],2000-[1113,1],2500-[1118,1]:true"
"""The face HAL's own default script."""
MAX_INT = 0x7FFF_FFFF
MAX_WAIT_MS = 60_000
"""A minute for one step: above that a deadline has passed, whatever it is of."""
MAX_STEPS = 64
"""Of an enrollment; Android's own script of a face has four."""
MAX_DIGITS = 20
"""Python refuses to read numbers of thousands of digits; nobody needs more than 64 bits."""
_STEP = re.compile(r"(\d+)(?:-\[([0-9,]*)\])?")


def _bad(what: str, example: str) -> InputRefused:
    return InputRefused(f"cannot read {what}", hint=f"write it like {example}", code="fault.grammar")


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS):
        return None
    return int(text) if int(text) <= MAX_INT else None


def int_sequence(text: str, separator: str = ",") -> tuple[int, ...]:
    """Numbers between separators. One bad token empties the whole list, as the virtual HAL does it."""
    values = [_number(token.strip()) for token in text.split(separator)]
    return () if None in values else tuple(v for v in values if v is not None)


def acquired_code(code: int, kind: Modality) -> tuple[int, int]:
    """AcquiredInfo and vendor code of one number in a script.

    Raises:
        InputRefused: neither a known code nor a vendor code.
    """
    enum = FingerprintAcquired if kind is Modality.FINGERPRINT else FaceAcquired
    if code > VENDOR_OFFSET:
        return int(enum.VENDOR), code - VENDOR_OFFSET
    if code not in list(enum):
        raise _bad(f"acquired code {code}", "1 (GOOD) or 1013 (vendor code 13)")
    return code, 0


@dataclass(frozen=True, slots=True)
class EnrollmentStep:
    """One step: how long, and the codes spread over it."""

    duration_ms: int
    codes: tuple[int, ...] = (1,)


@dataclass(frozen=True, slots=True)
class NextEnrollment:
    """A script for the next enrollment."""

    enrollment_id: int
    steps: tuple[EnrollmentStep, ...]
    succeeds: bool

    def __str__(self) -> str:
        steps = ",".join(f"{s.duration_ms}-[{','.join(map(str, s.codes))}]" for s in self.steps)
        return f"{self.enrollment_id}:{steps}:{'true' if self.succeeds else 'false'}"


def next_enrollment(text: str) -> NextEnrollment:
    """Parse a script.

    Raises:
        InputRefused: not three parts, an id that is not a positive number, or a step that does not parse.
    """
    parts = text.split(":")
    example = "2:1000-[5,1],500:true"
    if len(parts) != 3:
        raise _bad("a next_enrollment script without exactly three parts", example)
    enrollment_id = _number(parts[0].strip())
    if not enrollment_id:
        raise _bad("the id of a next_enrollment script", example)
    return NextEnrollment(enrollment_id, _steps(parts[1].replace(" ", ""), example), parts[2].strip() in ("1", "true"))


def _steps(text: str, example: str) -> tuple[EnrollmentStep, ...]:
    steps: list[EnrollmentStep] = []
    position = 0
    while position <= len(text):
        match = _STEP.match(text, position)
        if match is None or (match.end() < len(text) and text[match.end()] != ","):
            raise _bad("a step of a next_enrollment script", example)
        duration = _number(match[1])
        codes = (1,) if match[2] is None else int_sequence(match[2])
        if duration is None or not codes:
            raise _bad("a step of a next_enrollment script", example)
        steps.append(EnrollmentStep(duration, codes))
        position = match.end() + 1
    return tuple(steps)


@dataclass(frozen=True, slots=True)
class Latency:
    """Inclusive range in milliseconds."""

    low_ms: int
    high_ms: int

    def draw(self, random_64: int) -> int:
        """A value of the range from 64 random bits (the bias over at most 2^31 values is below 2^-33)."""
        return self.low_ms + random_64 % (self.high_ms - self.low_ms + 1)


DEFAULT_LATENCY = Latency(400, 400)


def latency(values: tuple[int, ...]) -> Latency:
    """One value is fixed, two are a range in either order, anything else is 400 ms."""
    if len(values) not in (1, 2):
        return DEFAULT_LATENCY
    return Latency(min(values), max(values))


def location(text: str, default: Location | None) -> Location | None:
    """`x:y:radius[:display]`; anything else is the default of the sensor type."""
    parts = text.split(":")
    numbers = tuple(_number(p.strip()) for p in parts[:3])
    if len(parts) not in (3, 4) or len(numbers) != 3 or None in numbers:
        return default
    x, y, radius = (n or 0 for n in numbers)
    return Location.of(x, y, radius, parts[3].strip() if len(parts) == 4 else "")
