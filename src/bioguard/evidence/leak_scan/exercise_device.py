"""A device lives through everything with canaries as its people; all it writes, sends and prints is kept for the scan.

It runs as a process of its own, watched from outside, so that what it prints, writes and sends is caught too; `live`
starts it and returns the sources. The features go into the secure world in clear, in INVOKE
frames: those are kept apart as the live positive control, in which the scanner must find the canaries.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from bioguard.commands.biometric import EraseAuthorization
from bioguard.device import Device, DeviceOptions, consent, pins
from bioguard.device.data_export import decision_words
from bioguard.device.personal_data import personal_data
from bioguard.device.privacy_notice import notice
from bioguard.device.receipts import erasure_receipt
from bioguard.device.rectify import relabel
from bioguard.errors import BioguardError, TeeUnavailable
from bioguard.evidence.leak_scan.canaries import Canaries, make_canaries
from bioguard.evidence.leak_scan.exercise_serve import CODE_BYTES, SERVED, TOKENS, serve
from bioguard.evidence.leak_scan.told import Served
from bioguard.evidence.outside_watch import NotWatched, Sighting, watched
from bioguard.records import FaceEmbedding, FingerprintTemplate
from bioguard.records.audit_events import Cause, Event
from bioguard.records.consent import Purpose
from bioguard.records.modality import Modality
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.shared.wire import Invoke, unpack

_START: Final = "import sys; from bioguard.evidence.leak_scan.exercise_device import main; main(sys.argv[1:])"
_WITH_MEMORY: Final = "with-memory"
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
        tokens: the authentication codes of the tokens it was given.
        served: what it told a client on a pipe, and left of that; None where nobody asked it.
        device: its directory. kept: where what it left is kept.
        sighting: what was seen of its processes from outside, or why nothing was.
    """

    sources: tuple[tuple[str, bytes], ...]
    carried: bytes
    memory: bytes
    bystanders: tuple[tuple[str, bytes], ...] = ()
    tokens: tuple[bytes, ...] = ()
    served: Served | None = None
    device: Path = Path()
    kept: Path = Path()
    sighting: Sighting | NotWatched = field(
        default_factory=lambda: NotWatched("not watched", hint="run: bioguard doctor")
    )


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


_NOISE_SEED: Final = 1 << 40
"""Beyond those of canaries: noise of the same numbers would be the canary again."""
SKIN_PX500, SKIN_RAD = 3.0, 0.05
"""How far minutiae of one finger move against each other between two touches: a mere shift is the same touch again."""


def _samples(canaries: Canaries) -> tuple[list[FaceEmbedding], list[FingerprintTemplate]]:
    """The canary itself and two views close to it."""
    generator = np.random.default_rng(_NOISE_SEED)
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


def _enroll(device: Device, canaries: Canaries) -> list[bytes]:
    """Enroll both modalities with the PIN, compare, search, be refused; return the tokens."""
    faces, fingers = _samples(canaries)
    user, pin = canaries.name, canaries.pin
    device.add_user(user)
    pins.set_pin(device, user, pin)
    tokens = [pins.verify_pin(device, user, pin)]
    consent.grant_all(device, user, of_age=True, token=tokens[0])
    for modality, samples, finger in ((Modality.FACE, faces, None), (Modality.FINGERPRINT, fingers, "right-index")):
        tokens.append(pins.enrollment_token(device, user, modality, pin))
        device.enroll(user, samples, finger=finger, token=tokens[-1])
        for sample in samples:
            answer = device.authenticate(user, sample, operation_id=7)
            tokens += [answer.token] if answer.token else []
    _tolerate(lambda: device.identify(faces[0]))
    _tolerate(lambda: device.identify(fingers[0]))
    tokens.append(pins.enrollment_token(device, user, Modality.FACE, pin))
    _tolerate(lambda: device.enroll(user, faces, replace=True, token=tokens[-1]))
    _tolerate(lambda: device.enroll(user, fingers, finger="right-index"))  # there is one already: refused
    _tolerate(lambda: device.enroll("nobody", faces))
    _tolerate(lambda: pins.verify_pin(device, user, pin[::-1]))
    return tokens


def _decide(device: Device, canaries: Canaries) -> str:
    """Object, restrict, confirm, correct, ask: everything a person may do, and what it gives in words."""
    user = canaries.name
    token = pins.verify_pin(device, user, canaries.pin)
    consent.object_to(device, user, Purpose.IDENTIFY, token=token)
    consent.restrict(device, user, on=True, token=token)
    _tolerate(lambda: device.authenticate(user, canaries.embedding))
    consent.restrict(device, user, on=False, token=token)
    consent.confirm(device, user, token=token)
    finger = next(r for r in device.records(user) if r.modality == "fingerprint")
    relabel(device, user, finger.record_id, "left-index", token=token)
    consent.open_request(device, user, Cause.COMPLAINT, token=token)
    consent.purge(device)
    data = [personal_data(device, user, kind, token=token) for kind in (Cause.ACCESS, Cause.PORTABILITY)]
    entries = [item.entry for item in consent.signed_log(device).items if item.entry]
    words = [decision_words(entry) for entry in entries if entry.event is Event.DECIDED]
    told = notice(consent.policy_state(device), store=str(device.directory), profile="standard")
    return json.dumps([data, words, told])


