"""How long what a simulator does at once takes on a device: a capture, a comparison, a request to disk or RPMB.

A value is drawn from a range by the scenario's seed. On a stepped clock it moves the clock, on the host's it is waited
for.
"""

from bioguard.simulate.knobs.grammar import Latency
from tee_sim.shared.dataclass import dataclass

AT_ONCE = Latency(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorLatency:
    """Of one sensor. capture: from what is presented to its sample; match: of one comparison with what is enrolled."""

    capture: Latency = AT_ONCE
    match: Latency = AT_ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyModel:
    """Of a device. sensors: by id; storage: of a request to the untrusted disk; rpmb: of one to the RPMB."""

    sensors: tuple[SensorLatency, ...] = ()
    storage: Latency = AT_ONCE
    rpmb: Latency = AT_ONCE

    @property
    def takes_time(self) -> bool:
        """Whether anything takes any."""
        return (self.storage, self.rpmb) != (AT_ONCE, AT_ONCE) or any(s != SensorLatency() for s in self.sensors)

    def of(self, sensor_id: int) -> SensorLatency:
        """Of a sensor; one that the scenario does not name takes no time."""
        return self.sensors[sensor_id] if sensor_id < len(self.sensors) else SensorLatency()
