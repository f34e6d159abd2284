"""A scenario on a device: what the scripted sensor does to samples, and what happens to messages on their way in.

The disk's faults are played by `tee_sim.testing.faults` inside the supplicant; `DeviceFaults.disk` hands them over.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bioguard.errors import InputRefused, NotPermitted, TeeUnavailable
from bioguard.hal.aidl_codes import ErrorCode, FaceAcquired, FingerprintAcquired
from bioguard.hal.callbacks import OperationError
from bioguard.records import FaceEmbedding, Features
from bioguard.records.modality import Modality
from bioguard.simulate.faults.presentation import Presentation, SensorScript, Who, forced_error
from bioguard.simulate.faults.sample_substitution import impostor_sample, noisy_sample
from bioguard.simulate.faults.scenario import Scenario
from tee_sim.normal import events
from tee_sim.normal.client import Transport
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.limits import INVOKE_TIMEOUT_MS
from tee_sim.shared.rng import SeededRng
from tee_sim.shared.wire import AdvanceClock, Invoke, Message, Return
from tee_sim.testing.faults import FaultPlan, HostileDisk


def _kind(sample: Features) -> Modality:
    return Modality.FACE if isinstance(sample, FaceEmbedding) else Modality.FINGERPRINT


class DeviceFaults:
    """The scenario saved with a device.

    Args:
        sleep: carries out latencies that were set; the virtual HAL's default of 400 ms is not played here.
    """

    def __init__(self, directory: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._directory = directory
        self._scenario = Scenario.load(directory)
        self._sleep = sleep

    @property
    def active(self) -> bool:
        """Whether any knob is set."""
        return bool(self._scenario.knobs.changed())

    def disk(self) -> HostileDisk | None:
        """What the disk does, if anything."""
        text = self._scenario.knobs.text("storage")
        return HostileDisk(FaultPlan.parse(text, seed=self._scenario.seed)) if text else None

    def present(self, operation: str, sample: Features) -> Features:
        """The sample as the scripted sensor delivers it.

        Raises:
            InputRefused: the capture is too poor to be used; nothing was compared or counted.
            NotPermitted: a scripted lockout.
            TeeUnavailable: the sensor reports an error.
        """
        if not self.active:
            return sample
        knobs, kind = self._scenario.knobs, _kind(sample)
        rng = SeededRng(
            b"bioguard capture" + self._scenario.seed.to_bytes(8, "big") + self._scenario.played.to_bytes(8, "big")
        )
        script = SensorScript(kind, knobs, rng, captures=self._scenario.played)
        shown = self._enrolling(script, kind) if operation == "enroll" else script.present(operation)
        self._scenario.played += 1
        self._scenario.save(self._directory)
        if f"operation_{operation}_latency" in knobs.changed():
            self._sleep(shown.delay_ms / 1000)
        if operation == "authenticate" and knobs.flag("lockout"):
            raise NotPermitted(
                "the scripted sensor is locked", hint="run: bioguard fault clear lockout", code="lockout.permanent"
            )
        if shown.error is not None:
            raise _sensor_error(shown.error)
        if not shown.comparable:
            raise _poor(kind, shown)
        random = np.random.default_rng(np.frombuffer(rng.bytes(16), "<u8"))
        if shown.who is Who.SOMEBODY_ELSE:
            return impostor_sample(sample, random)
        return noisy_sample(sample, knobs.rate("sensor_noise"), random)

    def _enrolling(self, script: SensorScript, kind: Modality) -> Presentation:
        knobs = self._scenario.knobs
        error = forced_error(knobs.number("operation_enroll_error"))
        if error is None and knobs.flag("operation_enroll_fails"):
            error = OperationError(ErrorCode.UNABLE_TO_PROCESS)
        return replace(script.present("detect_interaction"), error=error, delay_ms=script.delay_ms("enroll"))

    def transport(self, inner: Transport) -> Transport:
        """The way to the secure world, with its faults in between."""
        return _FaultyTransport(inner, self._scenario, self._stepped) if self.active else inner

    def _stepped(self) -> None:
        """The step of the clock was taken: it is not taken again."""
        self._scenario.knobs.clear("clock_step_ms")
        self._scenario.save(self._directory)


_CLEAR_STEP = "run: bioguard fault clear clock_step_ms"


def step_needs_stepped_clock() -> NotPermitted:
    """The refusal of the knob `clock_step_ms` on a device that lives in the host's time."""
    return NotPermitted(
        "clock_step_ms needs a stepped clock, this device runs on the host's", hint=_CLEAR_STEP, code="fault.clock"
    )


def _sensor_error(error: OperationError) -> TeeUnavailable:
    vendor = f" {error.vendor_code}" if error.vendor_code else ""
    return TeeUnavailable(
        f"the sensor reports {error.error.name}{vendor}",
        hint="a scripted fault; run: bioguard fault list",
        code=f"sensor.{error.error.name.lower()}",
    )


def _poor(kind: Modality, shown: Presentation) -> InputRefused:
    info = shown.acquired[-1][0]
    name = (FingerprintAcquired(info) if kind is Modality.FINGERPRINT else FaceAcquired(info)).name
    return InputRefused(f"the capture is not good enough: {name}", hint="capture again", code=f"capture.{name.lower()}")


@dataclass(slots=True)
class _FaultyTransport:
    inner: Transport
    scenario: Scenario
    stepped: Callable[[], None]
    passed: int = 0

    def exchange(self, message: Message, *, timeout_ms: int = INVOKE_TIMEOUT_MS) -> Return:
        knobs = self.scenario.knobs
        if isinstance(message, Invoke) and knobs.number("clock_step_ms"):
            self._step_clock(knobs.number("clock_step_ms"), timeout_ms)
        kind = knobs.text("pipe") if self.passed >= knobs.number("pipe_after") else "none"
        self.passed += 1
        panics = isinstance(message, Invoke) and message.command == knobs.number("ta_panic") != 0
        if kind == "cut" or panics:
            events.fault("ta_panic" if panics else "pipe", "cut", self.passed)
            self.inner.kill()
        elif kind != "none" and isinstance(message, Invoke):
            events.fault("pipe", kind, self.passed)
            message = _tampered(message, kind)
        return self.inner.exchange(message, timeout_ms=timeout_ms)

    def _step_clock(self, step_ms: int, timeout_ms: int) -> None:
        answer = self.inner.exchange(AdvanceClock(ms=step_ms), timeout_ms=timeout_ms)
        if answer.result is TeeResult.ACCESS_DENIED:
            raise step_needs_stepped_clock()
        if answer.result is TeeResult.BAD_PARAMETERS:
            raise InputRefused("clock_step_ms goes past the year 10000", hint=_CLEAR_STEP, code="fault.clock")
        if answer.result is not TeeResult.SUCCESS:
            raise TeeError(answer.result, "the scripted step of the clock was refused", origin=answer.origin)
        self.stepped()

    def kill(self) -> int | None:
        return self.inner.kill()


def _tampered(message: Invoke, kind: str) -> Invoke:
    first = message.params[0]
    half = len(first.buffer) // 2
    data = first.buffer[:half] if kind == "truncate" else bytes(b ^ 0xA5 for b in first.buffer)
    return replace(message, params=(replace(first, buffer=data, size_bytes=len(data)), *message.params[1:]))
