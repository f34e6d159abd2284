"""Say what the salted digest of a record commits to. The core makes it: it binds, hides and cannot match.

Does not promise: anything about the person. Whoever has the salt and the pepper can test a template with it.

A fresh capture never reproduces the bytes of a template, so the digest says nothing about who stands before the
sensor. It names a record in the log, detects substitution and, once the salt is erased with the record, cannot be
tested even by someone who holds the template.

    record = message(record_id=b"r1", subject=b"u1", modality=2, position=0, views=(t,))
    salt, digest = env.digests.make(record)

Specification: docs/formats/digest.md.
"""

import struct
from collections.abc import Sequence
from typing import Final

from bioguard.errors import InputRefused

LAYOUT_VERSION: Final = 1
MAX_FIELD_BYTES: Final = 0xFFFF
MAX_VIEWS: Final = 0xFFFF
MAX_VIEW_BYTES: Final = 0xFFFFFFFF


def message(
    *,
    record_id: bytes,
    subject: bytes,
    modality: int,
    position: int,
    views: Sequence[bytes],
    model_id: str = "",
    model_version: int = 0,
    epoch: int = 0,
    counter: int = 0,
) -> bytes:
    """Return what a digest commits to, in bytes: the header of a record and the exact bytes of its views.

    Every variable part carries its length, so no two records share a message.

    Args:
        record_id, subject: 1 to 65535 bytes each.
        modality, position: 0..255 (position: finger code, 0 for a face).
        views: template bytes exactly as stored, at least one.
        model_id: the extractor or embedding model, "" if none is recorded.
        model_version: 0 .. 2^32 - 1.
        epoch, counter: 0 .. 2^64 - 1; renewal epoch and record counter.

    Raises:
        InputRefused: a field is out of range.
    """
    model = model_id.encode()
    fits = (
        all(0 < len(name) <= MAX_FIELD_BYTES for name in (record_id, subject))
        and len(model) <= MAX_FIELD_BYTES
        and all(0 <= value <= 0xFF for value in (modality, position))
        and 0 <= model_version < 1 << 32
        and all(0 <= value < 1 << 64 for value in (epoch, counter))
        and 0 < len(views) <= MAX_VIEWS
        and all(0 < len(view) <= MAX_VIEW_BYTES for view in views)
    )
    if not fits:
        raise InputRefused(
            "a field of the record header is out of range",
            hint="see docs/formats/digest.md section 2",
            code="input.commitment",
        )
    parts = [
        struct.pack(">BH", LAYOUT_VERSION, len(record_id)),
        record_id,
        struct.pack(">H", len(subject)),
        subject,
        struct.pack(">BBH", modality, position, len(model)),
        model,
        struct.pack(">IQQH", model_version, epoch, counter, len(views)),
    ]
    for view in views:
        parts += [struct.pack(">I", len(view)), view]
    return b"".join(parts)
