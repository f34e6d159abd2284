"""Frozen records that cross module and process boundaries."""

from bioguard.records.features import MAX_MINUTIAE, FaceEmbedding, Features, FingerprintTemplate

__all__ = ["MAX_MINUTIAE", "FaceEmbedding", "Features", "FingerprintTemplate"]
