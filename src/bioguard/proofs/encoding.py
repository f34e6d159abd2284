"""Strict base64, and the one error of this package."""

import base64
import binascii

from bioguard.errors import IntegrityFailure

__all__ = ["ProofInvalid", "b64decode", "b64encode"]


class ProofInvalid(IntegrityFailure):
    """A proof, signature or signed text does not verify, or is not in its canonical form."""

    code = "integrity.proof"


def b64encode(data: bytes) -> str:
    """Standard alphabet, padded (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def b64decode(text: str, what: str) -> bytes:
    """Decode exactly what `b64encode` writes: no white space, no missing padding, no stray trailing bits.

    Raises:
        ProofInvalid: anything else; `what` names the field.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ProofInvalid(f"{what} is not base64", hint="fetch the file again: it was altered on the way") from None
    if b64encode(data) != text:
        raise ProofInvalid(f"{what} is not canonical base64", hint="fetch the file again: it was altered on the way")
    return data
