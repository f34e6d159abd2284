"""Declare what the vault keeps in the biometric TA's store: one prefix per kind of object, one closed record each.

The same store holds what the sensor rules remember (`S`, `X`: `trusted/sensor/stored_objects.py`), what the policy
keeps (`C`, `P`, `Q`: `trusted/policy/stored_objects.py`) and the log (`H`, `L`: `trusted/policy/audit_log.py`).

| object id        | kind        | owner | commitment | ids       | body           |
|------------------|-------------|-------|------------|-----------|----------------|
| `D`              | device      |       |            |           | DeviceState    |
| `U` + user       | user        | user  |            | user      | UserState      |
| `R` + record id  | fingerprint | user  | digest     | record id | StoredRecord   |
| `R` + record id  | face        | user  | digest     | record id | StoredRecord   |
| `I` + sensor id + place | faceindex |  |            |           | Segment        |
| `I` + sensor id + place | fingerindex | |           |           | Segment        |

Ids are drawn by the core or come with a request, which it sees to: a record id says nothing but which record it is.
"""

from typing import Annotated

from bioguard.commands.biometric import MAX_SAMPLE_BYTES, MAX_VIEWS
from bioguard.commands.configuration import MAX_PROFILES, Configuration
from bioguard.match.fingerprint.cohort import MOST_FINGERS
from bioguard.records.comparison_profile import MAX_PROFILE_BYTES
from bioguard.records.extractor import ExtractorIdentity
from bioguard.records.feature_limits import MAX_MODEL_CHARS
from bioguard.records.modality import Modality, Profile
from bioguard.records.sample_origin import SampleOrigin
from bioguard.records.sensor_props import MAX_SENSOR_ID, MAX_USER_RECORDS
from bioguard.trusted.kept_objects import keep, value_of
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import AtMost, Fixed, Items, Record, Text, UpTo
from tee_sim.shared.ta_api import Store, Transaction

DEVICE_OBJECT = b"D"
MAX_CODE_BYTES = 16_384
"""A protected fingerprint of 255 minutiae at 512 bits each; a scalar face code of 1024 dimensions is 512 bytes."""
_ID = Fixed(16)
_NOT_CHOSEN = Configuration()


def user_object(user: bytes) -> bytes:
    """Object id of a user's state."""
    return b"U" + user


def record_object(record_id: bytes) -> bytes:
    """Object id of a record."""
    return b"R" + record_id


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortFinger(Record):
    """A record that the cohorts of the device are taken from, and whose it is."""

    user: Annotated[bytes, _ID]
    record_id: Annotated[bytes, _ID]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledModel(Record):
    """Of which model the samples of a modality are: all that are enrolled, or the last ones when there is none."""

    modality: Modality
    model: Annotated[str, Text(MAX_MODEL_CHARS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSensor(Record):
    """The device's sensor of a modality: no other extractor's captures are taken."""

    modality: Modality
    extractor: ExtractorIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState(Record):
    """What this device is, and what it learned.

    Attributes:
        configuration: as chosen when it was made; code_epoch 0 stands for a device that was not configured.
        face_dimension: of the faces that are enrolled; of the last ones when there is none.
        code_epoch, code_secret: renewal counter and secret of the protected codes. The secret is random and exists only
            in here, so overwriting it makes every code of its epoch unusable, HUK or not.
        cohort: fingers that decisions about other people are held against (`device_cohort`), the first enrolled first.
        cohort_short: one of them was erased since: there may be others to take its place.
        profiles: comparison profiles, those of `configuration.comparison`: whatever software the device gets later
            decides by these.
        models: of what is enrolled, by modality, one each at most.
        sensors: those of `configuration.sensors`, with what each said of itself when the device was made.
    """

    configuration: Configuration = _NOT_CHOSEN
    face_dimension: Annotated[int, UpTo(1024)] = 0
    code_epoch: Annotated[int, UpTo(1 << 62)] = 0
    code_secret: Annotated[bytes, Fixed(32)] = bytes(32)
    cohort: Annotated[tuple[CohortFinger, ...], Items(MOST_FINGERS + 1)] = ()
    cohort_short: bool = False
    profiles: Annotated[tuple[bytes, ...], Items(MAX_PROFILES, AtMost(MAX_PROFILE_BYTES))] = ()
    models: Annotated[tuple[EnrolledModel, ...], Items(len(Modality))] = ()
    sensors: Annotated[tuple[SealedSensor, ...], Items(len(Modality))] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRef(Record):
    """One line of a user's list."""

    record_id: Annotated[bytes, _ID]
    sensor: Annotated[int, UpTo(MAX_SENSOR_ID)]
    modality: Modality
    position: Annotated[int, UpTo(10)]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserState(Record):
    """A user's records: 1:1 opens these and no others. label: of the name that the normal world may give this user."""

    label: Annotated[bytes, Fixed(32)]
    records: Annotated[tuple[RecordRef, ...], Items(MAX_USER_RECORDS)] = ()

    def of(self, sensor_id: int) -> list[RecordRef]:
        """The records on one sensor."""
        return [ref for ref in self.records if ref.sensor == sensor_id]


def find_user(store: Store, user: bytes) -> UserState | None:
    """A user's state; None for an unknown user."""
    return value_of(store, user_object(user), lambda body, _: UserState.from_bytes(body))


def put_user(transaction: Transaction, user: bytes, state: UserState) -> None:
    """Store it with other changes."""
    transaction.put(user_object(user), state.to_bytes(), kind="user", owner=user, ids=user)
    keep(transaction, user_object(user), state)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord(Record):
    """The sealed body of one enrollment.

    Attributes:
        salt: of the salted digest; it lives only in here, so erasing the record makes the digest untestable.
        views: canonical bytes of `bioguard.records`, one per sample; empty in the digest-only profile.
        codes: protected codes, one per sample: sign codes for search (standard profile, faces), or what decisions are
            made on (digest-only profile).
        code_epoch: the epoch whose secret made the codes.
        model: what a comparison profile is for; empty where files said nothing and any model was taken.
        origin: how it is known.
        extractor: that made the samples; None where they came as files.
        sensor: on which it was enrolled, and is compared.
    """

    salt: Annotated[bytes, _ID]
    modality: Modality
    position: Annotated[int, UpTo(10)]
    profile: Profile
    enrolled_s: Annotated[int, UpTo(1 << 40)]
    views: Annotated[tuple[bytes, ...], Items(MAX_VIEWS, AtMost(MAX_SAMPLE_BYTES))]
    codes: Annotated[tuple[bytes, ...], Items(MAX_VIEWS, AtMost(MAX_CODE_BYTES))] = ()
    code_epoch: Annotated[int, UpTo(1 << 62)] = 0
    model: Annotated[str, Text(MAX_MODEL_CHARS)] = ""
    origin: SampleOrigin = SampleOrigin.DECLARED
    extractor: ExtractorIdentity | None = None
    sensor: Annotated[int, UpTo(MAX_SENSOR_ID)]

    @property
    def samples(self) -> int:
        """How many samples were enrolled."""
        return len(self.views) or len(self.codes)
