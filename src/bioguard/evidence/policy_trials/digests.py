"""Whether the digest of a record is the one that docs/formats/digest.md says, made again from what was enrolled."""

from collections.abc import Sequence

from bioguard.evidence.published_objects import RECORD_KINDS, UUIDS
from bioguard.evidence.second_reader import Ladder, record_digest
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.records import Features
from bioguard.records.modality import Modality

_APPLICATION = bytes.fromhex(UUIDS["biometric"])


def as_published(
    temporary: TemporaryDevice, name: str, modality: Modality, position: int, views: Sequence[Features]
) -> bool:
    """Whether the one record of this modality has the digest of these views, wherever a digest is told.

    Pepper of the fuses, salt of the sealed record, header, every view: with another of them it is another digest.
    """
    subject = temporary.device.user_handle(name)
    told = [info for info in temporary.device.records(name) if info.modality == modality.word]
    kept = [o for o in temporary.contents().owned(subject) if o.kind == modality.word]
    if len(told) != 1 or len(kept) != 1:
        return False
    digest = record_digest(
        Ladder.of((temporary.directory / "fuses.simulated").read_text("ascii")), _APPLICATION, kept[0].fields()[0],
        record_id=kept[0].object_id[1:], subject=subject, modality=modality.value, position=position,
        views=[view.to_bytes() for view in views],
    )  # fmt: skip
    return kept[0].digest == digest == bytes.fromhex(told[0].digest)


def salts(temporary: TemporaryDevice) -> list[bytes]:
    """The salt of each record."""
    return [bytes(o.fields()[0]) for o in temporary.contents().objects if o.kind in RECORD_KINDS]
