"""A device lives through everything with canaries as its people; all it writes, sends and prints is kept for the scan.

Run as its own process (`python -m bioguard.evidence.leak_scan.exercise_device DEVICE OUT SEED`) so that what it prints
is captured too; `live` starts it and returns the sources. The features go into the secure world in clear, in INVOKE
frames: those are kept apart as the live positive control, in which the scanner must find the canaries.
"""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bioguard.device import Device, DeviceOptions
from bioguard.device.consent import grant_all, signed_log
from bioguard.device.receipts import erasure_receipt
from bioguard.errors import BioguardError, TeeUnavailable
from bioguard.evidence.leak_scan.canaries import Canaries, make_canaries
from bioguard.records import FaceEmbedding, FingerprintTemplate
from tee_sim.normal.sandbox_verdict.verdict import Level
from tee_sim.shared.wire import Invoke, unpack

_USER: Final = "canary"
_MAX_REGION_BYTES: Final = 256 << 20
_PAGE_BYTES: Final = 4096
_HANDLES_FEATURES: Final = "biometric"
"""Name of the process that runs the application which enrolls and compares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What a device left behind.

    Attributes:
        sources: everything that must hold no canary: (name, bytes).
        carried: the frames that took the features in; the scanner must find the canaries there.
        memory: writable memory of the core and of the biometric application's process after the last erase, where this
            caller may read it; what Python copied cannot be wiped (docs/sandbox.md section 7), so it is judged apart.
        bystanders: (name, the same) of every other process of the secure world: no feature has any business there.
    """

    sources: tuple[tuple[str, bytes], ...]
    carried: bytes
    memory: bytes
    bystanders: tuple[tuple[str, bytes], ...] = ()


class _Tap:
    """Splits the frames by direction and by whether they carry the caller's own request."""

    def __init__(self) -> None:
        self.from_secure = bytearray()
        self.to_secure = bytearray()
        self.carried = bytearray()

    def __call__(self, direction: str, frame: bytes) -> None:
        if direction == "from-secure":
            self.from_secure += frame
        elif isinstance(unpack(frame[4:]), Invoke):
            self.carried += frame
        else:
            self.to_secure += frame


SKIN_PX500, SKIN_RAD = 3.0, 0.05
"""How far minutiae of one finger move against each other between two touches: a mere shift is the same touch again."""


def _samples(canaries: Canaries) -> tuple[list[FaceEmbedding], list[FingerprintTemplate]]:
    """The canary itself and two views close to it."""
    generator = np.random.default_rng(3)
    near = (canaries.face + generator.normal(0, 0.004, canaries.face.size) for _ in range(2))
    faces = [canaries.embedding, *(FaceEmbedding.from_features(v) for v in near)]
    finger = canaries.finger
    moved = [
        FingerprintTemplate.from_minutiae(
            np.clip(finger.x_px500 + generator.normal(0, SKIN_PX500, len(finger)), 0, finger.width_px500 - 1),
            np.clip(finger.y_px500 + generator.normal(0, SKIN_PX500, len(finger)), 0, finger.height_px500 - 1),
            finger.angle_rad + generator.normal(0, SKIN_RAD, len(finger)), kind=finger.kind, quality=finger.quality,
            width_px500=finger.width_px500, height_px500=finger.height_px500,
        )
        for _ in range(2)
    ]  # fmt: skip
    return faces, [finger, *moved]


