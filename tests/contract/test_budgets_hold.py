"""Decisions of the honest product stay within 64 bits, in every state that a device comes into.

In one process nothing is held, so here each event that is timed on a device is charged its moment; and naming one of N
people costs log2 N: what a device of 8 000 would need is what this one needs and the difference.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from math import log2

import numpy as np
import pytest

from bioguard.commands import biometric as commands
from bioguard.commands.biometric import AUTHENTICATE, BIOMETRIC_UUID, IDENTIFY
from bioguard.commands.configuration import CONFIGURE, Configuration
from bioguard.commands.policy import (
    AT_START,
    GRANT,
    PURGE,
    SET_POLICY,
    GrantConsent,
    Purge,
    SetPolicy,
)
from bioguard.commands.status import Nothing, ReplyStatus
from bioguard.device.applications import manifests
from bioguard.records import FaceEmbedding
from bioguard.records.consent import DAY_MS, Purpose
from bioguard.records.modality import Modality
from bioguard.simulate.people import finger_impressions
from bioguard.trusted.sensor import tally
from tee_sim.normal.client import Context, Session
from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.supplicant.service import Service
from tee_sim.secure.counted_store import MOST_AHEAD
from tee_sim.secure.ledger import PAGES_BITS, TIME_BITS, Ledger, Way, gamma_bits
from tee_sim.secure.storage.row_cache import MOST_BYTES
from tee_sim.shared.blobs import Changes
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.wire import Invoke, Message, Return
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium
from tee_sim.testing.in_process import InProcessTee

FACE_SENSOR = 1
PEOPLE, LARGE, DIMENSION = 40, 5_000, 128
DECISION_BITS = 64


class Watched:
    """What each command came to, at most and at each time."""

    def __init__(self, tee: InProcessTee) -> None:
        self.tee = tee
        self.bits: dict[int, list[int]] = {}

    def exchange(self, message: Message, *, timeout_ms: int = 0) -> Return:
        answer = self.tee.exchange(message)
        if isinstance(message, Invoke):
            self.bits.setdefault(message.command, []).append(answer.bits)
        return answer

    def kill(self) -> int | None:
        raise AssertionError("the client found an answer outside its contract")


class Gallery:
    """A device with many people, in one process."""

    def __init__(self) -> None:
        self.disk = Service(MemoryBlobs(), RpmbDevice(MemoryMedium()))
        self.rng = np.random.default_rng(5)
        self.faces = self.rng.normal(size=(PEOPLE, DIMENSION))
        self.start()

    def start(self) -> None:
        tee = InProcessTee(manifests(), self.disk)
        self.seen = Watched(tee)
        self.session: Session = Context(self.seen).open_session(BIOMETRIC_UUID)

    def copy(self) -> "Gallery":
        """A device with the same store, started anew."""
        other = deepcopy(self, {id(self.seen): None, id(self.session): None})
        other.start()
        other.session.call(AT_START, Nothing())
        return other

    def view(self, number: int) -> bytes:
        noise = self.rng.normal(0, 0.08, DIMENSION)
        return FaceEmbedding.from_features(self.faces[number] + noise).to_bytes()

    def user(self, number: int) -> bytes:
        return number.to_bytes(16, "big")

    def add(self, number: int) -> None:
        user = self.user(number)
        assert self.session.call(commands.ADD_USER, commands.AddUser(user=user, label=bytes(32))).status == 0
        self.consent(number)
        views = tuple(self.view(number) for _ in range(2))
        enroll = commands.Enroll(user=user, sensor=FACE_SENSOR, position=0, samples=views)
        assert self.session.call(commands.ENROLL, enroll).status is ReplyStatus.OK

    def consent(self, number: int) -> None:
        for purpose in (Purpose.UNLOCK, Purpose.KEY_USE, Purpose.IDENTIFY):
            user = self.user(number)
            request = GrantConsent(user=user, modalities=(Modality.FACE,), purposes=(purpose,), days=30, of_age=True)
            assert self.session.call(GRANT, request).status == 0

    def authenticate(self, number: int, other: int | None = None) -> commands.Decision:
        sample = self.view(number if other is None else other)
        request = commands.Authenticate(user=self.user(number), sensor=FACE_SENSOR, sample=sample, operation_id=7)
        return self.session.call(AUTHENTICATE, request)

    def identify(self, number: int) -> commands.Identified:
        return self.session.call(IDENTIFY, commands.Identify(sensor=FACE_SENSOR, sample=self.view(number)))


def filled(people: int) -> Gallery:
    made = Gallery()
    made.session.call(CONFIGURE, Configuration(require_pin=False))
    made.session.call(AT_START, Nothing())
    for number in range(people):
        made.add(number)
    return made


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return filled(PEOPLE)


@pytest.fixture(autouse=True)
def with_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that an application could time costs its moment, as on a device."""
    charge = Ledger.charge

    def timed(self: Ledger, way: Way, bits: float) -> None:
        charge(self, way, bits)
        if bits and way in (Way.READ, Way.WRITE, Way.CANCELLATION, Way.RESULT):
            charge(self, Way.TIME, TIME_BITS)

    monkeypatch.setattr(Ledger, "charge", timed)


