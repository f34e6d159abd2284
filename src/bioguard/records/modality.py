"""What is enrolled, and what is kept of it: the two words that every room of the product shares."""

from enum import IntEnum, unique


@unique
class Modality(IntEnum):
    """What is enrolled. Where the two differ there is a property here, or a table keyed by this."""

    FINGERPRINT = 1
    FACE = 2

    @property
    def word(self) -> str:
        """The name for people, and the kind of a stored record (docs/formats/storage.md)."""
        return self.name.lower()

    @property
    def positions(self) -> range:
        """Where one can be: the ten fingers of ISO/IEC 19794-2 table 2, or 0 for a face and for an unnamed finger."""
        return range(11) if self is Modality.FINGERPRINT else range(1)


@unique
class Profile(IntEnum):
    """What is kept of an enrollment (docs/protection.md)."""

    STANDARD = 1
    """Salted digest, protected code and encrypted template."""
    DIGEST_ONLY = 2
    """Salted digest and protected code; no template in any form."""
