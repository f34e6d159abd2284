"""Salted digests of an application: keyed BLAKE2b, whose salt is drawn once the message is there.

So nobody chooses a digest: who would have one with certain bits has to have many made, and there are at most
`MAX_DIGESTS` in a call. Specification: docs/formats/digest.md.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from tee_sim.secure.made.call import Call
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rng import Rng

DIGEST_BYTES: Final = 32
SALT_BYTES: Final = 16
"""RFC 7693 section 2.8 gives BLAKE2b a salt of 16 bytes, and a personalization of 16."""
PEPPER_LABEL: Final = "salted digest"
"""Of the key that only the core derives: an application that asks for it is refused."""


def salted_digest(pepper: bytes, salt: bytes, personalization: str, message: bytes) -> bytes:
    """BLAKE2b-256 with key, salt and personalization (RFC 7693 sections 2.5 and 2.8), 32 bytes.

    Args:
        pepper: 32 secret bytes of this device and application.
        salt: 16 random bytes.
        personalization: 1 to 16 ASCII characters, filled up with zero bytes.
    """
    person = personalization.encode("ascii")
    return hashlib.blake2b(message, digest_size=DIGEST_BYTES, key=pepper, salt=salt, person=person).digest()


@dataclass(frozen=True, slots=True)
class AppDigests:
    """`tee_sim.shared.ta_api.Digests` of one application.

    Args:
        personalization: of its manifest; empty if it makes no digests.
        pepper: derives its key.
        salts: what salts are drawn from: the system's on every device.
    """

    personalization: str
    pepper: Callable[[], bytes]
    salts: Rng
    call: Call

    def make(self, message: bytes) -> tuple[bytes, bytes]:
        """As `Digests.make`."""
        self._count()
        salt = self.salts.bytes(SALT_BYTES)
        digest = salted_digest(self.pepper(), salt, self.personalization, message)
        self.call.made_digest(digest)
        return salt, digest

    def check(self, salt: bytes, message: bytes, digest: bytes) -> bool:
        """As `Digests.check`."""
        self._count()
        if len(salt) != SALT_BYTES:
            return False
        return hmac.compare_digest(salted_digest(self.pepper(), salt, self.personalization, message), digest)

    def _count(self) -> None:
        if not self.personalization:
            raise TeeError(TeeResult.ACCESS_DENIED, "the manifest names no digest")
        self.call.count_digest()
