"""The way to the secure world, with what a scenario does to messages, commands and the clock in between."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bioguard.device.command_names import COMMANDS
from bioguard.errors import InputRefused, NotPermitted
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.faults.slow_disk import SlowDisk
from tee_sim.normal import events
from tee_sim.normal.client import Transport
from tee_sim.normal.machine.options import PowerCut
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import INVOKE_TIMEOUT_MS
from tee_sim.shared.wire import AdvanceClock, Invoke, Message, OpenSession, Return

_CLEAR_STEP = "run: bioguard fault clear clock_step_ms"


def step_needs_stepped_clock() -> NotPermitted:
    """The refusal of the knob `clock_step_ms` on a device that lives in the host's time."""
    return NotPermitted(
        "clock_step_ms needs a stepped clock, this device runs on the host's", hint=_CLEAR_STEP, code="fault.clock"
    )


@dataclass(slots=True)
class MessageFaults:
    """What has been done to messages, over all starts of a run.

    Attributes:
        passed: messages so far.
        fired: knobs that have done something.
    """

    passed: int = 0
    fired: set[str] = field(default_factory=set)


@dataclass(slots=True)
class FaultyTransport:
    """One start's transport.

    Args:
        stepped: told that the step of the clock was taken.
        sleep: passes time, in seconds, where the clock is the host's.
    """

    inner: Transport
    scenario: Scenario
    done: MessageFaults
    disk: SlowDisk
    stepped: Callable[[], None]
    sleep: Callable[[float], None]
    applications: dict[int, bytes] = field(default_factory=dict)

    def exchange(self, message: Message, *, timeout_ms: int = INVOKE_TIMEOUT_MS) -> Return:
        """The answer, unless something is done to it on the way."""
        knobs = self.scenario.knobs
        if isinstance(message, Invoke) and knobs.number("clock_step_ms"):
            self._step_clock(knobs.number("clock_step_ms"), timeout_ms)
        kind = knobs.text("pipe") if self.done.passed >= knobs.number("pipe_after") else "none"
        self.done.passed += 1
        panics = isinstance(message, Invoke) and self._is_meant(message)
        if kind == "cut" or panics:
            self._fire("ta_panic" if panics else "pipe", "cut")
            self.inner.kill()
        elif kind != "none" and isinstance(message, Invoke):
            self._fire("pipe", kind)
            message = _tampered(message, kind)
        answer = self._answer(message, timeout_ms)
        if isinstance(message, OpenSession) and answer.result is TeeResult.SUCCESS:
            self.applications[answer.session] = message.uuid
        self._take_time(timeout_ms)
        return answer

    def _answer(self, message: Message, timeout_ms: int) -> Return:
        try:
            return self.inner.exchange(message, timeout_ms=timeout_ms)
        except PowerCut as cut:
            self.inner.kill()
            raise TeeError(TeeResult.TARGET_DEAD, f"the power was cut {cut.where}", origin=Origin.COMMS) from None

    def _fire(self, knob: str, what: str) -> None:
        self.done.fired.add(knob)
        events.fault(knob, what, self.done.passed)

    def _is_meant(self, message: Invoke) -> bool:
        meant = COMMANDS.get(self.scenario.knobs.text("ta_panic"))
        if meant is None:
            return False
        application, number = meant
        return (self.applications.get(message.session), message.command) == (application.bytes, number)

    def _take_time(self, timeout_ms: int) -> None:
        """Let the time pass that the disk took; on a stepped clock without what the step itself writes."""
        owed_ms = self.disk.settled_ms()
        if not owed_ms:
            return
        if self._advance(owed_ms, timeout_ms).result is TeeResult.ACCESS_DENIED:
            self.sleep(owed_ms / 1000)
        self.disk.settled_ms()

    def _advance(self, ms: int, timeout_ms: int) -> Return:
        return self.inner.exchange(AdvanceClock(ms=ms), timeout_ms=timeout_ms)

    def _step_clock(self, step_ms: int, timeout_ms: int) -> None:
        answer = self._advance(step_ms, timeout_ms)
        if answer.result is TeeResult.ACCESS_DENIED:
            raise step_needs_stepped_clock()
        if answer.result is TeeResult.BAD_PARAMETERS:
            raise InputRefused("clock_step_ms goes past the year 10000", hint=_CLEAR_STEP, code="fault.clock")
        if answer.result is not TeeResult.SUCCESS:
            raise TeeError(answer.result, "the scripted step of the clock was refused", origin=answer.origin)
        self.done.fired.add("clock_step_ms")
        self.stepped()

    def kill(self) -> int | None:
        """Kill the secure world."""
        return self.inner.kill()


def _tampered(message: Invoke, kind: str) -> Invoke:
    first = message.params[0]
    half = len(first.buffer) // 2
    data = first.buffer[:half] if kind == "truncate" else bytes(b ^ 0xA5 for b in first.buffer)
    return replace(message, params=(replace(first, buffer=data, size_bytes=len(data)), *message.params[1:]))
