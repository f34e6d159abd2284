"""ISharedSecret: how secure elements that share no memory agree on one token key per boot.

Every party holds the same 32-byte pre-shared key K, set at factory reset. At boot each gives a seed (empty or 32
persistent bytes) and a fresh 32-byte nonce; all sort all of them and derive

    H = CKDF(K, "KeymasterSharedMac", seed1 || nonce1 || seed2 || ...)      SP 800-108, counter mode, AES-CMAC

and compare HMAC-SHA-256(H, "Keymaster HMAC Verification"). Our three trusted applications get their key from the core
instead; this is for teams whose applications live apart.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode

from bioguard.errors import InputRefused, IntegrityFailure

AGREEMENT_LABEL = b"KeymasterSharedMac"
"""18 bytes, ISharedSecret.aidl."""
CHECK_LABEL = b"Keymaster HMAC Verification"
"""27 bytes, ISharedSecret.aidl."""
KEY_BYTES = 32
NONCE_BYTES = 32


@dataclass(frozen=True, slots=True, order=True)
class SharingParameters:
    """What one party contributes. Compared field by field, as the system sorts them.

    Attributes:
        seed: empty or 32 bytes, the same after every boot.
        nonce: 32 bytes, new at every boot.
    """

    seed: bytes
    nonce: bytes

    def __post_init__(self) -> None:
        if len(self.seed) not in (0, KEY_BYTES) or len(self.nonce) != NONCE_BYTES:
            raise InputRefused(
                "sharing parameters need a seed of 0 or 32 bytes and a nonce of 32",
                hint="take both as the other side's getSharedSecretParameters gave them",
                code="token.sharing",
            )


def ckdf(key: bytes, label: bytes, context: bytes, size_bytes: int) -> bytes:
    """SP 800-108 counter mode with AES-CMAC: 32-bit counter before, 32-bit length in bits after, zero between."""
    return KBKDFCMAC(
        algorithm=algorithms.AES,
        mode=Mode.CounterMode,
        length=size_bytes,
        rlen=4,
        llen=4,
        location=CounterLocation.BeforeFixed,
        label=label,
        context=context,
        fixed=None,
    ).derive(key)


def agree(pre_shared_key: bytes, parties: Iterable[SharingParameters]) -> bytes:
    """The 32-byte token key of this boot. The order of `parties` does not matter.

    Raises:
        InputRefused: no party, or two with the same nonce (a party that forgot to make a new one).
    """
    ordered = sorted(parties)
    if not ordered or len({p.nonce for p in ordered}) != len(ordered):
        raise InputRefused(
            "every party needs a nonce of its own", hint="make 32 random bytes at boot", code="token.sharing"
        )
    return ckdf(pre_shared_key, AGREEMENT_LABEL, b"".join(p.seed + p.nonce for p in ordered), KEY_BYTES)


def check_value(token_key: bytes) -> bytes:
    """The 32 bytes that prove the agreement without showing the key."""
    return hmac.digest(token_key, CHECK_LABEL, "sha256")


def confirm(token_key: bytes, received: Iterable[bytes]) -> bytes:
    """Return the key if every received check value is right.

    Raises:
        IntegrityFailure: a party derived another key.
    """
    own = check_value(token_key)
    if not all(hmac.compare_digest(own, other) for other in received):
        raise IntegrityFailure(
            "a party derived another token key", hint="check its pre-shared key and nonce", code="token.sharing"
        )
    return token_key