def held(gallery: Gallery) -> None:
    """What was decided since the last look is within its budget, and a device of 8 000 would be."""
    seen = gallery.seen.bits
    assert AUTHENTICATE.number in seen or IDENTIFY.number in seen
    assert max(seen.pop(AUTHENTICATE.number, [0])) <= DECISION_BITS
    assert max(seen.pop(IDENTIFY.number, [0])) + log2(LARGE / PEOPLE) <= DECISION_BITS


def decide(gallery: Gallery) -> None:
    """More than a chunk of the log, of people and of strangers, by name and by search."""
    for number in range(20):
        gallery.authenticate(number)
        gallery.identify(number + 20)
        held(gallery)
    gallery.authenticate(30, other=31)
    held(gallery)


def stranger(gallery: Gallery) -> commands.Identified:
    sample = FaceEmbedding.from_features(gallery.rng.normal(size=DIMENSION)).to_bytes()
    return gallery.session.call(IDENTIFY, commands.Identify(sensor=FACE_SENSOR, sample=sample))


def test_a_long_run_of_decisions_never_comes_near_its_budget(gallery: Gallery) -> None:
    matched = 0
    for number in range(3 * PEOPLE):
        matched += gallery.authenticate(number % PEOPLE).match + gallery.identify((7 * number) % PEOPLE).match
    assert matched > 5 * PEOPLE, "a match is what tells most"
    held(gallery)


def restarted(gallery: Gallery) -> None:
    gallery.start()
    gallery.session.call(AT_START, Nothing())


def later(gallery: Gallery, ms: int) -> None:
    Context(gallery.seen).advance_clock(ms)


def locked(gallery: Gallery) -> None:
    for number in range(5, 12):
        for _ in range(6):
            gallery.authenticate(number, other=number + 1)
    assert gallery.authenticate(5).status is ReplyStatus.LOCKED_TIMED


def search_locked(gallery: Gallery) -> None:
    for _ in range(6):
        last = stranger(gallery)
    assert last.status is ReplyStatus.LOCKED_TIMED


def pruned(gallery: Gallery) -> None:
    """The log's old chunks change with the newest, in one commit; months later, in several steps."""
    for _ in range(2):
        later(gallery, 20 * DAY_MS)
        for number in range(PEOPLE):
            gallery.consent(number)
        gallery.session.call(PURGE, Purge(confirmed=True))


def expired(gallery: Gallery) -> None:
    later(gallery, 31 * DAY_MS)
    assert gallery.authenticate(3).status is ReplyStatus.CONSENT_EXPIRED
    assert not gallery.identify(3).match


def erased(gallery: Gallery) -> None:
    summary = gallery.session.call(commands.LIST, commands.ListRecords(user=gallery.user(39))).records[0]
    request = commands.Erase(user=gallery.user(39), record_id=summary.record_id, leave=commands.EraseAuthorization())
    assert gallery.session.call(commands.ERASE, request).status is ReplyStatus.OK


def new_policy(gallery: Gallery) -> None:
    gallery.session.call(SET_POLICY, SetPolicy(version=2, minimum_age=18, retention_days=3000))


BEFORE: dict[str, tuple[Callable[[Gallery], None], ...]] = {
    "first of a start": (restarted,),
    "first of a start, by name": (restarted, lambda gallery: gallery.authenticate(3)),
    "the clock went on": (lambda gallery: later(gallery, 3 * DAY_MS),),
    "people locked": (locked,),
    "people locked, and a start": (locked, restarted),
    "people locked, and the wait over": (locked, lambda gallery: later(gallery, 31_000)),
    "searches locked": (search_locked,),
    "searches locked, and a start": (search_locked, restarted),
    "searches locked, and the wait over": (search_locked, lambda gallery: later(gallery, 31_000)),
    "the log pruned": (pruned,),
    "the log pruned at a start": (pruned, restarted, pruned, restarted),
    "consent expired": (expired,),
    "consent expired, and purged": (expired, lambda gallery: gallery.session.call(PURGE, Purge(confirmed=True))),
    "consent expired before a start": (lambda gallery: later(gallery, 31 * DAY_MS), restarted),
    "a record erased": (erased,),
    "a new policy": (new_policy,),
}


