"""Make a new device in a directory: all of it, or nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from bioguard.device.asking import Asker
from bioguard.device.calibration import require_profiles
from bioguard.device.directory import begin, burn, give_up
from bioguard.device.fuses import Fuses
from bioguard.device.lock import DeviceLock
from bioguard.device.provisioning import configure
from bioguard.device.sensors import FILE, chosen
from bioguard.device.settings import DeviceSettings


class Made(Protocol):
    """What is needed of a `Device`."""

    @property
    def ask(self) -> Asker: ...
    def close(self) -> None: ...


D = TypeVar("D", bound=Made)


def make(directory: Path, seed: bytes | None, settings: DeviceSettings, start: Callable[[Fuses, DeviceLock], D]) -> D:
    """Make a device and start it. Raises as `Device.init`.

    Args:
        seed: of its fuses; None: random ones.
        start: starts what was begun in the directory.
    """
    profiles, choices = settings.comparison_profiles, chosen(settings.sensors)
    fuses = Fuses.drawn(seed)
    configuration = settings.configuration(choices)
    require_profiles(choices, profiles, configuration.uncalibrated)
    there = directory.exists()
    lock = begin(directory, fuses)
    try:
        if choices:
            FILE.save(directory, choices)
        device = start(fuses, lock)
        try:
            configure(device.ask, configuration, profiles, choices)
            burn(directory)
        except BaseException:
            device.close()
            raise
    except BaseException:
        give_up(directory, keep=there)
        raise
    return device
