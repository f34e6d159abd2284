"""Fingerprint comparison: minutiae in, one calibrated score out."""

from bioguard.match.fingerprint.comparator import score
from bioguard.match.fingerprint.gallery import FingerprintGallery
from bioguard.match.fingerprint.prepared import PreparedTemplate, prepare, prepare_all

__all__ = ["FingerprintGallery", "PreparedTemplate", "prepare", "prepare_all", "score"]
