"""Attacks with what stands in the place of a device's files, of its store, and of files that its owner names."""

import json
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from bioguard.device import Device
from bioguard.device.incidents import incidents
from bioguard.device.pins import verify_pin
from bioguard.errors import IntegrityFailure
from bioguard.evidence.attack.device_kit import PIN, DeviceKit
from bioguard.evidence.attack.kit import Attack, Stage
from bioguard.evidence.device_checks import look_at
from bioguard.exit_codes import ExitCode
from bioguard.report.model import Status
from tee_sim.normal.rpmb_chip.file_medium import FileMedium, OsFile
from tee_sim.shared.rpmb_frames import MAX_COUNTER

SHARED = "CWE-59, CWE-732, threat model row 1"
STORE = "policy POL-12, threat model row 2"
THROTTLE = "IGatekeeper, throttling"
DEEP = "[" * 200_000
EOF_AFTER_S = 0.5


def _victim(kit: DeviceKit) -> Path:
    path = kit.folder / "victim"
    path.write_text("of somebody else", "ascii")
    return path


def _changed(victim: Path) -> bool:
    return victim.read_text("ascii", "replace") != "of somebody else"


def link_temporary(kit: DeviceKit) -> str | None:
    """Put a link in the place of the file that names.json is written to, and let a user be added."""
    kit.init()
    kit.close()
    victim = _victim(kit)
    (kit.directory / "names.json.new").symlink_to(victim)
    kit.refused(lambda: kit.person("alice", pin=None, enrolled=False))
    return "a file that a link pointed to was overwritten" if _changed(victim) else None


def link_fuses(kit: DeviceKit) -> str | None:
    """Put a link in the place of the fuses, and let the device be wiped."""
    kit.init()
    kit.close()
    victim = _victim(kit)
    (kit.directory / "fuses.simulated").unlink()
    (kit.directory / "fuses.simulated").symlink_to(victim)
    kit.refused(lambda: Device.wipe(kit.directory))
    return "wiping overwrote a file that a link pointed to" if not victim.exists() or _changed(victim) else None


def _accepted(kit: DeviceKit, what: str) -> str | None:
    refusal = kit.refused(kit.open)
    if refusal is None:
        return f"the device opens with {what}"
    return None if isinstance(refusal, IntegrityFailure) else f"{what}: {refusal.code} is no integrity failure"


def hard_link(kit: DeviceKit) -> str | None:
    """Keep a second name of the store, through which it can be written at any time."""
    kit.init()
    kit.close()
    os.link(kit.directory / "storage.db", kit.folder / "second-name")
    return _accepted(kit, "a store that has a second name")


def open_to_all(kit: DeviceKit) -> str | None:
    """Find a device whose directory, or a file in it, everybody can write."""
    kit.person("alice", pin=None, enrolled=False)
    kit.close()
    for name, mode in ((".", 0o777), ("names.json", 0o666), ("storage.db", 0o620), ("rpmb.img", 0o602)):
        path = kit.directory / name
        before = path.stat().st_mode
        path.chmod(mode)
        gained = _accepted(kit, f"{name} of mode {mode:04o}")
        kit.close()
        path.chmod(before)
        if gained:
            return gained
    return None


def fifo(kit: DeviceKit) -> str | None:
    """Answer what the device reads from a FIFO, so that it can be another thing every time, or never end."""
    kit.person("alice", pin=None, enrolled=False)
    kit.close()
    path = kit.directory / "names.json"
    content = path.read_bytes()
    path.unlink()
    os.mkfifo(path, 0o600)
    fd = os.open(path, os.O_RDWR)
    os.write(fd, content)
    ends = threading.Timer(EOF_AFTER_S, os.close, [fd])
    ends.start()
    gained = _accepted(kit, "names out of a FIFO")
    ends.join()
    return gained


def deep_json(kit: DeviceKit) -> str | None:
    """Nest JSON so deep that a parser runs out of its stack."""
    kit.init()
    kit.close()
    for name in ("names.json", "incidents.json"):
        (kit.directory / name).write_text(DEEP, "ascii")
        (kit.directory / name).chmod(0o600)
        told = kit.cli("list")
        if told.code is not ExitCode.INTEGRITY:
            return f"{name}: exit {int(told.code)}, {told.err.splitlines()[0] if told.err else 'nothing is said'}"
        (kit.directory / name).unlink()
    return None


def _edit(kit: DeviceKit, statement: str) -> None:
    kit.close()
    with closing(sqlite3.connect(kit.directory / "storage.db")) as db:
        db.execute(statement)
        db.commit()


def extra_trigger(kit: DeviceKit) -> str | None:
    """Add a trigger to the store that acts when the device writes."""
    kit.init()
    _edit(kit, "CREATE TRIGGER more AFTER INSERT ON page BEGIN DELETE FROM object; END")
    return _accepted(kit, "a trigger in its store")