def main(arguments: list[str]) -> None:
    """Live: enroll, match, decide, be refused, crash, start again, be told everything, erase, end."""
    directory, out, seed = Path(arguments[0]), Path(arguments[1]), int(arguments[2])
    canaries = make_canaries(seed, with_key=False)
    tap = _Tap()
    options = DeviceOptions(tap=tap, release_grid_ms=0, allow_level=Level.NOT_ENFORCED)
    device = Device.init(directory, options, require_pin=False)
    try:
        tokens = _enroll(device, canaries)
        _keep(out, "after enrollment", directory)
        exported = _decide(device, canaries)
        device.running.process.kill()
        _tolerate(lambda: device.authenticate(canaries.name, canaries.embedding))
    finally:
        device.close()
    _keep(out, "after a crash", directory)
    _command(directory, "access", canaries.name, "--pin-file", str(_pin_file(out, canaries)))
    with Device.open(directory, options) as device:
        exported += repr([*device.records()]) + repr(consent.signed_log(device))
        _tolerate(lambda: device.authenticate(canaries.name, canaries.embedding))
        leave = EraseAuthorization(token=pins.verify_pin(device, canaries.name, canaries.pin))
        erased = [
            device.erase(canaries.name, record.record_id, leave) for record in list(device.records(canaries.name))
        ]
        exported += erasure_receipt(device, erased).to_text()
        if arguments[3:] == [_WITH_MEMORY]:
            _keep_memory(device, out)
        _keep(out, "after erasure", directory)
    serve(directory, out, canaries, _forms(canaries, make_canaries(seed ^ 1, with_key=False)))
    _keep(out, "at the end", directory)
    (out / "sources" / "exports").write_text(exported, encoding="utf-8")
    (out / "sources" / "frames from the secure world").write_bytes(tap.from_secure)
    (out / "sources" / "frames to the secure world").write_bytes(tap.to_secure)
    (out / "carried").write_bytes(tap.carried)
    (out / "tokens").write_bytes(b"".join(token[-CODE_BYTES:] for token in tokens))


def _forms(canaries: Canaries, other: Canaries) -> list[list[bytes]]:
    """Faces and fingers in canonical form: three views of the canary, two of somebody else."""
    (faces, fingers), (other_faces, other_fingers) = _samples(canaries), _samples(other)
    return [
        [face.to_bytes() for face in (*faces, *other_faces[:2])],
        [finger.to_bytes() for finger in (*fingers, *other_fingers[:2])],
    ]


def _pin_file(out: Path, canaries: Canaries) -> Path:
    path = out / "pin"
    path.write_bytes(canaries.pin + b"\n")
    path.chmod(0o600)
    return path


def _command(directory: Path, *words: str) -> None:
    """A command as a user types it; what it prints goes where it goes."""
    device = ("--device", str(directory), "--allow-level", Level.NOT_ENFORCED.value)
    subprocess.run([sys.executable, "-I", "-B", "-m", "bioguard.cli", *device, *words], check=True)


def live(directory: Path, out: Path, seed: int, *, memory: bool = True) -> Life:
    """Let a new device live in `directory`; keep what it left in `out` (both new, both the caller's to remove).

    It is watched from outside where this host allows that; where it does not, it lives all the same.

    Raises:
        TeeUnavailable: it did not get to its end.
    """
    out.mkdir(parents=True, exist_ok=True)
    more = [_WITH_MEMORY] if memory else []
    line = [sys.executable, "-I", "-B", "-c", _START, str(directory), str(out), str(seed), *more]
    seen: Sighting | NotWatched
    try:
        seen, output, errors = watched(line, out.parent / f"{out.name}.seen")
        status = seen.status
    except NotWatched as reason:
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        seen, status, output, errors = reason, done.returncode, done.stdout, done.stderr
    if status != 0:
        last = errors.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no reason given"]
        raise TeeUnavailable(
            f"the device under scan did not live to its end: {last[0]}", hint="run: bioguard doctor", code="leaks"
        )
    left = Served.read(out / SERVED)
    sources = [*_files(out / "sources"), ("standard output", output), ("standard error", errors), *left.sources()]
    codes = (out / "tokens").read_bytes() + (out / SERVED / TOKENS).read_bytes()
    return Life(
        sources=tuple(sources),
        carried=(out / "carried").read_bytes(),
        memory=(out / "memory").read_bytes() if memory else b"",
        bystanders=tuple((name, data) for name, data in _files(out / "bystanders") if data),
        tokens=tuple(codes[i : i + CODE_BYTES] for i in range(0, len(codes), CODE_BYTES)),
        served=left,
        device=directory,
        kept=out,
        sighting=seen,
    )
