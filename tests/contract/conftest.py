"""A small world for contract tests: stepped clock, seeded randomness, Gatekeeper with a fast hash, one sensor."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

import pytest

from bioguard.commands.gatekeeper import EnrollPin, HasPin, PinHeld, VerifyPin
from bioguard.commands.status import GatekeeperStatus
from bioguard.hal.callbacks import Callback
from bioguard.records.modality import Modality
from bioguard.records.tokens import AuthToken
from bioguard.simulate.knobs.properties import SensorProperties
from bioguard.simulate.virtual_hal.virtual_hal import VirtualHal, VirtualSession
from bioguard.simulate.virtual_hal.virtual_hal_state import MemoryStates
from bioguard.trusted.gatekeeper.gatekeeper import Gatekeeper, PinRecord
from bioguard.trusted.gatekeeper.throttle import FailureRecord
from tee_sim.shared.clock import FakeClock
from tee_sim.shared.rng import SeededRng

KEY = bytes(range(32))
ALICE, BOB = b"A" * 16, b"B" * 16


class MemoryPins:
    """Secure storage of PIN records that remembers every write."""

    def __init__(self) -> None:
        self.rows: dict[bytes, PinRecord] = {}
        self.writes: list[PinRecord] = []

    def load(self, user: bytes) -> PinRecord | None:
        return self.rows.get(user)

    def save(self, user: bytes, record: PinRecord) -> None:
        self.rows[user] = record
        self.writes.append(record)

    def delete(self, user: bytes) -> None:
        self.rows.pop(user, None)


@dataclass
class World:
    """Everything in one process; `hal` and `session` are made on demand."""

    clock: FakeClock = field(default_factory=FakeClock)
    rng: SeededRng = field(default_factory=lambda: SeededRng(b"contract tests"))
    pins: MemoryPins = field(default_factory=MemoryPins)
    states: MemoryStates = field(default_factory=MemoryStates)
    heard: list[Callback] = field(default_factory=list)
    handles: dict[bytes, bytes] = field(default_factory=dict)
    sids: dict[bytes, int] = field(default_factory=dict)
    stretch: Callable[[bytes, bytes], bytes] = lambda pin, salt: sha256(salt + pin).digest()
    hal: VirtualHal | None = None

    @property
    def gatekeeper(self) -> Gatekeeper:
        return Gatekeeper(
            records=self.pins,
            clock=self.clock,
            rng=self.rng,
            salts=self.rng,
            password_key=b"p" * 32,
            make_token=self._made,
            stretch=self.stretch,
        )

    def _made(self, user: bytes, challenge: int) -> bytes:
        owner = FailureRecord.from_bytes(self.pins.rows[user].failure).secure_user_id
        return self.forged(challenge=challenge, user_id=owner)

    def set_pin(self, user: bytes = ALICE, pin: bytes = b"1234") -> int:
        answer = self.gatekeeper.enroll(EnrollPin(user=user, desired=pin))
        assert answer.status is GatekeeperStatus.OK
        self.handles[user], self.sids[user] = answer.handle, answer.secure_user_id
        return answer.secure_user_id

    def held(self, user: bytes, secure_user_id: int = 0) -> PinHeld:
        """`bioguard.trusted.sensor.pins.Pins`."""
        return self.gatekeeper.has_pin(HasPin(user=user, secure_user_id=secure_user_id))

    def pin_token(self, challenge: int = 0, user: bytes = ALICE, pin: bytes = b"1234") -> bytes:
        if user not in self.handles:
            self.set_pin(user, pin)
        answer = self.gatekeeper.verify(VerifyPin(user=user, challenge=challenge, handle=self.handles[user], pin=pin))
        assert answer.status is GatekeeperStatus.OK
        return answer.token

    def forged(self, *, key: bytes = KEY, **fields: int) -> bytes:
        base = {
            "challenge": 0,
            "user_id": 1,
            "authenticator_id": 0,
            "authenticator_type": 1,
            "timestamp_ms": self.clock.boot_ms(),
        }
        return AuthToken.sign(key, **{**base, **fields}).to_bytes()

    def start(self, kind: Modality = Modality.FINGERPRINT, user: bytes = ALICE, **knobs: str) -> VirtualSession:
        """A new HAL over the same stored state (as after a crash), and a session."""
        if user not in self.sids:
            self.set_pin(user)
        self.hal = VirtualHal(
            kind,
            SensorProperties(knobs),
            clock=self.clock,
            rng=self.rng,
            token_key=KEY,
            states=self.states,
            pins=self.held,
        )
        return self.session(user)

    def session(self, user: bytes = ALICE) -> VirtualSession:
        """Another session of the same HAL."""
        if user not in self.sids:
            self.set_pin(user)
        self.heard.clear()
        return self.hal.create_session(user, self.heard.append, secure_user_id=self.sids[user])

    def challenge(self, session: VirtualSession) -> int:
        session.generate_challenge()
        return self.heard[-1].challenge

    def enroll(self, session: VirtualSession, user: bytes = ALICE, script: str = "") -> None:
        if script:
            self.hal.knobs.set("next_enrollment", script)
        session.enroll(self.pin_token(self.challenge(session), user))
        session.pointer_down()

    def authenticate(self, session: VirtualSession, operation_id: int = 77) -> list[Callback]:
        """One attempt; returns what was heard in it."""
        self.heard.clear()
        session.calls.authenticate(operation_id)
        session.pointer_down()
        heard = list(self.heard)
        session.calls.cancel()
        return heard


@pytest.fixture
def world() -> World:
    return World()
