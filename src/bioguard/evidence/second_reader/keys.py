"""The key ladder by docs/formats/keys.md."""

import hashlib
import hmac
import re
import struct
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bioguard.evidence.second_reader.flaws import Unreadable

_FUSES = re.compile(r"(# [^\n]*\n){2}bioguard-fuses 3\nhuk (?P<huk>[0-9a-f]{64})\ndevice-id (?P<id>[0-9a-f]{32})\n")


def mac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256."""
    return hmac.new(key, message, hashlib.sha256).digest()


def _hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive(key)


def opened(key: bytes, nonce: bytes, sealed: bytes, associated: bytes, what: str) -> bytes:
    """AES-256-GCM. Raises Unreadable."""
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated)
    except (InvalidTag, ValueError):
        raise Unreadable(f"{what} does not open under its key") from None


@dataclass(frozen=True, slots=True)
class Ladder:
    """Fuses, and what is derived from them."""

    huk: bytes
    device_id: bytes

    @classmethod
    def of(cls, fuses: str) -> Self:
        """From the text of the fuse file. Raises Unreadable."""
        found = _FUSES.fullmatch(fuses)
        if found is None:
            raise Unreadable("the fuse file has another form")
        return cls(bytes.fromhex(found["huk"]), bytes.fromhex(found["id"]))

    @property
    def _chip_id(self) -> bytes:
        return hashlib.sha256(b"tee_sim chip id v1" + self.device_id).digest()

    def derive(self, label: bytes) -> bytes:
        """A key of the store."""
        root = mac(self.huk, b"tee_sim root v1" + self._chip_id)
        return _hkdf(root, b"tee_sim v1", label + b"\0")

    def rpmb_key(self) -> bytes:
        """The key in the RPMB; the device id is the CID."""
        cid = bytearray(self.device_id)
        cid[9] = cid[15] = 0
        return mac(self.huk, struct.pack("<I", 0) + bytes(cid))

    def pepper(self, application: bytes) -> bytes:
        """The key of the digests of one application."""
        unique = mac(self.huk, struct.pack("<I", 3) + UUID(bytes=application).bytes_le + b"salted digest\0")
        return _hkdf(unique, b"", b"tee_sim ta key v1")

    def wrap_key(self, application: bytes, salt: bytes) -> bytes:
        """The key that wraps the object keys of one application in one generation."""
        storage_key = mac(self.huk, self._chip_id + b"ONLY_FOR_tee_fs_ssk\0")
        return _hkdf(mac(storage_key, UUID(bytes=application).bytes_le), salt, b"tee_sim object wrap v1")
