"""Define where a test may interfere with a device: at the sensor, on the way to the secure world, and at the disk.

A device plays no fault by itself. A caller that wants the scenario saved with a device to be played passes
`bioguard.simulate.faults.scripted` as `DeviceOptions.hooks`, as the command line does.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bioguard.errors import BioguardError, NotPermitted
from tee_sim.normal.client import Transport
from tee_sim.normal.supplicant.service import DiskFaults

if TYPE_CHECKING:
    from bioguard.records import Features

SCENARIO_FILE = "scenario.toml"
"""Name of the file in a device directory that scripts its faults. No file means no faults."""
OLD_SCENARIO_FILE = "faults.scenario"
"""Its name in 0.1, in another form. Where there is one nothing is played, and the device is not opened."""


class Hooks(Protocol):
    """Interfere with one run of a device."""

    def present(self, operation: str, sample: "Features") -> "Features":
        """The sample as the sensor delivers it for `enroll` or `authenticate`.

        Raises:
            BioguardError: the sensor delivers none.
        """
        ...

    def transport(self, inner: Transport) -> Transport: ...
    def disk(self) -> DiskFaults | None: ...
    def harmful(self) -> bool:
        """Whether disk, pipe or clock are made to go wrong: what is found meanwhile may come of that."""
        ...

    def unfired(self) -> tuple[str, ...]:
        """What was to go wrong in this run and did not, a sentence each."""
        ...


MakeHooks = Callable[[Path], Hooks]
"""Makes the hooks of the device in a directory."""


def plays_harm(make: MakeHooks, directory: Path) -> bool:
    """Whether the hooks of a device that does not start are `harmful`; those that cannot be made do nothing."""
    try:
        return make(directory).harmful()
    except BioguardError:
        return False


class Direct:
    """Interfere with nothing."""

    def present(self, operation: str, sample: "Features") -> "Features":
        return sample

    def transport(self, inner: Transport) -> Transport:
        return inner

    def disk(self) -> DiskFaults | None:
        return None

    def harmful(self) -> bool:
        return False

    def unfired(self) -> tuple[str, ...]:
        return ()


def no_hooks(directory: Path) -> Hooks:
    """Return hooks that interfere with nothing.

    Raises:
        NotPermitted: faults are saved with the device. Without them a run would look like their result.
    """
    if any(os.path.lexists(directory / name) for name in (SCENARIO_FILE, OLD_SCENARIO_FILE)):
        raise NotPermitted(
            "faults are saved with this device, and this caller plays none",
            hint="run: bioguard fault clear; or pass DeviceOptions(hooks=bioguard.simulate.faults.scripted)",
            code="fault.not_played",
        )
    return Direct()
