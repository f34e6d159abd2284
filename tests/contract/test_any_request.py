"""Whatever is asked, in any order: no application panics, and the next right question is answered.

Requests of every command of the three applications, right and wrong, with users, records, tokens and samples that mean
something, so that they get past the first check.
"""

import importlib
import pkgutil
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bioguard import commands
from bioguard.commands import biometric, configuration, gatekeeper, keystore, policy, sensor
from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.commands.gatekeeper import GATEKEEPER_UUID
from bioguard.commands.keystore import KEYSTORE_UUID
from bioguard.commands.status import GatekeeperStatus, KeystoreError, Nothing, ReplyStatus
from bioguard.device import Device
from bioguard.device.applications import manifests
from bioguard.device.errors import status_of
from bioguard.records import FaceEmbedding
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.records.sensor_props import SENSOR_IDS
from bioguard.simulate.people import face_views, finger_impressions
from bioguard.trusted.gatekeeper import app as gatekeeper_app
from tee_sim.normal.client import Context, Session, Transport
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared import codec
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.ta_api import Command
from tee_sim.shared.wire import HEAD_BYTES, Return, pack, unpack
from tee_sim.testing.in_process import InProcessTee
from tests.requests import Request, requests_to

ALICE, BOB, NOBODY = b"a" * 16, b"b" * 16, b"n" * 16
FACES = [view.to_bytes() for view in face_views(1, person=0, count=5)]
FINGERS = [view.to_bytes() for view in finger_impressions(1, person=0, count=4)]
SHORT_FACE = FaceEmbedding.from_features(face_views(1, person=0, count=1)[0].vector[:128]).to_bytes()
PIN = b"2580"
APPLICATIONS: dict[Any, tuple[Any, ...]] = {
    BIOMETRIC_UUID: (biometric, configuration, policy, sensor),
    GATEKEEPER_UUID: (gatekeeper,),
    KEYSTORE_UUID: (keystore,),
}
Exchange = Callable[[bytes], bytes]
"""The body of a request to the body of its answer, past everything that the normal world checks before it sends."""
SEEN: Counter[str] = Counter()
"""What was answered how often, for whoever wants to know how deep the requests go."""


def commands_of(module: Any) -> list[Command[Any, Any]]:
    return [value for value in vars(module).values() if isinstance(value, Command)]


class Life:
    """A store with two people on it, sessions with all three applications, and all that may be named in a request."""

    def __init__(self, transport: Transport, first: Session | None = None) -> None:
        context = Context(transport)
        self.sessions: dict[Any, Session] = {
            uuid: first if first and uuid == BIOMETRIC_UUID else context.open_session(uuid) for uuid in APPLICATIONS
        }
        samples = [*FACES, *FINGERS, SHORT_FACE, SHORT_FACE, FACES[0][:-4], b"no sample"]
        self.pool: dict[str, list[Any]] = {
            "user": [ALICE, ALICE, ALICE, ALICE, BOB, NOBODY],
            "sample": samples,
            "samples": [*FACES, *FACES, FINGERS[0], SHORT_FACE],
            "label": [bytes(32)],
            "fmr_inverse": [0, 1, 10_000, 50_000],
            "fpir_inverse": [0, 1, 100],
            "pin": [PIN],
            "desired": [PIN],
            "current": [PIN, b""],
            "nonce": [bytes(32), bytes(48), bytes(31)],
            "token": [b""],
            "position": [0, 0, 0, 2, 7],
            "sensor": [1, 1, 1, 0, 2],
            "modality": [int(Modality.FACE), int(Modality.FACE), int(Modality.FINGERPRINT)],
            **{name: [] for name in ("record_id", "key_id", "handle", "current_handle", "operation", "challenge")},
        }
        self._populate()

    def ask(self, uuid: Any, command: Command[Any, Any], request: Any) -> Any:
        return self.sessions[uuid].call(command, request)

    def _populate(self) -> None:
        self.ask(BIOMETRIC_UUID, configuration.CONFIGURE, configuration.Configuration())
        for user in (ALICE, BOB):
            handle = self.ask(
                GATEKEEPER_UUID, gatekeeper.ENROLL_PIN, gatekeeper.EnrollPin(user=user, desired=PIN)
            ).handle
            self.pool["handle"].append(handle)
            self.pool["current_handle"].append(handle)
            self.ask(BIOMETRIC_UUID, biometric.ADD_USER, biometric.AddUser(user=user, label=bytes(32)))
        self.pool["token"].append(self._token(0))
        for user, modality, purpose in ((u, m, p) for u in (ALICE, BOB) for m in Modality for p in Purpose):
            token = self._token(0) if user == ALICE else b""
            grant = policy.GrantConsent(
                user=user, modalities=(modality,), purposes=(purpose,), days=30, of_age=True, token=token
            )
            self.ask(BIOMETRIC_UUID, policy.GRANT, grant)
        for modality, samples, position in ((Modality.FACE, FACES[:3], 0), (Modality.FINGERPRINT, FINGERS[:3], 2)):
            asked = sensor.SensorRequest(user=ALICE, sensor=SENSOR_IDS[modality])
            challenge = self.ask(BIOMETRIC_UUID, sensor.GENERATE_CHALLENGE, asked).challenge
            token = self._token(challenge)
            enroll = biometric.Enroll(
                user=ALICE, sensor=SENSOR_IDS[modality], position=position, samples=tuple(samples), token=token
            )
            answer = self.ask(BIOMETRIC_UUID, biometric.ENROLL, enroll)
            assert answer.status is ReplyStatus.OK
            self.pool["record_id"].append(answer.record_id)
            self.pool["token"].append(token)
        self.pool["token"].append(self._token(0))
        auth = keystore.Authorizations(no_auth_required=True)
        for algorithm in keystore.KeyAlgorithm:
            request = keystore.GenerateKey(algorithm=algorithm, authorizations=auth)
            self.pool["key_id"].append(self.ask(KEYSTORE_UUID, keystore.GENERATE_KEY, request).key_id)

    def _token(self, challenge: int) -> bytes:
        handle = self.pool["handle"][0]
        request = gatekeeper.VerifyPin(user=ALICE, challenge=challenge, handle=handle, pin=PIN)
        token: bytes = self.ask(GATEKEEPER_UUID, gatekeeper.VERIFY_PIN, request).token
        return token

    def learn(self, body: bytes, answer: Return) -> None:
        """Remember what an answer names, so that later requests can name it too."""
        _, session, number, *_ = codec.decode(body)  # type: ignore[misc]
        command = next((c for s, c in COMMANDS if [s, c.number] == [session, number]), None)
        if command is None or answer.result is not TeeResult.SUCCESS:
            SEEN[answer.result.name] += 1
            return
        reply = command.reply.from_bytes(answer.params[1].buffer)
        SEEN[f"{command.request.__name__} {status_of(reply).name}"] += 1
        for name in ("record_id", "key_id", "operation", "challenge", "token"):
            value = getattr(reply, name, None)
            if value:
                self.pool[name] = [*self.pool[name][-5:], value]

    def next_question_is_answered(self) -> None:
        """One right question to each application."""
        assert self.ask(BIOMETRIC_UUID, policy.POLICY_STATE, Nothing()).status is ReplyStatus.OK
        forget = gatekeeper.DeleteUser(user=NOBODY)
        assert self.ask(GATEKEEPER_UUID, gatekeeper.DELETE_USER, forget).status is GatekeeperStatus.OK
        check = self.ask(KEYSTORE_UUID, keystore.CHECK_TOKEN, keystore.CheckToken(token=bytes(69)))
        assert check.error is KeystoreError.VERIFICATION_FAILED


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where stores go: in memory, if the host has such a place."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@contextmanager
def in_process(folder: Path) -> Iterator[tuple[Life, Exchange]]:
    """A new store in this process, where the slow hash of a PIN need not be slow."""
    store = Path(tempfile.mkdtemp(dir=folder))
    with pytest.MonkeyPatch.context() as patch, closing(Supplicant(store)) as supplicant:
        patch.setattr(gatekeeper_app, "ARGON2_PASSES", 1)
        patch.setattr(gatekeeper_app, "ARGON2_MEMORY_BYTES", 8192)
        tee = InProcessTee(manifests(), supplicant)
        yield Life(tee), lambda body: tee._world.answer(body)[HEAD_BYTES:]
    shutil.rmtree(store)


