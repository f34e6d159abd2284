"""The search index says what the records say, wherever a change is cut off; and it is noticed where it does not."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from random import Random

import pytest

from bioguard.records.consent import ConsentState, Grant, Purpose
from bioguard.records.modality import Modality, Profile
from bioguard.records.sensor_props import default_table
from bioguard.trusted.biometric import search_segments
from bioguard.trusted.biometric.search_index import SearchIndex, search_terms
from bioguard.trusted.biometric.search_segments import (
    KINDS,
    MOST_DEPTH,
    IndexedRecord,
    Place,
    SearchTerms,
    Segment,
    places_for,
)
from bioguard.trusted.biometric.stored_objects import DeviceState, StoredRecord
from bioguard.trusted.biometric.stored_records import Stored, summary_of
from bioguard.trusted.sensor.tally import recount
from tee_sim.secure.storage import TaStore
from tee_sim.shared.errors import TeeError, TeeResult
from tests.tee_sim.storage.conftest import TA, World

FACE = Modality.FACE
SENSOR = default_table()[1]
EPOCH = 3
FAULTS = (
    "commit: enospc",
    "commit: eio",
    "commit: eio-after",
    "commit: lie",
    "rpmb.write@1: eio",
    "rpmb.write@2: eio",
    "rpmb.write@2: lose-reply",
    "commit@2: eio",
    "rpmb.write@3: eio",
)
"""The last two meet whoever makes two transactions of what belongs into one."""


def stored_as(record: IndexedRecord) -> Stored:
    """The record that the index says this of, of somebody without consents."""
    stored = StoredRecord(
        salt=bytes(16), sensor=SENSOR.sensor_id, modality=FACE, position=0, profile=Profile.STANDARD,
        enrolled_s=record.enrolled_s, views=record.views, codes=record.codes, code_epoch=EPOCH,
    )  # fmt: skip
    return summary_of(record.record_id, record.user, bytes(32), stored), stored


class Life:
    """Records, each an object of its own, and the index beside them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.world = World()
        self.store: TaStore = self.world.open(create=True).namespace(TA)
        self.truth: dict[bytes, IndexedRecord] = {}

    def index(self) -> SearchIndex:
        return SearchIndex(self.store, lambda: DeviceState(code_epoch=EPOCH))

    def drawn(self) -> IndexedRecord:
        samples = self.random.randint(1, 4)
        return IndexedRecord(
            record_id=self.random.randbytes(16),
            user=self.random.randbytes(16),
            enrolled_s=self.random.randrange(1 << 40),
            terms=SearchTerms(),
            views=tuple(self.random.randbytes(40) for _ in range(samples)),
            codes=tuple(self.random.randbytes(16) for _ in range(samples)),
        )

    def change(
        self,
        gone: tuple[bytes, ...] = (),
        new: IndexedRecord | None = None,
        terms: dict[bytes, SearchTerms] | None = None,
    ) -> None:
        """One transaction of all that belongs together."""
        with self.store.transaction() as transaction:
            self.index().change(transaction, SENSOR, gone=gone, new=new and stored_as(new), terms=terms or {})
            for record_id in gone:
                transaction.erase(b"R" + record_id)
            stored = [new] if new is not None else []
            for record in (*stored, *(self.with_terms(record_id, told) for record_id, told in (terms or {}).items())):
                transaction.put(b"R" + record.record_id, Segment.of([record], EPOCH, 0).to_bytes(), kind="face")
            recount(
                self.store,
                transaction,
                SENSOR.sensor_id,
                erased=gone,
                stored=new.record_id if new is not None else None,
            )

    def with_terms(self, record_id: bytes, terms: SearchTerms) -> IndexedRecord:
        (record,) = Segment.from_bytes(self.store.get(b"R" + record_id).body).records()
        return IndexedRecord(
            record_id=record_id, user=record.user, enrolled_s=record.enrolled_s, terms=terms,
            views=record.views, codes=record.codes,
        )  # fmt: skip

    def records(self) -> dict[bytes, IndexedRecord]:
        """What is stored, record by record."""
        stored = (Segment.from_bytes(one.body).records()[0] for one in self.store.load(kind="face"))
        return {record.record_id: record for record in stored}

    def step(self) -> None:
        known = sorted(self.records())
        act = self.random.randrange(5) if known else 0
        if act <= 1:
            self.change(new=self.drawn())
        elif act == 2:
            self.change(gone=tuple(self.random.sample(known, min(len(known), self.random.randint(1, 3)))))
        elif act == 3:  # a replacement
            self.change(gone=(self.random.choice(known),), new=self.drawn())
        else:
            self.change(terms={self.random.choice(known): SearchTerms(self.random.randrange(1 << 48), 1)})

    def cut(self) -> None:
        """A step that a fault ends, and a start after it."""
        self.world.arm(self.random.choice(FAULTS))
        with suppress(TeeError):
            self.step()
        self.world.arm("")
        self.store = self.world.open().namespace(TA)


