"""Samples as they arrive: canonical bytes in, features out, anything else refused."""

from collections.abc import Callable

from bioguard.commands.biometric import Status
from bioguard.errors import InputRefused
from bioguard.records import FaceEmbedding, Features, FingerprintTemplate
from bioguard.records.modality import Modality
from bioguard.trusted.refusal import Refused

_DECODERS: dict[Modality, Callable[[bytes], Features]] = {
    Modality.FINGERPRINT: FingerprintTemplate.from_bytes,
    Modality.FACE: FaceEmbedding.from_bytes,
}


def modality_of(sample: bytes) -> Modality:
    """The record kind is in the second byte of the canonical encoding. Refused BAD_REQUEST."""
    try:
        return Modality(sample[1])
    except (IndexError, ValueError):
        raise Refused(Status.BAD_REQUEST) from None


def decode(modality: Modality, sample: bytes) -> Features:
    """Features of one sample. Refused BAD_REQUEST."""
    try:
        return _DECODERS[modality](sample)
    except InputRefused:
        raise Refused(Status.BAD_REQUEST) from None
