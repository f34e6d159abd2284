"""Keep the search index beside the records: change it with them, read it at once, and notice where it does not fit.

Enforces:
* Whoever stores or erases a record, or changes whether its owner may be searched for, changes its segment in the same
  transaction: so the index says what the records say, after a power cut too, and of an erased record nothing (POL-16).
* It is believed no further than that: an index whose records are not exactly those that the sensor counts, or whose
  codes are of another epoch, is refused, and no search is answered out of it (`columns`).

Does not promise: that a refused index mends itself. `mend` makes it anew out of the records, at a purge. A segment that
is damaged on the disk gives way to an empty one when something in it changes, so that an erasure is never in the way.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from bioguard.commands.biometric import RecordSummary
from bioguard.records.consent import ConsentState, Purpose, allowed
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SensorProps
from bioguard.trusted.biometric.search_segments import (
    KINDS,
    MOST_DEPTH,
    Columns,
    IndexedRecord,
    Place,
    SearchTerms,
    Segment,
    cut,
    places_for,
    sensor_of,
)
from bioguard.trusted.biometric.stored_objects import DeviceState, RecordRef, StoredRecord, find_user, record_object
from bioguard.trusted.biometric.stored_records import Stored, opened
from bioguard.trusted.policy.stored_objects import PolicyObjects
from bioguard.trusted.sensor.exposure import KEY_BYTES
from bioguard.trusted.sensor.tally import read_tally
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.ta_api import Store, Transaction

_MISFITS: Final = (TeeResult.CORRUPT_OBJECT, TeeResult.BAD_FORMAT)
"""What does not open, and what opens and is no segment."""


def search_terms(consent: ConsentState, modality: Modality) -> SearchTerms:
    """What a consent says of searches, whatever the time and the policy's version are."""
    for grant in consent.grants:
        version = grant.policy_version
        if (grant.modality, grant.purpose) == (modality, Purpose.IDENTIFY) and (
            allowed(consent, modality, Purpose.IDENTIFY, policy_version=version, now_ms=0) is None
        ):
            return SearchTerms(grant.expires_ms, version)
    return SearchTerms()


