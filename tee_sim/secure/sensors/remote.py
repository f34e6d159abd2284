"""The core's side of a sensor's processes: one that reads, and its spares, each behind a private pipe."""

import time
from collections.abc import Callable, Sequence
from typing import Final, cast

from tee_sim.secure.hosts.messages import Read, Sampled, SensorLocked, pack, unpack
from tee_sim.secure.hosts.pipes import HostGoneError, HostPipe
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.sensor_api import FAULT, Reading
from tee_sim.shared.sensor_manifest import SensorManifest
from tee_sim.shared.wire import NoFrameError

_NOTHING: Final = Reading(FAULT, 0, b"")


class RemoteSensor:
    """`tee_sim.secure.sensors.desk.SensorPort`, run by processes.

    Args:
        first: place of the first of them among the processes of all sensors.
        processes: pipe and first message of each.
    """

    def __init__(
        self, manifest: SensorManifest, first: int, processes: Sequence[tuple[HostPipe, SensorLocked]]
    ) -> None:
        self.manifest = manifest
        self._ready = [(first + n, pipe, said.extractor) for n, (pipe, said) in enumerate(processes)]
        self.extractor = processes[0][1].extractor

    def read(self, number: int, size_bytes: int, feed: Callable[[int, int], None]) -> tuple[Reading, HostEnd]:
        """As `SensorPort.read`. Whatever is no sample of this capture ends the process."""
        while self._ready and self._ready[0][1].has_ended():
            del self._ready[0]
        if not self._ready:
            raise TeeError(TeeResult.TARGET_DEAD, "no process of the sensor is left")
        place, pipe, self.extractor = self._ready[0]
        deadline = time.monotonic() + self.manifest.time_ms / 1000
        try:
            pipe.write(pack(Read(number=number, size_bytes=size_bytes)), deadline)
            feed(place, number)
            return self._reading(pipe, number, deadline), HostEnd.NONE
        except HostGoneError as gone:
            return _NOTHING, gone.end

    def _reading(self, pipe: HostPipe, number: int, deadline: float) -> Reading:
        try:
            sampled = cast("Sampled", unpack(pipe.body(deadline), {Sampled}))
        except NoFrameError:
            pipe.kill(HostEnd.OUT_OF_TURN)
        reading = Reading(sampled.acquired, sampled.quality, sampled.payload)
        beside = sampled.acquired == FAULT and (sampled.payload or sampled.quality)
        if sampled.number != number or beside or not reading.fits(self.manifest.max_sample_bytes):
            pipe.kill(HostEnd.OUT_OF_TURN)
        return reading
