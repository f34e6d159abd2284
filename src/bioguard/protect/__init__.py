"""Salted digests and protected codes: what may be said about them is in docs/protection.md."""

from bioguard.protect.codes import CODE_BITS, SignCoder, per_record_codes, per_record_distances
from bioguard.protect.digest import Commitment, commit, verify
from bioguard.protect.scalar import ScalarCoder
from bioguard.protect.streams import CodeContext

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
