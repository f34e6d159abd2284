"""Session, lockout and Gatekeeper against a model of under 100 lines: 10 000 random steps, no divergence allowed.

The model keeps a handful of plain numbers and knows nothing of tables, records or tokens' bytes.
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bioguard.commands.gatekeeper import EnrollPin, VerifyPin
from bioguard.hal import callbacks as cb
from bioguard.records.modality import Modality
from bioguard.records.tokens import AuthToken
from bioguard.simulate.knobs.properties import SensorProperties
from bioguard.simulate.virtual_hal.virtual_hal import VirtualHal
from bioguard.simulate.virtual_hal.virtual_hal_state import MemoryStates
from bioguard.trusted.gatekeeper.gatekeeper import Gatekeeper
from bioguard.trusted.gatekeeper.throttle import FailureRecord
from tee_sim.shared.clock import FakeClock
from tee_sim.shared.rng import SeededRng

KEY, USER = bytes(range(32)), b"U" * 16
STEPS_PER_RUN, RUNS = 100, 100
THROTTLE = {5: 30, **dict.fromkeys(range(10, 40), 30), **dict.fromkeys(range(40, 50), 60)}


class Model:
    """What must be true, in numbers. Times are boot milliseconds."""

    def __init__(self) -> None:
        self.fails = 0
        self.locked_since: int | None = None
        self.permanent = False
        self.pin_fails = 0
        self.pin_since = 0
        self.enrolled: set[int] = set()
        self.changes = 0
        self.challenges: dict[int, int] = {}

    def locked(self, now: int) -> bool:
        if self.locked_since is not None and now < self.locked_since:
            self.locked_since = now
        if self.locked_since is not None and now - self.locked_since >= 30_000:
            self.locked_since = None
        return self.permanent or self.locked_since is not None

    def attempt(self, finger: int, now: int) -> str:
        if self.locked(now):
            return "locked"
        if finger in self.enrolled:
            self.fails = 0
            return "match"
        self.fails += 1
        if self.fails == 20:
            self.permanent = True
        elif self.fails % 5 == 0:
            self.locked_since = now
        return "no match"

    def pin(self, right: bool, now: int) -> str:
        wait = 1000 * THROTTLE.get(self.pin_fails, 0)
        if wait and now <= self.pin_since:
            self.pin_since = now
        if wait and now < self.pin_since + wait:
            return "wait"
        self.pin_fails, self.pin_since = (0 if right else self.pin_fails + 1), now
        return "right" if right else ("wait" if THROTTLE.get(self.pin_fails, 0) else "wrong")

    def live(self, challenge: int, now: int) -> bool:
        return 0 <= now - self.challenges.get(challenge, now + 1) < 600_000


class Pins(dict):
    load = dict.get
    save = dict.__setitem__


class ContractMachine(RuleBasedStateMachine):
    steps = 0

    @initialize()
    def boot(self) -> None:
        self.model, self.clock, self.rng = Model(), FakeClock(), SeededRng(b"model")
        self.states, self.pins, self.heard, self.token, self.ids = MemoryStates(), Pins(), [], b"", [0]
        self.start()
        self.handle = self.gatekeeper.enroll(EnrollPin(user=USER, desired=b"1234")).handle
        self.model.pin_since = self.clock.boot_ms()

    def start(self) -> None:
        enrolled = self.hal.templates.enrolled if hasattr(self, "hal") else {}
        self.gatekeeper = Gatekeeper(
            records=self.pins, clock=self.clock, rng=self.rng, salts=self.rng, password_key=b"p" * 32,
            make_token=self.made,
            stretch=lambda pin, salt: (salt + pin).ljust(32, b"\0"),
        )  # fmt: skip
        knobs = SensorProperties(
            {"operation_authenticate_latency": "0", "operation_enroll_latency": "0", "max_enrollments": "4"}
        )
        self.hal = VirtualHal(
            Modality.FINGERPRINT, knobs, clock=self.clock, rng=self.rng, token_key=KEY, states=self.states
        )
        self.hal.templates.enrolled.update(enrolled)
        self.session = self.hal.create_session(USER, self.heard.append)
        self.model.challenges.clear()

    def made(self, user: bytes, challenge: int) -> bytes:
        owner = FailureRecord.from_bytes(self.pins.load(user).failure).secure_user_id
        return AuthToken.sign(
            KEY, challenge=challenge, user_id=owner, authenticator_id=0, authenticator_type=1,
            timestamp_ms=self.clock.boot_ms(),
        ).to_bytes()  # fmt: skip

    def run(self, call) -> object:
        ContractMachine.steps += 1
        self.heard.clear()
        call()
        self.session.calls.pump()
        return self.heard[-1] if self.heard else None

    @rule(finger=st.integers(0, 5), times=st.integers(1, 6), good=st.booleans())
    def authenticate(self, finger: int, times: int, good: bool) -> None:
        for _ in range(times):
            self.hal.knobs.set("enrollment_hit", str(finger))
            self.hal.knobs.set("operation_authenticate_duration", "0")
            self.run(lambda: self.session.calls.authenticate(self.clock.boot_ms()))
            now = self.clock.boot_ms()
            if self.heard:
                assert self.model.locked(now)
                self.session.calls.cancel()
                continue
            if good:
                self.session.pointer_down()
                expected = self.model.attempt(finger, now)
                said = [type(c).__name__ for c in self.heard if not isinstance(c, cb.Acquired)]
                assert said[0] == {"match": "AuthenticationSucceeded", "no match": "AuthenticationFailed"}[expected]
                if expected == "match":
                    token = self.heard[-1].token.verify(KEY)
                    assert (token.challenge, token.timestamp_ms) == (now, now)
            self.session.calls.cancel()

    @rule(right=st.booleans(), times=st.integers(1, 6), live=st.booleans())
    def pin(self, right: bool, times: int, live: bool) -> None:
        for _ in range(times):
            ContractMachine.steps += 1
            challenge = max(self.model.challenges, default=0) if live else 99
            pin = b"1234" if right else b"0000"
            request = VerifyPin(user=USER, challenge=challenge, handle=self.handle, pin=pin)
            answer = self.gatekeeper.verify(request)
            expected = self.model.pin(right, self.clock.boot_ms())
            assert answer.status.name == {"wait": "RETRY_TIMEOUT", "right": "OK", "wrong": "GENERAL_FAILURE"}[expected]
            self.token = answer.token or self.token

    @rule()
    def generate_challenge(self) -> None:
        said = self.run(self.session.calls.generate_challenge)
        assert said.challenge not in self.model.challenges
        self.model.challenges[said.challenge] = self.clock.boot_ms()

    @rule(which=st.integers(0, 3))
    def revoke_challenge(self, which: int) -> None:
        known = [*self.model.challenges, 5][: which + 1][-1]
        assert self.run(lambda: self.session.calls.revoke_challenge(known)) == cb.ChallengeRevoked(known)
        self.model.challenges.pop(known, None)

    @rule(finger=st.integers(1, 5))
    def enroll(self, finger: int) -> None:
        now = self.clock.boot_ms()
        self.hal.knobs.set("next_enrollment", f"{finger}:0,0:true")
        said = self.run(lambda: self.session.enroll(self.token))
        allowed = bool(self.token) and self.model.live(AuthToken.from_bytes(self.token).challenge, now)
        if not allowed or len(self.model.enrolled) >= 4 or finger in self.model.enrolled:
            space = "NO_SPACE" if allowed and len(self.model.enrolled) >= 4 else "UNABLE_TO_PROCESS"
            assert said.error.name == space
            return
        self.session.pointer_down()
        assert self.heard[-1] == cb.EnrollmentProgress(finger, 0)
        self.model.enrolled.add(finger)
        self.model.changes += 1

    @rule(fingers=st.sets(st.integers(1, 5), max_size=2))
    def remove(self, fingers: set[int]) -> None:
        said = self.run(lambda: self.session.calls.remove_enrollments(tuple(fingers)))
        assert set(said.ids) == fingers & self.model.enrolled
        self.model.enrolled -= fingers

    @rule()
    def reset_lockout(self) -> None:
        said = self.run(lambda: self.session.calls.reset_lockout(self.token))
        now = self.clock.boot_ms()
        stamp = AuthToken.from_bytes(self.token).timestamp_ms if self.token else now + 1
        if self.model.changes and 0 <= now - stamp <= 600_000:
            assert said == cb.LockoutCleared()
            self.model.fails, self.model.locked_since, self.model.permanent = 0, None, False
        else:
            assert said.error.name == "UNABLE_TO_PROCESS"

    @rule(ms=st.sampled_from([1, 100, 15_000, 29_999, 30_000, 60_000, 300_000, 600_000]))
    def wait(self, ms: int) -> None:
        ContractMachine.steps += 1
        self.clock.advance(ms)

    @rule(kind=st.sampled_from(["crash", "reboot"]))
    def restart(self, kind: str) -> None:
        ContractMachine.steps += 1
        if kind == "reboot":
            self.clock = FakeClock(boot_ms=1_000)
        self.start()

    @invariant()
    def everything_agrees(self) -> None:
        if not hasattr(self, "model"):
            return
        now = self.clock.boot_ms()
        status = self.hal.authority.lock_status(0, USER)
        locked = self.model.locked(now)
        assert (status.lock.value > 0) is locked
        if locked and not self.model.permanent:
            assert status.remaining_ms == self.model.locked_since + 30_000 - now
        assert self.states.load(0, USER).lockout.failed_attempts == self.model.fails
        assert set(self.hal.templates.ids(USER)) == self.model.enrolled
        current = self.hal.authority.authenticator_id(0, USER, enrollments=len(self.model.enrolled))
        assert bool(current) is bool(self.model.enrolled)
        if current and current != self.ids[-1]:
            self.ids.append(current)
        assert len(self.ids) - 1 == len(set(self.ids) - {0}) <= self.model.changes


def test_the_product_never_differs_from_the_model() -> None:
    ContractMachine.steps = 0
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        ContractMachine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS_PER_RUN,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert ContractMachine.steps >= 10_000
