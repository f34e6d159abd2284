"""The salted digest of a record by docs/formats/digest.md."""

import hashlib
from collections.abc import Sequence
from typing import Final

from bioguard.evidence.second_reader.keys import Ladder

_PERSON: Final = b"bg-commit-v1"


def _sized(data: bytes, width: int = 2) -> bytes:
    return len(data).to_bytes(width, "big") + data


def record_digest(
    ladder: Ladder, application: bytes, salt: bytes, *, record_id: bytes, subject: bytes, modality: int, position: int,
    views: Sequence[bytes],
) -> bytes:  # fmt: skip
    """The digest that a record of these views has to have, 32 bytes.

    Args:
        application: UUID. salt: of the record, 16 bytes. record_id, subject, views: the record's, as enrolled.
        modality, position: their codes.
    """
    absent = _sized(b"") + bytes(4 + 8 + 8)  # model id and version, epoch, counter
    message = b"\x01" + _sized(record_id) + _sized(subject) + bytes((modality, position)) + absent
    message += len(views).to_bytes(2, "big") + b"".join(_sized(view, 4) for view in views)
    return hashlib.blake2b(message, digest_size=32, key=ladder.pepper(application), salt=salt, person=_PERSON).digest()
