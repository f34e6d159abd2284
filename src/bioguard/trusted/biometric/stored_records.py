"""Open what is stored of a record, and say what may be known of it outside."""

from bioguard.commands.biometric import RecordSummary
from bioguard.trusted.biometric.stored_objects import StoredRecord, record_object
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.ta_api import Store, StoredObject

Stored = tuple[RecordSummary, StoredRecord]
"""A record as it is stored, and what may be known of it outside."""


def opened(stored: StoredObject) -> Stored:
    """A stored object as a record."""
    record, header = StoredRecord.from_bytes(stored.body), stored.header
    return summary_of(header.object_id[1:], header.owner, header.commitment, record), record


def digest_of(store: Store, record_id: bytes) -> bytes:
    """The digest of a record that is to be erased.

    The directory has it too. A row that is damaged must not keep the record: searches are answered out of the index.
    """
    object_id = record_object(record_id)
    try:
        return store.get(object_id).header.commitment
    except TeeError as error:
        if error.result is not TeeResult.CORRUPT_OBJECT:
            raise
        return next(header.commitment for header in store.headers() if header.object_id == object_id)


def summary_of(record_id: bytes, user: bytes, digest: bytes, record: StoredRecord) -> RecordSummary:
    """What may be known of a record outside."""
    return RecordSummary(
        record_id=record_id,
        user=user,
        sensor=record.sensor,
        modality=record.modality,
        position=record.position,
        views=record.samples,
        profile=record.profile,
        enrolled_s=record.enrolled_s,
        digest=digest,
        origin=record.origin,
    )
