"""Scripted behavior and faults: the properties of Android's virtual HALs and more (docs/android-contract.md).

Device.open(directory, DeviceOptions(hooks=scripted))
"""

from pathlib import Path

from bioguard.device.hooks import Hooks
from bioguard.simulate.faults.device_faults import DeviceFaults

__all__ = ["scripted"]


def scripted(directory: Path) -> Hooks:
    """The faults saved with the device in `directory`, as `DeviceOptions.hooks` wants them.

    Raises:
        InputRefused: what is saved is not a scenario.
    """
    return DeviceFaults(directory)
