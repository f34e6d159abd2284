"""Block ciphers without their schemes: contexts of `cryptography` by the name of a cipher."""

from collections.abc import Callable, Mapping
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import (
    BlockCipherAlgorithm,
    Cipher,
    algorithms,
    modes,
)

from tee_sim.gp_objects.keys import Key


def _triple(secret: bytes) -> TripleDES:
    """DES is DES3 with one key thrice; DES3 of 16 bytes has the first key again at the end (SP 800-67, 3.2)."""
    return TripleDES({8: secret * 3, 16: secret + secret[:8], 24: secret}[len(secret)])


_CIPHERS: Final[Mapping[str, Callable[[bytes], BlockCipherAlgorithm]]] = {
    "AES": algorithms.AES,
    "DES": _triple,
    "DES3": _triple,
    "SM4": algorithms.SM4,
}


def secret_of(key: Key) -> bytes:
    """The bytes of a key that is nothing else, whatever its type calls them."""
    (held,) = key.attributes
    return held.data


class BlockCipher:
    """One cipher with its key.

    Args:
        name: of an algorithm, which begins with the cipher's.

    Attributes:
        algorithm: what `cryptography` calls it.
    """

    def __init__(self, name: str, secret: bytes) -> None:
        self.algorithm = _CIPHERS[name.split("_", 1)[0]](secret)
        self.block_bytes = self.algorithm.block_size // 8

    def once(self, mode: modes.ECB | modes.CBC | modes.CTR, data: bytes, *, encrypts: bool) -> bytes:
        """Whole blocks at once, or a stream."""
        cipher = Cipher(self.algorithm, mode)
        context = cipher.encryptor() if encrypts else cipher.decryptor()
        return context.update(data)
