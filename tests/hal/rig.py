"""A session over a backend that answers what a test says."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bioguard.hal.backend import Matched, Outcome
from bioguard.hal.callbacks import Callback
from bioguard.hal.hal import HalSession, SessionHost
from bioguard.hal.scripting import SensorScript
from bioguard.records.acquired import AcquiredCode
from bioguard.records.locks import Lock, LockStatus
from bioguard.records.modality import Modality


@dataclass
class Facts:
    """`SensorFacts`."""

    kind: Modality = Modality.FINGERPRINT
    sensor_id: int = 0
    detect_interaction: bool = True
    under_display: bool = False
    handles_display_touches: bool = False
    controls_illumination: bool = False


@dataclass
class FakeBackend:
    """`SensorBackend`: what was asked, and answers to be set. An exception in `raises` is raised by that method."""

    facts: Facts = field(default_factory=Facts)
    ids: tuple[int, ...] = (5,)
    outcome: Outcome = field(default_factory=lambda: Matched(5))
    lock: LockStatus = field(default_factory=lambda: LockStatus(Lock.NONE))
    judged: AcquiredCode = AcquiredCode.GOOD
    set_features: set[int] = field(default_factory=set)
    raises: dict[str, Exception] = field(default_factory=dict)
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def _ask(self, name: str, *arguments: object) -> None:
        self.asked.append((name, *arguments))
        if name in self.raises:
            raise self.raises[name]

    def enrollment_ids(self) -> tuple[int, ...]:
        self._ask("enrollment_ids")
        return self.ids

    def generate_challenge(self) -> int:
        self._ask("generate_challenge")
        return 99

    def revoke_challenge(self, challenge: int) -> None:
        self._ask("revoke_challenge", challenge)

    def prepare_enrollment(self, token: bytes) -> int:
        self._ask("prepare_enrollment", token)
        return 0

    def see(self, presented: object) -> object:
        return presented

    def judge(self, earlier: tuple[object, ...], sample: object) -> AcquiredCode:
        self._ask("judge", earlier, sample)
        return self.judged

    def enroll(self, token: bytes, samples: tuple[object, ...], position: int) -> int:
        self._ask("enroll", token, samples, position)
        return 6

    def authenticate(self, sample: object, operation_id: int) -> Outcome:
        self._ask("authenticate", sample, operation_id)
        return self.outcome

    def lock_status(self) -> LockStatus:
        self._ask("lock_status")
        return self.lock

    def reset_lockout(self, token: bytes) -> None:
        self._ask("reset_lockout", token)

    def authenticator_id(self) -> int:
        self._ask("authenticator_id")
        return 7

    def invalidate(self) -> int:
        self._ask("invalidate")
        return 8

    def remove(self, ids: tuple[int, ...]) -> tuple[int, ...]:
        self._ask("remove", ids)
        return tuple(one for one in ids if one in self.ids)

    def features(self) -> frozenset[int]:
        self._ask("features")
        return frozenset(self.set_features)

    def set_feature(self, token: bytes, feature: int, enabled: bool) -> None:
        self._ask("set_feature", token, feature, enabled)


@dataclass
class Rig:
    """One HAL, its session, and what was heard."""

    backend: FakeBackend
    session: HalSession
    heard: list[Callback]
    passed_ms: list[int]

    def run(self, call: Callable[[], object]) -> list[Callback]:
        """What one call brings."""
        self.heard.clear()
        call()
        self.session.pump()
        return list(self.heard)


def rig(facts: Facts | None = None, script: SensorScript | None = None) -> Rig:
    """A new HAL with an open session."""
    backend, heard, passed = FakeBackend(facts or Facts()), list[Callback](), list[int]()
    session = SessionHost().create_session(backend, heard.append, script=script, pass_ms=passed.append)
    return Rig(backend, session, heard, passed)