@pytest.mark.parametrize("before", BEFORE.values(), ids=list(BEFORE))
def test_in_no_state_of_the_device_is_a_decision_above_its_budget(
    gallery: Gallery, before: tuple[Callable[[Gallery], object], ...]
) -> None:
    copy = gallery.copy()
    for step in before:
        step(copy)
    decide(copy)


@contextmanager
def pages_of(gallery: Gallery) -> Iterator[set[bytes]]:
    """Pages of the directory that the block reads from the disk."""
    read, seen = gallery.disk._blobs.read, set[bytes]()

    def noting(names: list[bytes]) -> list[bytes | None]:
        seen.update(name for name in names if name[:1] == b"p")
        return read(names)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery.disk._blobs, "read", noting)
        yield seen


@contextmanager
def charges() -> Iterator[list[tuple[Way, float]]]:
    """What the block charges."""
    charge, seen = Ledger.charge, list[tuple[Way, float]]()

    def noting(self: Ledger, way: Way, bits: float) -> None:
        seen.append((way, bits))
        charge(self, way, bits)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "charge", noting)
        yield seen


def test_a_start_reads_the_pages_that_it_needs_and_whoever_names_somebody_has_all_of_them(gallery: Gallery) -> None:
    """Where an application walks before, all are read at once: told like a choice to walk, and not page by page."""
    device = gallery.copy()
    pages = {name for name in device.disk._blobs.scan(b"p", 4096) if name[:1] == b"p"}
    with pages_of(device) as started:
        restarted(device)
    assert 0 < len(started) <= 3 < len(pages)
    with pages_of(device) as named:
        assert device.authenticate(3).match
    assert started | named == pages
    held(device)
    restarted(device)
    with pages_of(device) as walked, charges() as told:
        device.session.call(commands.LIST, commands.ListRecords())
    info = device.seen.tee._world._store.tree.info
    assert told.count((Way.READ, PAGES_BITS + gamma_bits(info.next_page + 1))) == 1
    assert started | walked == pages


def kept_bytes(gallery: Gallery, most_bytes: int) -> None:
    gallery.seen.tee._world._store.rows._most_bytes = most_bytes


def test_more_records_than_are_kept_in_memory_are_no_search_and_nobody_else_is_refused(gallery: Gallery) -> None:
    crowd = gallery.copy()
    for number in range(PEOPLE, MOST_AHEAD + 8):
        crowd.faces = np.vstack([crowd.faces, crowd.rng.normal(size=(1, DIMENSION))])
        crowd.add(number)
    crowd.start()
    kept_bytes(crowd, 60_000)
    crowd.session.call(AT_START, Nothing())
    with pytest.raises(TeeError) as refused:
        crowd.identify(3)
    assert refused.value.result is TeeResult.OUT_OF_MEMORY
    assert crowd.seen.bits.pop(IDENTIFY.number)[-1] < DECISION_BITS / 2
    for number in range(PEOPLE):
        assert crowd.authenticate(number).match
    assert max(crowd.seen.bits[AUTHENTICATE.number]) <= DECISION_BITS
    kept_bytes(crowd, MOST_BYTES)
    for number in range(PEOPLE):
        assert crowd.identify(number).match
    held(crowd)


def test_a_tally_in_many_parts_costs_whoever_reads_it_first_one_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MOST_KEYS", 1)
    crowd = filled(people := 24)
    restarted(crowd)
    assert crowd.authenticate(3).match
    held(crowd)
    restarted(crowd)
    crowd.add(people)
    assert crowd.seen.bits[commands.ENROLL.number][-1] < 450, "it is 307, and with a row each 600"


def test_rows_that_made_room_for_others_are_read_again_before_a_search(gallery: Gallery) -> None:
    crowd = gallery.copy()
    for number in range(PEOPLE, MOST_AHEAD + 8):
        crowd.faces = np.vstack([crowd.faces, crowd.rng.normal(size=(1, DIMENSION))])
        crowd.add(number)
    assert crowd.identify(3).match
    crowd.seen.tee._world._store.rows.clear()
    crowd.seen.bits.clear()
    assert crowd.identify(4).match
    held(crowd)


