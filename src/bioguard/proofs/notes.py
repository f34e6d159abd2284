"""C2SP signed notes with Ed25519 keys.

    text, one or more lines, ends with a newline
    <empty line>
    — name base64(key id, 4 bytes || signature, 64 bytes)

Key id = SHA-256(name || 0A || 01 || public key)[:4]; a verifier key is written `name+hex(key id)+base64(01 || key)`.
Rules of https://c2sp.org/signed-note: the last empty line separates, a bad signature of a known key rejects the whole
note, signatures of unknown keys are ignored, at least one must verify. A key that signed twice counts once.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from bioguard.proofs.encoding import ProofInvalid, b64decode, b64encode

ED25519 = b"\x01"
PREFIX = "\u2014 "
KEY_ID_BYTES = 4
MAX_NOTE_BYTES = 1 << 20
MAX_SIGNATURES = 100
"""C2SP signed-note: at least 16 must be accepted, a bound is wanted. 100 is that of its first implementation (Go,
golang.org/x/mod/sumdb/note), and 100 post-quantum signatures of 5 kB fit into the size."""
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,128}")
"""Of our keys. A signature line of another key may have any name without white space and plus."""
_LINE = re.compile(PREFIX + r"(?P<name>[^\s+]+) (?P<blob>\S+)")
_HEX8 = re.compile(r"[0-9a-f]{8}")


def _refuse(why: str, hint: str = "fetch the file again, as it was signed") -> ProofInvalid:
    return ProofInvalid(f"signed note: {why}", hint=hint)


@dataclass(frozen=True, slots=True)
class NoteKey:
    """Who may have signed: a name and an Ed25519 public key (32 bytes)."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or not self.name.isprintable() or len(self.public_key) != 32:
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
            raise _refuse(
                "the signature does not verify", "it was altered on the way, or signed by another key"
            ) from None


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
    if len(note.encode("utf-8", "surrogatepass")) > MAX_NOTE_BYTES:
        raise _refuse(
            f"it is too long, more than {MAX_NOTE_BYTES} bytes", "leave out signatures of keys you do not check"
        )
    if any((c < " " and c != "\n") or "\ud800" <= c <= "\udfff" for c in note):
        raise _refuse("it holds control characters, or is no UTF-8", "save it with LF line ends, as it was signed")
    head, separator, tail = note.rpartition("\n\n")
    if not separator:
        raise _refuse("no signature block", "give the whole note, with its empty line and the lines after it")
    if not tail:
        raise _refuse("an empty line follows its last line", "end the file after the last signature line")
    if not tail.endswith("\n"):
        raise _refuse("its last line has no end", "end the file with a line feed, as it was signed")
    text = head + "\n"
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise _refuse(
            f"it has {len(lines)} signature lines, at most {MAX_SIGNATURES} are read",
            "leave out signatures of keys you do not check",
        )
    by_id = {(key.name, key.key_id): key for key in keys}
    signed: dict[NoteKey, None] = {}
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            raise _refuse("malformed signature line")
        blob = b64decode(found["blob"], "note signature")
        if len(blob) < KEY_ID_BYTES + 1:
            raise _refuse("malformed signature line")
        key = by_id.get((found["name"], blob[:KEY_ID_BYTES]))
        if key is not None:  # a known key's line must verify each time it is there; others are ignored
            key.verify(text.encode(), blob[KEY_ID_BYTES:])
            signed[key] = None
    if not signed:
        raise _refuse("no signature by a known key", "give the verifier key of this log with --key")
    return text, tuple(signed)
