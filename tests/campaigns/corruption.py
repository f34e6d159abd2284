"""`python -m tests.campaigns.corruption [--cases N] [--seed S] [--json]`: damage every region and every column.

A device with three people is damaged in one place and asked again: which records are there, does each person match,
does another not, does the PIN open. Every answer is the right one or a `BioguardError` (a `TeeError` while the store
opens); anything else, an exception of another type or a wrong answer, is a violation and exit 3.
"""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from unittest.mock import patch

from bioguard.device import Device, pins
from bioguard.device.boot_id import BOOT_FILE, boot_id
from bioguard.device.directory import begin, burn
from bioguard.device.fuses import FUSE_FILE, Fuses
from bioguard.device.names import NAMES_FILE
from bioguard.device.password_handles import HANDLES_FILE
from bioguard.errors import BioguardError
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.testing.in_process import TEST_DEVICE_ID, TEST_HUK
from tests.campaigns.corruption_cases import Case, Files, cases
from tests.campaigns.crash_device import FACES, configure, opened, populate
from tests.campaigns.crash_oracle import contents, scratch

_FILES = (NAMES_FILE, HANDLES_FILE, "storage.db", "rpmb.img")
_PROBES = {name: views[5] for name, views in FACES.items()}
_ENROLLED = ("alice", "carol")
_TYPED = (BioguardError, TeeError)


def _files(directory: Path) -> Files:
    return {name: (directory / name).read_bytes() for name in _FILES}


def _made(root: Path, name: str, *, device_id: bytes) -> tuple[Files, Files]:
    """The files of a new device at an earlier epoch and now."""
    directory = root / name
    directory.mkdir()
    with patch("tee_sim.testing.in_process.TEST_DEVICE_ID", device_id):
        with opened(directory, create=True, seed=device_id * 2) as device:
            configure(device)
            populate(device)
        old = _files(directory)
        with opened(directory, seed=bytes([9]) * 32) as device:
            device.enroll("carol", FACES["carol"][:3], replace=True)
            pins.set_pin(device, "alice", b"1379", current=b"2580")
    return old, _files(directory)


def _questions(device: Device) -> dict[str, Callable[[], object]]:
    asked: dict[str, Callable[[], object]] = {
        "records": lambda: sorted(record.record_id for record in device.records()),
        "pin": lambda: len(pins.verify_pin(device, "alice", b"1379")),
    }
    for name in _ENROLLED:
        for probe in (name, "bob"):
            asked[f"{probe} as {name}"] = partial(_matches, device, name, probe)
    return asked


def _matches(device: Device, name: str, probe: str) -> bool:
    return device.authenticate(name, _PROBES[probe]).match


def _look(directory: Path) -> dict[str, object]:
    """Every answer, or the class of the typed error. Anything else gets out."""
    answers: dict[str, object] = {}
    try:
        with opened(directory, seed=bytes([3]) * 32) as device:
            for question, ask in _questions(device).items():
                try:
                    answers[question] = ask()
                except _TYPED as error:
                    answers[question] = type(error)
    except _TYPED as error:
        if isinstance(error, TeeError) and error.result is TeeResult.BUSY:
            raise RuntimeError("busy: an earlier case has leaked its lock, so this one was not played") from error
        answers["open"] = type(error)
    return answers


def _outcome(answers: dict[str, object], right: dict[str, object]) -> str:
    if "open" in answers:
        return "refused"
    wrong = [q for q, answer in answers.items() if not isinstance(answer, type) and answer != right[q]]
    if wrong:
        return "WRONG: " + ", ".join(f"{q}={answers[q]}" for q in wrong)
    return "refused in part" if any(isinstance(answer, type) for answer in answers.values()) else "unaffected"


