"""What the scripted sensor makes of one presentation: codes, an error, and who is in front of it.

Used twice: by the virtual HAL, where a "finger" is an id, and in front of a device, where it is a sample.
"""

from dataclasses import dataclass
from enum import Enum, unique

from bioguard.hal.aidl_codes import VENDOR_OFFSET, ErrorCode, FaceAcquired, FingerprintAcquired
from bioguard.hal.callbacks import OperationError
from bioguard.records.modality import Modality
from bioguard.simulate.knobs.grammar import acquired_code, latency
from bioguard.simulate.knobs.properties import SensorProperties
from bioguard.simulate.knobs.table import KNOBS, ActsOn, ReadAt
from tee_sim.normal import events
from tee_sim.shared.rng import Rng


@unique
class Who(Enum):
    """Who is presented."""

    GENUINE = "as given"
    SOMEBODY_ELSE = "somebody else"


@dataclass(frozen=True, slots=True)
class Presentation:
    """One touch or look.

    Attributes:
        delay_ms: latency and duration together.
        acquired: AcquiredInfo and vendor code, in order; none where nobody scripts them: as the sample is judged.
        comparable: whether it is compared.
        spoof: it was judged to be an attack, and counts as a failed attempt.
    """

    delay_ms: int
    acquired: tuple[tuple[int, int], ...]
    who: Who
    comparable: bool
    error: OperationError | None = None
    spoof: bool = False


def forced_error(code: int) -> OperationError | None:
    """The error a knob asks for; 0 is none, above 1000 a vendor code, unknown ones UNABLE_TO_PROCESS."""
    if code == 0:
        return None
    if code > VENDOR_OFFSET:
        return OperationError(ErrorCode.VENDOR, code - VENDOR_OFFSET)
    return OperationError(ErrorCode(code)) if code in list(ErrorCode) else OperationError(ErrorCode.UNABLE_TO_PROCESS)


class SensorScript:
    """Plays the knobs of one sensor, one presentation after the other.

    Args:
        rng: decides latencies and noise; seed it to replay.
        captures: presentations that were played before.
        default_times: whether a latency or duration that nobody set takes its time, as in the virtual HAL.
    """

    def __init__(
        self, kind: Modality, knobs: SensorProperties, rng: Rng, *, captures: int = 0, default_times: bool = True
    ) -> None:
        self._kind = kind
        self._knobs = knobs
        self._rng = rng
        self._captures = captures
        self._default_times = default_times
        self._good = int(FingerprintAcquired.GOOD if kind is Modality.FINGERPRINT else FaceAcquired.GOOD)

    def _random(self) -> int:
        return int.from_bytes(self._rng.bytes(8), "little")

    def _is_set(self, knob: str) -> bool:
        return knob in self._knobs.changed()

    def delay_ms(self, operation: str) -> int:
        """Latency of one operation (authenticate, enroll, detect_interaction)."""
        knob = f"operation_{operation}_latency"
        if not self._default_times and not self._is_set(knob):
            return 0
        return latency(self._knobs.numbers(knob)).draw(self._random())

    def _duration_ms(self, operation: str) -> int:
        knob = f"operation_{operation}_duration"
        return self._knobs.number(knob) if self._default_times or self._is_set(knob) else 0

    def next_quality(self) -> tuple[tuple[int, int], ...] | None:
        """The code that `quality_sequence` has for this capture, if it goes on so far."""
        sequence = self._knobs.numbers("quality_sequence")
        number, self._captures = self._captures, self._captures + 1
        self._knobs.captures = self._captures
        for name in self._knobs.changed():
            if KNOBS[name].acts_on is not ActsOn.DEVICE and KNOBS[name].read_at is ReadAt.USE:
                events.fault(name, "set", self._captures)
        return (acquired_code(sequence[number], self._kind),) if number < len(sequence) else None

    def is_good(self, codes: tuple[tuple[int, int], ...]) -> bool:
        """Whether the last code is GOOD."""
        return bool(codes) and codes[-1][0] == self._good

    def present(self, operation: str, default_codes: tuple[int, ...] | None = (1,)) -> Presentation:
        """The next presentation of an operation (authenticate, detect_interaction)."""
        error = forced_error(self._knobs.number(f"operation_{operation}_error"))
        knob = f"operation_{operation}_acquired"
        scripted = self._knobs.numbers(knob)
        judged = default_codes is None and not self._is_set(knob)
        numbers = scripted if self._is_set(knob) else default_codes or ()
        codes = tuple(acquired_code(c, self._kind) for c in numbers) if error is None else ()
        if error is None and not codes and not judged:
            error = OperationError(ErrorCode.UNABLE_TO_PROCESS)
        quality = self.next_quality()
        comparable = quality is None or self.is_good(quality)
        delay_ms = self.delay_ms(operation) + self._duration_ms(operation)
        return Presentation(delay_ms, quality or codes, self.who(operation), comparable, error, self._is_spoof())

    def _is_spoof(self) -> bool:
        return 0 < self._knobs.rate("spoof_score") >= self._knobs.rate("spoof_limit")

    def who(self, operation: str) -> Who:
        """Who is in front of the sensor."""
        rejected = operation == "authenticate" and self._knobs.flag("operation_authenticate_fails")
        wrong = self._knobs.flag("wrong_finger") or rejected
        return Who.SOMEBODY_ELSE if wrong or self._is_spoof() else Who.GENUINE

    def noise_hides_id(self) -> bool:
        """Whether the noise makes an id unrecognizable, for sensors whose samples are ids."""
        return self._random() < self._knobs.rate("sensor_noise") * (1 << 64)
