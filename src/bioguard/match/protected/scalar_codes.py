"""Scalar codes: what the `digest-only` profile keeps instead of a template.

One salted rotation, then each component rounded to 16 (or 64) levels. Accurate enough to decide on, and just as
sensitive as the template: with the epoch secret it can be turned back into a near copy of it.

    coder = ScalarCoder(CodeContext(secret=secret, dimension=512))
    codes = coder.encode(embeddings)                      # uint8 [n, 256]: 2048 bits
    scores = coder.similarities(probe_codes, codes)       # float32 [m, n], about the cosine

Specification: docs/formats/codes.md section 4.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioguard.errors import InputRefused
from bioguard.match.arrays import unit_rows
from bioguard.match.protected.key_stream import CodeContext
from bioguard.match.protected.rotation import columns, rotate
from tee_sim.shared.dataclass import dataclass

PURPOSE: Final = b"scalar"
BATCH_COLUMNS: Final = 64


@dataclass(frozen=True, slots=True)
class UniformQuantizer:
    """A uniform quantizer without a zero level: 2^bits levels between -clip and +clip, in units of the component's
    standard deviation."""

    bits: int
    clip: float

    @property
    def step(self) -> float:
        return 2 * self.clip / (1 << self.bits)


FOUR_BITS: Final = UniformQuantizer(bits=4, clip=3.0)
SIX_BITS: Final = UniformQuantizer(bits=6, clip=3.6)
"""Clip points measured best on LFW embeddings: 3.0 at 4 bits (d = 512), 3.6 at 6 bits (d = 128)."""
FOUR_BIT_SIZE: Final = 512
"""From this padded dimension 4 bits a component lose less than 0.1 percentage points; below, 6 bits are needed."""


class ScalarCoder:
    """Turns embeddings into scalar codes under one epoch secret, and compares such codes."""

    def __init__(self, context: CodeContext) -> None:
        """Expand the signs of one rotation."""
        self._context = context
        self._levels = FOUR_BITS if context.padded >= FOUR_BIT_SIZE else SIX_BITS
        self._signs = context.signs(PURPOSE, 1)[0]

    @property
    def n_bytes(self) -> int:
        """Length of a code: 4 bits a component from 512 components up, else 6."""
        return self._context.padded * self._levels.bits // 8

    def encode(self, embeddings: ArrayLike) -> NDArray[np.uint8]:
        """Return codes, uint8 [n, n_bytes], for embeddings float [n, d] or [d].

        Raises:
            InputRefused: see `bioguard.match.arrays.unit_rows`.
        """
        rows = unit_rows(embeddings, self._context.dimension)
        codes = np.empty((len(rows), self.n_bytes), np.uint8)
        for start in range(0, len(rows), BATCH_COLUMNS):
            # rotate scales by padded ** 1.5; dividing by padded (a power of two, exact) leaves unit variance
            rotated = rotate(columns(rows[start : start + BATCH_COLUMNS], self._context.padded), self._signs)
            codes[start : start + BATCH_COLUMNS] = self._pack(rotated.T / np.float32(self._context.padded))
        return codes

    def decode(self, codes: ArrayLike) -> NDArray[np.float32]:
        """Return the rotated, rounded embeddings, float32 [n, padded], rows of norm 1: the products of two are their
        similarity, so a `FaceGallery` of them searches scalar codes.

        Raises:
            InputRefused: not uint8 [n, n_bytes].
        """
        packed = np.atleast_2d(np.asarray(codes))
        if packed.dtype != np.uint8 or packed.ndim != 2 or packed.shape[1] != self.n_bytes:
            raise InputRefused(
                f"scalar codes have shape {packed.shape} and dtype {packed.dtype}, expected uint8 [n, {self.n_bytes}]",
                hint="use the codes of ScalarCoder.encode",
                code="input.code_length",
            )
        bits = self._levels.bits
        planes = np.unpackbits(packed, axis=1, bitorder="little").reshape(len(packed), -1, bits)
        levels = (planes * (1 << np.arange(bits)).astype(np.uint8)).sum(axis=2, dtype=np.uint8)
        values: NDArray[np.float32] = levels.astype(np.float32) - np.float32(((1 << bits) - 1) / 2)
        values /= np.sqrt(np.einsum("ij,ij->i", values, values))[:, np.newaxis]
        return values

    def similarities(self, probes: ArrayLike, codes: ArrayLike) -> NDArray[np.float32]:
        """Return the similarity of each probe code to each code, float32 [m, n], -1..1. Raises InputRefused."""
        similarities: NDArray[np.float32] = self.decode(probes) @ self.decode(codes).T
        return similarities

    def _pack(self, components: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Round components [n, padded] to levels and pack them, lowest bit first: [n, n_bytes]."""
        bits = self._levels.bits
        top = (1 << bits) - 1
        levels = np.floor(components / np.float32(self._levels.step)) + np.float32(1 << (bits - 1))
        small = np.clip(levels, 0, top).astype(np.uint8)
        planes = np.unpackbits(small[:, :, np.newaxis], axis=2, count=bits, bitorder="little")
        return np.packbits(planes.reshape(len(components), -1), axis=1, bitorder="little")
