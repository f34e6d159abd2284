"""A template ready for comparison: integer descriptors and integer positions."""

import struct
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.match.fingerprint.cylinders import frames
from bioguard.match.fingerprint.extraction import CODE_LIMIT, describe
from bioguard.match.fingerprint.projection import Projection, projection
from bioguard.records import FingerprintTemplate
from tee_sim.shared.dataclass import dataclass

POSITION_STEPS_PER_PX = 8
"""Positions in 1/8 px at 500 dpi: 4095 px is the limit of a template and fits 16 bits signed."""
DIRECTION_SCALE = 32767


@dataclass(frozen=True, slots=True, eq=False)
class PreparedTemplate:
    """What the comparator works on. As sensitive as the template itself.

    Attributes:
        codes: int8 [n, dimensions], -63..63.
        places: int16 [n, 4]: x and y (upward) in 1/8 px at 500 dpi, cosine and sine of the direction times 32767.
    """

    HEADER: ClassVar[struct.Struct] = struct.Struct("<BBBB")

    codes: NDArray[np.int8]
    places: NDArray[np.int16]

    def __len__(self) -> int:
        return int(self.places.shape[0])

    def to_bytes(self) -> bytes:
        """4-byte header (version 1, minutiae, dimensions, zero), places little endian, codes."""
        header = self.HEADER.pack(1, len(self), self.codes.shape[1], 0)
        return header + self.places.astype("<i2").tobytes() + self.codes.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "PreparedTemplate":
        """Raises InputRefused when the data are not what `to_bytes` of this version and projection writes."""
        n, dimensions = (data[1], data[2]) if len(data) >= cls.HEADER.size else (0, 0)
        expected = cls.HEADER.pack(1, n, projection().dimensions, 0)
        codes_at = cls.HEADER.size + 8 * n
        if data[: cls.HEADER.size] != expected or len(data) != codes_at + n * dimensions:
            raise InputRefused(
                "not a prepared fingerprint", hint="prepare it again from the template", code="input.prepared"
            )
        codes = np.frombuffer(data, np.int8, offset=codes_at).reshape(n, dimensions).copy()
        places = np.frombuffer(data, "<i2", count=4 * n, offset=cls.HEADER.size).astype(np.int16).reshape(n, 4)
        if n and (int(codes.max()) > CODE_LIMIT or int(codes.min()) < -CODE_LIMIT):
            raise InputRefused(
                "not a prepared fingerprint", hint="prepare it again from the template", code="input.prepared"
            )
        return cls(codes, places)


def canonical(template: FingerprintTemplate) -> FingerprintTemplate:
    """The same minutiae in one fixed order, so that scores cannot depend on the order in the file."""
    order = np.lexsort((template.angle_rad, template.y_px500, template.x_px500))
    return FingerprintTemplate(
        template.x_px500[order],
        template.y_px500[order],
        template.angle_rad[order],
        template.kind[order],
        template.quality[order],
        template.width_px500,
        template.height_px500,
    )


def prepare_all(templates: Sequence[FingerprintTemplate], using: Projection | None = None) -> list[PreparedTemplate]:
    """Prepare many templates at once; far quicker than one by one."""
    ordered = [canonical(t) for t in templates]
    out = []
    for template, codes in zip(ordered, describe(ordered, using), strict=True):
        frame = frames(template)
        scale = np.array([POSITION_STEPS_PER_PX] * 2 + [DIRECTION_SCALE] * 2, np.float32)
        out.append(PreparedTemplate(codes, np.rint(frame * scale).astype(np.int16)))
    return out


def prepare(template: FingerprintTemplate) -> PreparedTemplate:
    """Prepare one template."""
    return prepare_all([template])[0]
