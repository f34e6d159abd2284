"""The same steps on our applications, in the bench's memory (`bioguard.evidence.attack.target`)."""

from uuid import UUID

import numpy as np

from bioguard.commands import biometric, gatekeeper, keystore, policy, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID, EraseAuthorization
from bioguard.commands.configuration import CONFIGURE, Configuration
from bioguard.commands.gatekeeper import GATEKEEPER_UUID
from bioguard.commands.keystore import KEYSTORE_UUID
from bioguard.commands.status import KeystoreError
from bioguard.evidence.attack.target import Target
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SENSOR_IDS, default_table
from tee_sim.shared.errors import TeeError
from tee_sim.shared.params import NO_PARAMS
from tee_sim.shared.wire import CloseSession
from tee_sim.testing.forked_hosts import ForkedHosts
from tests.model.reference import MAX_RECORDS, Reference
from tests.model.samples import face_probe, face_views, finger_touches
from tests.model.steps import DELAY_MS, FACE, FINGER, asked_of

APPLICATIONS = (BIOMETRIC_UUID, GATEKEEPER_UUID, KEYSTORE_UUID)
RIGHT, WRONG = b"4711", b"0000"


class World:
    """One device. Where a step means "the latest token" or "a face nobody has", the reference says which one."""

    def __init__(self, reference: Reference, manifests, seed: int, *, processes: bool = False) -> None:
        self._reference = reference
        self._manifests = manifests
        self._hosts: ForkedHosts | None = None
        self._target = Target(manifests, hosting=self._forked if processes else None)
        self._rng = np.random.default_rng(seed)
        self._handles: dict[int, list[bytes]] = {}
        self._challenges: list[int] = []
        self._tokens: list[bytes] = []
        self._records: dict[bytes, int] = {}
        self._ids: dict[int, int] = {}
        self._sessions: list = []
        made = Configuration(
            sensor_table=default_table(MAX_RECORDS[FINGER], MAX_RECORDS[FACE]), require_pin=reference.require_pin
        )
        assert self._ask(CONFIGURE, made).status.name == "OK"

    def _forked(self) -> ForkedHosts:
        """A process for each application."""
        self.close_down()
        self._hosts = ForkedHosts(self._manifests)
        return self._hosts

    def close_down(self) -> None:
        """End the processes."""
        if self._hosts is not None:
            self._hosts.close()

    def _ask(self, command, request, uuid: UUID = BIOMETRIC_UUID):
        return self._target.call(uuid, command, request)

    @staticmethod
    def _user(u: int) -> bytes:
        return bytes([65 + u]) * 16

    def _token(self, back: int) -> bytes:
        return self._reference.latest(self._tokens, back) or b""

    def _leave(self, by: str, back: int) -> EraseAuthorization:
        return EraseAuthorization(by_operator=True) if by == "operator" else EraseAuthorization(token=self._token(back))

    # -- people and PINs ---------------------------------------------------------------------------------------------

    def add_user(self, u: int) -> object:
        user = self._user(u)
        answer = self._ask(biometric.ADD_USER, biometric.AddUser(user=user, label=bytes(32))).status.name
        if answer == "OK":
            every = {"modalities": tuple(Modality), "purposes": tuple(Purpose)}
            grant = policy.GrantConsent(user=user, **every, days=3650, of_age=True)
            assert self._ask(policy.GRANT, grant).status.name == "OK"
        return answer

    def remove_user(self, u: int, by: str, back: int) -> object:
        request = biometric.RemoveUser(user=self._user(u), leave=self._leave(by, back))
        answer = self._ask(biometric.REMOVE_USER, request).status.name
        if answer == "OK":
            self.delete_pin(u)
        return answer

    def set_pin(self, u: int) -> object:
        return self._set_pin(u, gatekeeper.EnrollPin(user=self._user(u), desired=RIGHT))

    def _set_pin(self, u: int, request: gatekeeper.EnrollPin) -> object:
        answer = self._ask(gatekeeper.ENROLL_PIN, request, GATEKEEPER_UUID)
        if answer.handle is not None:
            self._handles.setdefault(u, []).append(answer.handle)
        return answer.status.name, answer.timeout_ms

    def change_pin(self, u: int, right: bool) -> object:
        if u not in self._handles:
            return "no handle"
        request = gatekeeper.EnrollPin(
            user=self._user(u), desired=RIGHT, current_handle=self._handles[u][-1], current=RIGHT if right else WRONG
        )
        return self._set_pin(u, request)

    def delete_pin(self, u: int) -> object:
        self._ask(gatekeeper.DELETE_USER, gatekeeper.DeleteUser(user=self._user(u)), GATEKEEPER_UUID)
        return "OK"

    def verify_pin(self, u: int, what: str, back: int) -> object:
        handle = self._reference.latest(self._handles.get(u, []), what == "old handle")
        if handle is None:
            return "no handle"
        request = gatekeeper.VerifyPin(
            user=self._user(u),
            challenge=self._reference.latest(self._challenges, back) or 0,
            handle=handle,
            pin=WRONG if what == "wrong" else RIGHT,
        )
        answer = self._ask(gatekeeper.VERIFY_PIN, request, GATEKEEPER_UUID)
        if answer.token is not None:
            self._tokens.append(answer.token)
        return answer.status.name, answer.timeout_ms

    # -- challenges and tokens ---------------------------------------------------------------------------------------

    def _sensor(self, u: int, m: int) -> sensor.SensorRequest:
        return sensor.SensorRequest(user=self._user(u), sensor=SENSOR_IDS[Modality(m)])

    def challenge(self, u: int, m: int) -> object:
        answer = self._ask(sensor.GENERATE_CHALLENGE, self._sensor(u, m))
        if answer.status.name == "OK":
            self._challenges.append(answer.challenge)
        return answer.status.name

    def revoke(self, u: int, m: int, back: int) -> object:
        challenge = self._reference.latest(self._challenges, back) or 0
        request = sensor.RevokeChallenge(user=self._user(u), sensor=SENSOR_IDS[Modality(m)], challenge=challenge)
        return self._ask(sensor.REVOKE_CHALLENGE, request).status.name

    def check_token(self, back: int) -> object:
        token = self._token(back)
        if not token:
            return "no token"
        answer = self._ask(keystore.CHECK_TOKEN, keystore.CheckToken(token=token), KEYSTORE_UUID)
        return "OK" if answer.error is KeystoreError.OK else "refused"

    # -- enrollment --------------------------------------------------------------------------------------------------

    def visit(self, u: int, m: int, slot: int, identity: int, twist: str) -> object:
        if u not in self._reference.users or u not in self._reference.pins:
            return "not possible"
        self.challenge(*asked_of(u, m, twist))
        answer = self.verify_pin(u, "right", 0)
        if answer != ("OK", 0):
            return answer
        if twist == "revoke":
            self.revoke(u, m, 0)
        self.wait(DELAY_MS.get(twist, 0))
        return self.enroll(u, m, slot, identity, 0, False)

    def enroll(self, u: int, m: int, slot: int, identity: int, back: int, replace: bool) -> object:
        who = self._reference.identity(u, m, identity)
        samples = face_views(who, self._rng) if m == FACE else finger_touches(who)[0]
        request = biometric.Enroll(
            user=self._user(u),
            sensor=SENSOR_IDS[Modality(m)],
            position=0 if m == FACE else 1 + slot,
            samples=tuple(sample.to_bytes() for sample in samples),
            replace=replace,
            token=self._token(back),
        )
        answer = self._ask(biometric.ENROLL, request)
        if answer.record_id is not None:
            self._records[answer.record_id] = len(self._records)
        return answer.status.name

    def erase(self, u: int, which: int, by: str, back: int) -> object:
        name = self._reference.record_name(u, which)
        if name is None:
            return "no record"
        record_id = next(r for r, known in self._records.items() if known == name)
        request = biometric.Erase(user=self._user(u), record_id=record_id, leave=self._leave(by, back))
        return self._ask(biometric.ERASE, request).status.name

    # -- decisions ---------------------------------------------------------------------------------------------------

    def _probe(self, m: int, whose: int, identity: int, level: str) -> bytes:
        if m == FACE:
            return face_probe((whose, identity), level, self._rng).to_bytes()
        return finger_touches((whose, identity))[1 if level == "strong" else 2].to_bytes()

    def authenticate(self, u: int, m: int, whose: int, identity: int, level: str) -> object:
        request = biometric.Authenticate(
            user=self._user(u), sensor=SENSOR_IDS[Modality(m)], sample=self._probe(m, whose, identity, level)
        )
        answer = self._ask(biometric.AUTHENTICATE, request)
        if answer.status.name != "OK":
            return answer.status.name
        if not answer.match:
            return "no match"
        if answer.token is not None:
            self._tokens.append(answer.token)
        return "match", self._records[answer.record_id], answer.token is not None

    def identify(self, m: int, whose: int, identity: int, level: str) -> object:
        answer = self._ask(
            biometric.IDENTIFY,
            biometric.Identify(sensor=SENSOR_IDS[Modality(m)], sample=self._probe(m, whose, identity, level)),
        )
        if answer.status.name != "OK":
            return answer.status.name
        return ("match", answer.user[0] - 65, self._records[answer.record_id]) if answer.match else "no match"

    def lock_status(self, u: int, m: int) -> object:
        answer = self._ask(sensor.LOCK_STATUS, self._sensor(u, m))
        return (answer.lock.name, answer.remaining_ms) if answer.status.name == "OK" else answer.status.name

    def search_status(self, m: int) -> object:
        answer = self._ask(sensor.SEARCH_LOCK_STATUS, sensor.SearchRequest(sensor=SENSOR_IDS[Modality(m)]))
        return answer.lock.name, answer.remaining_ms

    def reset_lockout(self, u: int, m: int, back: int) -> object:
        request = sensor.ResetLockout(user=self._user(u), sensor=SENSOR_IDS[Modality(m)], token=self._token(back))
        return self._ask(sensor.RESET_LOCKOUT, request).status.name

    def unlock(self, u: int, m: int, delay_ms: int) -> object:
        answer = self.verify_pin(u, "right", -1)
        if answer != ("OK", 0):
            return answer
        self.wait(delay_ms)
        return self.reset_lockout(u, m, 0)

    def authenticator_id(self, u: int, m: int) -> object:
        return self._named(self._ask(sensor.GET_AUTHENTICATOR_ID, self._sensor(u, m)))

    def invalidate(self, u: int, m: int) -> object:
        return self._named(self._ask(sensor.INVALIDATE_AUTHENTICATOR_ID, self._sensor(u, m)))

    def _named(self, answer: sensor.AuthenticatorId) -> object:
        """Random ids by the reference's numbers: each has to stand for the same one always."""
        if answer.status.name != "OK" or not answer.authenticator_id:
            return answer.status.name if answer.status.name != "OK" else 0
        return ("id", answer.authenticator_id)

    # -- sessions and time -------------------------------------------------------------------------------------------

    def open(self, application: int) -> object:
        self._sessions.append(self._target.session(APPLICATIONS[application], fresh=True))
        return "OK"

    def use(self, back: int) -> object:
        if back >= len(self._sessions):
            return "no session"
        try:
            self._sessions[-1 - back].invoke(255, NO_PARAMS)
        except TeeError as error:
            return "OK" if error.result.name == "NOT_SUPPORTED" else error.result.name
        return "answered"

    def close(self, back: int) -> object:
        if back >= len(self._sessions):
            return "no session"
        answer = self._target.exchange(CloseSession(session=self._sessions[-1 - back]._number))
        return "OK" if answer.result.name == "SUCCESS" else answer.result.name

    def die(self, application: int) -> object:
        """The process of one application is killed, and a session opened: that is when it is noticed."""
        dead = next(m for m in self._manifests if m.ta_uuid == APPLICATIONS[application])
        self._hosts.murder(dead)
        self._target.forget(dead.ta_uuid)
        self._target.session(dead.ta_uuid)
        return "OK"

    def wait(self, ms: int) -> object:
        self._target.clock.advance(ms)
        return "OK"

    def restart(self) -> object:
        self._target.restart()
        self._sessions.clear()
        return "OK"

    def reboot(self) -> object:
        self._target.reboot()
        self._sessions.clear()
        return "OK"
