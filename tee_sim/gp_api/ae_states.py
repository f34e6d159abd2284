"""Authenticated encryption as it stands between two calls: GCM (SP 800-38D) and CCM (SP 800-38C) of AES.

Both are streams: what `update` returns of a decryption has not been authenticated yet, as the specification warns
(6.6.3); whether it was right is said at the end.
"""

from abc import ABC, abstractmethod
from hmac import compare_digest
from typing import Final, Self, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import (
    AEADDecryptionContext,
    AEADEncryptionContext,
    Cipher,
    algorithms,
    modes,
)

from tee_sim.gp_api.block_ciphers import BlockCipher
from tee_sim.gp_api.cipher_states import Ctr, xor
from tee_sim.gp_api.operations_mac import CbcMac
from tee_sim.gp_api.words import breach_unless
from tee_sim.shared.errors import TeeError, TeeResult

MAX_COPIED_BYTES: Final = 1 << 20
"""Of associated data and payload, after which a GCM operation can no longer be copied: two parameters of a session."""

TAG_BITS: Final = {"GCM": frozenset(range(96, 128 + 1, 8)), "CCM": frozenset({32, 48, 64, 80, 96, 112, 128})}
"""Of TEE_AEInit (6.6.1)."""
NONCE_BYTES: Final = {"GCM": range(8, 128 + 1), "CCM": range(7, 13 + 1)}
"""GCM: what `cryptography` takes. CCM: SP 800-38C, A.1."""


class AeState(ABC):
    """One message. Lengths of output are those of the input."""

    @abstractmethod
    def update_aad(self, data: bytes) -> None:
        """More of the associated data."""

    @abstractmethod
    def update(self, data: bytes) -> bytes:
        """More of the payload."""

    @abstractmethod
    def tag(self) -> bytes:
        """Of an encryption, at its end."""

    @abstractmethod
    def check(self, tag: bytes) -> None:
        """Of a decryption, at its end. Raises TeeError MAC_INVALID."""

    @abstractmethod
    def copy(self) -> Self:
        """The same, from here on its own. Raises BreachError."""


class Gcm(AeState):
    """GCM, by a context of the library, which cannot be copied: a copy is fed with the same again."""

    def __init__(self, secret: bytes, nonce: bytes, tag_bytes: int, *, encrypts: bool) -> None:
        self._made_of = (secret, nonce, tag_bytes)
        self._encrypts = encrypts
        cipher = Cipher(algorithms.AES(secret), modes.GCM(nonce, min_tag_length=tag_bytes))
        self._context = cipher.encryptor() if encrypts else cipher.decryptor()
        self._aad, self._payload = bytearray(), bytearray()
        self._fed_bytes = 0

    def update_aad(self, data: bytes) -> None:
        """More of the associated data."""
        self._remember(data, self._aad)
        self._context.authenticate_additional_data(data)

    def update(self, data: bytes) -> bytes:
        """More of the payload. Nothing is none: associated data may come after it."""
        if not data:
            return b""
        self._remember(data, self._payload)
        return self._context.update(data)

    def tag(self) -> bytes:
        """Of an encryption, at its end."""
        encryptor = cast("AEADEncryptionContext", self._context)
        encryptor.finalize()
        return encryptor.tag[: self._made_of[2]]

    def check(self, tag: bytes) -> None:
        """Of a decryption, at its end. Raises TeeError MAC_INVALID."""
        if len(tag) != self._made_of[2]:
            raise _wrong_tag()
        try:
            cast("AEADDecryptionContext", self._context).finalize_with_tag(tag)
        except InvalidTag:
            raise _wrong_tag() from None

    def copy(self) -> Self:
        """The same, from here on its own. Raises BreachError after MAX_COPIED_BYTES."""
        breach_unless(self._fed_bytes <= MAX_COPIED_BYTES, f"a copy after {MAX_COPIED_BYTES} bytes")
        made = type(self)(*self._made_of, encrypts=self._encrypts)
        made.update_aad(bytes(self._aad))
        made.update(bytes(self._payload))
        return made

    def _remember(self, data: bytes, fed: bytearray) -> None:
        # Joined: pieces of two bytes, each an object, would take the core 36 MiB and a second for each copy.
        self._fed_bytes += len(data)
        if self._fed_bytes > MAX_COPIED_BYTES:
            self._aad, self._payload = bytearray(), bytearray()
        else:
            fed += data


