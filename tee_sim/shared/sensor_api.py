"""What a sensor's own code looks like, and what a trusted application is given of what it read.

A sensor is a class that the manifest of the sensor names. It is made before the lock, in a process of its own, and
loads there whatever it needs; `read` is called after the lock, with nothing but bytes. Its process has no key, no store
and no other process's memory; what it makes of a picture goes to the core, and from there to a trusted application
whose manifest names the sensor (docs/sandbox.md section 10).

The GlobalPlatform word for it is a peripheral whose events an application reads (TEE Internal Core API 1.2, chapter 9);
docs/gp-api.md says what is alike.
"""

from collections.abc import Mapping
from typing import Protocol

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult

CAPTURE_ID_BYTES = 16
MAX_EXTRACTOR_BYTES = 128
"""An identity with a name, a version and two digests."""
FAULT = 0
"""The acquired code of a capture that the sensor's code or process failed at."""
MAX_ACQUIRED = 255
MAX_QUALITY = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """What `SensorCode.read` returns.

    Attributes:
        acquired: 1 to 255, the sensor's own codes; 0 (`FAULT`) says that it failed.
        quality: 0 to 100, 0 for not known.
        payload: for trusted applications; empty if nothing was acquired that one could use.
    """

    acquired: int
    quality: int
    payload: bytes

    def fits(self, max_payload_bytes: int) -> bool:
        """Whether every value is of its type and within its bounds."""
        numbers = ((self.acquired, MAX_ACQUIRED), (self.quality, MAX_QUALITY))
        in_range = all(type(number) is int and 0 <= number <= most for number, most in numbers)
        return in_range and type(self.payload) is bytes and len(self.payload) <= max_payload_bytes


class SensorCode(Protocol):
    """An object of the class that a sensor's manifest names; made before the lock as `Class(arguments, files)`."""

    @property
    def extractor(self) -> bytes:
        """What names the code and the weights that make samples: 1 to 128 bytes, read once, before the lock."""
        ...

    def read(self, data: bytes) -> Reading:
        """Make a sample of one picture, whatever its bytes are. An exception is a fault of this capture alone."""
        ...


class MakeSensor(Protocol):
    """The class itself.

    Args:
        arguments: of the manifest.
        files: content of each file that the manifest names, by its path there; each is as its digest says.
    """

    def __call__(self, arguments: tuple[str, ...], files: Mapping[str, bytes], /) -> SensorCode: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenCapture:
    """What an application takes.

    Attributes:
        sensor: its name.
        extractor: what its process has said of itself before the lock.
        quality: 0 to 100, 0 for not known.
        payload: as the sensor's code made it: whoever uses it parses it strictly, the core has not.
    """

    sensor: str
    extractor: bytes
    quality: int
    payload: bytes


class Captures(Protocol):
    """What sensors have read for the applications that their manifests let take it."""

    def take(self, capture_id: bytes, *, keep: bool = False) -> TakenCapture:
        """Take one, once.

        Args:
            keep: only look at it: it can be taken as before, and is not kept any longer for it.

        Raises:
            TeeError: ITEM_NOT_FOUND for an id that is none, was taken, or is older than a minute; ACCESS_DENIED for one
                of a sensor that the manifest does not name, which stays for those that may.
        """
        ...


@dataclass(frozen=True, slots=True)
class NoCaptures:
    """`Captures` of an application whose manifest names no sensor."""

    def take(self, capture_id: bytes, *, keep: bool = False) -> TakenCapture:
        """Raises TeeError ACCESS_DENIED."""
        raise TeeError(TeeResult.ACCESS_DENIED, "the manifest names no sensor")