def grown_row(kit: DeviceKit) -> str | None:
    """Grow one person's row beyond what fits in a message, and see whether others can still use the device."""
    kit.person("alice")
    kit.person("bob")
    (record,) = kit.device().records("alice")
    _edit(kit, f"UPDATE object SET ciphertext = zeroblob(3000000) WHERE commitment = x'{record.digest}'")  # noqa: S608
    refusal = kit.refused(lambda: kit.match("alice", "alice"))
    if not isinstance(refusal, IntegrityFailure):
        return f"a row that grew: {refusal.code if refusal else 'it matches'}"
    others: list[bool] = []
    kit.refused(lambda: others.append(kit.match("bob", "bob")))
    return None if others == [True] else "one row that grew shuts everybody out"


def missing_rpmb(kit: DeviceKit) -> str | None:
    """Take the RPMB away, so that nothing is left that remembers."""
    kit.person("alice")
    kit.close()
    (kit.directory / "rpmb.img").unlink()
    gained = _accepted(kit, "its RPMB missing")
    if gained is None and not incidents(kit.directory):
        return "an RPMB was taken away, and no incident tells of it"
    return gained


def blind_doctor(kit: DeviceKit) -> str | None:
    """Break a device in a way that its doctor does not see."""
    kit.person("alice")
    before = kit.snapshot()
    for name, size in (("storage.db", 1000), ("rpmb.img", 0), ("names.json", 5)):
        os.truncate(kit.directory / name, size)
        said = {check.status for check in look_at(kit.directory, kit.options())}
        if not said & {Status.FAIL, Status.UNKNOWN}:
            return f"doctor passes a device whose {name} was cut"
        kit.put_back(before)
        (kit.directory / "incidents.json").unlink(missing_ok=True)
    return None


def _looked_at(kit: DeviceKit, pins: tuple[bytes, ...]) -> list[str]:
    """What came of guesses of a PIN that must not be looked at, where not that the store cannot be written."""
    found = []
    for pin in pins:
        refusal = kit.refused(lambda pin=pin: verify_pin(kit.device(), "alice", pin))  # type: ignore[misc]
        if refusal is None or not refusal.code.startswith("store."):
            found.append(refusal.code if refusal else "a token")
    return found


def unwritten_pin(kit: DeviceKit) -> str | None:
    """Start the device so that it writes nothing, and guess: no attempt is kept."""
    kit.person("alice", enrolled=False)
    kit.open(read_only=True)
    found = _looked_at(kit, (b"0000", PIN))
    return f"a guess is answered and not counted: {found[0]}" if found else None


def spent_pin(kit: DeviceKit) -> str | None:
    """Wear the RPMB counter out, and guess: what is counted can be rolled back with the disk."""
    kit.person("alice", enrolled=False)
    kit.close()
    with closing(OsFile(kit.directory / "rpmb.img", create=False)) as file:
        medium = FileMedium(file, create=False)
        medium.commit(key=medium.key, counter=MAX_COUNTER)
    found = _looked_at(kit, (b"0000", PIN))
    return f"a guess is answered where a rollback gives it back: {found[0]}" if found else None


def output_link(kit: DeviceKit) -> str | None:
    """Put a link where an owner writes files of the device."""
    kit.person("alice")
    victim = _victim(kit)
    face = kit.file("alice.npy", kit.views("alice")[0])
    link = kit.folder / "link"
    link.symlink_to(victim)
    for words in (
        ("authenticate", "alice", str(face), "--operation-id", "7", "--token", str(link)),
        ("log", "checkpoint", "--out", str(link)),
        ("attest", "--nonce", "00" * 32, "--out", str(link)),
        ("--storage-log", str(link), "list"),
    ):
        with suppress(json.JSONDecodeError):
            kit.cli(*words)
        if _changed(victim):
            return f"{words[0]} wrote through a link"
    return None


_TABLE: tuple[tuple[str, str, str, Callable[[DeviceKit], str | None]], ...] = (
    ("files.link-temporary", "have a file overwritten through a link in a device", SHARED, link_temporary),
    ("files.link-fuses", "have a file destroyed through a link in a device that is wiped", SHARED, link_fuses),
    ("files.hard-link", "keep a second name of the store", SHARED, hard_link),
    ("files.open-to-all", "use a device that everybody can write", SHARED, open_to_all),
    ("files.fifo", "answer what the device reads from a FIFO", SHARED, fifo),
    ("files.deep-json", "nest JSON until the parser gives up", "CWE-674", deep_json),
    ("files.output-link", "have a file overwritten through a link that a command writes to", SHARED, output_link),
    ("store.extra-trigger", "add a trigger to the store", STORE, extra_trigger),
    ("store.grown-row", "grow one row to shut everybody out", STORE, grown_row),
    ("store.missing-rpmb", "take the RPMB away", STORE, missing_rpmb),
    ("store.blind-doctor", "break a device so that its doctor passes it", STORE, blind_doctor),
    ("pin.unwritten", "guess a PIN on a device that keeps no attempt", THROTTLE, unwritten_pin),
    ("pin.spent-counter", "guess a PIN on a device whose RPMB counter is spent", THROTTLE, spent_pin),
)
ATTACKS = tuple(Attack(*row, stage=Stage.DEVICE) for row in _TABLE)
