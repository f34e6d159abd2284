"""Seeded canaries: features nobody has, which must be found nowhere.

One face embedding, one set of minutiae, one PIN, one user name and one key per seed, of high entropy, so that 16 equal
bytes are no accident. A hash of a name or a PIN without a secret is as good as the clear one to whoever can guess:
those of the usual functions are canaries too.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioguard.records import FaceEmbedding, FingerprintTemplate

HASHES = ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s")
_PIN_SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789"
FACE_DIMENSION = 512
MINUTIAE = 40


@dataclass(frozen=True, slots=True)
class Canaries:
    """What to look for.

    Attributes:
        face: unit vector, float32 [512], before the product rounds it.
        finger: 40 minutiae.
        key: 32 bytes, standing for key material; empty when no key is looked for.
        pin: 32 letters and digits: digits alone are too alike in some encodings.
        name: of the user, 40 characters.
    """

    face: NDArray[np.float32]
    finger: FingerprintTemplate
    key: bytes
    pin: bytes
    name: str

    @property
    def identities(self) -> dict[str, bytes]:
        """PIN and name, in clear and hashed without a secret: form -> bytes."""
        clear = {"PIN": self.pin, "user name": self.name.encode()}
        return clear | {
            f"{what} {how}": hashlib.new(how, data).digest() for what, data in clear.items() for how in HASHES
        }

    @property
    def embedding(self) -> FaceEmbedding:
        """The face as the product takes it."""
        return FaceEmbedding.from_features(self.face)


def make_canaries(seed: int, *, with_key: bool = True) -> Canaries:
    """Canaries of a seed; the same seed gives the same ones."""
    generator = np.random.default_rng(seed)
    vector = generator.normal(size=FACE_DIMENSION)
    finger = FingerprintTemplate.from_minutiae(
        generator.uniform(10, 290, MINUTIAE),
        generator.uniform(10, 390, MINUTIAE),
        generator.uniform(0, 2 * np.pi, MINUTIAE),
        kind=generator.integers(1, 3, MINUTIAE),
        quality=generator.integers(40, 100, MINUTIAE),
        width_px500=300,
        height_px500=400,
    )
    face = (vector / np.linalg.norm(vector)).astype(np.float32)
    key = generator.bytes(32)
    pin = "".join(generator.choice(list(_PIN_SIGNS), 32)).encode()
    name = "".join(generator.choice(list(_PIN_SIGNS), 40))  # nothing by which a product would know it for a canary
    return Canaries(face, finger, key if with_key else b"", pin, name)
