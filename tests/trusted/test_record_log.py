"""Whatever stores or erases a record logs it and counts it, in the same transaction: over every command that does."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bioguard.commands import biometric, policy, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID, EraseAuthorization
from bioguard.commands.status import Nothing, ReplyStatus
from bioguard.device.applications import manifests
from bioguard.evidence.attack.kit import Kit, Person
from bioguard.evidence.attack.memory import MemoryStore
from bioguard.evidence.attack.target import Target
from bioguard.match.thresholds import builtin_profile
from bioguard.records.audit_events import Cause, Entry, Event
from bioguard.records.consent import DAY_MS, Purpose
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.simulate.people import finger_impressions
from bioguard.trusted.biometric.sensor_commands import SensorCommands
from bioguard.trusted.biometric.vault import Vault
from bioguard.trusted.policy.audit_log import AuditLog, Chunk
from bioguard.trusted.sensor.tally import read_tally
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.reserve import Reserve

pytestmark = pytest.mark.usefixtures("fast_pins")
FACE, FINGER = Modality.FACE, Modality.FINGERPRINT
TOUCHES, OTHERS = (
    tuple(view.to_bytes() for view in finger_impressions(1, person=0, count=3, finger=finger)) for finger in (2, 3)
)
OPERATOR = EraseAuthorization(by_operator=True)


def entries_of(rows: dict) -> list[Entry]:
    chunks = [Chunk.from_bytes(rows[i].body) for i in sorted(rows) if i[:1] == b"L"]
    return [item.entry for chunk in chunks for item in chunk.items if item.entry is not None]


def records_of(rows: dict) -> dict:
    return {i[1:]: stored for i, stored in rows.items() if i[:1] == b"R"}


class Audited(Target):
    """Holds every committed transaction against the entries that it wrote."""

    def __init__(self) -> None:
        self.logged: list[Entry] = []
        super().__init__(manifests())

    def _objects(self, manifest):
        store = super()._objects(manifest)
        if manifest.uuid == BIOMETRIC_UUID.bytes:
            plain = store.transaction

            @contextmanager
            def checked(reserve=Reserve.NONE) -> Iterator:
                with plain(reserve) as inner:
                    before = dict(inner.rows)
                    yield inner
                    self.check(before, inner.rows)

            store.transaction = checked
        return store

    def check(self, before: dict, after: dict) -> None:
        old, new = records_of(before), records_of(after)
        stored = {(i, r.header.owner, r.header.commitment) for i, r in new.items() if old.get(i) is not r}
        erased = {(i, r.header.owner, r.header.commitment) for i, r in old.items() if i not in new}
        entries = entries_of(after)[len(entries_of(before)) :]
        told = [e for e in entries if e.event in (Event.RECORD_STORED, Event.RECORD_ERASED)]
        for event, changed in ((Event.RECORD_STORED, stored), (Event.RECORD_ERASED, erased)):
            of = [(e.record_id, e.subject, e.digest) for e in told if e.event is event]
            assert len(of) == len(changed)
            assert set(of) == changed
        self.logged += told


class Life:
    def __init__(self) -> None:
        self.target = Audited()
        self.kit = Kit(self.target)

    def ask(self, command, request):
        return self.kit.ask(BIOMETRIC_UUID, command, request)

    def someone(self) -> Person:
        """A user with a face, a finger and all grants."""
        person = self.kit.person(enrolled=True)
        for purpose in Purpose:
            self.ask(
                policy.GRANT,
                policy.GrantConsent(
                    user=person.user,
                    modalities=(FINGER,),
                    purposes=(purpose,),
                    days=365,
                    of_age=True,
                    token=self.kit.pin_token(person),
                ),
            )
        assert self.enroll(person, FINGER, 2, TOUCHES).status is ReplyStatus.OK
        return person

    def enroll(
        self, person: Person, modality: Modality, position: int, samples, *, replace: bool = False, model: str = ""
    ):
        token = self.kit.pin_token(person, self.kit.challenge(person, modality))
        request = biometric.Enroll(
            user=person.user,
            sensor=SENSOR_IDS[modality],
            position=position,
            samples=samples,
            replace=replace,
            token=token,
            model=model,
        )
        return self.target.call(BIOMETRIC_UUID, biometric.ENROLL, request)

    def record(self, person: Person, modality: Modality) -> bytes:
        page = self.ask(biometric.LIST, biometric.ListRecords(user=person.user))
        return next(r.record_id for r in page.records if r.modality is modality)

    def log_of(self, act) -> list[tuple[Event, Modality | None, Cause | None]]:
        """What an act logs of records, with the tallies held against what is stored."""
        self.target.logged.clear()
        act()
        self.check_tallies()
        return [(e.event, e.modality, e.cause) for e in self.target.logged]

    def check_tallies(self) -> None:
        store = MemoryStore(self.target.disk, BIOMETRIC_UUID.bytes)
        for modality, sensor_id in SENSOR_IDS.items():
            ids = {
                int.from_bytes(h.object_id[1:9], "big")
                for h in store.headers()
                if h.object_id[:1] == b"R" and h.kind == modality.word
            }
            assert set(read_tally(store, sensor_id).exposures.keys) == ids


@pytest.fixture
def life() -> Life:
    return Life()


def _erase(life: Life, person: Person, leave: EraseAuthorization) -> None:
    request = biometric.Erase(user=person.user, record_id=life.record(person, FACE), leave=leave)
    life.ask(biometric.ERASE, request)


def _withdraw(life: Life, person: Person) -> None:
    for purpose in Purpose:
        token = life.kit.pin_token(person)
        request = policy.Withdraw(user=person.user, modality=FACE, purpose=purpose, token=token)
        life.ask(policy.WITHDRAW, request)


def _relabel(life: Life, person: Person) -> None:
    request = biometric.Relabel(
        user=person.user, record_id=life.record(person, FINGER), position=3, token=life.kit.pin_token(person)
    )
    life.ask(biometric.RELABEL, request)


def _purge(life: Life) -> None:
    life.target.clock.advance(400 * DAY_MS)
    life.ask(policy.PURGE, policy.Purge(confirmed=True))


def _start(life: Life) -> None:
    """Years in steps that no start doubts."""
    for _ in range(12):
        life.target.clock.advance(35 * DAY_MS)
        life.target.reboot()
        life.target.call(BIOMETRIC_UUID, policy.AT_START, Nothing())


AGAIN_FACE, AGAIN_FINGER = ((Event.RECORD_STORED, modality, None) for modality in (FACE, FINGER))
"""Stored anew: no samples came in, so nothing is said of their model."""
ENROLLED_FACE, ENROLLED_FINGER = ((Event.RECORD_STORED, modality, Cause.MODEL_DECLARED) for modality in (FACE, FINGER))


def erased(modality: Modality, cause: Cause) -> tuple[Event, Modality, Cause]:
    return Event.RECORD_ERASED, modality, cause


CHANGES = {
    "replace": (
        lambda life, p: life.enroll(p, FINGER, 2, TOUCHES, replace=True),
        [erased(FINGER, Cause.REPLACED), ENROLLED_FINGER],
    ),
    "relabel": (_relabel, [erased(FINGER, Cause.REPLACED), AGAIN_FINGER]),
    "erase": (
        lambda life, p: _erase(life, p, EraseAuthorization(token=life.kit.pin_token(p))),
        [erased(FACE, Cause.REQUESTED)],
    ),
    "erase by the operator": (lambda life, p: _erase(life, p, OPERATOR), [erased(FACE, Cause.BY_OPERATOR)]),
    "remove the user": (
        lambda life, p: life.ask(biometric.REMOVE_USER, biometric.RemoveUser(user=p.user, leave=OPERATOR)),
        [erased(FACE, Cause.BY_OPERATOR), erased(FINGER, Cause.BY_OPERATOR)],
    ),
    "withdraw": (_withdraw, [erased(FACE, Cause.WITHDRAWN)]),
    "mark underage": (
        lambda life, p: life.ask(policy.MARK_UNDERAGE, policy.MarkUnderage(user=p.user)),
        [erased(FACE, Cause.UNDERAGE), erased(FINGER, Cause.UNDERAGE)],
    ),
    "purge": (
        lambda life, _p: _purge(life),
        [erased(FACE, Cause.RETENTION), erased(FINGER, Cause.RETENTION)],
    ),
    "start": (
        lambda life, _p: _start(life),
        [erased(FACE, Cause.RETENTION), erased(FINGER, Cause.RETENTION)],
    ),
    "renew the codes": (lambda life, _p: life.ask(biometric.RENEW_CODES, biometric.RenewCodes()), [AGAIN_FACE]),
}


def test_an_enrollment_is_logged_with_its_record(life: Life) -> None:
    assert life.log_of(life.someone) == [ENROLLED_FACE, ENROLLED_FINGER]


def test_a_model_that_was_stated_is_logged_as_stated(life: Life) -> None:
    person, model = life.someone(), builtin_profile(FINGER).model
    told = life.log_of(lambda: life.enroll(person, FINGER, 3, OTHERS, model=model))
    assert told == [(Event.RECORD_STORED, FINGER, Cause.MODEL_STATED)]


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_of_a_record_is_logged_with_it(name: str, life: Life) -> None:
    act, expected = CHANGES[name]
    person = life.someone()
    assert sorted(life.log_of(lambda: act(life, person))) == sorted(expected)


def test_reading_and_deciding_change_no_record(life: Life) -> None:
    person = life.someone()

    def ask_around() -> None:
        life.kit.authenticate(person, life.kit.sample(person.face))
        life.ask(biometric.IDENTIFY, biometric.Identify(sensor=SENSOR_IDS[FACE], sample=life.kit.sample(person.face)))
        life.ask(biometric.SHOW, biometric.Show(record_id=life.record(person, FACE)))
        life.ask(policy.PURGE, policy.Purge(confirmed=False))
        life.ask(sensor.INVALIDATE_AUTHENTICATOR_ID, sensor.SensorRequest(user=person.user, sensor=SENSOR_IDS[FACE]))

    assert life.log_of(ask_around) == []


def test_an_enrollment_is_one_transaction(life: Life) -> None:
    """With its first expiry: stored before or after it, a power cut between the two would keep the record for ever."""
    person = life.kit.person()
    token = life.kit.pin_token(person, life.kit.challenge(person))
    life.target.disk.cut_after = 0
    with pytest.raises(TeeError):
        life.kit.enroll(person, token)
    life.target.restart()
    life.check_tallies()
    token = life.kit.pin_token(person, life.kit.challenge(person))
    life.target.disk.cut_after = 1
    assert life.kit.enroll(person, token) is ReplyStatus.OK
    with pytest.raises(TeeError):
        life.kit.authenticate(person, life.kit.sample(person.face))


def test_a_withdrawal_and_what_it_erases_are_one_transaction(life: Life) -> None:
    person = life.someone()
    request = policy.MarkUnderage(user=person.user)
    life.target.disk.cut_after = 0
    with pytest.raises(TeeError):
        life.target.call(BIOMETRIC_UUID, policy.MARK_UNDERAGE, request)
    life.target.restart()
    assert life.record(person, FACE)
    life.target.disk.cut_after = 1
    assert len(life.target.call(BIOMETRIC_UUID, policy.MARK_UNDERAGE, request).erased) == 2
    life.target.restart()
    life.check_tallies()
    assert life.ask(biometric.LIST, biometric.ListRecords(user=person.user)).records == ()


def unlogged_erasures(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AuditLog, "record_erased", lambda *_: None)


def logged_later(patch: pytest.MonkeyPatch) -> None:
    """The entry follows in a transaction of its own."""
    real, note = Vault.erase, AuditLog.record_erased
    waiting: list = []
    patch.setattr(AuditLog, "record_erased", lambda self, *what: waiting.append((self, *what)))

    def erase(self, *what):
        digest = real(self, *what)
        note(*waiting.pop())
        self._log.flush()
        return digest

    patch.setattr(Vault, "erase", erase)


def uncounted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bioguard.trusted.biometric.vault.recount", lambda *_, **__: None)


@pytest.mark.parametrize("mutant", [unlogged_erasures, logged_later, uncounted])
def test_what_forgets_is_noticed(mutant, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    person = life.someone()
    mutant(monkeypatch)
    with pytest.raises((AssertionError, TeeError)):  # an application that fails the check ends
        life.log_of(lambda: _erase(life, person, OPERATOR))


def test_a_refused_user_is_not_logged_as_added(life: Life) -> None:
    person = life.kit.person()
    rows = life.target.disk.objects[BIOMETRIC_UUID.bytes]
    request = biometric.AddUser(user=person.user, label=bytes(32))
    assert life.target.call(BIOMETRIC_UUID, biometric.ADD_USER, request).status is ReplyStatus.USER_EXISTS
    assert entries_of(life.target.disk.objects[BIOMETRIC_UUID.bytes]) == entries_of(rows)


def test_what_a_failed_request_noted_is_not_written_by_the_next(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decision is noted before the transaction that settles it; where that is not reached, nothing was decided."""
    person = life.kit.person(enrolled=True)

    def decided() -> int:
        rows = life.target.disk.objects[BIOMETRIC_UUID.bytes]
        return sum(entry.event is Event.DECIDED for entry in entries_of(rows))

    def fail(*_: object, **__: object) -> None:
        raise TeeError(TeeResult.OUT_OF_MEMORY, "no room to settle")

    with monkeypatch.context() as broken:
        broken.setattr(SensorCommands, "settle", fail)
        with pytest.raises(TeeError):
            life.kit.authenticate(person, life.kit.sample(person.face))
    life.ask(biometric.LIST, biometric.ListRecords(user=person.user))
    assert decided() == 0
    assert life.kit.authenticate(person, life.kit.sample(person.face)).match
    assert decided() == 1
