"""Sign codes: the renewable search index over face embeddings.

Bit j of a code is set if component j of the rotated embedding is positive. The Hamming distance of two codes estimates
the angle between the embeddings. A code is a search key and never the judge; with the epoch secret it can be turned
back into a near copy of the embedding (docs/protection.md), so codes are sealed at rest.

    coder = SignCoder(CodeContext(secret=secret, dimension=512))
    codes = coder.encode(embeddings)                      # uint8 [n, 128]

Specification: docs/formats/codes.md section 3.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioguard.errors import InputRefused
from bioguard.match.arrays import MAX_CODE_BITS, unit_rows
from bioguard.match.kernels import TWIN, choose, sign_codes
from bioguard.match.protected.key_stream import CodeContext
from bioguard.match.protected.rotation import columns, rotate

CODE_BITS: Final = 1024
"""The product's length: no true match lost in a list of 64 among 100 000 (docs/search.md)."""
PURPOSE: Final = b"sign"
PER_RECORD_PURPOSE: Final = b"sign-per-record"
BATCH_COLUMNS: Final = 64
"""Columns rotated at once: two buffers of padded x 64 floats stay in a second-level cache."""


class SignCoder:
    """Turns embeddings into sign codes under one epoch secret shared by all records of a store."""

    def __init__(self, context: CodeContext, *, n_bits: int = CODE_BITS, kernel: str | None = None) -> None:
        """Expand the signs.

        Args:
            context: what the codes are bound to.
            n_bits: code length, a multiple of 64. Blocks of `context.padded` bits are made; the last one is cut.
            kernel: see `bioguard.match.kernels`; all make the same codes.

        Raises:
            InputRefused: n_bits is no multiple of 64 in 64..65472; the kernel cannot run here.
        """
        self._context = context
        self._n_bits = _checked_bits(n_bits)
        self._signs = context.signs(PURPOSE, _blocks(context, n_bits))
        self._kernel = choose(kernel)

    @property
    def n_bits(self) -> int:
        """Code length in bits."""
        return self._n_bits

    def encode(self, embeddings: ArrayLike) -> NDArray[np.uint8]:
        """Return codes, uint8 [n, n_bits / 8], for embeddings float [n, d] or [d].

        Raises:
            InputRefused: see `bioguard.match.arrays.unit_rows`.
        """
        rows = unit_rows(embeddings, self._context.dimension)
        if self._kernel != TWIN:
            return sign_codes(rows, self._signs, self._n_bits)
        codes = np.empty((len(rows), self._n_bits // 8), np.uint8)
        for start in range(0, len(rows), BATCH_COLUMNS):
            vectors = columns(rows[start : start + BATCH_COLUMNS], self._context.padded)
            codes[start : start + BATCH_COLUMNS] = _sign_bits(vectors, self._signs, self._n_bits)
        return codes


def per_record_codes(
    context: CodeContext, salts: Sequence[bytes], embeddings: ArrayLike, *, n_bits: int = CODE_BITS
) -> NDArray[np.uint8]:
    """Encode embedding i under salt i, or one probe under every salt.

    For small galleries: a salt per record makes the codes of one store unlinkable to each other, and a probe has to be
    encoded once for every record.

    Args:
        context: what the codes are bound to.
        salts: n salts, 16 random bytes each (at most 64).
        embeddings: float [n, d], or [1, d] / [d] for one probe.
        n_bits: code length, a multiple of 64.

    Returns:
        uint8 [n, n_bits / 8].

    Raises:
        InputRefused: wrong shapes; a salt is too long.
    """
    rows = unit_rows(embeddings, context.dimension)
    if len(rows) not in (1, len(salts)):
        raise InputRefused(
            f"{len(rows)} embeddings for {len(salts)} salts",
            hint="give one embedding, or one for each salt",
            code="input.shape",
        )
    codes = np.empty((len(salts), _checked_bits(n_bits) // 8), np.uint8)
    for start in range(0, len(salts), BATCH_COLUMNS):
        part = salts[start : start + BATCH_COLUMNS]
        vectors = columns(rows if len(rows) == 1 else rows[start : start + len(part)], context.padded)
        signs = context.signs(PER_RECORD_PURPOSE, _blocks(context, n_bits), part)
        codes[start : start + len(part)] = _sign_bits(
            np.ascontiguousarray(np.broadcast_to(vectors, (context.padded, len(part)))), signs, n_bits
        )
    return codes


def per_record_distances(
    context: CodeContext, salts: Sequence[bytes], codes: ArrayLike, probe: ArrayLike
) -> NDArray[np.uint16]:
    """Hamming distance of one probe to each record's code under that record's salt, uint16 [n]. Raises InputRefused."""
    stored = np.asarray(codes, dtype=np.uint8)
    own = per_record_codes(context, salts, probe, n_bits=8 * stored.shape[1])
    distances: NDArray[np.uint16] = np.bitwise_count(own ^ stored).sum(axis=1, dtype=np.uint16)
    return distances


def _blocks(context: CodeContext, n_bits: int) -> int:
    return -(-n_bits // context.padded)


def _checked_bits(n_bits: int) -> int:
    if n_bits % 64 or not 64 <= n_bits <= MAX_CODE_BITS:
        raise InputRefused(
            f"a code of {n_bits} bits, expected a multiple of 64 up to {MAX_CODE_BITS}",
            hint=f"use {CODE_BITS}",
            code="input.code_length",
        )
    return n_bits


def _sign_bits(vectors: NDArray[np.float32], signs: NDArray[np.float32], n_bits: int) -> NDArray[np.uint8]:
    """Pack the bits of columns [padded, n] under signs [blocks, 3, padded, n or 1], lowest first: [n, n_bits / 8]."""
    bits = np.concatenate([rotate(vectors, block) > 0 for block in signs])[:n_bits]
    return np.packbits(bits.T, axis=1, bitorder="little")
