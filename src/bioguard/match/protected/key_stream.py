"""Secret sign streams: everything random about a protected code comes from here.

One stream per purpose, epoch secret, model, dimension, epoch and record salt: SHAKE-256 (FIPS 202) over the
length-prefixed parts, so no two contexts share an input. Specification: docs/formats/codes.md section 2.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from tee_sim.shared.dataclass import dataclass

SECRET_BYTES: Final = 32
ROUNDS: Final = 3
"""Sign flips and Hadamard transforms per block. Three measured equal to a dense random orthonormal matrix."""
MIN_DIMENSION: Final = 64
MAX_DIMENSION: Final = 1024
MAX_SALT_BYTES: Final = 64
LABEL: Final = b"bioguard-code-signs-v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeContext:
    """What a code is bound to. Codes of different contexts cannot be compared and do not resemble each other.

    Attributes:
        secret: 32 bytes, the epoch secret; never leaves the secure world.
        dimension: numbers per embedding, 64..1024.
        model_id: the embedding model, at most 255 bytes of UTF-8.
        epoch: renewal counter, 0 .. 2^64 - 1.

    Raises:
        InputRefused: a field is out of range.
    """

    secret: bytes = field(repr=False)
    dimension: int
    model_id: str = ""
    epoch: int = 0

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES:
            raise InputRefused(
                f"an epoch secret has {SECRET_BYTES} bytes",
                hint="derive it from the key ladder",
                code="input.code_context",
            )
        if not MIN_DIMENSION <= self.dimension <= MAX_DIMENSION:
            raise InputRefused(
                f"codes for {self.dimension} dimensions, expected {MIN_DIMENSION} to {MAX_DIMENSION}",
                hint="use a face embedding model of that size",
                code="input.dimension",
            )
        if len(self.model_id.encode()) > 0xFF or not 0 <= self.epoch < 1 << 64:
            raise InputRefused(
                "model id or epoch out of range", hint="see docs/formats/codes.md section 2", code="input.code_context"
            )

    @property
    def padded(self) -> int:
        """Size of one transform: the next power of two; the vector is filled up with zeros."""
        return 1 << (self.dimension - 1).bit_length()

    def signs(self, purpose: bytes, blocks: int, salts: Sequence[bytes] = (b"",)) -> NDArray[np.float32]:
        """Return signs, float32 [blocks, 3, padded, len(salts)], each +1 or -1.

        Raises:
            InputRefused: a salt is longer than 64 bytes.
        """
        if any(len(salt) > MAX_SALT_BYTES for salt in salts):
            raise InputRefused(
                f"a record salt has at most {MAX_SALT_BYTES} bytes",
                hint="use 16 random bytes",
                code="input.code_context",
            )
        n_bits = blocks * ROUNDS * self.padded
        head = b"".join(
            (
                _prefixed(LABEL),
                _prefixed(self.secret),
                _prefixed(purpose),
                _prefixed(self.model_id.encode()),
                struct.pack(">IQ", self.dimension, self.epoch),
            )
        )
        streams = np.frombuffer(
            b"".join(hashlib.shake_256(head + _prefixed(salt)).digest(n_bits // 8) for salt in salts), np.uint8
        )
        bits = np.unpackbits(streams.reshape(len(salts), n_bits // 8), axis=1, bitorder="little")
        signs = 1.0 - 2.0 * bits.T.astype(np.float32)
        return np.ascontiguousarray(signs).reshape(blocks, ROUNDS, self.padded, len(salts))


def _prefixed(part: bytes) -> bytes:
    return bytes([len(part)]) + part
