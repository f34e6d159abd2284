"""Biometric features as they cross every boundary: frozen, validated once, canonical bytes.

Rules:
* A record is checked when it is made; code that receives one does not check again.
* Values are rounded to the canonical encoding at construction, so `from_bytes(r.to_bytes()) == r` and what is
  scored is exactly what is stored.
* `from_bytes` decodes, bounds, re-encodes and compares: one value has one encoding, and nothing may be left over.

Layout: docs/formats/features.md.
"""

import struct
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioguard.errors import InputRefused
from bioguard.records.feature_limits import MAX_DIMENSION, MAX_MINUTIAE, MIN_DIMENSION
from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass

COORDINATE_STEPS_PER_PX = 16
"""Canonical coordinates are 1/16 px at 500 dpi (3.2 um): far below the 0.1 mm repeatability of extractors."""
MAX_COORDINATE_PX500 = 4095
"""20.8 cm at 500 dpi: above any palm sensor; larger values mean a broken header."""
ANGLE_STEPS = 65536
NORM_TOLERANCE = 0.01
"""float16 rounding moves the norm of a unit vector by less than 5e-4; 1 % leaves room, a scaled one does not pass."""


def _refuse(message: str, hint: str, code: str) -> InputRefused:
    return InputRefused(message, hint=hint, code=code)


