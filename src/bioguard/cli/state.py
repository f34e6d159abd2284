"""What every command is given: global options, the output, and a way to the device."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from bioguard.cli.output import Output
from bioguard.device import Device, DeviceOptions
from bioguard.device.incidents import incidents
from bioguard.errors import InputRefused, NotPermitted
from bioguard.printable import printable
from bioguard.user_files import check_output, write_output
from tee_sim.normal.supplicant import RequestNote
from tee_sim.shared.clock import ClockKind
from tee_sim.shared.rng import RandomnessKind
from tee_sim.shared.wire import Ready

_CONDITIONS = {
    "full": "the disk is full: the store can be read and erased from; free disk space, or erase records",
    "read_only": "the store cannot be written: it can only be read; run: bioguard doctor",
    "counter_reserved": "the RPMB write counter is nearly used up: what is left is kept for erasures and "
    "requests, all else is for reading, for good",
    "counter_spent": "the RPMB write counter is used up: the store is for reading and erasing, for good; no PIN can be "
    "counted, and a copy of the whole disk from before an erasure would not be noticed (docs/storage.md section 6)",
}
"""What every command notes about a store that cannot be written as usual."""


def named_device_dir() -> Path | None:
    """`$BIOGUARD_DEVICE`."""
    named = os.environ.get("BIOGUARD_DEVICE")
    return Path(named) if named else None


def default_device_dir() -> Path:
    """In the XDG data directory."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "bioguard"


def storage_log_into(path: Path, report: Callable[[str], None]) -> Callable[[RequestNote], None]:
    """Append notes to a file, a line of JSON each. One that cannot be kept is reported, once: the device goes on.

    Raises:
        InputRefused: it cannot be written. Asked before anything is started.
    """
    try:
        check_output(path)
        write_output(path, b"", private=True, append=True)
    except InputRefused as error:
        raise InputRefused(error.message, hint=error.hint, code="storage_log.unwritable") from error

    lost = False

    def note(request: RequestNote) -> None:
        nonlocal lost
        line = json.dumps(request.to_json(), sort_keys=True) + "\n"
        try:
            write_output(path, line.encode("ascii"), private=True, append=True)
        except InputRefused as error:
            if not lost:
                report(f"{error.message}; the storage log is not complete")
            lost = True

    return note


def test_notes(ready: Ready) -> list[str]:
    """What to say of a device whose clock or keys are not those of a device in use."""
    stepped = "this device has a stepped clock: it stands until `bioguard clock advance`"
    seeded = "this device is SEEDED: whoever knows the seed knows its keys"
    unusual = [(ready.clock is ClockKind.STEPPED, stepped), (ready.randomness is RandomnessKind.SEEDED, seeded)]
    return [text for holds, text in unusual if holds]


@dataclass(slots=True, kw_only=True)
class CliState:
    """Global options of one run.

    Attributes:
        named: whether the directory was given, as an option or in the environment.
    """

    directory: Path
    output: Output
    no_input: bool
    options: DeviceOptions
    named: bool = False

    def device(self) -> Device:
        """Start the device's secure world. Use it as a context manager. Open incidents are noted first."""
        for open_one in (i for i in incidents(self.directory) if not i.acknowledged):
            cause = open_one.cause.name.lower().replace("_", " ")
            self.output.note(f"incident {open_one.number} is open: {cause}; run: bioguard incident")
        device = Device.open(self.directory, self.options)
        for unusual in test_notes(device.running.ready):
            self.output.note(unusual)
        condition = _CONDITIONS.get(device.running.storage)
        if condition is not None:
            self.output.note(condition)
        return device

    def confirm(self, question: str, *, force: bool, code: str) -> None:
        """Ask, unless `--force` was given. Raises NotPermitted with this code if there is nobody to ask."""
        if force:
            return
        if self.no_input:
            raise NotPermitted("this needs a confirmation", hint="add --force", code=code)
        click.confirm(printable(question), abort=True, err=True)


def note_testing(state: CliState, device: Device) -> None:
    """Say on standard error that a device is for testing, where the answer has no field or line for it.

    Asked of the secure world, and so not at every command: scenarios count the messages that they let pass.
    """
    if device.configuration.for_testing:
        state.output.note("this device is FOR TESTING: callers choose how alike is enough, and no match gives a token")


pass_state = click.make_pass_decorator(CliState)