def _play_one(directory: Path, good: Files, case: Case, right: dict[str, object]) -> str:
    _, _, changed = case
    for name, raw in {"storage.db-journal": b"", **good, **changed}.items():
        # A new file each time: a lock that a failed case has leaked must not refuse the cases after it.
        (directory / name).unlink(missing_ok=True)
        (directory / name).write_bytes(raw)
    try:
        return _outcome(_look(directory), right)
    except Exception as error:
        return f"UNTYPED: {type(error).__name__}: {error}"


def _small_files(root: Path, good: Files) -> Counter[tuple[str, str]]:
    """Fuses and boot number: every byte flipped, and every truncation.

    Fuses that still read are another device's, which must not open this store. Any other boot number is another boot.
    """
    directory = root / "small"
    directory.mkdir()
    fuses = Fuses(huk=TEST_HUK, device_id=TEST_DEVICE_ID)
    begin(directory, fuses).release()
    burn(directory)
    boot = boot_id(directory)

    def with_fuses() -> bool:
        found = Fuses.read(directory)
        for name, raw in good.items():
            (directory / name).write_bytes(raw)
        contents(directory, huk=found.huk, device_id=found.device_id)
        return found == fuses

    found: Counter[tuple[str, str]] = Counter()
    readers: dict[str, Callable[[], object]] = {
        FUSE_FILE: with_fuses,
        BOOT_FILE: lambda: boot_id(directory) != boot,
    }
    for name, read in readers.items():
        raw = (directory / name).read_bytes()
        damaged = [raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :] for at in range(len(raw))]
        damaged += [raw[:at] for at in range(len(raw))]
        for bad in damaged:
            (directory / name).write_bytes(bad)
            try:
                outcome = "unaffected" if read() else "WRONG: accepted"
            except _TYPED:
                outcome = "refused"
            except Exception as error:
                outcome = f"UNTYPED: {type(error).__name__}: {error}"
            found[name, outcome] += 1
    return found


def play(root: Path, *, most: int, seed: int) -> Counter[tuple[str, str]]:
    """Play up to `most` cases of the store and all of the small files; count them by group and outcome."""
    rng = random.Random(seed)
    old, good = _made(root, "good", device_id=bytes(range(16)))
    _, foreign = _made(root, "foreign", device_id=bytes(range(16, 32)))
    directory = root / "damaged"
    directory.mkdir()
    for name, raw in good.items():
        (directory / name).write_bytes(raw)
    right = _look(directory)
    if any(isinstance(answer, type) for answer in right.values()):
        raise RuntimeError("the undamaged device does not answer")
    every = list(cases(good, old, foreign, rng))
    chosen = every if len(every) <= most else rng.sample(every, most)
    found = _small_files(root, good)
    for case in chosen:
        found[case[0], _play_one(directory, good, case, right)] += 1
    return found


_OUTCOMES = ("refused", "refused in part", "unaffected")


def _table(found: Counter[tuple[str, str]]) -> str:
    lines = [f"{'region':24}{'cases':>8}{'refused':>10}{'in part':>10}{'unaffected':>12}{'violations':>12}"]
    groups = sorted({group for group, _ in found})
    for group in [*groups, "all"]:
        cells = [sum(n for (g, o), n in found.items() if o == out and group in (g, "all")) for out in _OUTCOMES]
        total = sum(n for (g, _), n in found.items() if group in (g, "all"))
        lines.append(f"{group:24}{total:8}{cells[0]:10}{cells[1]:10}{cells[2]:12}{total - sum(cells):12}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.corruption", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="play a seeded sample of so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=scratch()) as root:
        found = play(Path(root), most=options.cases, seed=options.seed)
    rows = [{"region": g, "outcome": o, "cases": n} for (g, o), n in sorted(found.items())]
    sys.stdout.write((json.dumps(rows) if options.json else _table(found)) + "\n")
    violations = [row for row in rows if row["outcome"] not in _OUTCOMES]
    for row in violations[:20]:
        sys.stderr.write(f"{row['region']}: {row['outcome']} ({row['cases']})\n")
    return 3 if violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
