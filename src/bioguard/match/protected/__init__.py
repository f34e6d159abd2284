"""Protected codes: what may be said about them is in docs/protection.md."""

from bioguard.match.protected.key_stream import CodeContext
from bioguard.match.protected.scalar_codes import ScalarCoder
from bioguard.match.protected.sign_codes import CODE_BITS, SignCoder, per_record_codes, per_record_distances

__all__ = [
    "CODE_BITS",
    "CodeContext",
    "ScalarCoder",
    "SignCoder",
    "per_record_codes",
    "per_record_distances",
]