def check(life: Life) -> None:
    stored = {o.header.object_id: Segment.from_bytes(o.body) for o in life.store.load(kind=KINDS[FACE])}
    segments = {Place(s.depth, int.from_bytes(i[2:], "big")): s.records() for i, s in stored.items()}
    found = {r.record_id: r for records in segments.values() for r in records}
    truth = life.records()
    assert found == truth
    assert sum(map(len, segments.values())) == len(truth), "each once"
    for place, records in segments.items():
        assert all(place in places_for(r.record_id) for r in records)
        size = sum(r.size_bytes for r in records)
        assert size <= search_segments.SEGMENT_BYTES or len(records) == 1 or place.depth == MOST_DEPTH
    starts = sorted((place.prefix, 1 << 16 - place.depth) for place in segments)
    assert [start for start, _ in starts] == [sum(width for _, width in starts[:i]) for i in range(len(starts))]
    assert not starts or sum(width for _, width in starts) == 1 << 16, "each place once"
    assert len(life.index().columns(SENSOR).heads) == len(truth)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_index_is_that_of_the_records(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_segments, "SEGMENT_BYTES", 400)
    life = Life(seed)
    for turn in range(60):
        life.cut() if turn % 4 == 3 else life.step()
        check(life)
    assert sum(1 for _ in life.store.load(kind=KINDS[FACE])) > 3


def test_an_erased_record_leaves_nothing_in_any_segment() -> None:
    life = Life(1)
    some = [life.drawn() for _ in range(30)]
    for record in some:
        life.change(new=record)
    for record in some[::2]:
        life.change(gone=(record.record_id,))
    bodies = b"".join(o.body for o in life.store.load(kind=KINDS[FACE]))
    for record in some[::2]:
        assert all(piece not in bodies for piece in (record.record_id, record.user, *record.views, *record.codes))
    for record in some[1::2]:
        assert all(piece in bodies for piece in (record.record_id, record.user, *record.views, *record.codes))


def test_an_enrollment_rewrites_one_segment_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_segments, "SEGMENT_BYTES", 900)
    life = Life(2)
    for _ in range(80):
        rows = {name for name in life.world.blobs.rows if name[:1] == b"o"}
        life.change(new=life.drawn())
        assert rows < life.world.blobs.rows.keys(), "nothing is deleted where something grows: that searches the file"
    versions = {o.header.object_id: o.header.version for o in life.store.load(kind=KINDS[FACE])}
    assert len(versions) > 20
    for record in list(life.records().values())[:10]:
        life.change(gone=(record.record_id,))
        after = {o.header.object_id: o.header.version for o in life.store.load(kind=KINDS[FACE])}
        assert len(after.items() - versions.items()) == 1
        versions = after


@contextmanager
def refused(life: Life) -> Iterator[None]:
    with life.store.transaction() as transaction:
        life.transaction = transaction  # type: ignore[attr-defined]
        yield
    with pytest.raises(TeeError) as error:
        life.index().columns(SENSOR)
    assert error.value.result in (TeeResult.CORRUPT_OBJECT, TeeResult.BAD_FORMAT)


def filled(count: int = 5) -> Life:
    life = Life(3)
    for _ in range(count):
        life.change(new=life.drawn())
    return life


def put(life: Life, segment: Segment, object_id: bytes | None = None) -> None:
    where = object_id or Place().object_id(SENSOR.sensor_id)
    life.transaction.put(where, segment.to_bytes(), kind=KINDS[FACE])  # type: ignore[attr-defined]


