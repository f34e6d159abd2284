"""Hold the records that were claimed lately as they are compared: opened, decoded and made ready once.

Enforces: a record that was erased or replaced, or whose owner has changed a consent, is not held (`Vault` says so, in
the one place where that is stored); what is held is bounded, and overwritten when it goes, as far as Python lets it.

Does not promise: that the secure world holds no template between two requests. It holds these, as it holds those that
are searched.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from bioguard.commands.status import ReplyStatus
from bioguard.trusted.biometric.decision import ReadyRecord
from bioguard.trusted.biometric.stored_objects import record_object
from bioguard.trusted.biometric.stored_records import opened
from bioguard.trusted.refusal import Refused
from tee_sim.shared.ta_api import Store

MOST_BYTES: Final = 4 << 20
"""Some hundred people with a face of three views, or some dozens with three touches of a finger. One person may have a
little more: ten fingers of sixteen touches of 255 minutiae."""


class ReadyRecords:
    """Records by id, those that were used last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: OrderedDict[bytes, ReadyRecord] = OrderedDict()
        self._size_bytes = 0

    def of(self, record_ids: Sequence[bytes]) -> list[tuple[bytes, ReadyRecord]]:
        """These records, with their ids. Refused UNKNOWN_RECORD."""
        missing = [record_object(record_id) for record_id in record_ids if record_id not in self._held]
        if missing:
            self._store.fetch(missing)
        found = [(record_id, self._one(record_id)) for record_id in record_ids]
        # Not while they are read: one that was asked for is not overwritten before it is compared.
        while self._size_bytes > MOST_BYTES and len(self._held) > len(record_ids):
            self.drop(next(iter(self._held)))
        return found

    def _one(self, record_id: bytes) -> ReadyRecord:
        record = self._held.get(record_id)
        if record is None:
            stored = self._store.find(record_object(record_id))
            if stored is None:
                raise Refused(ReplyStatus.UNKNOWN_RECORD)
            record = self._held[record_id] = ReadyRecord.of(opened(stored)[1])
            self._size_bytes += record.size_bytes
        self._held.move_to_end(record_id)
        return record

    def drop(self, record_id: bytes) -> None:
        """Hold a record no longer; nothing happens if it is not held."""
        record = self._held.pop(record_id, None)
        if record is not None:
            self._size_bytes -= record.size_bytes
            record.wipe()

    def clear(self) -> None:
        """Hold none."""
        for record_id in list(self._held):
            self.drop(record_id)
