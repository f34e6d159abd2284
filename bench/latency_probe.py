"""What a caller waits for, measured by a process of its own: `python bench/latency_probe.py FOLDER ROUNDS`, JSON out.

`bench.commands.latency` runs this one file with the code of two checkouts, so it uses nothing that moved between them:
`bioguard.device` and the command line. Replies are not held on the release grid.
"""

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bioguard.device import Device, DeviceOptions
from bioguard.device.consent import grant_all

OPTIONS = DeviceOptions(release_grid_ms=0)
PEOPLE = 20
"""Enrolled beside the one who is timed: what 1:N looks through."""


def _people() -> Any:
    """The synthetic people of this checkout, under the name they have there."""
    for name in ("bioguard.simulate.people", "bioguard.synthetic"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise SystemExit("this checkout has no synthetic people")


def _ms(call: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    call()
    return (time.perf_counter() - began_s) * 1000


def _enroll(device: Device, people: Any, person: int) -> float:
    name = f"u{person}"
    device.add_user(name)
    grant_all(device, name, of_age=True)
    device.enroll(name, people.finger_impressions(1, person=person, count=3), finger="right-index")
    faces = people.face_views(1, person=person, count=3)
    return _ms(lambda: device.enroll(name, faces))


def _memory_kib() -> float:
    """Proportional set size of this process and everything below it. 0 where they may not be read: it takes root."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            rows = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines() if ":" in line)
        except OSError:
            continue
        parents[int(status.parent.name)] = int(rows["PPid"])
    own = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in own} - own:
        own |= more
    try:
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii") for pid in own]
    except OSError:
        return 0.0
    return float(sum(int(line.split()[1]) for text in texts for line in text.splitlines() if line.startswith("Pss:")))


def measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each operation, one entry a repetition, and the memory of all processes while it is warm."""
    people = _people()
    took: dict[str, list[float]] = {}
    directory = folder / "device"
    took["init"] = [_ms(lambda: Device.init(directory, OPTIONS, require_pin=False).close())]
    with Device.open(directory, OPTIONS) as device:
        took["enroll face"] = [_enroll(device, people, person) for person in range(PEOPLE)]
        faces = people.face_views(1, person=0, count=rounds, first=3)
        fingers = people.finger_impressions(1, person=0, count=rounds, first=3)
        device.authenticate("u0", faces[0])
        took["1:1 face"] = [_ms(lambda p=p: device.authenticate("u0", p)) for p in faces]  # type: ignore[misc]
        took["1:1 finger"] = [_ms(lambda p=p: device.authenticate("u0", p)) for p in fingers]  # type: ignore[misc]
        took["1:N face"] = [_ms(lambda p=p: device.identify(p)) for p in faces]  # type: ignore[misc]
        took["memory, KiB"] = [_memory_kib()]
        took["list"] = [_ms(lambda: list(device.records("u0"))) for _ in range(rounds)]
    took["open"] = [_ms(lambda: Device.open(directory, OPTIONS).close()) for _ in range(3)]
    # -P: `-m` would put the current folder first, and with it the tee_sim of whoever compares.
    line = [sys.executable, "-P", "-m", "bioguard.cli", "--device", str(directory), "list"]
    took["cold command"] = [_ms(lambda: subprocess.run(line, capture_output=True, check=True)) for _ in range(3)]
    return took


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))
