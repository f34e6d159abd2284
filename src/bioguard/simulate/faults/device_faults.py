"""A scenario on a device: what the scripted sensor does to samples, and what happens to messages on their way in.

The disk's faults are played by `tee_sim.testing.faults` inside the supplicant; `DeviceFaults.disk` hands them over.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from bioguard.errors import InputRefused, NotPermitted, TeeUnavailable
from bioguard.hal.aidl_codes import ErrorCode, FaceAcquired, FingerprintAcquired
from bioguard.hal.callbacks import OperationError
from bioguard.records import FaceEmbedding, Features
from bioguard.records.modality import Modality
from bioguard.simulate.faults.faulty_transport import FaultyTransport, MessageFaults
from bioguard.simulate.faults.presentation import Presentation, SensorScript, Who, forced_error
from bioguard.simulate.faults.sample_substitution import impostor_sample, noisy_sample
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.faults.slow_disk import SlowDisk
from bioguard.simulate.knobs.properties import SensorProperties
from bioguard.simulate.scenario.latency import LatencyModel
from tee_sim.normal.client import Transport
from tee_sim.shared.rng import Rng, SeededRng
from tee_sim.testing.faults import FaultPlan, HostileDisk

_HARMFUL = ("storage", "pipe", "ta_panic", "clock_step_ms")
"""Knobs whose work can look like damage from outside."""


def _kind(sample: Features) -> Modality:
    return Modality.FACE if isinstance(sample, FaceEmbedding) else Modality.FINGERPRINT


class DeviceFaults:
    """The scenario saved with a device.

    Args:
        sleep: carries out latencies that were set; the virtual HAL's default of 400 ms is not played here.
        die: what a power cut of the disk's plan does; None: it ends this process, with status 70.
    """

    def __init__(
        self,
        directory: Path,
        *,
        sleep: Callable[[float], None] = time.sleep,
        die: Callable[[str], None] | None = None,
    ) -> None:
        self._directory = directory
        self._sleep = sleep
        self._die = die
        self.scenario = Scenario.load(directory)
        self._messages = MessageFaults()
        self._random = self._latency_rng()
        self._disk = SlowDisk(self._plan(), self._latencies, self._draw)

    @property
    def knobs(self) -> SensorProperties:
        """The knobs that are in force."""
        return self.scenario.knobs

    def next_capture(self) -> tuple[int, Rng]:
        """Count a capture: how many there were before, and what is random in it."""
        seed, before = self.scenario.seed, self.scenario.played
        self.scenario.played += 1
        if self.active:
            self.save()
        return before, SeededRng(b"bioguard capture" + seed.to_bytes(8, "big") + before.to_bytes(8, "big"))

    def forget(self, knob: str) -> None:
        """Put a knob back that was played to its end."""
        if knob in self.knobs.changed():
            self.knobs.clear(knob)
            self.save()

    def capture_ms(self, sensor_id: int) -> int:
        """How long a capture takes, drawn anew."""
        return self.scenario.latencies.of(sensor_id).capture.draw(self._draw())

    def match_ms(self, sensor_id: int) -> int:
        """How long a comparison takes, drawn anew."""
        return self.scenario.latencies.of(sensor_id).match.draw(self._draw())

    def save(self) -> None:
        """Keep the scenario as it stands with the device."""
        self.scenario.save(self._directory)

    def _plan(self) -> FaultPlan:
        plan = FaultPlan.parse(self.knobs.text("storage"), seed=self.scenario.seed)
        if self._die is not None:
            die = self._die
            plan.die = lambda: die(f"at {plan.fired[-1].point} {plan.passed[plan.fired[-1].point]}")
        return plan

    def _latency_rng(self) -> Rng:
        return SeededRng(b"bioguard latency" + self.scenario.seed.to_bytes(8, "big"))

    def _draw(self) -> int:
        return int.from_bytes(self._random.bytes(8), "little")

    def _latencies(self) -> LatencyModel:
        return self.scenario.latencies

    @property
    def active(self) -> bool:
        """Whether any knob is set."""
        return bool(self.knobs.changed())

    def harmful(self) -> bool:
        """Whether disk, pipe or clock are made to go wrong, or were in this run."""
        changed = self.knobs.changed()
        fired = bool(self._messages.fired or self._disk.plan.fired)
        return fired or any(name in changed for name in _HARMFUL)

    def unfired(self) -> tuple[str, ...]:
        """Rules of the disk, the pipe and commands that have changed nothing in this run."""
        changed = self.knobs.changed()
        silent = [f"storage rule {rule}" for rule in self._disk.plan.unfired()]
        for name in ("pipe", "ta_panic"):
            if name in changed and name not in self._messages.fired:
                silent.append(f"{name}={changed[name]} met no message that it is meant for")
        return tuple(silent)

    def disk(self) -> HostileDisk | None:
        """What the disk does, if anything."""
        idle = not self._disk.plan.rules and self._latencies() == LatencyModel()
        return None if idle else self._disk

    def present(self, operation: str, sample: Features) -> Features:
        """The sample as the scripted sensor delivers it.

        Raises:
            InputRefused: the capture is too poor to be used; nothing was compared or counted.
            NotPermitted: a scripted lockout.
            TeeUnavailable: the sensor reports an error.
        """
        if not self.active:
            return sample
        knobs, kind = self.knobs, _kind(sample)
        before, rng = self.next_capture()
        script = SensorScript(kind, knobs, rng, captures=before)
        shown = self._enrolling(script) if operation == "enroll" else script.present(operation)
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

    def _enrolling(self, script: SensorScript) -> Presentation:
        knobs = self.knobs
        error = forced_error(knobs.number("operation_enroll_error"))
        if error is None and knobs.flag("operation_enroll_fails"):
            error = OperationError(ErrorCode.UNABLE_TO_PROCESS)
        return replace(script.present("detect_interaction"), error=error, delay_ms=script.delay_ms("enroll"))

    def transport(self, inner: Transport) -> Transport:
        """The way to the secure world, with its faults in between."""
        if not self.active and self.disk() is None:
            return inner
        return FaultyTransport(inner, self.scenario, self._messages, self._disk, self._stepped, self._sleep)

    def _stepped(self) -> None:
        """The step of the clock was taken: it is not taken again."""
        self.forget("clock_step_ms")


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
