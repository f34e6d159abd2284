"""The knobs of a device in front of its sessions: samples are real, so somebody else's is made of the one presented."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from bioguard.errors import InputRefused
from bioguard.hal.backend import SensorFacts
from bioguard.hal.device_backend import DeviceSample
from bioguard.hal.scripting import SensorScript as SessionScript
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.simulate.faults.presentation import SensorScript, Who
from bioguard.simulate.faults.sample_substitution import impostor_sample, noisy_sample
from bioguard.simulate.faults.scripted_sensor import ScriptedSensor
from bioguard.simulate.knobs.grammar import NextEnrollment
from bioguard.simulate.knobs.properties import SensorProperties
from tee_sim.shared.rng import Rng


class SessionFaults(Protocol):
    """What sessions need of the scenario of a running device (`bioguard.simulate.faults.live.LiveFaults`)."""

    @property
    def knobs(self) -> SensorProperties: ...
    def next_capture(self) -> tuple[int, Rng]:
        """Count a capture: how many there were before, and what is random in it."""
        ...

    def forget(self, knob: str) -> None: ...
    def capture_ms(self, sensor_id: int) -> int: ...
    def match_ms(self, sensor_id: int) -> int: ...


class PlayedSamples:
    """`bioguard.simulate.faults.scripted_sensor.Played` of one sensor of a device."""

    plays_whole_enrollments = False

    def __init__(self, faults: SessionFaults, facts: SensorFacts) -> None:
        self._faults = faults
        self._facts = facts
        self._rng: Rng | None = None

    @property
    def knobs(self) -> SensorProperties:
        return self._faults.knobs

    def next(self) -> SensorScript:
        number, self._rng = self._faults.next_capture()
        return SensorScript(self._facts.kind, self.knobs, self._rng, captures=number, default_times=False)

    def enrollment(self) -> NextEnrollment | None:
        return None

    def codes(self) -> tuple[int, ...] | None:
        return None

    def nobody(self) -> bool:
        return False

    def delivered(self, sample: object | None, who: Who, script: SensorScript) -> object | None:
        noise = self.knobs.rate("sensor_noise")
        if (who is Who.GENUINE and noise == 0) or not isinstance(sample, DeviceSample) or self._rng is None:
            return sample
        if not isinstance(sample.sample, FaceEmbedding | FingerprintTemplate):
            raise InputRefused(
                "what the device's own sensor has captured cannot be disturbed",
                hint="clear sensor_noise, wrong_finger, spoof_score and operation_authenticate_fails",
                code="fault.capture",
            )
        random = np.random.default_rng(np.frombuffer(self._rng.bytes(16), "<u8"))
        if who is Who.SOMEBODY_ELSE:
            return DeviceSample(impostor_sample(sample.sample, random), sample.model)
        return DeviceSample(noisy_sample(sample.sample, noise, random), sample.model)

    def forget(self, knob: str) -> None:
        self._faults.forget(knob)

    def capture_ms(self) -> int:
        return self._faults.capture_ms(self._facts.sensor_id)

    def match_ms(self) -> int:
        return self._faults.match_ms(self._facts.sensor_id)


def session_script(faults: SessionFaults) -> Callable[[SensorFacts], SessionScript]:
    """What `bioguard.hal.service.HalService` takes as `script`."""
    return lambda facts: ScriptedSensor(facts.kind, PlayedSamples(faults, facts))
