"""What `bioguard doctor` says of a device: its files, whether its store opens, what is in it, if it can be written.

Nothing is written, and nothing is passed that was not looked at: a device that cannot be opened is told with the error
that every other command ends with.
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from bioguard.commands.configuration import SensorSummary
from bioguard.device.consent import signed_log
from bioguard.device.directory import FILES, flaws
from bioguard.device.facade import Device
from bioguard.device.fuses import Fuses
from bioguard.device.incidents import incidents
from bioguard.device.names import Names
from bioguard.device.options import DeviceOptions
from bioguard.device.password_handles import PasswordHandles
from bioguard.device.sensors import FILE
from bioguard.device.strong_auth_times import unlock_times
from bioguard.errors import BioguardError, IntegrityFailure
from bioguard.private_files import DAMAGED
from bioguard.report.model import Check, Status
from bioguard.simulate.faults import scripted
from bioguard.simulate.faults.scenario import Scenario
from tee_sim.normal.supplicant.files import RESERVE_FILE, STORAGE_FILE

_FUSES = "the device's fuses are private"
_FILES = "the device's files are its owner's alone and readable"
_STORE = "the device's store opens, and every record and log entry in it"
_ROOM = "the device's store can be written"
_BROKEN = frozenset({"store.unavailable", "device.version"})
"""What says that the device is broken, and not only that it could not be looked at now."""


def _failed(number: int, title: str, error: BioguardError) -> Check:
    """A failure, or UNKNOWN where the device may well be fine: in use, or a sandbox below the required level."""
    broken = isinstance(error, IntegrityFailure) or error.code in _BROKEN
    return Check(
        id=f"BG-DOC-{number:03d}",
        title=title,
        status=Status.FAIL if broken else Status.UNKNOWN,
        summary=f"{error.code}: {error.message}",
        fix=error.hint,
    )


def _fine(number: int, title: str, summary: str) -> Check:
    return Check(id=f"BG-DOC-{number:03d}", title=title, status=Status.PASS, summary=summary)


def _found(number: int, title: str, summary: str, fix: str, status: Status = Status.WARN) -> Check:
    return Check(id=f"BG-DOC-{number:03d}", title=title, status=status, summary=summary, fix=fix)


def look_at(directory: Path, options: DeviceOptions, *, named: bool = False) -> Iterator[Check]:
    """All checks of one device.

    Args:
        options: how to start it; it is started to be read in any case.
        named: whether the caller asked for this directory: a device that is not there is UNKNOWN then.
    """
    try:
        Fuses.read(directory)
    except BioguardError as error:
        if error.code == "device.missing":
            if named:
                yield from (_failed(number, title, error) for number, title in ((40, _FUSES), (42, _STORE)))
            else:
                yield _found(40, _FUSES, f"no device in {directory}", error.hint, Status.NOT_APPLICABLE)
            return
        yield _failed(40, _FUSES, error)
        if error.code == "device.version":
            return
    else:
        yield _fine(40, _FUSES, f"{directory} (simulated fuses)")
    yield _files(directory)
    yield from _store(directory, replace(options, read_only=True, hooks=scripted))
    yield from _left_over(directory)


_READERS: tuple[Callable[[Path], object], ...] = (
    Names.load,
    PasswordHandles.load,
    lambda directory: unlock_times(directory, bytes(16), 0),
    Scenario.load,
    incidents,
    FILE.load,
)


def _files(directory: Path) -> Check:
    try:
        found: list[BioguardError] = [*flaws(directory)]
    except BioguardError as error:
        return _failed(41, _FILES, error)
    for read in () if found else _READERS:
        try:
            read(directory)
        except BioguardError as error:
            found.append(error)
    if found:
        return replace(_failed(41, _FILES, found[0]), details=tuple(f"{e.code}: {e.message}" for e in found[1:]))
    loose = [parent for parent in directory.absolute().parents if _others_can_move(parent)]
    if loose:
        summary = f"others can write {loose[0]}, and put another directory in the place of the device"
        return _found(41, _FILES, summary, f"run: chmod go-w {loose[0]}")
    return _fine(41, _FILES, "plain files, of this user, writable by nobody else")


def _others_can_move(parent: Path) -> bool:
    found = parent.stat()
    writable = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
    return bool(writable) or found.st_uid not in {0, os.geteuid()}


def _store(directory: Path, options: DeviceOptions) -> Iterator[Check]:
    try:
        with Device.open(directory, options) as device:
            records = sum(1 for _ in device.records())
            entries = len(signed_log(device).items)
            storage, sensors, running = device.running.storage, device.sensors, set(device.running.sensors)
    except BioguardError as error:
        yield _failed(42, _STORE, error)
        return
    yield _fine(42, _STORE, f"{records} record(s), {entries} log entries")
    yield _room(directory, storage)
    yield from (_sensor(sensor, there=sensor.modality.word in running) for sensor in sensors)


def _sensor(sensor: SensorSummary, *, there: bool) -> Check:
    """Captures of another extractor than the sealed one are refused: the device goes on without this sensor."""
    title, model = f"the device's {sensor.modality.word} sensor runs as it was sealed", sensor.extractor.model
    if not there:
        return _found(47, title, f"{model} does not run", "install what the checks of engines name", Status.FAIL)
    if not sensor.runs:
        fix = f"install the engine that is {model} again; or make a new device, and enroll anew"
        return _found(47, title, f"it was made with {model}, another extractor runs now", fix, Status.FAIL)
    return _fine(47, title, model)


def _room(directory: Path, storage: str) -> Check:
    """The store was opened to be read: what could be written is the counter's word, and the file system's."""
    if storage.startswith("counter"):
        rest = "" if storage == "counter_spent" else " but for what is kept for erasures and requests"
        summary = f"store.counter_spent: the RPMB write counter is used up{rest}"
        fix = "make a new device; what is left for this one is in docs/storage.md section 6"
        return _found(43, _ROOM, summary, fix, Status.FAIL)
    locked = [name for name in (".", STORAGE_FILE) if not os.access(directory / name, os.W_OK)]
    if locked:
        summary = f"store.read_only: {directory / locked[0]} cannot be written"
        return _found(43, _ROOM, summary, "look at its mount and its permissions", Status.FAIL)
    free = os.statvfs(directory)
    if not free.f_bavail:
        kept = (directory / RESERVE_FILE).stat().st_size if (directory / RESERVE_FILE).exists() else 0
        summary = f"store.full: no space is left on the disk; {kept} bytes are kept for erasures"
        return _found(43, _ROOM, summary, "free disk space, or erase records", Status.FAIL)
    return _fine(43, _ROOM, f"{free.f_bavail * free.f_frsize >> 20} MiB are free")


def _left_over(directory: Path) -> Iterator[Check]:
    """What is no fault of the store and explains odd answers: incidents, scripted faults, files that were put aside."""
    try:
        unseen = [i for i in incidents(directory) if not i.acknowledged]
        scripted = Scenario.load(directory).knobs.changed()
    except BioguardError:
        return  # told by the check of the files
    if unseen:
        summary = ", ".join(f"incident {i.number} is open ({i.code})" for i in unseen)
        yield _found(44, "no incident is open", summary, "run: bioguard incident")
    if scripted:
        fix = "run: bioguard fault list; bioguard fault clear"
        yield _found(45, "no fault is scripted", f"scripted: {', '.join(scripted)}", fix)
    aside = [name for name in FILES if name.endswith(DAMAGED) and os.path.lexists(directory / name)]
    if aside:
        yield _found(46, "no damaged file was put aside", ", ".join(aside), "look at it, then remove it")