class Ccm(AeState):
    """CCM: CTR and CBC-MAC of one key.

    Attributes:
        aad_left, payload_left: how much was announced and has not come; another length than that is a panic.
    """

    def __init__(self, stream: Ctr, mac: CbcMac, over_tag: bytes, *, encrypts: bool) -> None:
        self._stream, self._mac, self._over_tag, self._encrypts = stream, mac, over_tag, encrypts
        self.aad_left = self.payload_left = 0
        self._aad_pad = self._payload_pad = 0

    @classmethod
    def begin(
        cls, secret: bytes, nonce: bytes, tag_bytes: int, aad_bytes: int, payload_bytes: int, *, encrypts: bool
    ) -> Self:
        """From the first block, which holds both lengths: so they are known from the beginning (SP 800-38C, A.2)."""
        width = 15 - len(nonce)  # bytes of the payload's length and of the counter
        breach_unless(payload_bytes < 1 << 8 * width, "a payload that is too long for its nonce")
        cipher = BlockCipher("AES", secret)
        stream, mac = Ctr(cipher, bytes([width - 1]) + nonce + bytes(width)), CbcMac(cipher, pads=False)
        made = cls(stream, mac, stream.update(bytes(16))[:tag_bytes], encrypts=encrypts)
        flags, prefix = (0x40 if aad_bytes else 0) | (tag_bytes - 2) // 2 << 3 | width - 1, _length_of_aad(aad_bytes)
        mac.update(bytes([flags]) + nonce + payload_bytes.to_bytes(width, "big") + prefix)
        made.aad_left, made.payload_left = aad_bytes, payload_bytes
        made._aad_pad, made._payload_pad = -(len(prefix) + aad_bytes) % 16, -payload_bytes % 16
        return made

    def update_aad(self, data: bytes) -> None:
        """More of the associated data."""
        breach_unless(len(data) <= self.aad_left, "more associated data than was announced")
        self._mac.update(data)
        self.aad_left -= len(data)

    def update(self, data: bytes) -> bytes:
        """More of the payload."""
        breach_unless(not self.aad_left, "less associated data than was announced")
        breach_unless(len(data) <= self.payload_left, "more payload than was announced")
        self._mac.update(bytes(self._aad_pad))
        self._aad_pad = 0
        output = self._stream.update(data)
        self._mac.update(data if self._encrypts else output)
        self.payload_left -= len(data)
        return output

    def tag(self) -> bytes:
        """Of an encryption, at its end."""
        self.update(b"")
        breach_unless(not self.payload_left, "less payload than was announced")
        self._mac.update(bytes(self._payload_pad))
        return xor(self._mac.finalize()[: len(self._over_tag)], self._over_tag)

    def check(self, tag: bytes) -> None:
        """Of a decryption, at its end. Raises TeeError MAC_INVALID."""
        if not compare_digest(self.tag(), tag):
            raise _wrong_tag()

    def copy(self) -> Self:
        """The same, from here on its own."""
        made = type(self)(self._stream.copy(), self._mac.copy(), self._over_tag, encrypts=self._encrypts)
        made.aad_left, made.payload_left = self.aad_left, self.payload_left
        made._aad_pad, made._payload_pad = self._aad_pad, self._payload_pad
        return made


def _length_of_aad(size_bytes: int) -> bytes:
    """SP 800-38C, A.2.2."""
    if not size_bytes:
        return b""
    if size_bytes < 0xFF00:
        return size_bytes.to_bytes(2, "big")
    if size_bytes < 1 << 32:
        return b"\xff\xfe" + size_bytes.to_bytes(4, "big")
    return b"\xff\xff" + size_bytes.to_bytes(8, "big")


def _wrong_tag() -> TeeError:
    return TeeError(TeeResult.MAC_INVALID, "another tag")
