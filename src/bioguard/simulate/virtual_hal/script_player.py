"""Run a script on a virtual HAL and record every callback: how sensor properties behave, without a device.

A script is a list of steps:

    challenge               generate a challenge
    enroll                  enroll with a token for the last challenge
    authenticate[=ID]       authenticate for an operation id
    detect                  detect interaction
    touch, look             a finger touches, a face looks
    ready                   the display is ready (under-display sensors)
    cancel, enumerate, authenticator-id, invalidate
    remove=ID[,ID...]
    reset-lockout           with a fresh PIN token
    wait=MS                 let time pass
    knob:NAME=VALUE         turn a knob: before the first other step any, later one that is read each time
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from itertools import takewhile

from bioguard.errors import InputRefused
from bioguard.hal import callbacks as cb
from bioguard.hal.callbacks import Callback
from bioguard.records.modality import Modality
from bioguard.records.tokens import AuthenticatorType, AuthToken
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.knobs.grammar import int_sequence
from bioguard.simulate.knobs.properties import SensorProperties, knob
from bioguard.simulate.knobs.table import KNOBS, Knob
from bioguard.simulate.knobs.use import require_codes, require_in_time, require_on_sensor
from bioguard.simulate.virtual_hal.virtual_hal import VirtualHal
from tee_sim.shared.clock import FakeClock
from tee_sim.shared.rng import SeededRng

PLAYER = b"player".ljust(16, b"\0")
SECURE_USER_ID = 0x5349_4D55_4C41_5445
"""ASCII "SIMULATE": the script's user has no real PIN, its tokens are signed with the script's own key."""


@dataclass(frozen=True, slots=True)
class RecordedCallback:
    """One callback: when (milliseconds since the script began), its name and its fields without any MAC."""

    at_ms: int
    name: str
    fields: dict[str, object]


@dataclass(frozen=True, slots=True)
class PlayedScript:
    """What came of a script. unused: what was set and has changed nothing, a sentence each."""

    callbacks: list[RecordedCallback]
    unused: tuple[str, ...]


@dataclass(slots=True)
class _ScriptRun:
    hal: VirtualHal
    key: bytes
    clock: FakeClock
    began_ms: int
    callbacks: list[RecordedCallback] = field(default_factory=list)
    challenge: int = 0

    def record(self, callback: Callback) -> None:
        """Keep a callback."""
        if isinstance(callback, cb.ChallengeGenerated):
            self.challenge = callback.challenge
        plain = {f.name: _plain(getattr(callback, f.name)) for f in fields(callback)}
        self.callbacks.append(RecordedCallback(self.clock.boot_ms() - self.began_ms, type(callback).__name__, plain))

    def token(self) -> bytes:
        """A PIN token for the last challenge."""
        return AuthToken.sign(
            self.key,
            challenge=self.challenge,
            user_id=SECURE_USER_ID,
            authenticator_id=0,
            authenticator_type=AuthenticatorType.PASSWORD,
            timestamp_ms=self.clock.boot_ms(),
        ).to_bytes()


def _plain(value: object) -> object:
    if isinstance(value, AuthToken):
        return {f.name: getattr(value, f.name) for f in fields(value) if f.name != "mac"}
    return getattr(value, "name", str(value) if not isinstance(value, int | float | str | tuple | None) else value)


def _number(text: str, what: str, default: int | None = None) -> int:
    values = int_sequence(text) if text else ()
    if len(values) == 1:
        return values[0]
    if not text and default is not None:
        return default
    raise InputRefused(f"{what} needs a number", hint=f"for instance {what}=1", code="fault.story")


def run_script(kind: Modality, scenario: Scenario, steps: Sequence[str]) -> PlayedScript:
    """Run a script on a new virtual HAL. The same scenario and steps give the same callbacks.

    Raises:
        InputRefused: a step that is not in the language, or a knob that is not read any more.
        NotPermitted: an operation the session does not allow now.
    """
    knobs = scenario.knobs
    leading = list(takewhile(_is_knob, steps))
    for step in leading:
        _turn(knobs, kind, step)
    for name, value in knobs.changed().items():
        require_codes(KNOBS[name], value, kind)
    rng = SeededRng(b"bioguard story" + scenario.seed.to_bytes(8, "big"))
    clock, key = FakeClock(), rng.bytes(32)
    hal = VirtualHal(kind, knobs, clock=clock, rng=rng, token_key=key)
    run = _ScriptRun(hal, key, clock, clock.boot_ms())
    session = hal.create_session(PLAYER, run.record, secure_user_id=SECURE_USER_ID)
    calls = session.calls
    verbs: dict[str, Callable[[str], object]] = {
        "challenge": lambda _: session.generate_challenge(),
        "enroll": lambda _: session.enroll(run.token()),
        "authenticate": lambda a: calls.authenticate(_number(a, "authenticate", 0)),
        "detect": lambda _: calls.detect_interaction(),
        "touch": lambda _: session.pointer_down(),
        "look": lambda _: session.pointer_down(),
        "ready": lambda _: session.ui_ready(),
        "cancel": lambda _: calls.cancel(),
        "enumerate": lambda _: calls.enumerate_enrollments(),
        "authenticator-id": lambda _: calls.get_authenticator_id(),
        "invalidate": lambda _: calls.invalidate_authenticator_id(),
        "remove": lambda a: calls.remove_enrollments(int_sequence(a)),
        "reset-lockout": lambda _: calls.reset_lockout(run.token()),
        "wait": lambda a: clock.advance(_number(a, "wait")),
    }
    for step in steps[len(leading) :]:
        verb, _, argument = step.partition("=")
        if _is_knob(step):
            require_in_time(_turn(knobs, kind, step))
        elif verb in verbs:
            verbs[verb](argument)
            calls.pump()
            session.tick()
        else:
            raise InputRefused(
                f"{step[:40]!r} is not a step of a script",
                hint=f"one of {', '.join(verbs)}, knob:NAME=VALUE",
                code="fault.story",
            )
    return PlayedScript(run.callbacks, knobs.unused(knobs.captures))


def _is_knob(step: str) -> bool:
    return step.startswith("knob:")


def _turn(knobs: SensorProperties, kind: Modality, step: str) -> Knob:
    """Set the knob of a word; return it."""
    name, _, value = step.removeprefix("knob:").partition("=")
    entry = knob(name)
    require_on_sensor(entry, kind)
    knobs.set(name, value)
    require_codes(entry, knobs.changed().get(entry.name, entry.default), kind)
    return entry
