"""What two samples are compared by, and how far the rate of a threshold is founded."""

from enum import IntEnum, unique

from bioguard.records.modality import Modality, Profile


@unique
class Score(IntEnum):
    """The scores that a decision can be made on."""

    COSINE = 1
    """Of two face embeddings, `bioguard.match.FaceGallery`."""
    SCALAR = 2
    """Of two scalar codes of faces, `bioguard.match.protected.ScalarCoder`."""
    LIKELIHOOD_RATIO = 3
    """Of two fingerprints, `bioguard.match.FingerprintGallery`."""
    PROTECTED = 4
    """Of two protected codes of fingerprints under one key, `bioguard.match.protected.finger_codes`."""

    @property
    def word(self) -> str:
        """The name for people and in JSON."""
        return self.name.lower().replace("_", " ")

    @property
    def modality(self) -> Modality:
        """What is compared."""
        return Modality.FACE if self in (Score.COSINE, Score.SCALAR) else Modality.FINGERPRINT

    @classmethod
    def of(cls, modality: Modality, profile: Profile) -> "Score":
        """What a device that keeps this decides on."""
        if profile is Profile.DIGEST_ONLY:
            return cls.SCALAR if modality is Modality.FACE else cls.PROTECTED
        return cls.COSINE if modality is Modality.FACE else cls.LIKELIHOOD_RATIO


@unique
class Basis(IntEnum):
    """How a point came about, the firmest first."""

    MEASURED = 1
    """False matches of real people were counted at this rate, among at least 3 / rate impostor comparisons."""
    SYNTHETIC = 2
    """Counted in a calibrated population of people who do not exist."""
    EXTRAPOLATED = 3
    """A straight line over the logarithm of the rate, or the table of another model."""

    @property
    def word(self) -> str:
        """The name for people and in JSON."""
        return self.name.lower()
