"""Comparators and galleries. The code that decides is pure; which kernel runs is chosen in `kernels`."""

from bioguard.match.codes import CodeGallery
from bioguard.match.faces import FaceGallery
from bioguard.match.fingerprint.gallery import FingerprintGallery

__all__ = ["CodeGallery", "FaceGallery", "FingerprintGallery"]