def _files(directory: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(p for p in directory.rglob("*") if p.is_file()):
        yield path.relative_to(directory).as_posix(), path.read_bytes()


def _keep(out: Path, stage: str, directory: Path) -> None:
    for name, data in _files(directory):
        target = out / "sources" / f"{name} {stage}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _keep_memory(device: Device, out: Path) -> None:
    """Of those that handle features in one, of every other process apart."""
    inspected = device.running.inspected
    handled = [host for host in inspected.hosts if host.name == _HANDLES_FEATURES]
    bystanders = [host for host in inspected.hosts if host.name != _HANDLES_FEATURES]
    processes = (inspected.core, *handled)
    (out / "memory").write_bytes(b"".join(_memory(process.seen.process_id) for process in processes))
    (out / "bystanders").mkdir()
    known: set[bytes] = set()
    for host in bystanders:
        pages = [page for page in _pages(_memory(host.seen.process_id)) if page not in known]
        known.update(pages)  # shared since before the lock: scanned once, where it is seen first
        (out / "bystanders" / f"memory of {host.name}").write_bytes(b"".join(pages))


def _pages(memory: bytes) -> Iterator[bytes]:
    """Those that were ever written."""
    pages = np.frombuffer(memory[: len(memory) // _PAGE_BYTES * _PAGE_BYTES], np.uint8).reshape(-1, _PAGE_BYTES)
    return (page.tobytes() for page in pages[pages.any(1)])


def _memory(pid: int) -> bytes:
    """Writable private memory of a process; empty where this caller may not read it."""
    found = bytearray()
    try:
        regions = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
        fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    except OSError:
        return b""
    try:
        for first, last in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw", regions, re.M):
            start, end = int(first, 16), int(last, 16)
            with contextlib.suppress(OSError):  # secret memory answers EIO even to root: as it should
                found += os.pread(fd, min(end - start, _MAX_REGION_BYTES), start)
    finally:
        os.close(fd)
    return bytes(found)


def _tolerate(action: Callable[[], object]) -> None:
    """A refusal is part of life; its text goes where it would go."""
    try:
        action()
    except BioguardError as error:
        sys.stderr.write(f"{error}\nhint: {error.hint}\n")


def _enroll(device: Device, canaries: Canaries) -> None:
    faces, fingers = _samples(canaries)
    device.add_user(_USER)
    grant_all(device, _USER, of_age=True)
    device.enroll(_USER, faces)
    device.enroll(_USER, fingers, finger="right-index")
    for sample in (*faces, *fingers):
        _tolerate(lambda sample=sample: device.authenticate(_USER, sample))  # type: ignore[misc]
    _tolerate(lambda: device.identify(faces[0]))
    _tolerate(lambda: device.enroll(_USER, faces, replace=True))
    _tolerate(lambda: device.enroll(_USER, fingers, finger="right-index"))  # there is one already: refused
    _tolerate(lambda: device.enroll("nobody", faces))


def main(arguments: list[str]) -> None:
    """Live: enroll, match, replace, be refused, crash, start again, export the log, erase, end."""
    directory, out, seed = Path(arguments[0]), Path(arguments[1]), int(arguments[2])
    canaries = make_canaries(seed, with_key=False)
    tap = _Tap()
    options = DeviceOptions(tap=tap, release_grid_ms=0, allow_level=Level.NOT_ENFORCED)
    device = Device.init(directory, options, require_pin=False)
    try:
        _enroll(device, canaries)
        _keep(out, "after enrollment", directory)
        device.running.process.kill()
        _tolerate(lambda: device.authenticate(_USER, canaries.embedding))
    finally:
        device.close()
    _keep(out, "after a crash", directory)
    with Device.open(directory, options) as device:
        exported = repr([*device.records()]) + repr(signed_log(device))
        _tolerate(lambda: device.authenticate(_USER, canaries.embedding))
        erased = [device.erase(_USER, record.record_id) for record in list(device.records(_USER))]
        exported += erasure_receipt(device, erased).to_text()
        _keep_memory(device, out)
        _keep(out, "after erasure", directory)
    _keep(out, "at the end", directory)
    (out / "sources" / "exports").write_text(exported, encoding="utf-8")
    (out / "sources" / "frames from the secure world").write_bytes(tap.from_secure)
    (out / "sources" / "frames to the secure world").write_bytes(tap.to_secure)
    (out / "carried").write_bytes(tap.carried)


def live(directory: Path, out: Path, seed: int) -> Life:
    """Let a new device live in `directory`; keep what it left in `out` (both new, both the caller's to remove).

    Raises:
        TeeUnavailable: it did not get to its end.
    """
    out.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-I",
        "-B",
        "-m",
        "bioguard.evidence.leak_scan.exercise_device",
        str(directory),
        str(out),
        str(seed),
    ]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no reason given"]
        raise TeeUnavailable(
            f"the device under scan did not live to its end: {last[0]}", hint="run: bioguard doctor", code="leaks"
        )
    sources = [*_files(out / "sources"), ("standard output", done.stdout), ("standard error", done.stderr)]
    return Life(
        sources=tuple(sources),
        carried=(out / "carried").read_bytes(),
        memory=(out / "memory").read_bytes(),
        bystanders=tuple((name, data) for name, data in _files(out / "bystanders") if data),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
