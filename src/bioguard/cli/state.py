"""What every command is given: global options, the output, and a way to the device."""

import os
from dataclasses import dataclass
from pathlib import Path

import click

from bioguard.cli.output import Output
from bioguard.device import Device, DeviceOptions
from bioguard.device.incidents import incidents

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
        """Start the device's secure world. Use it as a context manager. Open incidents are told first."""
        for open_one in (i for i in incidents(self.directory) if not i.acknowledged):
            cause = open_one.cause.name.lower().replace("_", " ")
            self.output.note(f"incident {open_one.number} is open: {cause}; run: bioguard incident")
        return Device.open(self.directory, self.options)


pass_state = click.make_pass_decorator(CliState)
