"""`python -m bench.experiments.sensor --pictures DIR --engine NAME…`: picture to decision, and what the lock costs.

Pictures go in turns through a locked sensor and through the same engine in this process. Wall time of a shared machine
is noisy, so processor time of the sensor's process and of the core, as the kernel counts it, stands beside it. A
decision is a capture and a claim on a whole device, its grid of releases off, of somebody enrolled from three pictures
of the first finger; the others of that finger are claimed with, again and again.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bioguard.capture.picture_bounds import framed
from bioguard.capture.sensor import EngineSensor
from bioguard.device import Device, DeviceOptions, consent
from bioguard.device.sensors import SensorChoice
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from tee_sim.normal.machine.locked_start import start_locked
from tee_sim.normal.sandbox_verdict.observe import children_of
from tee_sim.normal.supplicant import Supplicant
from tee_sim.shared.wire import Boot, LockProfile, Provision

WARM_UP = 2
TOUCHES, ROUNDS = 3, 4
DPI = 500


def _processor_ms(processes: tuple[int, ...]) -> float:
    """On a processor so far, all of them together."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[0]) for pid in processes) / 1e6


def _timed(work: Callable[[], object], processes: tuple[int, ...]) -> tuple[float, float]:
    """Wall and processor time in milliseconds."""
    before, started = _processor_ms(processes), time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e3, _processor_ms(processes) - before


def measured(engine: str, pictures: list[bytes], folder: Path) -> dict[str, object]:
    """Medians of wall time, means of processor time, and their ratios."""
    manifest = SensorChoice.of(f"fingerprint={engine}").manifest()
    bare = EngineSensor(manifest.arguments, {file.path: Path(file.path).read_bytes() for file in manifest.files})
    supplicant = Supplicant(folder)
    boot = Boot(manifests=(), profile=LockProfile.STRICT, sensors=(manifest,))
    provision = Provision(huk=bytes(32), device_id=bytes(16), create=True)
    started = start_locked(boot, supplicant, provision, accept=lambda _verdict: None)
    try:
        (core,) = children_of(started.process.pid) or (started.process.pid,)
        theirs = (core, *children_of(core))
        for picture in pictures[:WARM_UP]:
            started.process.capture(manifest.name, picture)
            bare.read(picture)
        pairs = [
            (
                _timed(lambda data=picture: started.process.capture(manifest.name, data), theirs),  # type: ignore[misc]
                _timed(lambda data=picture: bare.read(data), (os.getpid(),)),  # type: ignore[misc]
            )
            for picture in pictures
        ]
    finally:
        started.process.kill()
        supplicant.close()
    wall = [statistics.median(pair[side][0] for pair in pairs) for side in (0, 1)]
    processor = [statistics.mean(pair[side][1] for pair in pairs) for side in (0, 1)]
    return {
        "engine": engine,
        "level": started.inspected.verdict.level.value,
        "pictures": len(pictures),
        "wall_p50_ms": {"locked": round(wall[0], 1), "bare": round(wall[1], 1), "ratio": round(wall[0] / wall[1], 3)},
        "processor_mean_ms": {
            "locked": round(processor[0], 1),
            "bare": round(processor[1], 1),
            "ratio": round(processor[0] / processor[1], 3),
        },
    }


def decided(engine: str, pictures: list[bytes], folder: Path) -> dict[str, object]:
    """Wall time from a picture to the decision about it; the first pictures of a finger are enrolled."""
    options = DeviceOptions(release_grid_ms=0)
    taken_ms = []
    with Device.init(folder / "phone", options, sensors=[f"fingerprint={engine}"], require_pin=False) as device:
        device.add_user("somebody")
        consent.grant(device, "somebody", Modality.FINGERPRINT, Purpose.UNLOCK, days=1, of_age=True)
        touches = [device.capture(Modality.FINGERPRINT, data, dpi=DPI) for data in pictures[:TOUCHES]]
        device.enroll("somebody", touches, finger="right-index")
        matches = 0
        for data in pictures[TOUCHES:] * ROUNDS:
            started = time.perf_counter()
            matches += device.authenticate("somebody", device.capture(Modality.FINGERPRINT, data, dpi=DPI)).match
            taken_ms.append((time.perf_counter() - started) * 1e3)
    return {"decisions": len(taken_ms), "matches": matches, "wall_p50_ms": round(statistics.median(taken_ms), 1)}


def main() -> None:
    """Print the results as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="<finger>_<impression>.png at 500 dpi")
    parser.add_argument("--engine", nargs="+", default=["nbis"])
    parser.add_argument("--most", type=int, default=24)
    arguments = parser.parse_args()
    files = sorted(arguments.pictures.rglob("*.png"))[: arguments.most]
    first = [file.read_bytes() for file in files if file.stem.partition("_")[0] == files[0].stem.partition("_")[0]]
    results = []
    for engine in arguments.engine:
        with tempfile.TemporaryDirectory() as folder:
            result = measured(engine, [framed(file.read_bytes(), DPI) for file in files], Path(folder))
            results.append(result | {"picture_to_decision": decided(engine, first, Path(folder))})
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
