"""What the scripted sensor makes of one presentation: codes, an error, and who is in front of it.

Used twice: by the virtual HAL, where a "finger" is an id, and in front of a device, where it is a sample.
"""

from dataclasses import dataclass
from enum import Enum, unique

from bioguard.hal.aidl_codes import VENDOR_OFFSET, ErrorCode, FaceAcquired, FingerprintAcquired
from bioguard.hal.callbacks import OperationError
from bioguard.records.modality import Modality
from bioguard.simulate.faults.grammar import acquired_code, latency
from bioguard.simulate.faults.properties import SensorProperties
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
        acquired: AcquiredInfo and vendor code, in order.
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
    """

    def __init__(self, kind: Modality, knobs: SensorProperties, rng: Rng, *, captures: int = 0) -> None:
        self._kind = kind
        self._knobs = knobs
        self._rng = rng
        self._captures = captures
        self._good = int(FingerprintAcquired.GOOD if kind is Modality.FINGERPRINT else FaceAcquired.GOOD)

    def _random(self) -> int:
        return int.from_bytes(self._rng.bytes(8), "little")

    def delay_ms(self, operation: str) -> int:
        """Latency of one operation (authenticate, enroll, detect_interaction)."""
        return latency(self._knobs.numbers(f"operation_{operation}_latency")).draw(self._random())

    def present(self, operation: str, default_codes: tuple[int, ...] = (1,)) -> Presentation:
        """The next presentation of an operation (authenticate, detect_interaction)."""
        error = forced_error(self._knobs.number(f"operation_{operation}_error"))
        scripted = self._knobs.numbers(f"operation_{operation}_acquired")
        is_default = f"operation_{operation}_acquired" not in self._knobs.changed()
        codes = tuple(acquired_code(c, self._kind) for c in (default_codes if is_default else scripted))
        if error is not None:
            codes = ()
        elif not codes:
            error = OperationError(ErrorCode.UNABLE_TO_PROCESS)
        comparable = True
        sequence = self._knobs.numbers("quality_sequence")
        if self._captures < len(sequence):
            codes = (acquired_code(sequence[self._captures], self._kind),)
            comparable = codes[-1][0] == self._good
        self._captures += 1
        delay_ms = self.delay_ms(operation) + self._knobs.number(f"operation_{operation}_duration")
        spoof = 0 < self._knobs.rate("spoof_score") >= self._knobs.rate("spoof_limit")
        return Presentation(delay_ms, codes, self._who(spoof), comparable, error, spoof)

    def _who(self, spoof: bool) -> Who:
        wrong = self._knobs.flag("wrong_finger") or self._knobs.flag("operation_authenticate_fails") or spoof
        return Who.SOMEBODY_ELSE if wrong else Who.GENUINE

    def noise_hides_id(self) -> bool:
        """Whether the noise makes an id unrecognizable, for sensors whose samples are ids."""
        return self._random() < self._knobs.rate("sensor_noise") * (1 << 64)
