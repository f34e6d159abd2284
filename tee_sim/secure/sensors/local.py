"""A sensor in this process: in tests, and where nothing is locked; and what is done with its class in any process."""

from collections.abc import Callable

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.sensor_api import FAULT, MAX_EXTRACTOR_BYTES, MakeSensor, Reading, SensorCode
from tee_sim.shared.sensor_manifest import SensorManifest

Source = Callable[[int, int], bytes]
"""Gives a picture: number of the capture, size in bytes."""


@dataclass(frozen=True, slots=True)
class MadeSensor:
    """A sensor that was made, and what it has said of itself.

    Attributes:
        max_sample_bytes: of its manifest.
    """

    sensor: SensorCode
    extractor: bytes
    max_sample_bytes: int

    @classmethod
    def of(cls, manifest: SensorManifest, make: MakeSensor, files: dict[str, bytes]) -> "MadeSensor":
        """Make it. Raises whatever its class raises; ValueError if it does not say what it is."""
        sensor = make(manifest.arguments, files)
        extractor = sensor.extractor
        if type(extractor) is not bytes or not 0 < len(extractor) <= MAX_EXTRACTOR_BYTES:
            raise ValueError(f"its extractor is not 1 to {MAX_EXTRACTOR_BYTES} bytes")
        return cls(sensor, extractor, manifest.max_sample_bytes)

    def read(self, data: bytes) -> Reading:
        """What it makes of a picture; a fault for whatever is no sample."""
        try:
            sample = self.sensor.read(data)
        except BaseException:
            # SystemExit too: it is the sensor's code's, not this process's. What was raised is not passed on: its text
            # could hold a part of the picture.
            return Reading(FAULT, 0, b"")
        if type(sample) is not Reading or not sample.fits(self.max_sample_bytes) or sample.acquired == FAULT:
            return Reading(FAULT, 0, b"")
        return sample


@dataclass(frozen=True, slots=True)
class LocalSensor:
    """`tee_sim.secure.sensors.desk.SensorPort` without a process.

    Args:
        place: of its pipe for pictures, for whoever feeds it.
        source: gives the picture.
    """

    manifest: SensorManifest
    made: MadeSensor
    place: int
    source: Source

    @property
    def extractor(self) -> bytes:
        """As `SensorPort.extractor`."""
        return self.made.extractor

    def read(self, number: int, size_bytes: int, feed: Callable[[int, int], None]) -> tuple[Reading, HostEnd]:
        """As `SensorPort.read`. There is no process that could end."""
        feed(self.place, number)
        return self.made.read(self.source(number, size_bytes)), HostEnd.NONE
