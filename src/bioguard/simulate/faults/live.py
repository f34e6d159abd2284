"""The scenario of a device that is running, changed by who runs it. One for all starts of its secure world.

    faults = LiveFaults(directory)
    with Device.open(directory, DeviceOptions(hooks=faults)) as device:
        faults.set("quality_sequence", "2,1")

What a sensor does is played by the sessions, which ask for `knobs` and `next_capture`; a power cut of the disk's plan
ends the secure world and not this process.
"""

import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import NoReturn

from bioguard.records import Features
from bioguard.simulate.faults.device_faults import DeviceFaults
from bioguard.simulate.faults.faulty_transport import FaultyTransport
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.faults.slow_disk import SlowDisk
from bioguard.simulate.knobs.properties import knob
from bioguard.simulate.knobs.table import KNOBS
from bioguard.simulate.knobs.use import require_on_device
from tee_sim.normal.client import Transport
from tee_sim.normal.machine.options import PowerCut


def _cut(where: str) -> NoReturn:
    raise PowerCut(where)


class LiveFaults(DeviceFaults):
    """`bioguard.device.hooks.MakeHooks` that makes itself.

    Args:
        directory: of the device. The device's lock must be held while anything is changed.
        sleep: carries out latencies of a device on the host's clock.
    """

    def __init__(self, directory: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(directory, sleep=sleep, die=_cut)

    def __call__(self, directory: Path) -> "LiveFaults":
        return self

    def disk(self) -> SlowDisk:
        """The disk, whether or not there is anything about it yet."""
        return self._disk

    def transport(self, inner: Transport) -> Transport:
        """The way to the secure world, likewise."""
        return FaultyTransport(inner, self.scenario, self._messages, self._disk, self._stepped, self._sleep)

    def present(self, operation: str, sample: Features) -> Features:
        """What a session has presented: its sensor has played the knobs."""
        return sample

    def values(self) -> dict[str, str]:
        """What is set."""
        return self.knobs.changed()

    @property
    def seed(self) -> int:
        """Of everything random in faults and latencies."""
        return self.scenario.seed

    def set(self, name: str, value: str) -> None:
        """Turn a knob, from the next message or capture on.

        Raises:
            InputRefused: unknown name or unusable value, or a knob that does nothing on a device; the old value stays.
        """
        entry = knob(name)
        require_on_device(entry)
        wanted = deepcopy(self.scenario)
        wanted.set(name, value)
        self._take(wanted, entry.name)

    def clear(self, name: str | None = None) -> None:
        """Put one knob back, or all and the count of captures.

        Raises:
            InputRefused: unknown name.
        """
        wanted = deepcopy(self.scenario)
        if name is None:
            wanted.forget()
        else:
            wanted.knobs.clear(name)
        self._take(wanted, *(KNOBS if name is None else (knob(name).name,)))

    def load(self, data: bytes) -> None:
        """Take faults, seed and latencies from a scenario; what was set is forgotten.

        Raises:
            InputRefused: it is none, or says what a device is made as.
        """
        wanted = Scenario.from_bytes(data, "scenario")
        for name in wanted.knobs.changed():
            require_on_device(KNOBS[name])
        self._take(wanted, *KNOBS)
        self._random = self._latency_rng()

    def _take(self, wanted: Scenario, *names: str) -> None:
        """Play this from now on, and begin anew what counts: the plan of the disk, the messages.

        It is kept with the device first: where that is refused, nothing has changed.
        """
        wanted.save(self._directory)
        self.scenario.knobs, self.scenario.timing = wanted.knobs, wanted.timing
        self.scenario.seed, self.scenario.played = wanted.seed, wanted.played
        if "storage" in names:
            self._disk.replace(self._plan())
        if {"pipe", "pipe_after", "ta_panic"} & {*names}:
            self._messages.passed = 0
            self._messages.fired -= {"pipe", "ta_panic"}

    def report(self) -> tuple[str, ...]:
        """Everything that was set and has changed nothing, a sentence each."""
        return (*self.unfired(), *self.knobs.unused(self.scenario.played))
