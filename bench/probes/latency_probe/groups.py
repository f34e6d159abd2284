"""The operations that are timed, in groups that take a few seconds each."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from pathlib import Path

from bioguard.device import Device
from bioguard.device.consent import grant_all
from bioguard.simulate.people import face_views, finger_impressions

from .places import OPTIONS, SEED, Places, command_line
from .processes import Spent, pss_kib

Samples = dict[str, list[float]]
"""`wall_ms`: of each repetition. `cpu_ms`: of all processes, of each or in the mean of all. `pss_kib`: memory."""
Call = Callable[[], object]
SYNC_BYTES = 4096
SLOW = 5
"""One repetition of a whole process for so many of a warm call: it takes so many times as long, or more."""


def milliseconds(call: Call) -> float:
    """Wall time of one call."""
    began_s = time.perf_counter()
    call()
    return (time.perf_counter() - began_s) * 1000


def timed(calls: Iterable[Call]) -> Samples:
    """Wall time of each call, processor time in the mean of them."""
    calls = list(calls)
    spent = Spent()
    wall = [milliseconds(call) for call in calls]
    return {"wall_ms": wall, "cpu_ms": [spent.ms() / len(calls)]}


def together(parts: list[Samples]) -> Samples:
    """Repetitions that were timed apart."""
    return {key: [value for part in parts for value in part[key]] for key in parts[0]}


def run(line: list[str]) -> None:
    """One process from start to end. Raises RuntimeError for one that did not do its part."""
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(line[-3:])}: {done.stderr[-300:]}")


def cold_lines(places: Places) -> dict[str, list[str]]:
    """Arguments of the commands that are timed as processes of their own."""
    return {
        "bioguard authenticate": ["--device", str(places.device), "authenticate", "u0", str(places.face)],
        "bioguard --help": ["--help"],
        "bioguard --version": ["--version"],
        "bioguard token show": ["token", "show", str(places.token)],
        "bioguard audit verify": ["audit", "verify", str(places.bundle), "--signatures-only"],
    }


def _in_turn(calls: dict[str, Call], rounds: int) -> dict[str, Samples]:
    """Each once, not counted, then all in turn."""
    for call in calls.values():
        call()
    found: dict[str, list[Samples]] = {name: [] for name in calls}
    for _ in range(max(2, rounds // SLOW)):
        for name, call in calls.items():
            found[name].append(timed([call]))
    return {name: together(parts) for name, parts in found.items()}


def cold(places: Places, rounds: int) -> dict[str, Samples]:
    """Commands, from the start of their process to its end; `authenticate` keeps its release grid."""
    lines = {name: command_line(*arguments) for name, arguments in cold_lines(places).items()}
    return _in_turn({name: partial(run, line) for name, line in lines.items()}, rounds)


def _open(directory: Path, opened: list[Device]) -> None:
    opened.append(Device.open(directory, OPTIONS))


def _list(device: Device) -> object:
    return list(device.records("u0"))


def start(places: Places, rounds: int) -> dict[str, Samples]:
    """A start on the disk, and the first answers after it."""
    (face,) = face_views(SEED, person=0, count=1, first=5)
    parts: dict[str, list[Samples]] = {"start": [], "first 1:1 face": [], "first 1:N face": []}
    for _ in range(max(2, rounds // SLOW)):
        opened: list[Device] = []
        parts["start"].append(timed([partial(_open, places.device, opened)]))
        with opened[0] as device:
            parts["first 1:1 face"].append(timed([partial(device.authenticate, "u0", face)]))
            parts["first 1:N face"].append(timed([partial(device.identify, face)]))
    return {name: together(found) for name, found in parts.items()}


def warm(places: Places, rounds: int) -> dict[str, Samples]:
    """Decisions and a list through a secure world that runs, for each store."""
    found: dict[str, Samples] = {}
    faces = face_views(SEED, person=0, count=rounds, first=3)
    fingers = finger_impressions(SEED, person=0, count=rounds, first=3)
    for where, directory in places.stores.items():
        with Device.open(directory, OPTIONS) as device:
            calls: dict[str, list[Call]] = {
                "1:1 face": [partial(device.authenticate, "u0", face) for face in faces],
                "1:1 finger": [partial(device.authenticate, "u0", finger) for finger in fingers],
                "1:N face": [partial(device.identify, face) for face in faces],
                "list": [partial(_list, device)] * rounds,
            }
            for ours in calls.values():
                ours[0]()
            found |= {f"{name}, {where}": timed(ours) for name, ours in calls.items()}
    return found


def enroll(places: Places, rounds: int) -> dict[str, Samples]:
    """A face of three views, for each store: with user and six consents, and the call alone."""
    found: dict[str, Samples] = {}
    person = count(1000)

    def add(device: Device) -> str:
        name = f"e{secrets.token_hex(8)}"
        device.add_user(name)
        grant_all(device, name, of_age=True)
        return name

    def alone(device: Device, name: str) -> Call:
        views = face_views(SEED, person=next(person), count=3)
        return lambda: device.enroll(name, views)

    def whole(device: Device) -> Call:
        views = face_views(SEED, person=next(person), count=3)
        return lambda: device.enroll(add(device), views)

    for where, directory in places.stores.items():
        with Device.open(directory, OPTIONS) as device:
            whole(device)()
            found[f"enroll, user, consents, {where}"] = timed([whole(device) for _ in range(rounds)])
            found[f"enroll, {where}"] = timed([alone(device, add(device)) for _ in range(rounds)])
    return found


def memory(places: Places, _rounds: int) -> dict[str, Samples]:
    """Of all processes of an open device, before it was asked anything and after one 1:1. Empty where it takes root."""
    line = [sys.executable, "-P", "-m", __package__, "idle", str(places.device), str(places.face)]
    found: dict[str, Samples] = {}
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as idle:
        assert idle.stdin is not None
        assert idle.stdout is not None
        for name in ("memory, idle", "memory, after 1:1"):
            if not idle.stdout.readline():
                raise RuntimeError("the idle device did not open")
            held = pss_kib(idle.pid)
            found |= {} if held is None else {name: {"pss_kib": [held]}}
            idle.stdin.write("\n")
            idle.stdin.flush()
    return found


def floors(places: Places, rounds: int) -> dict[str, Samples]:
    """What nothing here can be below: starts of Python, and a sync in the folder of the device."""
    pythons = {"Python starts": "pass", "Python imports numpy": "import numpy"}
    starts: dict[str, Call] = {n: partial(run, [sys.executable, "-P", "-c", code]) for n, code in pythons.items()}
    found = _in_turn(starts, rounds)
    file = os.open(places.disk / "synced", os.O_CREAT | os.O_RDWR, 0o600)
    try:

        def sync() -> None:
            os.pwrite(file, secrets.token_bytes(SYNC_BYTES), 0)
            os.fdatasync(file)

        sync()
        found["one sync, disk"] = timed([sync] * (4 * rounds))
    finally:
        os.close(file)
    return found


GROUPS: dict[str, Callable[[Places, int], dict[str, Samples]]] = {
    "floors": floors, "cold": cold, "start": start, "warm": warm, "enroll": enroll, "memory": memory,
}  # fmt: skip