def ask_all(life: Life, exchange: Exchange, requests: list[Request]) -> None:
    for request in requests:
        body = request.body(life.pool)
        answer = unpack(exchange(body))
        assert isinstance(answer, Return)
        assert answer.result is not TeeResult.TARGET_DEAD, "a panic: challenges and operations of others are lost"
        life.learn(body, answer)
    life.next_question_is_answered()


COMMANDS = [
    (number, command)
    for number, modules in enumerate(APPLICATIONS.values(), start=1)
    for module in modules
    for command in commands_of(module)
]
"""With the session they are asked in: the first three of a new secure world, in this order."""
SEQUENCES = st.lists(requests_to(COMMANDS), min_size=1, max_size=20)


def test_every_command_of_the_product_is_among_them() -> None:
    declared = [importlib.import_module(f"bioguard.commands.{m.name}") for m in pkgutil.iter_modules(commands.__path__)]
    assert sorted(c.number for _, c in COMMANDS) == sorted(c.number for m in declared for c in commands_of(m))


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(requests=SEQUENCES)
def test_any_sequence_leaves_the_next_question_answered(folder: Path, requests: list[Request]) -> None:
    with in_process(folder) as (life, exchange):
        assert [session._number for session in life.sessions.values()] == [1, 2, 3]
        ask_all(life, exchange, requests)


def test_a_face_of_another_dimension_names_nobody_and_ends_nothing(folder: Path) -> None:
    with in_process(folder) as (life, _):
        for sample in (SHORT_FACE, FACES[3]):
            identify = biometric.Identify(sensor=SENSOR_IDS[Modality.FACE], sample=sample, fpir_inverse=0)
            answer = life.ask(BIOMETRIC_UUID, biometric.IDENTIFY, identify)
            wrong = sample is SHORT_FACE
            assert (answer.status, answer.match) == (
                (ReplyStatus.PROBE_DIMENSION, False) if wrong else (ReplyStatus.OK, True)
            )
        authenticate = biometric.Authenticate(
            user=ALICE, sensor=SENSOR_IDS[Modality.FACE], sample=SHORT_FACE, fmr_inverse=0
        )
        assert life.ask(BIOMETRIC_UUID, biometric.AUTHENTICATE, authenticate).status is ReplyStatus.PROBE_DIMENSION


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(requests=SEQUENCES)
def test_the_same_behind_the_lock(folder: Path, requests: list[Request]) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as name, Device.init(Path(name) / "device") as device:
        process = device.running.process
        life = Life(process, device.running.session(BIOMETRIC_UUID))

        def exchange(body: bytes) -> bytes:
            deadline = time.monotonic() + 60
            process._write(len(body).to_bytes(HEAD_BYTES, "little") + body, deadline)
            return pack(process._pump(deadline))[HEAD_BYTES:]

        ask_all(life, exchange, requests)
        assert process.close() == 0
