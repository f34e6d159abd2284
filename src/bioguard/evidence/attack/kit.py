"""What attackers have: users with PINs and faces, keys bound to them, and the moves every attack is made of.

Faces are random directions; a genuine sample is a small step away from one, an impostor another direction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from bioguard.commands import biometric, gatekeeper, keystore, policy, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.configuration import CONFIGURE, Configuration
from bioguard.commands.gatekeeper import GATEKEEPER_UUID
from bioguard.commands.keystore import KEYSTORE_UUID, Authorizations, KeyAlgorithm, KeyPurpose
from bioguard.commands.status import GatekeeperStatus, KeystoreError, ReplyStatus, SensorStatus
from bioguard.device.errors import status_of
from bioguard.errors import InputRefused
from bioguard.evidence.attack.target import Target
from bioguard.records import FaceEmbedding
from bioguard.records.consent import Purpose
from bioguard.records.features import features_from_bytes
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SENSOR_IDS
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command
from tee_sim.testing.attacks import attack
from tee_sim.testing.attacks.attack import UnplayedError

Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)
FACE = Modality.FACE
FACE_SENSOR = SENSOR_IDS[FACE]
DIMENSION = 128
NOISE = 0.2
"""Length of the step between two samples of one face, of unit length: a cosine of about 0.98."""


BESIDE = 0.05
"""How far beside the border a sample is laid, in cosine: beyond what three views and their noise move it."""


class SetupError(UnplayedError):
    """The target does not even do its normal work, so this attack could not be played."""


@unique
class Stage(Enum):
    """What an attack is played on, and so what its `play` is given."""

    CONTRACT = "contract"
    """A `Kit`: our three applications, or one in their place, by the commands of `bioguard.commands`."""
    ANY = "any"
    """An `AttackedWorld`: whatever applications it hosts, known by their manifests alone."""
    DEVICE = "device"
    """A `DeviceKit`: a device with its files, its facade and its command line."""


@dataclass(frozen=True, slots=True)
class Attack(attack.Attack):
    """One attack of the simulator's kind, on one of our stages.

    Attributes:
        stage: what it is played on, and `play` is given.
    """

    play: Callable[[Any], str | None]
    stage: Stage = Stage.CONTRACT


@dataclass(slots=True)
class Person:
    """A user of the target."""

    user: bytes
    pin: bytes
    face: NDArray[np.float64]
    handle: bytes = b""
    secure_user_id: int = 0


def flipped(data: bytes, bit: int) -> bytes:
    """The same bytes with one bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def sensor_for(sample: bytes) -> int:
    """The sensor of the kind of a sample, on a device of the default table; that of faces for what is no sample."""
    try:
        return SENSOR_IDS[features_from_bytes(sample).modality]
    except InputRefused:
        return FACE_SENSOR