@pytest.mark.parametrize(
    "object_id",
    [b"X\x01", b"S\x01" + (3).to_bytes(16, "big"), b"C" + (3).to_bytes(16, "big")],
    ids=["tally", "sensor", "consent"],
)
def test_a_damaged_row_is_damage_and_no_matter_of_the_budget(gallery: Gallery, object_id: bytes) -> None:
    hurt = gallery.copy()
    hurt.start()
    store = hurt.seen.tee._world._store
    name = store.row_name(BIOMETRIC_UUID, object_id)
    (row,) = hurt.disk._blobs.read([name])
    assert row is not None
    hurt.disk._blobs.commit(Changes({name: row[:-1] + bytes([row[-1] ^ 1])}, ()))
    store.rows.clear()
    for decide_one in (hurt.authenticate, hurt.identify):
        if object_id[:1] == b"C" and decide_one == hurt.identify:
            assert decide_one(3).match, "what it says of searches stands in the index, which is not damaged"
            continue
        with pytest.raises(TeeError) as refused:
            decide_one(3)
        assert refused.value.result is TeeResult.CORRUPT_OBJECT


def test_fingers_stay_within_it_too_and_whatever_was_relabeled_is_listed_and_shown(gallery: Gallery) -> None:
    device = gallery.copy()
    user, new = device.user(3), {"user": device.user(3), "sensor": 0}
    for purpose in (Purpose.UNLOCK, Purpose.KEY_USE, Purpose.IDENTIFY):
        device.session.call(
            GRANT,
            GrantConsent(user=user, modalities=(Modality.FINGERPRINT,), purposes=(purpose,), days=30, of_age=True),
        )
    (view,) = finger_impressions(55, person=1, count=1)
    sample = view.to_bytes()
    enroll = commands.Enroll(**new, position=1, samples=(sample,))
    assert device.session.call(commands.ENROLL, enroll).status is ReplyStatus.OK
    for restart in (False, True):
        if restart:
            restarted(device)
        for _ in range(40):  # more than a chunk of the log
            request = commands.Authenticate(user=user, sensor=0, sample=sample, operation_id=7)
            assert device.session.call(AUTHENTICATE, request).match
            assert device.session.call(IDENTIFY, commands.Identify(sensor=0, sample=sample)).match
            held(device)
    for position in (2, 3):
        records = device.session.call(commands.LIST, commands.ListRecords(user=user)).records
        (old,) = [record for record in records if record.modality is Modality.FINGERPRINT]
        request = commands.Relabel(user=user, record_id=old.record_id, position=position, token=b"")
        changed = device.session.call(commands.RELABEL, request)
        assert changed.status is ReplyStatus.OK
        for _ in range(2):
            shown = device.session.call(commands.SHOW, commands.Show(record_id=changed.record_id)).record
            assert (shown.digest, shown.position) == (changed.digest, position)
            restarted(device)
    listed = device.session.call(commands.LIST, commands.ListRecords()).records
    assert len(listed) == PEOPLE + 1
    for record in listed:
        assert device.session.call(commands.SHOW, commands.Show(record_id=record.record_id)).record == record


@contextmanager
def full(gallery: Gallery) -> Iterator[None]:
    """The disk takes nothing."""

    def refuse(*_: object) -> None:
        raise TeeError(TeeResult.STORAGE_NO_SPACE, "full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery.disk._blobs, "commit", refuse)
        yield


def refused_twice(gallery: Gallery) -> None:
    for decide_one in (gallery.authenticate, gallery.identify):
        with pytest.raises(TeeError) as refused:
            decide_one(3)
        assert refused.value.result is TeeResult.STORAGE_NO_SPACE
    held(gallery)


def test_a_disk_that_was_full_for_a_while_makes_no_decision_dearer(gallery: Gallery) -> None:
    device = gallery.copy()
    with full(device):
        refused_twice(device)
    device.seen.tee._world._store.rows.clear()
    decide(device)


def test_what_a_start_could_not_write_no_decision_makes_up_for(gallery: Gallery) -> None:
    device = gallery.copy()
    later(device, 31 * DAY_MS)  # so that the start has much to erase
    for number in range(20):
        device.consent(number)
    with full(device):
        restarted(device)
        refused_twice(device)
    refused_twice(device)
    assert device.session.call(AT_START, Nothing()).status is ReplyStatus.OK
    device.seen.bits.clear()
    assert device.authenticate(3).match
    assert device.identify(4).match
    held(device)
