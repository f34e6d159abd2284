"""A device with a sensor lives with a canary picture: everything that crosses the normal world or is left is kept.

Unlike in a device that takes files, no features go in: so every frame is a source here, the requests as well. The
picture goes to the sensor's process on a pipe of its own, which is no frame; nothing else may hold any of it.
"""

from collections.abc import Iterator
from pathlib import Path

from bioguard.device import Device, DeviceOptions, consent
from bioguard.device.captures import SensorSample
from bioguard.errors import BioguardError
from bioguard.evidence.leak_scan.canary_engine import canary_picture
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from tee_sim.normal.sandbox_verdict.level import Level

SENSOR = "fingerprint=bioguard.evidence.leak_scan.canary_engine:CanaryEngine"
_DPI = 500
_NAME = "somebody"


def sensor_sources(directory: Path, seed: int) -> list[tuple[str, bytes]]:
    """Enroll, claim and search by pictures of a new device in `directory`; what must hold no canary: (name, bytes).

    Raises:
        WrongUsage: `capture.missing`: without the extra no device has a sensor.
        BioguardError: it did not live to its end.
    """
    frames, said = bytearray(), list[str]()
    options = DeviceOptions(
        tap=lambda _direction, frame: frames.extend(frame),
        note=said.append,
        storage_log=lambda note: said.append(repr(note.to_json())),
        release_grid_ms=0,
        allow_level=Level.NOT_ENFORCED,
    )
    with Device.init(directory, options, sensors=[SENSOR], require_pin=False, uncalibrated=True) as device:
        said += _live(device, canary_picture(seed)[0])
        said.append(repr([*device.records()]) + repr(consent.signed_log(device)))
    return [
        ("frames of a device with a sensor", bytes(frames)),
        ("notes and answers of a device with a sensor", "\n".join(said).encode()),
        *((f"{path.name} of a device with a sensor", path.read_bytes()) for path in _files(directory)),
    ]


def _live(device: Device, picture: bytes) -> Iterator[str]:
    finger = Modality.FINGERPRINT
    device.add_user(_NAME)
    for purpose in (Purpose.UNLOCK, Purpose.IDENTIFY):
        consent.grant(device, _NAME, finger, purpose, days=1, of_age=True)

    def seen() -> SensorSample:
        return device.capture(finger, picture, dpi=_DPI)

    first = seen()
    yield repr(first) + repr(device.enroll(_NAME, [first], finger="right-index"))
    yield repr(device.authenticate(_NAME, seen())) + repr(device.identify(seen()))
    try:
        device.enroll(_NAME, [seen()], finger="left-index")  # enrolled already
    except BioguardError as error:
        yield f"{error} {error.hint}"


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file())
