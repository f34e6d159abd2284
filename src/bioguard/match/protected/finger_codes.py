"""Protected fingerprint codes: keyed sign codes of minutia descriptors, without positions or directions.

For stores that keep no template. Each minutia descriptor becomes 256 bits under the epoch secret
(`bioguard.match.protected`); the codes of a print are sorted, so their order tells nothing about places. What is left
to compare is how well descriptors pair up, one to one; without geometry this is weaker than the full comparison, and
docs/fingerprint-matching.md says by how much, with the key kept and with the key stolen. The number of minutiae shows
in the length.

Cancelable, not irreversible: with the secret, descriptors can be approximated from their codes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.match.fingerprint.numpy_backend import kept_count
from bioguard.match.fingerprint.pairing import select_pairs
from bioguard.match.fingerprint.parameters import CYLINDER, PROTECTED
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare
from bioguard.match.fingerprint.projection import projection
from bioguard.match.protected import CodeContext, SignCoder
from bioguard.records import FingerprintTemplate

MODEL_ID = "minutia-descriptor-v1"
"""Keeps the streams of fingers apart from those of faces of the same dimension."""


class FingerCoder:
    """Makes the codes of one epoch. Codes of different secrets or epochs cannot be compared.

    Args:
        secret: 32 bytes, the epoch secret; never leaves the secure world.
        epoch: renewal counter.

    Raises:
        InputRefused: the secret has another length.
    """

    def __init__(self, secret: bytes, *, epoch: int = 0) -> None:
        context = CodeContext(secret=secret, dimension=projection().dimensions, model_id=MODEL_ID, epoch=epoch)
        self._coder = SignCoder(context, n_bits=PROTECTED.bits)

    def encode(self, template: FingerprintTemplate | PreparedTemplate) -> bytes:
        """Code of a print: 32 bytes for each minutia, in ascending order. Empty without minutiae."""
        ready = template if isinstance(template, PreparedTemplate) else prepare(template)
        rows = ready.codes[ready.codes.any(axis=1)].astype(np.float32)
        if not len(rows):
            return b""
        return b"".join(sorted(row.tobytes() for row in self._coder.encode(rows)))


def _words(code: bytes) -> NDArray[np.uint64]:
    size = PROTECTED.bits // 8
    if len(code) % size or len(code) > 255 * size:
        raise InputRefused(
            "not a protected fingerprint code", hint="make it with FingerCoder.encode", code="input.code"
        )
    return np.frombuffer(code, "<u8").reshape(-1, PROTECTED.bits // 64)


def _table(probe: NDArray[np.uint64], code: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Estimated similarity of every pair in the integer scale of the comparator, int32 [1, n, m]."""
    distance = np.bitwise_count(probe[:, None] ^ code[None]).sum(axis=2, dtype=np.int32)
    cosine = np.cos(np.arange(PROTECTED.bits + 1) * (np.pi / PROTECTED.bits)) * CYLINDER.code_scale**2
    table: NDArray[np.int32] = np.rint(cosine).astype(np.int32)[distance]
    return table[None]


def protected_scores(probe: bytes, codes: Sequence[bytes]) -> NDArray[np.float32]:
    """Scores of one protected code against others of the same secret and epoch, float32 [n], higher is more alike.

    Raises:
        InputRefused: something is not a code.
    """
    own = _words(probe)
    return np.array([_score(own, _words(code)) for code in codes], np.float32)


def _score(own: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    if not len(own) or not len(other):
        return PROTECTED.lowest
    pairs = select_pairs(_table(own, other))
    kept = int(kept_count(np.array([min(len(own), len(other))]))[0])
    return float(pairs.similarity[0, :kept].sum()) / kept
