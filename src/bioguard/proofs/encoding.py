"""Strict base64, the one error of this package, and what reading hostile plain data may raise."""

import base64
import binascii

from bioguard.errors import IntegrityFailure
from tee_sim.shared.errors import TeeError

PARSE_FAULTS = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError, TeeError,
)  # fmt: skip
"""What taking fields out of decoded JSON or CBOR raises when they are missing, of another type, or out of all bounds:
`int(1e999)` is an OverflowError. A parser turns them into its own refusal."""


_ALPHABET = "standard alphabet with padding (RFC 4648 section 4); fetch the file again if it was so at its source"


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
        raise ProofInvalid(f"{what} is not base64", hint=_ALPHABET) from None
    if b64encode(data) != text:
        raise ProofInvalid(f"{what} is not canonical base64", hint=_ALPHABET)
    return data
