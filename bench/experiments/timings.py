"""`python -m bench.experiments.timings`: what a caller of a device waits for, all in one run.

* cold: a new process per `bioguard authenticate`, as a shell user feels it;
* warm: 1:1 decisions through the secure world that already runs, p50 and p95;
* enrollments a second, each one a durable transaction;
* opening a store that holds 10, 1 000 and 10 000 templates: start to first answer, and the first 1:N search, which
  opens them all; then 1:N searches through the secure world, p50 and p95 (on the release grid of 5 ms).

Everything runs in a temporary directory on synthetic people. Figures of a shared machine are noisy: compare within
one run, quote ratios.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.timing import Call, in_turn
from bioguard.commands import biometric as commands
from bioguard.commands import policy
from bioguard.device import Device
from bioguard.device.consent import grant_all
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from bioguard.simulate.people import face_views, finger_impressions

STORES = (10, 1_000, 10_000)
REPEATS = 30


def _timed(call: Call, calls: int = REPEATS) -> dict[str, float]:
    """p50 and p95 of so many calls, which get their number; one before them is not counted."""
    found = in_turn({"": call}, 1, seconds=0, least=calls)[""]
    return {"p50_ms": round(found["p50_ms"], 3), "p95_ms": round(found["p95_ms"], 3), "n": found["calls"]}


def warm_and_enroll(directory: Path) -> dict[str, object]:
    """1:1 through a running secure world, and durable enrollments."""
    with Device.init(directory, require_pin=False) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        device.enroll("alice", finger_impressions(1, person=0, count=3), finger="right-index")
        device.enroll("alice", face_views(1, person=0, count=3))
        probes = finger_impressions(1, person=0, count=REPEATS, first=3)
        faces = face_views(1, person=0, count=REPEATS, first=3)
        finger_times = _timed(lambda i: device.authenticate("alice", probes[i % REPEATS]))
        face_times = _timed(lambda i: device.authenticate("alice", faces[i % REPEATS]))
        people = 40
        start = time.perf_counter()
        for person in range(people):
            device.add_user(f"u{person}")
            grant_all(device, f"u{person}", of_age=True)
            device.enroll(f"u{person}", face_views(2, person=person, count=3))
        seconds = time.perf_counter() - start
    return {
        "warm_1to1_finger_3_touches": finger_times,
        "warm_1to1_face_3_views": face_times,
        "enrollments_per_s": round(people / seconds, 1),
    }


def cold(directory: Path) -> dict[str, float]:
    """A whole `bioguard authenticate` process."""
    probe = directory.parent / "probe.npy"
    np.save(probe, face_views(1, person=0, count=1, first=11)[0].vector)
    line = [sys.executable, "-m", "bioguard.cli", "--device", str(directory), "authenticate", "alice", str(probe)]

    def once(_: int) -> None:
        done = subprocess.run(line, capture_output=True, check=False)
        if done.returncode not in (0, 3):
            raise RuntimeError(done.stderr.decode())

    return _timed(once, 7)


def opening(directory: Path, templates: int) -> dict[str, object]:
    """Fill a store, then time a restart, one 1:1 and the first 1:N."""
    with Device.init(directory, require_pin=False) as device:
        for person in range(templates):
            user = person.to_bytes(16, "big")
            device.ask(commands.ADD_USER, commands.AddUser(user=user, label=bytes(32)))
            for purpose in (Purpose.UNLOCK, Purpose.IDENTIFY):
                consent = policy.GrantConsent(user=user, modality=Modality.FACE, purpose=purpose, days=365, of_age=True)
                device.ask(policy.GRANT, consent)
            request = commands.Enroll(
                user=user,
                modality=Modality.FACE,
                position=0,
                samples=(face_views(3, person=person, count=1)[0].to_bytes(),),
            )
            device.ask(commands.ENROLL, request)
    probe = face_views(3, person=0, count=1, first=1)[0]
    start = time.perf_counter()
    with Device.open(directory) as device:
        opened = time.perf_counter()
        one = commands.Authenticate(user=bytes(16), sample=probe.to_bytes(), fmr_inverse=50_000)
        device.ask(commands.AUTHENTICATE, one)
        first = time.perf_counter()
        device.identify(probe)
        searched = time.perf_counter()
        warm = _timed(lambda _: device.identify(probe))
    return {
        "templates": templates,
        "open_ms": round((opened - start) * 1000, 1),
        "first_1to1_ms": round((first - opened) * 1000, 1),
        "first_1toN_ms": round((searched - first) * 1000, 1),
        "warm_1toN_p50_ms": warm["p50_ms"],
        "warm_1toN_p95_ms": warm["p95_ms"],
        "store_bytes_per_template": sum(p.stat().st_size for p in directory.glob("storage.db*")) // templates,
    }


def main() -> None:
    """Run all and print a table, or JSON with --json."""
    parser = argparse.ArgumentParser(prog="python -m bench.experiments.timings", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--stores", type=int, nargs="+", default=STORES, help="store sizes to open")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bioguard-bench-") as temporary:
        root = Path(temporary)
        report = warm_and_enroll(root / "device")
        report["cold_cli_authenticate"] = cold(root / "device")
        report["opening"] = [opening(root / f"store-{n}", n) for n in arguments.stores]
    if arguments.json:
        print(json.dumps(report, indent=2))
        return
    for name, value in report.items():
        for row in value if isinstance(value, list) else [value]:
            print(f"{name:<28} {row}")


if __name__ == "__main__":
    main()
