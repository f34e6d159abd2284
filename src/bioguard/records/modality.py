"""What is enrolled, and what is kept of it: the two words that every room of the product shares."""

from enum import IntEnum, unique


@unique
class Modality(IntEnum):
    """What is enrolled."""

    FINGERPRINT = 1
    FACE = 2


@unique
class Profile(IntEnum):
    """What is kept of an enrollment (design section 5)."""

    STANDARD = 1
    """Salted digest, protected code and encrypted template."""
    DIGEST_ONLY = 2
    """Salted digest and protected code; no template in any form."""
