"""Salted digests and protected codes: what may be said about them is in docs/protection.md."""

from bioguard.match.protected.key_stream import CodeContext
from bioguard.match.protected.scalar_codes import ScalarCoder
from bioguard.match.protected.sign_codes import CODE_BITS, SignCoder, per_record_codes, per_record_distances
from bioguard.trusted.biometric.salted_digest import Commitment, commit, verify

__all__ = [
    "CODE_BITS",
    "CodeContext",
    "Commitment",
    "ScalarCoder",
    "SignCoder",
    "commit",
    "per_record_codes",
    "per_record_distances",
    "verify",
]
