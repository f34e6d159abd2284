"""What the normal world is told of a capture: an opaque id and a code, never what was read."""

from collections.abc import Callable, Sequence
from typing import Self

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.params import Param
from tee_sim.shared.params import operation as four
from tee_sim.shared.sensor_api import CAPTURE_ID_BYTES, MAX_ACQUIRED
from tee_sim.shared.sensor_manifest import SensorManifest
from tee_sim.shared.wire import CaptureRequest, Return


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """The answer to a capture.

    Attributes:
        capture_id: names the sample to a trusted application, once and for a minute; None if there is none.
        acquired: the sensor's code; 0 if its code or process failed at this picture.
        host_end: how its process ended at it; the next capture goes to a spare.
        bits: what the answer has let out at most.
    """

    capture_id: bytes | None
    acquired: int
    host_end: HostEnd
    bits: int

    @classmethod
    def of(cls, answer: Return, sensor: str, kill: Callable[[], object]) -> Self:
        """Out of an answer.

        Raises:
            TeeError: its result; SECURITY, and the secure world is killed, for what is no answer to a capture.
        """
        if answer.result is not TeeResult.SUCCESS:
            raise TeeError(
                answer.result,
                f"the sensor {sensor} did not read",
                origin=answer.origin,
                hint="its processes are made anew with the secure world"
                if answer.result is TeeResult.TARGET_DEAD
                else "look at the picture's size",
            )
        captured = cls._of(answer)
        if captured is None:
            kill()
            what = "the secure world sent what is no answer to a capture; it was killed"
            raise TeeError(TeeResult.SECURITY, what, origin=Origin.API, hint="do not use this build of it")
        return captured

    @classmethod
    def _of(cls, answer: Return) -> Self | None:
        try:
            first, second, *_ = answer.params
            acquired = second.as_number()
        except (TeeError, ValueError):
            return None
        if len(first.buffer) not in (0, CAPTURE_ID_BYTES) or acquired > MAX_ACQUIRED:
            return None
        named = bool(first.buffer)
        expected = Param.output(CAPTURE_ID_BYTES).filled(first.buffer) if named else Param.none()
        if answer.params != four(expected, Param.number(acquired)):
            return None
        capture_id = first.buffer if named else None
        return cls(capture_id=capture_id, acquired=acquired, host_end=answer.host_end, bits=answer.bits)


def capture_message(sensors: Sequence[SensorManifest], sensor: str, picture: bytes) -> CaptureRequest:
    """What asks for a capture. Raises TeeError BAD_PARAMETERS of origin API for a sensor or a picture that is none."""
    place = next((place for place, known in enumerate(sensors) if known.name == sensor), None)
    if place is None:
        known = ", ".join(manifest.name for manifest in sensors) or "none"
        raise _unsendable(f"there is no sensor {sensor!r}", hint=f"the sensors here: {known}")
    most = sensors[place].max_picture_bytes
    if not 0 < len(picture) <= most:
        why = f"a picture of {len(picture)} bytes"
        raise _unsendable(why, hint=f"the sensor {sensor} reads 1 to {most} bytes")
    return CaptureRequest(sensor=place, size_bytes=len(picture))


def _unsendable(what: str, hint: str) -> TeeError:
    return TeeError(TeeResult.BAD_PARAMETERS, what, origin=Origin.API, hint=hint)
