"""`python -m bench.experiments.lockdown`: what the lock costs, side by side in one run.

* start-up: median cost of each step of the lock, from the child's own report, over fresh processes;
* steady state: a warm 1:1 decision with the lock and without it, alternating, median and the ratio;
* system calls of a session and packets at an observer (`bioguard audit egress` counts them as well).

Figures of a shared machine are noisy: quote the ratio and the sum, not single steps.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from bioguard.device import Device, DeviceOptions
from bioguard.device.consent import grant_all
from bioguard.records import Features
from bioguard.simulate.people import face_views, finger_impressions
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.shared.wire import LockProfile

STARTS = 7
ROUNDS = 12
PER_ROUND = 5


def _options(profile: LockProfile) -> DeviceOptions:
    return DeviceOptions(profile=profile, allow_level=Level.NOT_ENFORCED, release_grid_ms=0)


def start_up(root: Path) -> dict[str, object]:
    """Cost of each step in microseconds, and of the whole lock, medians over fresh processes."""
    rows: list[dict[str, int]] = []
    with Device.init(root / "start", _options(LockProfile.STRICT)) as device:
        level = device.running.verdict.level.value
    for _ in range(STARTS):
        with Device.open(root / "start", _options(LockProfile.STRICT)) as device:
            rows.append(dict(device.running.report.costs_us))
    steps = {name: int(statistics.median(row[name] for row in rows)) for name in rows[0]}
    whole = [sum(row.values()) for row in rows]
    return {
        "level": level,
        "starts": STARTS,
        "steps_us": steps,
        "whole_us": {"median": int(statistics.median(whole)), "min": min(whole), "max": max(whole)},
    }


def _prepared(root: Path, name: str, profile: LockProfile) -> Device:
    device = Device.init(root / name, _options(profile), require_pin=False)
    device.add_user("alice")
    grant_all(device, "alice", of_age=True)
    device.enroll("alice", face_views(1, person=1, count=3))
    device.enroll("alice", finger_impressions(1, person=1, count=3), finger="right-index")
    return device


def steady_state(root: Path) -> dict[str, object]:
    """Warm 1:1 decisions, locked and not, in alternating rounds; only with samples that are accepted."""
    probes: dict[str, Features] = {
        "face": face_views(1, person=1, count=1)[0],
        "finger": finger_impressions(1, person=1, count=1)[0],
    }
    devices = {
        "locked": _prepared(root, "locked", LockProfile.STRICT),
        "not_locked": _prepared(root, "open", LockProfile.OFF),
    }
    probes = {what: probe for what, probe in probes.items() if devices["locked"].authenticate("alice", probe).match}
    times: dict[str, dict[str, list[float]]] = {what: {name: [] for name in devices} for what in probes}
    try:
        for round_number in range(ROUNDS):
            order = list(devices) if round_number % 2 else list(devices)[::-1]
            for name in order:
                for what, probe in probes.items():
                    for _ in range(PER_ROUND):
                        started = time.perf_counter()
                        right = devices[name].authenticate("alice", probe).match
                        times[what][name].append((time.perf_counter() - started) * 1000)
                        if not right:  # a failed decision is another path, and five of them lock the sensor
                            raise SystemExit(f"an enrolled {what} was not accepted: nothing to measure")
    finally:
        for device in devices.values():
            device.close()
    result: dict[str, object] = {"decisions_each": ROUNDS * PER_ROUND}
    for what, by_name in times.items():
        medians = {name: statistics.median(values) for name, values in by_name.items()}
        result[what] = {
            **{f"{name}_median_ms": round(value, 3) for name, value in medians.items()},
            "ratio": round(medians["locked"] / medians["not_locked"], 3),
        }
    return result


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bioguard-bench-") as name:
        result = {"start_up": start_up(Path(name)), "steady_state": steady_state(Path(name))}
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    start = result["start_up"]
    print(f"level {start['level']}, {start['starts']} starts, medians")
    for step, cost_us in start["steps_us"].items():  # type: ignore[attr-defined]
        print(f"  {step:<22} {cost_us:>6} us")
    print(f"  {'whole lock':<22} {start['whole_us']}")
    for what, figures in result["steady_state"].items():
        print(f"warm 1:1 {what}: {figures}")


if __name__ == "__main__":
    main()
