"""Turn protected codes back into embeddings: the attack, as strong as a linear estimator makes it.

An attacker who holds the epoch secret knows the rotation A of a sign code b = sign(A x). With the second moment C of
embeddings of other people (anyone can measure that), the best linear estimate is E[x b'] Cov(b)^-1 b with, for Gaussian
x (Bussgang; arcsine law),

    E[x b'] = sqrt(2 / pi) C A' D^-1/2      Cov(b) = 2 / pi * arcsin(D^-1/2 A C A' D^-1/2)      D = diag(A C A')

A scalar code needs less: rotate the rounded values back.
"""

import numpy as np
from numpy.typing import NDArray

from bioguard.match.protected import CodeContext, ScalarCoder
from bioguard.match.protected.rotation import rotate
from bioguard.match.protected.scalar_codes import PURPOSE as SCALAR_PURPOSE
from bioguard.match.protected.sign_codes import PURPOSE as SIGN_PURPOSE

RIDGE = 1e-3
"""Added to the diagonal of Cov(b), which is singular where embeddings span fewer dimensions than a code has bits."""


def rotation(context: CodeContext, purpose: bytes, blocks: int) -> NDArray[np.float64]:
    """The rotation of a context as a matrix [blocks * padded, d], rows of length 1."""
    unit = np.eye(context.padded, dtype=np.float32)
    parts = [rotate(unit, block)[:, : context.dimension] for block in context.signs(purpose, blocks)]
    matrix: NDArray[np.float64] = np.concatenate(parts).astype(np.float64) / context.padded**1.5
    return matrix


def invert_sign_codes(
    context: CodeContext, codes: NDArray[np.uint8], second_moment: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Estimate the embeddings of sign codes [n, n_bytes] made under this context, unit rows [n, d]."""
    n_bits = 8 * codes.shape[1]
    a = rotation(context, SIGN_PURPOSE, -(-n_bits // context.padded))[:n_bits]
    signs = 2 * np.unpackbits(codes, axis=1, bitorder="little").astype(np.float64) - 1
    projected = a @ second_moment
    covariance = projected @ a.T
    scale = 1 / np.sqrt(np.diag(covariance))
    of_signs = 2 / np.pi * np.arcsin(np.clip(covariance * scale[:, np.newaxis] * scale, -1, 1))
    of_signs[np.diag_indices(n_bits)] += RIDGE
    gain = np.linalg.solve(of_signs, np.sqrt(2 / np.pi) * projected * scale[:, np.newaxis])
    return _unit((signs @ gain).astype(np.float64))


def invert_scalar_codes(context: CodeContext, codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Estimate the embeddings of scalar codes made under this context, unit rows [n, d]."""
    return _unit(ScalarCoder(context).decode(codes).astype(np.float64) @ rotation(context, SCALAR_PURPOSE, 1))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    normalized: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return normalized