def test_an_index_that_is_not_that_of_the_records_is_refused() -> None:
    life = filled()
    records = list(life.records().values())
    ours = Segment.of(records, EPOCH, 0)
    for wrong in (
        Segment.of(records[1:], EPOCH, 0),
        Segment.of([*records, life.drawn()], EPOCH, 0),
        Segment.of([*records, records[0]], EPOCH, 0),
        Segment.of([*records[1:], life.drawn()], EPOCH, 0),
        Segment.of(records, EPOCH - 1, 0),
        Segment(depth=0, code_epoch=EPOCH),
        Segment(depth=0, code_epoch=EPOCH, heads=ours.heads, view_sizes=ours.view_sizes, views=ours.views[:-1],
                code_sizes=ours.code_sizes, codes=ours.codes),
        Segment(depth=0, code_epoch=EPOCH, heads=ours.heads[:-1], view_sizes=ours.view_sizes, views=ours.views,
                code_sizes=ours.code_sizes, codes=ours.codes),
        Segment(depth=0, code_epoch=EPOCH, heads=ours.heads, view_sizes=ours.view_sizes[:-2], views=ours.views,
                code_sizes=ours.code_sizes, codes=ours.codes),
        Segment(depth=0, code_epoch=EPOCH, heads=ours.heads, view_sizes=ours.view_sizes[:-2], views=ours.views[:-40],
                code_sizes=ours.code_sizes, codes=ours.codes),
    ):  # fmt: skip
        with refused(life):
            put(life, wrong)
    with refused(life):  # the same twice, in two places
        put(life, ours)
        put(life, ours, Place(1, 1 << 15).object_id(SENSOR.sensor_id))
    with refused(life):
        for place in (Place(), Place(1, 1 << 15)):
            life.transaction.erase(place.object_id(SENSOR.sensor_id))  # type: ignore[attr-defined]


def test_an_epoch_is_asked_of_codes_alone() -> None:
    """Of fingers with templates there are none, and a new epoch writes only faces."""
    life = filled()
    with life.store.transaction() as life.transaction:  # type: ignore[attr-defined]
        put(life, Segment.of([replace(record, codes=()) for record in life.records().values()], EPOCH - 1, 0))
    assert len(life.index().columns(SENSOR).heads) == 5


def test_what_takes_the_place_of_a_damaged_segment_takes_records_and_gives_none_twice() -> None:
    life = Life(4)
    with life.store.transaction() as life.transaction:  # type: ignore[attr-defined]
        put(life, Segment.of([], EPOCH, MOST_DEPTH))
    first = replace(life.drawn(), record_id=bytes(16))
    for record in (first, life.drawn(), life.drawn()):
        life.change(new=record)
    assert len(life.index().columns(SENSOR).heads) == 3
    life.change(gone=tuple(life.records()))
    assert not len(life.index().columns(SENSOR).heads)


def test_it_is_made_anew_of_the_records_whatever_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_segments, "SEGMENT_BYTES", 900)
    life = filled(20)
    records = list(life.records().values())
    with refused(life):
        put(life, Segment(depth=0, code_epoch=EPOCH), places_for(records[0].record_id)[5].object_id(SENSOR.sensor_id))
        put(life, Segment.of(records[2:4], EPOCH, 0))
    with life.store.transaction() as transaction:
        life.index().put_all(transaction, SENSOR, map(stored_as, records), EPOCH)
    check(life)


def test_the_index_of_each_sensor_is_mended() -> None:
    life = Life(5)
    with life.store.transaction() as transaction:
        for sensor in default_table():
            body = Segment.of([life.drawn()], EPOCH, 0).to_bytes()
            transaction.put(Place().object_id(sensor.sensor_id), body, kind=KINDS[sensor.kind])
    life.index().mend()
    assert [len(life.index().columns(sensor).heads) for sensor in default_table()] == [0, 0]


def test_what_a_consent_says_of_searches() -> None:
    grant = Grant(modality=FACE, purpose=Purpose.IDENTIFY, policy_version=2, granted_ms=5, expires_ms=9)
    agreed = ConsentState(grants=(grant,), of_age=True)
    assert search_terms(agreed, FACE) == SearchTerms(9, 2)
    assert search_terms(agreed, Modality.FINGERPRINT) == SearchTerms()
    unlock = Grant(modality=FACE, purpose=Purpose.UNLOCK, policy_version=2, granted_ms=5, expires_ms=9)
    for never in (
        ConsentState(),
        ConsentState(grants=(unlock,), of_age=True),
        ConsentState(grants=(grant,), of_age=True, restricted=True),
        ConsentState(grants=(grant,), of_age=True, objections=(int(Purpose.IDENTIFY),)),
        ConsentState(grants=(grant,)),
    ):
        assert search_terms(never, FACE) == SearchTerms()
