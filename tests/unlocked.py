"""Devices whose secure world runs in the test's own process: for tests of what a device answers, not of its lock.

A start takes some 30 ms there and half a second behind the lock. Files, store, clock, facade and command line are the
product's own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from bioguard.device import DeviceOptions, Level, facade, launch
from bioguard.device.applications import manifests
from bioguard.device.fuses import Fuses
from bioguard.device.launch import Running
from bioguard.evidence.attack.world import hosting


@contextmanager
def unlocked_devices() -> Iterator[None]:
    """While this lasts every device that is started accepts that nothing is locked, and nothing is."""

    def start(directory: Path, fuses: Fuses, options: DeviceOptions, *, create: bool) -> Running:
        return launch.start(directory, fuses, replace(options, allow_level=Level.NOT_ENFORCED), create=create)

    with hosting(manifests()), patch.object(facade, "start", start):
        yield
