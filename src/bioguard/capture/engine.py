"""What an engine is: a picture in, features and a judgement out. Write your own with this page: docs/capture.md.

The constructor loads and warms up: it runs before the lock. `extract` runs after it: no file, no thread, no path, no
clock but the processor's. What it raises is a fault of the engine, never a judgement of the picture.
"""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.records.acquired import AcquiredCode
from bioguard.records.extractor import ExtractorIdentity
from bioguard.records.features import FaceEmbedding, FingerprintTemplate
from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass

CAMERA: Final = 0
"""The dpi of a picture that has none: a face at any distance."""
MAX_QUALITY: Final = 100


def _refuse(message: str, fault: str) -> InputRefused:
    return InputRefused(
        message, hint="what an engine takes and returns: docs/capture.md#your-own-engine", code=f"engine.{fault}"
    )


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: uint8, [h, w] gray with dark ridges, or [h, w, 3] RGB; C order, not writable.
        dpi: dots an inch, both ways; 0 from a camera.

    Raises:
        InputRefused: `engine.picture` for another dtype, shape or dpi.
    """

    pixels: NDArray[np.uint8]
    dpi: int

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if self.pixels.dtype != np.uint8 or not (len(shape) == 2 or shape[2:] == (3,)) or 0 in shape or self.dpi < 0:
            raise _refuse(f"a picture of {self.pixels.dtype} {list(shape)} at {self.dpi} dpi", "picture")
        self.pixels.flags.writeable = False

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What came of one picture.

    Attributes:
        acquired: GOOD, or what is wrong with the picture.
        sample: the features; always there for GOOD, None where the picture is too bad for any.
        quality: 1..100, 0 not known.

    Raises:
        InputRefused: `engine.extraction` for GOOD without features, or a quality outside 0..100.
    """

    acquired: AcquiredCode
    sample: FingerprintTemplate | FaceEmbedding | None = None
    quality: int = 0

    def __post_init__(self) -> None:
        if (self.acquired is AcquiredCode.GOOD and self.sample is None) or not 0 <= self.quality <= MAX_QUALITY:
            raise _refuse("an extraction is good without features, or of a quality outside 0..100", "extraction")


class Engine(Protocol):
    """An extractor. One instance extracts one picture after another, in one thread."""

    @property
    def identity(self) -> ExtractorIdentity: ...

    @property
    def modality(self) -> Modality: ...

    def extract(self, picture: Picture) -> Extraction:
        """Features of a picture that `pictures.decode` made; a picture that is too bad is an acquired code."""
        ...
