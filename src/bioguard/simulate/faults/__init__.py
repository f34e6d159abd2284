"""Scripted behavior and faults: the properties of Android's virtual HALs and more (docs/android-contract.md).

Device.open(directory, DeviceOptions(hooks=scripted))
"""

import os
from pathlib import Path

from bioguard.device.hooks import OLD_SCENARIO_FILE, SCENARIO_FILE, Direct, Hooks

__all__ = ["scripted"]


def scripted(directory: Path) -> Hooks:
    """The faults saved with the device in `directory`, as `DeviceOptions.hooks` wants them.

    Raises:
        InputRefused: what is saved is not a scenario.
    """
    if not any(os.path.lexists(directory / name) for name in (SCENARIO_FILE, OLD_SCENARIO_FILE)):
        return Direct()
    from bioguard.simulate.faults.device_faults import DeviceFaults  # noqa: PLC0415 - hardly a device has faults

    return DeviceFaults(directory)
