"""Encode what a record keeps of its samples, by profile and modality.

Enforces POL-06 together with `Vault.enroll`, which keeps the canonical bytes that came in as they are, or nothing of
them: in the digest-only profile there are codes and no template in any form.

Does not promise: that a protected code hides everything of its sample (docs/protection.md).

| profile     | face                              | finger                |
|-------------|-----------------------------------|-----------------------|
| standard    | template; sign code for search    | template              |
| digest-only | scalar code, no template          | protected code        |

Codes are made under the epoch secret of the device, which never leaves the secure world.
"""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from bioguard.match.protected import CodeContext, ScalarCoder, SignCoder
from bioguard.match.protected.finger_codes import FingerCoder
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.records.modality import Profile
from bioguard.trusted.biometric.stored_objects import DeviceState

PADDED = (64, 128, 256, 512, 1024)
"""Dimensions as scalar codes have them (docs/formats/codes.md section 2)."""


class TemplateEncoder:
    """Coders of one device and epoch."""

    def __init__(self, state: DeviceState) -> None:
        self.profile = state.configuration.profile
        self._secret = state.code_secret
        self._epoch = state.code_epoch
        # One of each in practice. By dimension, since another model's faces may come when the last face has gone.
        self._signs: dict[int, SignCoder] = {}
        self._scalars: dict[int, ScalarCoder] = {}
        self._finger: FingerCoder | None = None

    def encode(self, samples: Sequence[Features]) -> tuple[bytes, ...]:
        """The codes of the samples of one enrollment; none for fingers in the standard profile."""
        vectors = [s.vector for s in samples if isinstance(s, FaceEmbedding)]
        if vectors:
            rows = np.stack(vectors)
            made = self.scalar(rows) if self.profile is Profile.DIGEST_ONLY else self.sign(rows)
            return tuple(code.tobytes() for code in made)
        if self.profile is Profile.DIGEST_ONLY:
            return tuple(self.finger_code(s) for s in samples if isinstance(s, FingerprintTemplate))
        return ()

    def _context(self, dimension: int) -> CodeContext:
        return CodeContext(secret=self._secret, dimension=dimension, epoch=self._epoch)

    def sign(self, rows: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Sign codes of embeddings float32 [n, d]: uint8 [n, 128]."""
        dimension = rows.shape[1]
        if dimension not in self._signs:
            self._signs[dimension] = SignCoder(self._context(dimension))
        return self._signs[dimension].encode(rows)

    def scalar(self, rows: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Scalar codes of embeddings float32 [n, d]: uint8 [n, bytes]."""
        return self._scalar_coder(rows.shape[1]).encode(rows)

    def scalar_similarities(self, probes: NDArray[np.uint8], codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """About the cosine of each pair, float32 [m, n], from codes of the same length."""
        return self._scalar_for(probes).similarities(probes, codes)

    def scalar_rows(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Unit rows whose products are the similarities of the codes."""
        return self._scalar_for(codes).decode(codes)

    def _scalar_coder(self, dimension: int) -> ScalarCoder:
        if dimension not in self._scalars:
            self._scalars[dimension] = ScalarCoder(self._context(dimension))
        return self._scalars[dimension]

    def _scalar_for(self, codes: NDArray[np.uint8]) -> ScalarCoder:
        """Decoding needs the length of a code only, and that names the dimension, rounded up to a power of two."""
        coders = chain(self._scalars.values(), (ScalarCoder(self._context(size)) for size in PADDED))
        return next(coder for coder in coders if coder.n_bytes == codes.shape[1])

    def finger_code(self, template: FingerprintTemplate) -> bytes:
        """Protected code of a fingerprint: keyed sign codes of its descriptors, no positions."""
        return self._finger_coder().encode(template)

    def _finger_coder(self) -> FingerCoder:
        if self._finger is None:
            self._finger = FingerCoder(self._secret, epoch=self._epoch)
        return self._finger
