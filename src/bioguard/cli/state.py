"""What every command is given: global options, the output, and a way to the device."""

import os
from dataclasses import dataclass
from pathlib import Path

import click

from bioguard.cli.output import Output
from bioguard.device import Device, DeviceOptions

__all__ = ["CliState", "pass_state"]


def default_device_dir() -> Path:
    """`$BIOGUARD_DEVICE`, else the XDG data directory."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(os.environ.get("BIOGUARD_DEVICE") or Path(base) / "bioguard")


@dataclass(slots=True, kw_only=True)
class CliState:
    """Global options of one run."""

    directory: Path
    output: Output
    no_input: bool
    options: DeviceOptions

    def device(self) -> Device:
        """Start the device's secure world. Use it as a context manager."""
        return Device.open(self.directory, self.options)


pass_state = click.make_pass_decorator(CliState)
