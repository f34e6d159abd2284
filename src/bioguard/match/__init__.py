from bioguard.match.fingerprint.gallery import FingerprintGallery

__all__ = ["FingerprintGallery"]
