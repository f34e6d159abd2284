"""Have the device's sensor see a picture. What comes back is an id and a judgment; features never do."""

from collections.abc import Callable
from typing import Protocol

from bioguard.capture.picture_bounds import bounded_header, framed
from bioguard.commands.configuration import Configuration
from bioguard.device.sensors import no_sensor
from bioguard.errors import NotAcquired
from bioguard.records.acquired import AcquiredCode, acquired_of
from bioguard.records.modality import Modality
from tee_sim.normal.captured import Captured
from tee_sim.shared.dataclass import dataclass

See = Callable[[Modality, bytes], Captured]


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSample:
    """A sample that the secure world holds, for one minute and for one use.

    Attributes:
        capture_id: 16 bytes.
    """

    capture_id: bytes
    modality: Modality


class NoSample(NotAcquired):
    """A picture that gave no sample.

    Attributes:
        acquired: what the sensor said of it.
    """

    acquired = AcquiredCode.VENDOR


class Sensing(Protocol):
    """What capturing needs of a `Device`."""

    @property
    def configuration(self) -> Configuration: ...


def capture(device: Sensing, see: See, modality: Modality, picture: bytes, dpi: int | None = None) -> SensorSample:
    """Have a picture seen.

    Args:
        see: the secure world of the device: `bioguard.device.world.World.capture`.
        picture: a PNG, BMP, TIFF, PGM, PPM or WSQ file.
        dpi: of the scan of a finger; None: as the file says.

    Raises:
        InputRefused: `sample.no_sensor`, or the picture is none or out of bounds (`picture.`).
        NoSample: the sensor made no sample of it. It was no attempt: nothing was compared.
        TeeUnavailable: the sensor does not run.
    """
    if modality not in device.configuration.sensors:
        raise no_sensor(modality)
    _, dots = bounded_header(picture, dpi, modality)
    seen = see(modality, framed(picture, dots))
    if seen.capture_id is None:
        raise not_acquired(acquired_of(seen.acquired))
    return SensorSample(capture_id=seen.capture_id, modality=modality)


_WHAT = {
    AcquiredCode.PARTIAL: "only a part of the finger is seen: press more of it on the sensor",
    AcquiredCode.INSUFFICIENT: "too little is to be seen: clean sensor and finger, then try again",
    AcquiredCode.TOO_FAST: "it moved: hold still",
    AcquiredCode.TOO_DARK: "the finger is wet or pressed too hard: dry it, press less",
    AcquiredCode.TOO_BRIGHT: "the finger is dry or pressed too lightly: press more, or breathe on it",
    AcquiredCode.PAN_TOO_EXTREME: "look straight into the camera",
    AcquiredCode.TILT_TOO_EXTREME: "look straight into the camera",
    AcquiredCode.ROLL_TOO_EXTREME: "hold the head upright",
    AcquiredCode.TOO_FAR: "come nearer",
    AcquiredCode.NOT_DETECTED: "there is no face in the picture: look into the camera",
    AcquiredCode.SEVERAL_FACES: "there are several faces in the picture: be alone in it",
}


def not_acquired(code: AcquiredCode, which: str = "") -> NoSample:
    """The error for a picture that gave no sample."""
    fault = code is AcquiredCode.VENDOR
    what = "the extractor failed at the picture" if fault else "the sensor made no sample of the picture"
    hint = "try another picture; the sensor goes on, and `bioguard doctor` looks at it"
    error = NoSample(
        f"{which}{what} ({code.word.replace('_', ' ')})", hint=_WHAT.get(code, hint), code="sample.not_acquired"
    )
    error.acquired = code
    return error
