"""Fingerprint comparison: minutiae in, one calibrated score out (docs/fingerprint-matching.md)."""

from bioguard.match.fingerprint.backends import backends, score
from bioguard.match.fingerprint.gallery import FingerprintGallery, GalleryStats
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare, prepare_all

__all__ = ["FingerprintGallery", "GalleryStats", "PreparedTemplate", "backends", "prepare", "prepare_all", "score"]
