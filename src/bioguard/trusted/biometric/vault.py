"""Keep users and records in the secure store, and say who may have what.

Enforces:
* A change is one transaction, and a refusal changes nothing here. Methods that take a `transaction` belong to a larger
  change, whose other parts their caller writes into the same one.
* A record is stored and erased in `_change_records` and nowhere else: the object, its log entry, its exposure count and
  its place in the search index change together, and the gallery with them (POL-10, POL-16; `exposure.beside`). But for
  `renew_codes`, which puts every face record again, logged and with the same samples: there is nothing to count anew.
* Which fingers decisions about others are held against is changed there too, with the record (`device_cohort`).
* The digest commits to the canonical bytes that were shown, whether they are kept or not (docs/formats/digest.md).

Does not promise: to know whether the person agrees; that is `bioguard.trusted.policy.enforcement`, asked before.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from bioguard.commands.biometric import Enroll
from bioguard.commands.configuration import Configuration, ProfileSummary
from bioguard.commands.status import ReplyStatus
from bioguard.records import Features
from bioguard.records.audit_events import Cause, Event
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.modality import Modality, Profile
from bioguard.records.sensor_props import SensorProps
from bioguard.trusted.biometric.calibration import Calibration
from bioguard.trusted.biometric.cohort_places import places_after
from bioguard.trusted.biometric.decision import Ready, ReadyRecord
from bioguard.trusted.biometric.device_cohort import DeviceCohort, Standing
from bioguard.trusted.biometric.extractors import CAUSES, MadeBy, any_other, with_model
from bioguard.trusted.biometric.gallery_index import Galleries
from bioguard.trusted.biometric.levels import Kind
from bioguard.trusted.biometric.ready_records import ReadyRecords
from bioguard.trusted.biometric.salted_digest import message
from bioguard.trusted.biometric.sealing import DeviceSealing
from bioguard.trusted.biometric.search_index import SearchIndex
from bioguard.trusted.biometric.stored_objects import (
    DEVICE_OBJECT,
    DeviceState,
    RecordRef,
    StoredRecord,
    UserState,
    find_user,
    put_user,
    record_object,
    user_object,
)
from bioguard.trusted.biometric.stored_records import Stored, digest_of, opened, summary_of
from bioguard.trusted.biometric.template_encoder import TemplateEncoder
from bioguard.trusted.policy.audit_log import AuditLog
from bioguard.trusted.refusal import Refused
from bioguard.trusted.sensor.tally import recount
from tee_sim.shared.ta_api import TaEnv, Transaction, find_record

_NO_SALT = bytes(16)  # of a record that has none yet


class Vault:
    """All the biometric TA keeps, with its rules about who may have what.

    Args:
        env: its store writes the log's entries with every transaction.
        log: where stored and erased records are noted.
    """

    def __init__(self, env: TaEnv, log: AuditLog) -> None:
        self._env = env
        self._log = log
        self._ids: list[bytes] | None = None
        self._encoder: TemplateEncoder | None = None
        self._calibration: Calibration | None = None
        self._sealing = DeviceSealing(env, log)
        self._state: DeviceState | None = self._read_state()
        self.galleries = Galleries()
        self.index = SearchIndex(env.store, lambda: self.state)
        self.ready = ReadyRecords(env.store)
        self.cohort: DeviceCohort | None = None

    @property
    def state(self) -> DeviceState:
        """What this device is."""
        if self._state is None:
            self._state = self._read_state()
        return self._state

    @property
    def configuration(self) -> Configuration:
        """What it was made as."""
        return self.state.configuration

    @property
    def encoder(self) -> TemplateEncoder:
        """Coders of this device and epoch."""
        if self._encoder is None:
            self._encoder = TemplateEncoder(self.state)
        return self._encoder

    @property
    def calibration(self) -> Calibration:
        """Comparison profiles of this device."""
        if self._calibration is None:
            profiles = [ComparisonProfile.from_bytes(data) for data in self.state.profiles]
            made = self.configuration
            self._calibration = Calibration(profiles, made.uncalibrated, made.profile)
        return self._calibration

    @property
    def profiles(self) -> tuple[ProfileSummary, ...]:
        """Which comparison profiles the device goes by."""
        return self.calibration.summaries()

    def _read_state(self) -> DeviceState:
        return find_record(self._env.store, DEVICE_OBJECT, DeviceState) or DeviceState()

    def doubt(self) -> None:
        """A transaction failed: what is held in memory may not be what is stored."""
        self._state = self._encoder = self._calibration = self._ids = None
        self.drop_galleries()

    def provide(self, data: bytes) -> None:
        """As `DeviceSealing.provide`."""
        self._sealing.provide(self.state, data)

    def configure(self, configuration: Configuration) -> None:
        """As `DeviceSealing.seal`."""
        self._state = self._sealing.seal(self.state, configuration)
        self._encoder = self._calibration = None

    def sensor(self, sensor_id: int) -> SensorProps:
        """A sensor of this device. Refused UNKNOWN_SENSOR."""
        props = self.configuration.props(sensor_id)
        if props is None:
            raise Refused(ReplyStatus.UNKNOWN_SENSOR)
        return props

    def drop_galleries(self) -> None:
        """Forget whatever was built from who may be searched for, or compared with others."""
        self.galleries.drop()
        self.ready.clear()
        self.cohort = None

    # Users

    def user(self, user: bytes) -> UserState:
        """A user's state. Refused UNKNOWN_USER."""
        state = find_user(self._env.store, user)
        if state is None:
            raise Refused(ReplyStatus.UNKNOWN_USER)
        return state

    def require_user(self, user: bytes) -> None:
        """Refused UNKNOWN_USER."""
        self.user(user)

    def count(self, user: bytes, sensor_id: int) -> int | None:
        """How many records a user has on a sensor; None for an unknown user."""
        state = find_user(self._env.store, user)
        return None if state is None else len(state.of(sensor_id))

    def users(self) -> list[bytes]:
        """All users, in order."""
        return [h.owner for h in self._env.store.headers() if h.kind == "user"]

    def add_user(self, user: bytes, label: bytes) -> None:
        """Create a user. Refused USER_EXISTS, or NOT_CONFIGURED: then the device keeps nothing of anybody."""
        if not self.state.code_epoch:
            raise Refused(ReplyStatus.NOT_CONFIGURED)
        if find_user(self._env.store, user) is not None:
            raise Refused(ReplyStatus.USER_EXISTS)
        with self._env.store.transaction() as transaction:
            put_user(transaction, user, UserState(label=label))
            self._log.note(Event.USER_ADDED, subject=user)

    def change_label(self, user: bytes, label: bytes) -> None:
        """Bind another name to a user. Refused UNKNOWN_USER."""
        state = replace(self.user(user), label=label)
        with self._env.store.transaction() as transaction:
            put_user(transaction, user, state)

    def remove_user(self, transaction: Transaction, user: bytes, cause: Cause) -> None:
        """Erase a user's records and state, together with other changes. Refused UNKNOWN_USER."""
        self._change_records(transaction, user, erase=self.user(user).records, cause=cause)
        transaction.erase(user_object(user))

    # Records

    def _change_records(
        self,
        transaction: Transaction,
        user: bytes,
        *,
        erase: Sequence[RecordRef] = (),
        cause: Cause = Cause.REPLACED,
        store: Stored | None = None,
        same_samples: bool = False,
        model: Cause | None = None,
    ) -> tuple[bytes, ...]:
        """Erase records of a user and store one, together with other changes; return the digests of the erased.

        same_samples: the stored one holds the samples of the erased one, and what was learned of them stays learned.
        model: how the model of the samples is known, for the log.
        """
        stored = {store[0].sensor: store[0].record_id} if store is not None else {}
        for sensor_id in sorted({ref.sensor for ref in erase} | stored.keys()):
            gone = [ref.record_id for ref in erase if ref.sensor == sensor_id]
            kept, new = gone[0] if same_samples else None, stored.get(sensor_id)
            # First: once the core has a part of the transaction, each question is one of its own.
            recount(self._env.store, transaction, sensor_id, erased=gone, stored=new, inherits=kept)
            self.index.change(
                transaction, self.sensor(sensor_id), gone=gone, new=store if sensor_id in stored else None
            )
        digests = []
        for ref in erase:
            digest = digest_of(self._env.store, ref.record_id)
            transaction.erase(record_object(ref.record_id))
            self._log.record_erased(user, ref.modality, ref.record_id, digest, cause)
            self.galleries.remove(ref.record_id)
            self.ready.drop(ref.record_id)
            digests.append(digest)
        if store is not None:
            self._put_record(transaction, store, model)
        finger = store[0].record_id if store is not None and store[0].modality is Modality.FINGERPRINT else None
        self._change_cohort(transaction, user, {ref.record_id for ref in erase}, finger)
        self._ids = None
        return tuple(digests)

    def _change_cohort(self, transaction: Transaction, user: bytes, gone: Collection[bytes], new: bytes | None) -> None:
        state = places_after(self.state, self._env.store, user, gone, new)
        if state != self.state:
            self._state = state  # `doubt` takes it back
            transaction.put(DEVICE_OBJECT, state.to_bytes(), kind="device")
            self.cohort = None
        if self.cohort is not None:
            self.cohort.forget(gone)

    def _put_record(self, transaction: Transaction, stored: Stored, model: Cause | None = None) -> None:
        summary, record = stored
        user, modality, record_id, digest = summary.user, summary.modality, summary.record_id, summary.digest
        body = record.to_bytes()
        transaction.put(
            record_object(record_id), body, kind=modality.word, owner=user, commitment=digest, ids=record_id
        )
        self._log.record_stored(user, modality, record_id, digest, model)

    def room_for(
        self, user: UserState, sensor: SensorProps, position: int = 0, *, replacing: bool = False
    ) -> RecordRef | None:
        """Check that one more record is allowed on a sensor. Returns the record it replaces, if any.

        Refused ALREADY_ENROLLED for an occupied finger position, USER_FULL over the limit, BAD_REQUEST for an unnamed
        finger that shall replace one.
        """
        same = user.of(sensor.sensor_id)
        old = None
        if sensor.kind is Modality.FACE:  # faces have no position of their own: a new one replaces the first
            old = same[0] if replacing and same else None
        elif position:  # 0 is a finger that nobody has named, of which there may be several
            old = next((ref for ref in same if ref.position == position), None)
            if old is not None and not replacing:
                raise Refused(ReplyStatus.ALREADY_ENROLLED)
        elif replacing:
            raise Refused(ReplyStatus.BAD_REQUEST)
        if old is None and len(same) >= sensor.max_enrollments:
            raise Refused(ReplyStatus.USER_FULL)
        return old

    def refuse_other_dimension(self, dimension: int, replaces: RecordRef | None) -> None:
        """Refused WRONG_DIMENSION while there is a face of another one, besides the record that is replaced.

        Looked up when it matters: so the dimension is free when no face is left, whichever way the last one went
        (`enroll.dimension-erased`).
        """
        if self.state.face_dimension not in (0, dimension) and any_other(self._env.store, Modality.FACE, replaces):
            raise Refused(ReplyStatus.WRONG_DIMENSION)

    def enroll(
        self,
        transaction: Transaction,
        request: Enroll,
        codes: tuple[bytes, ...],
        replaces: RecordRef | None,
        made_by: MadeBy,
        *,
        face_dimension: int = 0,
    ) -> Stored:
        """Store one record in place of another, or of none, together with other changes.

        The bytes that came in are what is stored, or nothing of them (POL-06). Model and dimension are stored with it,
        not before: an enrollment that fails must not decide what the device takes from then on
        (`enroll.dimension-refused`).
        """
        profile, modality = self.configuration.profile, self.sensor(request.sensor).kind
        record = StoredRecord(
            salt=_NO_SALT,
            sensor=request.sensor,
            modality=modality,
            position=request.position,
            profile=profile,
            enrolled_s=self._env.clock.wall_ms() // 1000,
            views=() if profile is Profile.DIGEST_ONLY else request.samples,
            codes=codes,
            code_epoch=self.state.code_epoch,
            model=made_by.model,
            origin=made_by.origin,
            extractor=made_by.identity,
        )
        state = with_model(self.state, modality, made_by.model)
        state = replace(state, face_dimension=face_dimension or state.face_dimension)
        if state != self.state:
            self._state = state  # `doubt` takes it back
            transaction.put(DEVICE_OBJECT, state.to_bytes(), kind="device")
        model = CAUSES[made_by.origin]
        return self._store(transaction, request.user, record, request.samples, replaces, model=model)

    def _store(
        self,
        transaction: Transaction,
        user: bytes,
        record: StoredRecord,
        samples: tuple[bytes, ...],
        replaces: RecordRef | None,
        *,
        same_samples: bool = False,
        model: Cause | None = None,
    ) -> Stored:
        """Give a record an id, a digest and the salt of that, and store it in place of another, or of none.

        The core draws all three, so that none of them can say anything (docs/formats/digest.md).
        """
        modality, position, record_id = record.modality, record.position, self._env.rng.bytes(16)
        committed = message(record_id=record_id, subject=user, modality=modality, position=position, views=samples)
        salt, digest = self._env.digests.make(committed)
        record = replace(record, salt=salt)
        stored = summary_of(record_id, user, digest, record), record
        state, gone = self.user(user), [replaces] if replaces is not None else []
        self._change_records(transaction, user, erase=gone, store=stored, same_samples=same_samples, model=model)
        others = tuple(ref for ref in state.records if ref not in gone)
        new = RecordRef(record_id=record_id, sensor=record.sensor, modality=modality, position=position)
        put_user(transaction, user, replace(state, records=(*others, new)))
        return stored

    def relabel(self, user: bytes, record_id: bytes, position: int) -> Stored:
        """Store a finger's record again under another position; when it was enrolled and what was learned of it stay.

        Refused UNKNOWN_RECORD, BAD_REQUEST for a face or an unnamed finger, ALREADY_ENROLLED for an occupied position,
        NOT_SUPPORTED in the digest-only profile: the digest commits to the samples, and they are not there.
        """
        refs = self.user(user).records
        old = next((ref for ref in refs if ref.record_id == record_id), None)
        if old is None:
            raise Refused(ReplyStatus.UNKNOWN_RECORD)
        if old.modality is Modality.FACE or not position or position not in old.modality.positions:
            raise Refused(ReplyStatus.BAD_REQUEST)
        if any(ref.sensor == old.sensor and ref.position == position for ref in refs):
            raise Refused(ReplyStatus.ALREADY_ENROLLED)
        record = self.open_record(record_id)[1]
        if record.profile is Profile.DIGEST_ONLY:
            raise Refused(ReplyStatus.NOT_SUPPORTED)
        record = replace(record, position=position)
        with self._env.store.transaction() as transaction:
            return self._store(transaction, user, record, record.views, old, same_samples=True)

    def erase(self, user: bytes, record_id: bytes, cause: Cause) -> bytes:
        """Erase one record of a user; return its digest. Refused UNKNOWN_RECORD."""
        if all(ref.record_id != record_id for ref in self.user(user).records):
            raise Refused(ReplyStatus.UNKNOWN_RECORD)
        with self._env.store.transaction() as transaction:
            (digest,) = self.erase_records(transaction, user, [record_id], cause)
        return digest

    def erase_records(
        self, transaction: Transaction, user: bytes, record_ids: Collection[bytes], cause: Cause
    ) -> tuple[bytes, ...]:
        """Erase records of a user, together with other changes; return their digests."""
        state = self.user(user)
        gone = [ref for ref in state.records if ref.record_id in record_ids]
        if not gone:
            return ()
        left = replace(state, records=tuple(ref for ref in state.records if ref not in gone))
        digests = self._change_records(transaction, user, erase=gone, cause=cause)
        put_user(transaction, user, left)
        return digests

    def renew_codes(self, decode_views: Callable[[StoredRecord], Sequence[Features]]) -> int:
        """New epoch secret, new codes for every record, all in one transaction. Returns how many records changed.

        Refused NOT_SUPPORTED in the digest-only profile: without a template there is nothing to encode anew.
        """
        if self.configuration.profile is Profile.DIGEST_ONLY:
            raise Refused(ReplyStatus.NOT_SUPPORTED)
        epoch = self.state.code_epoch + 1
        state = replace(self.state, code_epoch=epoch, code_secret=self._env.rng.bytes(32))
        changed, encoder = list[Stored](), TemplateEncoder(state)
        with self._env.store.transaction() as transaction:
            transaction.put(DEVICE_OBJECT, state.to_bytes(), kind="device")
            for stored in self._env.store.load(kind=Modality.FACE.word):
                summary, old = opened(stored)
                codes = encoder.encode(decode_views(old))
                new = replace(old, codes=codes, code_epoch=epoch)
                self._put_record(transaction, (summary, new))
                changed.append((summary, new))  # not counted anew: they hold the same samples
            for sensor in self.configuration.sensor_table:
                if sensor.kind is Modality.FACE:
                    own = [stored for stored in changed if stored[0].sensor == sensor.sensor_id]
                    self.index.put_all(transaction, sensor, own, epoch)
        self._state, self._encoder = state, encoder
        self.drop_galleries()
        return len(changed)

    def standings(
        self, user: bytes, probe: Ready, records: Sequence[tuple[bytes, ReadyRecord]], kind: Kind, now_ms: int
    ) -> list[Standing]:
        """As `DeviceCohort.standings`, on a device that has no cohort now too."""
        return (self.cohort or DeviceCohort()).standings(user, probe, records, kind, now_ms)

    # Reading

    def open_record(self, record_id: bytes) -> Stored:
        """Open one record. Refused UNKNOWN_RECORD."""
        stored = self._env.store.find(record_object(record_id))
        if stored is None:
            raise Refused(ReplyStatus.UNKNOWN_RECORD)
        return opened(stored)

    def digests(self) -> Iterator[bytes]:
        """Salted digests of all records, in the order of their ids."""
        return (h.commitment for h in self._env.store.headers() if h.object_id[:1] == b"R")

    def record_ids(self) -> list[bytes]:
        """All record ids, in order."""
        if self._ids is None:
            self._ids = [h.object_id[1:] for h in self._env.store.headers() if h.object_id[:1] == b"R"]
        return self._ids

    def ages(self, user: bytes) -> list[tuple[bytes, Modality, int]]:
        """A user's records: id, modality, when enrolled (seconds since 1970)."""
        refs = self.user(user).records
        return [(ref.record_id, ref.modality, self.index.enrolled_s(ref)) for ref in refs]
