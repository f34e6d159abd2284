"""C2SP signed notes with Ed25519 keys.

    text, one or more lines, ends with a newline
    <empty line>
    — name base64(key id, 4 bytes || signature, 64 bytes)

Key id = SHA-256(name || 0A || 01 || public key)[:4]; a verifier key is written `name+hex(key id)+base64(01 || key)`.
Rules of https://c2sp.org/signed-note: the last empty line separates, a bad signature of a known key rejects the whole
note, signatures of unknown keys are ignored, at least one must verify.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from bioguard.proofs.encoding import ProofInvalid, b64decode, b64encode

__all__ = ["MAX_NOTE_BYTES", "NoteKey", "NoteSigner", "assemble", "open_note"]

ED25519 = b"\x01"
PREFIX = "\u2014 "
MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 16
"""The least number a verifier must accept (C2SP signed-note); we accept no more."""
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,128}")
_HEX8 = re.compile(r"[0-9a-f]{8}")


def _refuse(why: str, hint: str = "fetch the file again: it was altered on the way") -> ProofInvalid:
    return ProofInvalid(f"signed note: {why}", hint=hint)


@dataclass(frozen=True, slots=True)
class NoteKey:
    """Who may have signed: a name and an Ed25519 public key (32 bytes)."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.public_key) != 32:
            raise _refuse("malformed verifier key", "a verifier key reads name+id+key")

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that name the key on a signature line."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public_key).digest()[:4]

    @property
    def vkey(self) -> str:
        """The one-line text form."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(ED25519 + self.public_key)}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read the text form. Raises ProofInvalid, also when the key id is not that of the key."""
        name, _, rest = vkey.partition("+")
        key_id, _, key = rest.partition("+")
        blob = b64decode(key, "verifier key")
        if blob[:1] != ED25519 or not _HEX8.fullmatch(key_id):
            raise _refuse("malformed verifier key", "a verifier key reads name+id+key; only Ed25519 is accepted")
        parsed = cls(name, blob[1:])
        if parsed.vkey != vkey:
            raise _refuse("the verifier key does not match its id", "copy the key again")
        return parsed

    def verify(self, text: bytes, signature: bytes) -> None:
        """Raises ProofInvalid unless `signature` (64 bytes) is this key's over `text`."""
        try:
            VerifyKey(self.public_key).verify(text, signature)
        except (BadSignatureError, ValueError):
            raise _refuse("the signature does not verify") from None


@dataclass(frozen=True, slots=True, repr=False)
class NoteSigner:
    """A name and an Ed25519 seed (32 bytes). Never printed."""

    name: str
    seed: bytes

    @property
    def key(self) -> NoteKey:
        """The public half."""
        return NoteKey(self.name, bytes(SigningKey(self.seed).verify_key))

    def sign_bytes(self, message: bytes) -> bytes:
        """The bare 64-byte signature."""
        return SigningKey(self.seed).sign(message).signature

    def sign(self, text: str) -> str:
        """A whole note with one signature."""
        return assemble(text, [(self.key, self.sign_bytes(text.encode()))])


def assemble(text: str, signatures: Sequence[tuple[NoteKey, bytes]]) -> str:
    """Put text and signatures together. The signatures are not checked.

    Raises:
        ValueError: the text does not end with a newline or holds control characters.
    """
    if not text.endswith("\n") or any(c != "\n" and not c.isprintable() for c in text):
        raise ValueError("a note is printable text that ends with a newline")
    lines = "".join(f"{PREFIX}{key.name} {b64encode(key.key_id + signature)}\n" for key, signature in signatures)
    return f"{text}\n{lines}"


def open_note(note: str, keys: Sequence[NoteKey]) -> tuple[str, tuple[NoteKey, ...]]:
    """Return the text and the keys that signed it.

    Raises:
        ProofInvalid: malformed, a known key's signature is bad, or no known key signed.
    """
    if len(note.encode("utf-8", "surrogatepass")) > MAX_NOTE_BYTES or any(
        c != "\n" and not c.isprintable() for c in note
    ):
        raise _refuse("it is too long or holds control characters")
    head, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise _refuse("no signature block")
    text = head + "\n"
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise _refuse(f"more than {MAX_SIGNATURES} signatures")
    by_id = {(key.name, key.key_id): key for key in keys}
    signed: list[NoteKey] = []
    for line in lines:
        name, space, encoded = line.removeprefix(PREFIX).partition(" ")
        if not line.startswith(PREFIX) or not space or not _NAME.fullmatch(name):
            raise _refuse("malformed signature line")
        blob = b64decode(encoded, "note signature")
        if len(blob) < 5:
            raise _refuse("malformed signature line")
        key = by_id.get((name, blob[:4]))
        if key is None:
            continue
        key.verify(text.encode(), blob[4:])
        if key in signed:
            raise _refuse("a key signed twice")
        signed.append(key)
    if not signed:
        raise _refuse("no signature by a known key", "give the verifier key of this log with --key")
    return text, tuple(signed)
