"""Open what is stored of a record, and say what may be known of it outside."""

from bioguard.commands.biometric import RecordSummary
from bioguard.trusted.biometric.stored_objects import StoredRecord
from tee_sim.shared.ta_api import StoredObject

Stored = tuple[RecordSummary, StoredRecord]
"""A record as it is stored, and what may be known of it outside."""


def opened(stored: StoredObject) -> Stored:
    """A stored object as a record."""
    record, header = StoredRecord.from_bytes(stored.body), stored.header
    return summary_of(header.object_id[1:], header.owner, header.commitment, record), record


def summary_of(record_id: bytes, user: bytes, digest: bytes, record: StoredRecord) -> RecordSummary:
    """What may be known of a record outside."""
    return RecordSummary(
        record_id=record_id,
        user=user,
        modality=record.modality,
        position=record.position,
        views=record.samples,
        profile=record.profile,
        enrolled_s=record.enrolled_s,
        digest=digest,
    )