class SearchIndex:
    """The indexes of all sensors in the application's store.

    Args:
        device: what the device is now.
    """

    def __init__(self, store: Store, device: Callable[[], DeviceState]) -> None:
        self._store = store
        self._device = device
        self._consents = PolicyObjects(store)

    def change(
        self,
        transaction: Transaction,
        sensor: SensorProps,
        *,
        gone: Collection[bytes] = (),
        new: Stored | None = None,
        terms: Mapping[bytes, SearchTerms] = {},  # read only
    ) -> None:
        """Take records out, put one in, or change until when the owner of some may be searched for, with the rest of a
        change."""
        segments: dict[Place, list[IndexedRecord]] = {}
        for record_id in (*gone, *terms):
            place = self._read(sensor.sensor_id, record_id, segments)
            segments[place] = [_changed(r, terms) for r in segments[place] if r.record_id not in gone]
        if new is not None:
            place = self._read(sensor.sensor_id, new[0].record_id, segments)
            segments |= cut(place, [*segments.pop(place), self._indexed(*new)])
        for place, records in segments.items():
            self._put(transaction, sensor, place, records, self._device().code_epoch)

    def _read(self, sensor_id: int, record_id: bytes, segments: dict[Place, list[IndexedRecord]]) -> Place:
        """Have the segment that a record belongs to among these; return its place. The whole, where there is none."""
        places = places_for(record_id)
        known = next((place for place in places if place in segments), None)
        if known is not None:
            return known
        ids = list(dict.fromkeys(place.object_id(sensor_id) for place in places))
        self._store.fetch(ids)
        for object_id in ids:
            try:
                stored = self._store.find(object_id)
                if stored is None:
                    continue
                segment = Segment.from_bytes(stored.body)
                place = places[MOST_DEPTH - segment.depth]
                segments[place] = segment.records() if place.object_id(sensor_id) == object_id else []
            except TeeError as error:
                if error.result not in _MISFITS:
                    raise
                # Of unknown depth: the deepest, which is never cut into what is there already.
                place = Place(MOST_DEPTH, int.from_bytes(object_id[2:], "big"))
                segments[place] = []
            return place
        segments[Place()] = []
        return Place()

    def _put(
        self, transaction: Transaction, sensor: SensorProps, place: Place, records: list[IndexedRecord], epoch: int
    ) -> None:
        body = Segment.of(records, epoch, place.depth).to_bytes()
        transaction.put(place.object_id(sensor.sensor_id), body, kind=KINDS[sensor.kind])

    def _indexed(self, summary: RecordSummary, record: StoredRecord) -> IndexedRecord:
        return IndexedRecord(
            record_id=summary.record_id,
            user=summary.user,
            enrolled_s=record.enrolled_s,
            terms=search_terms(self._consents.consent(summary.user), summary.modality),
            views=record.views,
            codes=record.codes,
        )

    def consent_changed(self, transaction: Transaction, user: bytes, before: ConsentState, after: ConsentState) -> None:
        """Have the index say what a user's consent says of searches now, together with the change of it."""
        state = find_user(self._store, user)
        refs = state.records if state is not None else ()
        for sensor in self._device().configuration.sensor_table:
            terms = search_terms(after, sensor.kind)
            if terms != search_terms(before, sensor.kind):
                told = {ref.record_id: terms for ref in refs if ref.sensor == sensor.sensor_id}
                self.change(transaction, sensor, terms=told)

    def enrolled_s(self, ref: RecordRef) -> int:
        """When a record was enrolled, in seconds since 1970; as the index has it where the record's row is damaged.

        Retention ends for that one too, and such a row must not keep a start from erasing what else is over. Where both
        are damaged nobody can use it or say when its retention ends: it has ended.
        """
        try:
            return opened(self._store.get(record_object(ref.record_id)))[0].enrolled_s
        except TeeError as error:
            if error.result is not TeeResult.CORRUPT_OBJECT:
                raise
            segments: dict[Place, list[IndexedRecord]] = {}
            records = segments[self._read(ref.sensor, ref.record_id, segments)]
            return next((record.enrolled_s for record in records if record.record_id == ref.record_id), 0)

    def columns(self, sensor: SensorProps) -> Columns:
        """The whole index of a sensor.

        Raises:
            TeeError: CORRUPT_OBJECT if it does not fit the records, or what the store raises.
        """
        stored = self._store.load(kind=KINDS[sensor.kind])
        own = (one.body for one in stored if sensor_of(one.header.object_id) == sensor.sensor_id)
        found = Columns.of([Segment.from_bytes(body) for body in own])
        keys = np.sort(np.ascontiguousarray(found.ids("record")[:, :KEY_BYTES]).view(">u8").ravel())
        counted = np.array(read_tally(self._store, sensor.sensor_id).exposures.keys, np.uint64)
        if not found.epochs <= {self._device().code_epoch} or not np.array_equal(keys, counted):
            raise TeeError(TeeResult.CORRUPT_OBJECT, "the search index is not that of the records")
        return found

    def mend(self) -> None:
        """Make the index anew, of the records, where it does not fit them. Raises TeeError of the store."""
        for sensor in self._device().configuration.sensor_table:
            try:
                self.columns(sensor)
            except TeeError as error:
                if error.result not in _MISFITS:
                    raise
                with self._store.transaction() as transaction:
                    stored = map(opened, self._store.load(kind=sensor.kind.word))
                    own = [one for one in stored if one[0].sensor == sensor.sensor_id]
                    self.put_all(transaction, sensor, own, self._device().code_epoch)

    def put_all(
        self, transaction: Transaction, sensor: SensorProps, records: Iterable[Stored], code_epoch: int
    ) -> None:
        """Put the index of all records of a sensor in place of what is there. code_epoch: of their codes."""
        parts = cut(Place(), [self._indexed(*stored) for stored in records])
        ids = {place.object_id(sensor.sensor_id) for place in parts}
        there = (header.object_id for header in self._store.headers() if header.kind == KINDS[sensor.kind])
        left = [one for one in there if sensor_of(one) == sensor.sensor_id and one not in ids]
        for object_id in left:
            transaction.erase(object_id)
        for place, rows in parts.items():
            self._put(transaction, sensor, place, rows, code_epoch)


def _changed(record: IndexedRecord, terms: Mapping[bytes, SearchTerms]) -> IndexedRecord:
    told = terms.get(record.record_id)
    return record if told is None else replace(record, terms=told)