@dataclass(frozen=True, slots=True, eq=False)
class FingerprintTemplate:
    """Minutiae of one finger view, in pixels at 500 dpi.

    Attributes:
        x_px500, y_px500: float32 [n], 0..4095, multiples of 1/16; x to the right, y down.
        angle_rad: float32 [n], [0, 2 pi), counter-clockwise from the positive x axis, along the ridge
            (ISO/IEC 19794-2 section 6.5), multiples of 2 pi / 65536.
        kind: uint8 [n], 0 other, 1 ridge ending, 2 bifurcation.
        quality: uint8 [n], 0 not reported, else 1..100.
        width_px500, height_px500: image size in pixels at 500 dpi, 1..4095 (whole pixels).
    """

    modality: ClassVar[Modality] = Modality.FINGERPRINT
    KIND: ClassVar[int] = int(modality)
    """The same in the bytes, under its public name of 0.1."""
    HEADER: ClassVar[struct.Struct] = struct.Struct("<BBHHH")
    ROW: ClassVar[np.dtype[np.void]] = np.dtype(
        [("x", "<u2"), ("y", "<u2"), ("angle", "<u2"), ("kind", "u1"), ("quality", "u1")]
    )

    x_px500: NDArray[np.float32]
    y_px500: NDArray[np.float32]
    angle_rad: NDArray[np.float32]
    kind: NDArray[np.uint8]
    quality: NDArray[np.uint8]
    width_px500: int
    height_px500: int

    @classmethod
    def from_minutiae(
        cls,
        x_px500: ArrayLike,
        y_px500: ArrayLike,
        angle_rad: ArrayLike,
        *,
        kind: ArrayLike | None = None,
        quality: ArrayLike | None = None,
        width_px500: int,
        height_px500: int,
    ) -> Self:
        """Build a template from arrays of equal length, rounding to the canonical grid.

        Raises:
            InputRefused: more than 255 minutiae, unequal lengths, a value that is not finite, a coordinate
                outside 0..4095 or outside the image, an unknown kind, a quality above 100.
        """
        x, y, angle = (np.asarray(a, dtype=np.float64).reshape(-1) for a in (x_px500, y_px500, angle_rad))
        n = x.size
        kinds = np.zeros(n, np.int64) if kind is None else np.asarray(kind, dtype=np.int64).reshape(-1)
        qualities = np.zeros(n, np.int64) if quality is None else np.asarray(quality, dtype=np.int64).reshape(-1)
        if not (y.size == angle.size == kinds.size == qualities.size == n):
            raise _refuse("minutiae arrays differ in length", "give one value per minutia in each array", "input.shape")
        if n > MAX_MINUTIAE:
            raise _refuse(
                f"{n} minutiae, at most {MAX_MINUTIAE} are allowed",
                "keep the best 255, or check that the file is a minutiae record",
                "input.too_many_minutiae",
            )
        if not (np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(angle).all()):
            raise _refuse("a minutia is not finite", "check the extractor that made this file", "input.not_finite")
        for name, size in (("width", width_px500), ("height", height_px500)):
            if not 1 <= int(size) <= MAX_COORDINATE_PX500:
                raise _refuse(
                    f"image {name} {size} px at 500 dpi is outside 1..{MAX_COORDINATE_PX500}",
                    "check image size and resolution in the header",
                    "input.image_size",
                )
        if n and (x.min() < 0 or y.min() < 0 or x.max() > width_px500 or y.max() > height_px500):
            raise _refuse(
                "a minutia lies outside the image",
                "check image size and resolution in the header",
                "input.outside_image",
            )
        if n and (kinds.min() < 0 or kinds.max() > 2 or qualities.min() < 0 or qualities.max() > 100):
            raise _refuse("minutia type or quality out of range", "types are 0..2, quality 0..100", "input.minutia")
        rows = np.zeros(n, cls.ROW)
        rows["x"] = np.rint(x * COORDINATE_STEPS_PER_PX)
        rows["y"] = np.rint(y * COORDINATE_STEPS_PER_PX)
        rows["angle"] = np.rint(angle / (2 * np.pi) * ANGLE_STEPS).astype(np.int64) % ANGLE_STEPS
        rows["kind"] = kinds
        rows["quality"] = qualities
        return cls._from_rows(rows, int(width_px500), int(height_px500))

    @classmethod
    def _from_rows(cls, rows: NDArray[np.void], width: int, height: int) -> Self:
        columns = (
            (rows["x"] / np.float32(COORDINATE_STEPS_PER_PX)).astype(np.float32),
            (rows["y"] / np.float32(COORDINATE_STEPS_PER_PX)).astype(np.float32),
            (rows["angle"].astype(np.float64) * (2 * np.pi / ANGLE_STEPS)).astype(np.float32),
            rows["kind"].astype(np.uint8),
            rows["quality"].astype(np.uint8),
        )
        for column in columns:
            column.flags.writeable = False
        return cls(*columns, width, height)

    def __len__(self) -> int:
        return int(self.x_px500.size)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FingerprintTemplate) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Canonical bytes: 8-byte header, then 8 bytes a minutia (docs/formats/features.md section 2)."""
        rows = np.zeros(len(self), self.ROW)
        rows["x"] = np.rint(self.x_px500 * COORDINATE_STEPS_PER_PX)
        rows["y"] = np.rint(self.y_px500 * COORDINATE_STEPS_PER_PX)
        rows["angle"] = (
            np.rint(self.angle_rad.astype(np.float64) * (ANGLE_STEPS / (2 * np.pi))).astype(np.int64) % ANGLE_STEPS
        )
        rows["kind"] = self.kind
        rows["quality"] = self.quality
        return self.HEADER.pack(1, self.modality, len(self), self.width_px500, self.height_px500) + rows.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode canonical bytes. Raises InputRefused if they are not exactly what `to_bytes` would write."""
        if len(data) < cls.HEADER.size:
            raise _refuse(
                "fingerprint record is truncated", "send the bytes of FingerprintTemplate.to_bytes", "input.features"
            )
        version, kind, n, width, height = cls.HEADER.unpack_from(data)
        if (version, kind) != (1, cls.modality) or len(data) != cls.HEADER.size + n * cls.ROW.itemsize:
            raise _refuse(
                "not a fingerprint record", "send the bytes of FingerprintTemplate.to_bytes", "input.features"
            )
        rows = np.frombuffer(data, cls.ROW, offset=cls.HEADER.size)
        template = cls.from_minutiae(
            rows["x"] / COORDINATE_STEPS_PER_PX,
            rows["y"] / COORDINATE_STEPS_PER_PX,
            rows["angle"].astype(np.float64) * (2 * np.pi / ANGLE_STEPS),
            kind=rows["kind"],
            quality=rows["quality"],
            width_px500=width,
            height_px500=height,
        )
        if template.to_bytes() != data:
            raise _refuse(
                "fingerprint record is not canonical",
                "send the bytes of FingerprintTemplate.to_bytes",
                "input.features",
            )
        return template


