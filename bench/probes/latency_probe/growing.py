"""One device, filled to each size in turn and timed there as often as whoever started this asks.

Filled through the device's own commands, each its own durable transaction: ten face records a person, of one view each;
a person costs a user, two consents and ten enrollments. While it is filled its secure world is in this process, without
lock and pipes (`tests.campaigns.device_files`), in half of the time; beyond BY_COMMANDS records a transaction takes
dozens (`.bulk`). It is timed as it is meant to run.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from bioguard.commands import biometric as commands
from bioguard.commands import policy
from bioguard.device import Device
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.simulate.people import face_views
from tests.campaigns import device_files

from .groups import Call, Samples, timed
from .places import OPTIONS

SEED, EACH = 3, 10
BY_COMMANDS = 10_000


_HAS_SENSORS = "sensor" in commands.Enroll.__dataclass_fields__
_ON: dict[str, Any] = {"sensor": 1} if _HAS_SENSORS else {"modality": Modality.FACE}
"""Where one enrolls: an older checkout names no sensors."""


def _enroll(person: int, view: int) -> commands.Enroll:
    samples = tuple(face.to_bytes() for face in face_views(SEED, person=person, count=1, first=view))
    return commands.Enroll(user=person.to_bytes(16, "big"), position=0, samples=samples, **_ON)


def _what(purpose: Purpose) -> dict[str, Any]:
    """What is consented to: in an older checkout a request names one modality and one purpose."""
    if "modalities" in policy.GrantConsent.__dataclass_fields__:
        return {"modalities": (Modality.FACE,), "purposes": (purpose,)}
    return {"modality": Modality.FACE, "purpose": purpose}


def _add(device: Device, person: int) -> None:
    user = person.to_bytes(16, "big")
    device.ask(commands.ADD_USER, commands.AddUser(user=user, label=bytes(32)))
    for purpose in (Purpose.UNLOCK, Purpose.IDENTIFY):
        device.ask(policy.GRANT, policy.GrantConsent(user=user, days=365, of_age=True, **_what(purpose)))


class _Tee(device_files._Tee):
    """With the clock and the randomness of the host, as the device was made."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options, seed=None, stepped_wall_ms=cast("int", None))


@contextmanager
def _in_one_process() -> Iterator[None]:
    with patch.object(device_files, "_Tee", _Tee), device_files.in_process_devices():
        yield


def _fill(device: Device, first: int, last: int) -> None:
    by_commands = min(last, max(first, BY_COMMANDS))
    for record in range(first, by_commands):
        person, view = divmod(record, EACH)
        if view == 0:
            _add(device, person)
        device.ask(commands.ENROLL, _enroll(person, view))


def _fill_in_dozens(directory: Path, first: int, last: int) -> None:
    """Only whole people, beyond BY_COMMANDS. Not every checkout has what this uses: it is loaded here."""
    from .bulk import enroll_people, held_application  # noqa: PLC0415

    with held_application() as held, _in_one_process(), Device.open(directory, OPTIONS) as device:
        device.ask(commands.LIST, commands.ListRecords(user=bytes(16), after=None))  # the application starts
        enroll_people(held[0], SEED, max(first, BY_COMMANDS) // EACH, last // EACH, each=EACH, like=bytes(16))


def _measure(directory: Path, rounds: int, spare: int) -> dict[str, Samples]:
    """Times with the records that are there. spare: a number of a person who is not."""
    probes = face_views(SEED, person=0, count=rounds, first=EACH)
    on: dict[str, Any] = _ON if _HAS_SENSORS else {}
    claims = [commands.Authenticate(user=bytes(16), sample=p.to_bytes(), fmr_inverse=50_000, **on) for p in probes]
    one = commands.ListRecords(user=bytes(16), after=None)
    new = [_enroll(spare, view) for view in range(min(rounds, EACH))]
    opened: list[Device] = []
    found = {"start": timed([lambda: opened.append(Device.open(directory, OPTIONS))])}
    with opened[0] as device:
        parts: dict[str, list[Call]] = {
            "first 1:1": [lambda: device.ask(commands.AUTHENTICATE, claims[0])],
            "first 1:N": [lambda: device.identify(probes[0])],
            "1:1": [partial(device.ask, commands.AUTHENTICATE, claim) for claim in claims],
            "1:N": [partial(device.identify, probe) for probe in probes],
            "list of one": [lambda: device.ask(commands.LIST, one)] * rounds,
            "list of all": [lambda: list(device.records())],
        }
        found |= {name: timed(calls) for name, calls in parts.items()}
        _add(device, spare)
        found["enroll"] = timed([partial(device.ask, commands.ENROLL, one) for one in new])
    return found


def grow(folder: Path, rounds: int, sizes: list[int]) -> None:
    """Fill to each size, which rise; say so; time it for each line `measure`, go on after a line `next`.

    The few that are enrolled while it is timed stay: a size is the least number of records at its measurement.
    """
    directory = folder / "device"
    Device.init(directory, OPTIONS, require_pin=False, max_faces=EACH).close()
    held, spare = 0, count(1 << 24)
    for size in sizes:
        began_s = time.perf_counter()
        with _in_one_process(), Device.open(directory, OPTIONS) as device:
            _fill(device, held, size)
        if size > BY_COMMANDS:
            _fill_in_dozens(directory, held, size)
        held = size
        print(json.dumps({"fill_s": time.perf_counter() - began_s, "bytes": _bytes(directory)}), flush=True)
        for line in sys.stdin:
            if line.strip() == "next":
                break
            print(json.dumps(_measure(directory, rounds, next(spare))), flush=True)


def _bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.glob("storage.db*"))
