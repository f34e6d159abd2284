"""The device of a command: its options, and what every command says about one that it starts.

Loaded when a command wants a device: what only prints does not wait for it.
"""

import json
from collections.abc import Callable
from pathlib import Path

from bioguard.cli.output import Output
from bioguard.device import Device, DeviceOptions, parse_clock
from bioguard.device.incidents import incidents
from bioguard.errors import InputRefused
from bioguard.simulate.faults import scripted
from bioguard.user_files import check_output, write_output
from tee_sim.normal.sandbox_verdict.level import Level
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


def device_options(
    output: Output, *, seed: str | None, clock: str | None, allow_level: str | None, storage_log: Path | None
) -> DeviceOptions:
    """The global options of the command line as options of a device.

    Raises:
        InputRefused: the clock is none, or the storage log cannot be written.
    """
    return DeviceOptions(
        seed=seed,
        clock=parse_clock(clock) if clock else None,
        allow_level=Level(allow_level) if allow_level else None,
        storage_log=storage_log_into(storage_log, output.note) if storage_log else None,
        note=output.report,
        hooks=scripted,
    )


def open_device(directory: Path, options: DeviceOptions, output: Output) -> Device:
    """Start the device's secure world. Open incidents are noted first."""
    for open_one in (i for i in incidents(directory) if not i.acknowledged):
        cause = open_one.cause.name.lower().replace("_", " ")
        scripted = ", found while faults were scripted" if open_one.scripted else ""
        output.note(f"incident {open_one.number} is open: {cause}{scripted}; run: bioguard incident")
    device = Device.open(directory, options)
    for unusual in test_notes(device.running.ready):
        output.note(unusual)
    condition = _CONDITIONS.get(device.running.storage)
    if condition is not None:
        output.note(condition)
    return device


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
