"""Users and records over the secure store. Every change is one transaction; a refusal changes nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from bioguard.commands.biometric import RecordSummary, Status
from bioguard.commands.configuration import Configuration
from bioguard.records import Features
from bioguard.records.modality import Modality, Profile
from bioguard.trusted.biometric.rates import require_offered
from bioguard.trusted.biometric.salted_digest import Commitment, commit
from bioguard.trusted.biometric.stored_objects import (
    DEVICE_OBJECT,
    KINDS,
    DeviceState,
    RecordRef,
    StoredRecord,
    UserState,
    record_object,
    user_object,
)
from bioguard.trusted.biometric.template_encoder import EncodedSamples, TemplateEncoder
from bioguard.trusted.refusal import Refused
from bioguard.trusted.sensor.tally import keep_count
from tee_sim.shared.ta_api import StoredObject, TaEnv, Transaction, find_record

Change = Callable[[Transaction], None]
"""Changes of other trusted code that belong into the same transaction."""


class Vault:
    """All the biometric TA keeps, with its rules about who may have what."""

    def __init__(self, env: TaEnv) -> None:
        self._env = env
        self._pepper = env.keys.derive("salted digest")
        self._state = self._read_state()

    @property
    def state(self) -> DeviceState:
        """What this device is."""
        return self._state

    @property
    def configuration(self) -> Configuration:
        """What it was made as."""
        return self._state.configuration

    def _read_state(self) -> DeviceState:
        return find_record(self._env.store, DEVICE_OBJECT, DeviceState) or DeviceState()

    def configure(self, configuration: Configuration) -> None:
        """Say what this device is. Refused NOT_CONFIGURABLE if that was said before, RATE_NOT_OFFERED."""
        if self._state.code_epoch:
            raise Refused(Status.NOT_CONFIGURABLE)
        require_offered(configuration)
        state = DeviceState(configuration=configuration, code_epoch=1, code_secret=self._env.rng.bytes(32))
        with self._env.store.transaction() as transaction:
            transaction.put(DEVICE_OBJECT, state.to_bytes(), kind="device")
        self._state = state

    def user(self, user: bytes) -> UserState:
        """A user's state. Refused UNKNOWN_USER."""
        state = find_record(self._env.store, user_object(user), UserState)
        if state is None:
            raise Refused(Status.UNKNOWN_USER)
        return state

    def change_label(self, user: bytes, label: bytes) -> None:
        """Bind another name to a user. Refused UNKNOWN_USER."""
        state = replace(self.user(user), label=label)
        with self._env.store.transaction() as transaction:
            transaction.put(user_object(user), state.to_bytes(), kind="user", owner=user)

    def add_user(self, user: bytes, label: bytes) -> None:
        """Create a user. Refused USER_EXISTS, or NOT_CONFIGURED: then the device keeps nothing of anybody."""
        if not self._state.code_epoch:
            raise Refused(Status.NOT_CONFIGURED)
        try:
            self.user(user)
        except Refused:
            pass
        else:
            raise Refused(Status.USER_EXISTS)
        with self._env.store.transaction() as transaction:
            transaction.put(user_object(user), UserState(label=label).to_bytes(), kind="user", owner=user)

    def remove_user(self, user: bytes, also: Change) -> tuple[bytes, ...]:
        """Erase a user's records and state, and whatever `also` erases; return the ids of the erased records."""
        state = self.user(user)
        with self._env.store.transaction() as transaction:
            for ref in state.records:
                transaction.erase(record_object(ref.record_id))
            transaction.erase(user_object(user))
            also(transaction)
        return tuple(ref.record_id for ref in state.records)

    def room_for(self, user: bytes, modality: Modality, position: int, *, replacing: bool) -> RecordRef | None:
        """Check that one more record is allowed. Returns the record it replaces, if any.

        Refused ALREADY_ENROLLED for an occupied finger position, USER_FULL over the limit.
        """
        same = [ref for ref in self.user(user).records if ref.modality is modality]
        old = next((ref for ref in same if ref.position == position and modality is Modality.FINGERPRINT), None)
        if old is not None and not replacing:
            raise Refused(Status.ALREADY_ENROLLED)
        configuration = self.configuration
        limit = configuration.max_fingers if modality is Modality.FINGERPRINT else configuration.max_faces
        if modality is Modality.FACE and replacing and same:
            old = same[0]
        if old is None and len(same) >= limit:
            raise Refused(Status.USER_FULL)
        return old

    def enroll(
        self,
        user: bytes,
        modality: Modality,
        position: int,
        samples: tuple[bytes, ...],
        kept: EncodedSamples,
        replaces: RecordRef | None,
        also: Change,
        *,
        face_dimension: int = 0,
    ) -> tuple[bytes, bytes, StoredRecord]:
        """Store one record, and whatever `also` stores; return its id, its salted digest and the record.

        The digest commits to the samples, whether they are kept or not. The dimension of a face is stored with it, not
        before: an enrollment that fails must not decide what the device takes from then on.
        """
        record = StoredRecord(
            salt=self._env.system_rng.bytes(16),
            modality=modality,
            position=position,
            profile=self.configuration.profile,
            enrolled_s=self._env.clock.wall_ms() // 1000,
            views=kept.views,
            codes=kept.codes,
            code_epoch=self._state.code_epoch,
        )
        state = replace(self._state, face_dimension=face_dimension or self._state.face_dimension)

        def all_of_it(transaction: Transaction) -> None:
            if state != self._state:
                transaction.put(DEVICE_OBJECT, state.to_bytes(), kind="device")
            also(transaction)

        record_id = self._env.rng.bytes(16)
        digest = self._store(user, record_id, record, samples, replaces, all_of_it)
        self._state = state
        return record_id, digest, record

    def _store(
        self,
        user: bytes,
        record_id: bytes,
        record: StoredRecord,
        samples: tuple[bytes, ...],
        replaces: RecordRef | None,
        also: Change,
    ) -> bytes:
        """Give a record a digest and store it in place of another, or of none."""
        modality, position = record.modality, record.position
        digest = commit(
            self._pepper,
            record.salt,
            Commitment(record_id=record_id, subject=user, modality=int(modality), position=position, views=samples),
        )
        old = self.user(user)
        others = tuple(ref for ref in old.records if ref != replaces)
        new = RecordRef(record_id=record_id, modality=modality, position=position)
        state = replace(old, records=(*others, new))
        with self._env.store.transaction() as transaction:
            if replaces is not None:
                transaction.erase(record_object(replaces.record_id))
            transaction.put(
                record_object(record_id), record.to_bytes(), kind=KINDS[modality], owner=user, commitment=digest
            )
            transaction.put(user_object(user), state.to_bytes(), kind="user", owner=user)
            also(transaction)
        return digest

    def relabel(self, user: bytes, record_id: bytes, position: int) -> tuple[bytes, bytes, StoredRecord]:
        """Store a finger's record again under another position; when it was enrolled and what was learned of it stay.

        Refused UNKNOWN_RECORD, BAD_REQUEST for a face, ALREADY_ENROLLED for an occupied position, NOT_SUPPORTED in the
        digest-only profile: the digest commits to the samples, and they are not there.
        """
        refs = self.user(user).records
        old = next((ref for ref in refs if ref.record_id == record_id), None)
        if old is None:
            raise Refused(Status.UNKNOWN_RECORD)
        if old.modality is not Modality.FINGERPRINT or not position:
            raise Refused(Status.BAD_REQUEST)
        if any(ref.modality is old.modality and ref.position == position for ref in refs):
            raise Refused(Status.ALREADY_ENROLLED)
        record = self.open_record(record_id)[1]
        if record.profile is Profile.DIGEST_ONLY:
            raise Refused(Status.NOT_SUPPORTED)
        record = replace(record, position=position, salt=self._env.system_rng.bytes(16))
        new_id = self._env.rng.bytes(16)
        digest = self._store(user, new_id, record, record.views, old, lambda t: keep_count(t, record_id, new_id))
        return new_id, digest, record

    def refuse_other_dimension(self, dimension: int, replaces: RecordRef | None) -> None:
        """Refused WRONG_DIMENSION while there is a face of another one, besides the record that is replaced.

        Looked up when it matters: so the dimension is free when no face is left, whichever way the last one went.
        """
        if self._state.face_dimension in (0, dimension):
            return
        gone = record_object(replaces.record_id) if replaces else None
        if any(h.kind == KINDS[Modality.FACE] and h.object_id != gone for h in self._env.store.headers()):
            raise Refused(Status.WRONG_DIMENSION)

    def erase(self, user: bytes, record_id: bytes) -> bytes:
        """Erase one record of a user; return its digest. Refused UNKNOWN_RECORD."""
        state = self.user(user)
        if record_id not in {ref.record_id for ref in state.records}:
            raise Refused(Status.UNKNOWN_RECORD)
        digest = self._env.store.get(record_object(record_id)).header.commitment
        left = replace(state, records=tuple(ref for ref in state.records if ref.record_id != record_id))
        with self._env.store.transaction() as transaction:
            transaction.erase(record_object(record_id))
            transaction.put(user_object(user), left.to_bytes(), kind="user", owner=user)
        return digest

    def renew_codes(self, decode_views: Callable[[StoredRecord], Sequence[Features]]) -> int:
        """New epoch secret, new codes for every record, all in one transaction. Returns how many records changed.

        Refused NOT_SUPPORTED in the digest-only profile: without a template there is nothing to encode anew.
        """
        if self.configuration.profile is Profile.DIGEST_ONLY:
            raise Refused(Status.NOT_SUPPORTED)
        state = replace(self._state, code_epoch=self._state.code_epoch + 1, code_secret=self._env.rng.bytes(32))
        keeper, changed = TemplateEncoder(state), 0
        with self._env.store.transaction() as transaction:
            transaction.put(DEVICE_OBJECT, state.to_bytes(), kind="device")
            for stored in self._env.store.load(kind=KINDS[Modality.FACE]):
                old = StoredRecord.from_bytes(stored.body)
                kept = keeper.keep(decode_views(old))
                record = replace(old, codes=kept.codes, code_epoch=state.code_epoch)
                header = stored.header
                transaction.put(
                    header.object_id,
                    record.to_bytes(),
                    kind=header.kind,
                    owner=header.owner,
                    commitment=header.commitment,
                )
                changed += 1
        self._state = state
        return changed

    def open_record(self, record_id: bytes) -> tuple[RecordSummary, StoredRecord]:
        """Open one record. Refused UNKNOWN_RECORD."""
        stored = self._env.store.find(record_object(record_id))
        if stored is None:
            raise Refused(Status.UNKNOWN_RECORD)
        return _opened(stored)

    def records(self, modality: Modality) -> Iterator[tuple[RecordSummary, StoredRecord]]:
        """Open every record of one modality."""
        for stored in self._env.store.load(kind=KINDS[modality]):
            yield _opened(stored)

    def users(self) -> list[bytes]:
        """All users, in order."""
        return [h.owner for h in self._env.store.headers() if h.kind == "user"]

    def digests(self) -> Iterator[bytes]:
        """Salted digests of all records, in the order of their ids."""
        return (h.commitment for h in self._env.store.headers() if h.object_id[:1] == b"R")

    def ages(self, user: bytes) -> list[tuple[bytes, Modality, int]]:
        """A user's records: id, modality, when enrolled (seconds since 1970)."""
        refs = self.user(user).records
        return [(ref.record_id, ref.modality, self.open_record(ref.record_id)[0].enrolled_s) for ref in refs]

    def record_ids(self) -> list[bytes]:
        """All record ids, in order."""
        return [h.object_id[1:] for h in self._env.store.headers() if h.object_id[:1] == b"R"]


def _opened(stored: StoredObject) -> tuple[RecordSummary, StoredRecord]:
    record = StoredRecord.from_bytes(stored.body)
    summary = RecordSummary(
        record_id=stored.header.object_id[1:],
        user=stored.header.owner,
        modality=record.modality,
        position=record.position,
        views=record.samples,
        profile=record.profile,
        enrolled_s=record.enrolled_s,
        digest=stored.header.commitment,
    )
    return summary, record
