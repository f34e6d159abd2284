"""Frozen records that cross module and process boundaries.

Features are loaded when they are asked for: they need an array library, and most records do not.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bioguard.records.feature_limits import MAX_MINUTIAE
    from bioguard.records.features import FaceEmbedding, Features, FingerprintTemplate
else:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from bioguard.records import features  # noqa: PLC0415 - see above

        return getattr(features, name)


__all__ = ["MAX_MINUTIAE", "FaceEmbedding", "Features", "FingerprintTemplate"]