@dataclass(frozen=True, slots=True, eq=False)
class FaceEmbedding:
    """One face view as a unit vector.

    Attributes:
        vector: float32 [d], 64 <= d <= 1024, every value exact in float16, no -0.0, norm within 1 % of 1.
    """

    modality: ClassVar[Modality] = Modality.FACE
    KIND: ClassVar[int] = int(modality)
    """The same in the bytes, under its public name of 0.1."""
    HEADER: ClassVar[struct.Struct] = struct.Struct("<BBH")

    vector: NDArray[np.float32]

    @classmethod
    def from_features(cls, values: ArrayLike) -> Self:
        """Normalize and round to float16.

        Raises:
            InputRefused: no real numbers, not one-dimensional, wrong dimension, not finite, or zero.
        """
        if (kind := np.asarray(values).dtype).kind not in "fiu":
            raise _refuse(
                f"face embedding has dtype {kind}, expected real numbers", "convert to float32", "input.dtype"
            )
        with np.errstate(invalid="ignore"):  # a signaling NaN is refused below, and need not warn before
            array = np.asarray(values, dtype=np.float64)
        if array.ndim != 1 or not MIN_DIMENSION <= array.size <= MAX_DIMENSION:
            raise _refuse(
                f"face embedding has shape {array.shape}, expected {MIN_DIMENSION} to {MAX_DIMENSION} numbers",
                "give one vector per face view",
                "input.dimension",
            )
        if not np.isfinite(array).all():
            raise _refuse("face embedding holds NaN or infinity", "check the model that made it", "input.not_finite")
        scale = float(np.abs(array).max())
        norm = float(np.linalg.norm(array / scale)) * scale if scale > 0 else 0.0
        if not np.isfinite(norm) or norm < 1e-12:
            what = "is zero" if scale == 0 else f"has length {norm:.3g}, expected at least 1e-12 and a finite one"
            raise _refuse(f"face embedding {what}", "check the model that made it", "input.zero_vector")
        return cls._from_half((array / norm).astype("<f2"))

    @classmethod
    def _from_half(cls, half: NDArray[np.float16]) -> Self:
        vector = half.astype(np.float32) + np.float32(0)  # -0.0 becomes 0.0: equal vectors have equal bytes
        vector.flags.writeable = False
        return cls(vector)

    def __len__(self) -> int:
        return int(self.vector.size)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FaceEmbedding) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Canonical bytes: 4-byte header, then float16 little-endian (docs/formats/features.md section 3)."""
        return self.HEADER.pack(1, self.modality, len(self)) + self.vector.astype("<f2").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Decode canonical bytes. Raises InputRefused if they are not exactly what `to_bytes` would write."""
        if len(data) < cls.HEADER.size:
            raise _refuse("face record is truncated", "send the bytes of FaceEmbedding.to_bytes", "input.features")
        version, kind, d = cls.HEADER.unpack_from(data)
        if (version, kind) != (1, cls.modality) or len(data) != cls.HEADER.size + 2 * d:
            raise _refuse("not a face record", "send the bytes of FaceEmbedding.to_bytes", "input.features")
        half = np.frombuffer(data, "<f2", offset=cls.HEADER.size)
        if not MIN_DIMENSION <= d <= MAX_DIMENSION:
            raise _refuse(
                f"face record of dimension {d}", f"use {MIN_DIMENSION} to {MAX_DIMENSION} dimensions", "input.dimension"
            )
        wide = half.astype(np.float64)
        if not np.isfinite(wide).all() or abs(float(np.linalg.norm(wide)) - 1.0) > NORM_TOLERANCE:
            raise _refuse(
                "face record is not a unit vector", "build it with FaceEmbedding.from_features", "input.features"
            )
        face = cls._from_half(half)
        if face.to_bytes() != data:
            raise _refuse("face record is not canonical", "build it with FaceEmbedding.from_features", "input.features")
        return face


Features = FingerprintTemplate | FaceEmbedding
_KINDS: dict[int, type[Features]] = {kind.modality: kind for kind in (FingerprintTemplate, FaceEmbedding)}


def features_from_bytes(data: bytes) -> Features:
    """Decode canonical bytes of whichever kind they name. Raises InputRefused as the `from_bytes` of that kind."""
    kind = _KINDS.get(data[1]) if len(data) > 1 else None
    if kind is None:
        raise _refuse("not a feature record", "send the bytes of `to_bytes`", "input.features")
    return kind.from_bytes(data)