@dataclass(slots=True)
class Kit:
    """A fresh target and the moves on it.

    Args:
        seed: of faces and user ids; the target's own randomness is its own.
        configuration: what the device is made as; None if it is made already.
    """

    target: Target
    seed: int = 1
    configuration: Configuration | None = field(default_factory=Configuration)
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        if self.configuration is not None:
            self.ask(BIOMETRIC_UUID, CONFIGURE, self.configuration)

    def ask(self, uuid: UUID, command: Command[Q, A], request: Q) -> A:
        """A call that an attack stands on. Raises SetupError for a refusal: `target.call` is for what may be one."""
        answer = self.target.call(uuid, command, request)
        status = status_of(answer)
        if status != 0:
            raise SetupError(f"{type(request).__name__} answers {status.name}")
        return answer

    # -- people ------------------------------------------------------------------------------------------------------

    def direction(self) -> NDArray[np.float64]:
        """A new face."""
        vector: NDArray[np.float64] = self.rng.normal(size=DIMENSION)
        return vector / np.linalg.norm(vector)

    def sample(self, face: NDArray[np.float64], noise: float = NOISE) -> bytes:
        """One capture of a face, as canonical bytes."""
        return FaceEmbedding.from_features(face + noise * self.direction()).to_bytes()

    def person(self, pin: bytes | None = b"1234", *, enrolled: bool = False) -> Person:
        """A new user, usually with a PIN, and with an enrolled face if asked for."""
        someone = Person(self.rng.bytes(16), pin or b"", self.direction())
        self.ask(BIOMETRIC_UUID, biometric.ADD_USER, biometric.AddUser(user=someone.user, label=bytes(32)))
        every = tuple(Purpose)
        grant = policy.GrantConsent(user=someone.user, modalities=(FACE,), purposes=every, days=365, of_age=True)
        self.ask(BIOMETRIC_UUID, policy.GRANT, grant)
        if pin is not None:
            self.set_pin(someone, pin)
        if enrolled:
            token = b"" if pin is None else self.pin_token(someone, self.challenge(someone))
            self.need(self.enroll(someone, token), "enrollment")
        return someone

    @staticmethod
    def need(status: ReplyStatus, what: str) -> None:
        """Stop an attack whose preparation does not work."""
        if status is not ReplyStatus.OK:
            raise SetupError(f"{what} is refused with {status.name}")

    # -- Gatekeeper --------------------------------------------------------------------------------------------------

    def set_pin(self, person: Person, pin: bytes, *, trusted: bool = False) -> gatekeeper.PinEnrolled:
        """Set a PIN, with or without the old one."""
        request = gatekeeper.EnrollPin(
            user=person.user,
            desired=pin,
            current_handle=person.handle if trusted else None,
            current=person.pin if trusted else b"",
        )
        answer = self.target.call(GATEKEEPER_UUID, gatekeeper.ENROLL_PIN, request)
        if answer.status is not GatekeeperStatus.OK or answer.handle is None:
            raise SetupError(f"setting a PIN answers {answer.status.name}")
        person.pin, person.handle, person.secure_user_id = pin, answer.handle, answer.secure_user_id
        return answer

    def verify_pin(
        self, person: Person, *, pin: bytes | None = None, handle: bytes | None = None, challenge: int = 0
    ) -> gatekeeper.PinVerified:
        """One try."""
        request = gatekeeper.VerifyPin(
            user=person.user,
            challenge=challenge,
            handle=handle or person.handle,
            pin=person.pin if pin is None else pin,
        )
        return self.target.call(GATEKEEPER_UUID, gatekeeper.VERIFY_PIN, request)

    def pin_token(self, person: Person, challenge: int = 0) -> bytes:
        """A token of the right PIN."""
        answer = self.verify_pin(person, challenge=challenge)
        if answer.token is None:
            raise SetupError(f"the right PIN answers {answer.status.name}")
        return answer.token

    # -- biometric ---------------------------------------------------------------------------------------------------

    def challenge(self, person: Person, modality: Modality = FACE) -> int:
        """generateChallenge."""
        request = sensor.SensorRequest(user=person.user, sensor=SENSOR_IDS[modality])
        return self.ask(BIOMETRIC_UUID, sensor.GENERATE_CHALLENGE, request).challenge

    def enroll(
        self,
        person: Person,
        token: bytes,
        *,
        face: NDArray[np.float64] | None = None,
        samples: Sequence[bytes] = (),
        modality: Modality = FACE,
    ) -> ReplyStatus:
        """Enroll three views of a face, or these samples, with a token."""
        chosen = person.face if face is None else face
        request = biometric.Enroll(
            user=person.user,
            sensor=SENSOR_IDS[modality],
            position=0 if modality is FACE else 1,
            samples=tuple(samples) or tuple(self.sample(chosen) for _ in range(3)),
            token=token,
        )
        return self.target.call(BIOMETRIC_UUID, biometric.ENROLL, request).status

    def authenticate(
        self, person: Person, sample: bytes, operation_id: int = 0, *, fmr_inverse: int = 0
    ) -> biometric.Decision:
        """One try."""
        request = biometric.Authenticate(
            user=person.user,
            sensor=sensor_for(sample),
            sample=sample,
            operation_id=operation_id,
            fmr_inverse=fmr_inverse,
        )
        return self.target.call(BIOMETRIC_UUID, biometric.AUTHENTICATE, request)

    def identify(self, sample: bytes, *, fpir_inverse: int = 0) -> biometric.Identified:
        """One search."""
        request = biometric.Identify(sensor=sensor_for(sample), sample=sample, fpir_inverse=fpir_inverse)
        return self.target.call(BIOMETRIC_UUID, biometric.IDENTIFY, request)

    def near(self, face: NDArray[np.float64], cosine: float) -> bytes:
        """A sample at about this cosine from a face: its own direction otherwise."""
        other = self.direction()
        other -= (other @ face) * face
        mixed = cosine * face + float(np.sqrt(1 - cosine**2)) * other / np.linalg.norm(other)
        return FaceEmbedding.from_features(mixed).to_bytes()

    def match_token(self, person: Person, operation_id: int = 0) -> bytes:
        """The token of a genuine match."""
        answer = self.authenticate(person, self.sample(person.face), operation_id)
        if answer.token is None:
            raise SetupError(f"a genuine match answers {answer.status.name} and makes no token")
        return answer.token

    def authenticator_id(self, person: Person) -> int:
        """getAuthenticatorId."""
        request = sensor.SensorRequest(user=person.user, sensor=FACE_SENSOR)
        return self.ask(BIOMETRIC_UUID, sensor.GET_AUTHENTICATOR_ID, request).authenticator_id

    def reset_lockout(self, person: Person, token: bytes) -> bool:
        """resetLockout; True if it was accepted."""
        request = sensor.ResetLockout(user=person.user, sensor=FACE_SENSOR, token=token)
        answer = self.target.call(BIOMETRIC_UUID, sensor.RESET_LOCKOUT, request)
        return answer.status is SensorStatus.OK

    def locked(self, person: Person) -> bool:
        """Whether attempts are refused now."""
        request = sensor.SensorRequest(user=person.user, sensor=FACE_SENSOR)
        answer = self.ask(BIOMETRIC_UUID, sensor.LOCK_STATUS, request)
        return answer.lock is not Lock.NONE

    def border(self) -> float:
        """The cosine to a face from which a claim is accepted, found on a face of the attacker's own."""
        own = self.person(enrolled=True)
        low, high = 0.2, 0.98
        for _ in range(6):
            middle = (low + high) / 2
            if self.authenticate(own, self.near(own.face, middle)).match:
                high = middle
            else:
                low = middle
            self.match_token(own)
        if high > 0.9:
            raise SetupError("only a sample next to the face is accepted")
        return high

    def beside(self, person: Person) -> bytes:
        """A sample that is a little too far from a face."""
        return self.near(person.face, self.border() - BESIDE)

    def need_search(self, person: Person) -> None:
        """Stop an attack on searches where they do not work."""
        if not self.identify(self.sample(person.face)).match:
            raise SetupError("a search does not find who is enrolled")

    def search_locked(self) -> bool:
        """Whether 1:N is refused now."""
        answer = self.ask(BIOMETRIC_UUID, sensor.SEARCH_LOCK_STATUS, sensor.SearchRequest(sensor=FACE_SENSOR))
        return answer.lock is not Lock.NONE

    # -- Keystore ----------------------------------------------------------------------------------------------------

    def key(self, *secure_ids: int, types: int = 3, timeout_s: int | None = 60) -> bytes:
        """A MAC key bound to these secure ids."""
        request = keystore.GenerateKey(
            algorithm=KeyAlgorithm.HMAC_SHA256,
            authorizations=Authorizations(secure_ids=secure_ids, auth_types=types, timeout_s=timeout_s),
        )
        answer = self.target.call(KEYSTORE_UUID, keystore.GENERATE_KEY, request)
        if answer.key_id is None:
            raise SetupError(f"making a key answers {answer.error.name}")
        return answer.key_id

    def begin(self, key_id: bytes, token: bytes = b"") -> keystore.Begun:
        """Start a signature."""
        request = keystore.Begin(key_id=key_id, purpose=KeyPurpose.SIGN, token=token)
        return self.target.call(KEYSTORE_UUID, keystore.BEGIN, request)

    def finish(self, operation: int, token: bytes = b"") -> keystore.Finished:
        """End it."""
        request = keystore.Finish(operation=operation, message=b"message", token=token)
        return self.target.call(KEYSTORE_UUID, keystore.FINISH, request)

    def uses(self, key_id: bytes, token: bytes) -> bool:
        """Whether a timeout key signs with this token."""
        begun = self.begin(key_id, token)
        return begun.error is KeystoreError.OK and self.finish(begun.operation).mac is not None
