"""What matching costs: 1:1, 1:N, all pairs, enrollment, bare and through the secure world, each next to its peers."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.peers import code_peers, face_peers
from bench.timing import in_turn
from bioguard.device import Device
from bioguard.device.consent import grant_all
from bioguard.match import CodeGallery, FaceGallery, FingerprintGallery
from bioguard.match.fingerprint import prepare, prepare_all
from bioguard.match.protected import CodeContext, SignCoder
from bioguard.simulate.people import EDGEFACE_XS, FacePopulation, FingerPopulation, face_views, finger_impressions

PROBES = 64
LIST = 64
"""Candidates that stage one of a search keeps: the product's K."""
CHUNK = 50_000
FINGERS = 512
"""Different synthetic fingers; larger galleries repeat them."""
MAX_FINGER_ROWS = 100_000
Latencies = dict[str, dict[str, list[float]]]


def measure(*, sizes: Sequence[int], seconds: float, seed: int, keep: Latencies, device: bool = True) -> dict[str, Any]:
    """All groups of cases. `keep` receives the latencies of each group, for plots."""
    population = FacePopulation(EDGEFACE_XS, seed)
    largest = max(sizes)
    gallery = np.concatenate(
        [population.embeddings(first, min(CHUNK, largest - first), 0) for first in range(0, largest, CHUNK)]
    )
    probes = population.embeddings(0, PROBES, 1)
    coder = SignCoder(CodeContext(secret=bytes(32), dimension=population.dimension, model_id="bench", epoch=0))
    codes = np.concatenate([coder.encode(gallery[s : s + CHUNK]) for s in range(0, largest, CHUNK)])
    code_probes = coder.encode(probes)
    fingers = list(FingerPopulation(seed).stream((person, 2, 0) for person in range(FINGERS)))
    touches = list(FingerPopulation(seed).stream((person, 2, 1) for person in range(PROBES)))
    found: dict[str, Any] = {
        "face_1to1": {"1": _face(gallery[:1], probes, seconds, 1)},
        "face_1toN": {str(n): _face(gallery[:n], probes, seconds, LIST) for n in sizes},
        "code_1toN": {str(n): _codes(codes[:n], code_probes, seconds) for n in sizes},
        "code_all_pairs": _all_pairs(codes[: min(largest, 20_000)], seconds),
        "fingerprint_1to1": {"1": _fingerprint(fingers[:1], touches, 1, seconds)},
        "fingerprint_1toN": {str(n): _fingerprint(fingers, touches, n, seconds) for n in sizes if n <= MAX_FINGER_ROWS},
        "enrollment_work": _enrollment(coder, gallery[:PROBES], touches, seconds),
    }
    if device:
        found["one_to_one_through_tee"] = _through_tee(seed, seconds, keep)
    return found


def _face(gallery: NDArray[np.float32], probes: NDArray[np.float32], seconds: float, k: int) -> dict[str, Any]:
    ours = FaceGallery(gallery)
    calls = {"bioguard": lambda i: ours.search(probes[i % PROBES : i % PROBES + 1], k)}
    for name, search in face_peers(gallery, k).items():
        calls[name] = lambda i, search=search: search(probes[i % PROBES : i % PROBES + 1])  # type: ignore[misc]
    return in_turn(calls, len(gallery), seconds=seconds)


def _codes(gallery: NDArray[np.uint8], probes: NDArray[np.uint8], seconds: float) -> dict[str, Any]:
    ours = CodeGallery(gallery)
    calls = {"bioguard": lambda i: ours.search(probes[i % PROBES : i % PROBES + 1], LIST)}
    for name, search in code_peers(gallery, LIST).items():
        calls[name] = lambda i, search=search: search(probes[i % PROBES : i % PROBES + 1])  # type: ignore[misc]
    return in_turn(calls, len(gallery), seconds=seconds)


def _all_pairs(codes: NDArray[np.uint8], seconds: float) -> dict[str, Any]:
    """A block of probes against all rows, counted into a histogram: what a campaign of 10^9 pairs does."""
    block = codes[:PROBES]
    ours, twin = CodeGallery(codes), CodeGallery(codes, kernel="numpy")
    calls = {"bioguard": lambda _: ours.histogram(block), "numpy twin": lambda _: twin.histogram(block)}
    return {str(len(codes)): in_turn(calls, len(block) * len(codes), seconds=seconds)}


def _fingerprint(fingers: Sequence[Any], touches: Sequence[Any], n: int, seconds: float) -> dict[str, Any]:
    rows = prepare_all(list(fingers[:n]))
    gallery = FingerprintGallery([rows[i % len(rows)] for i in range(n)])
    ready = prepare_all(list(touches))
    return in_turn({"bioguard": lambda i: gallery.search(ready[i % PROBES], 10)}, n, seconds=seconds)


def _enrollment(coder: SignCoder, rows: NDArray[np.float32], touches: Sequence[Any], seconds: float) -> dict[str, Any]:
    """What one enrollment computes, without storage."""
    return {
        "fingerprint_descriptors": in_turn({"bioguard": lambda i: prepare(touches[i % PROBES])}, 1, seconds=seconds),
        "face_code": in_turn(
            {"bioguard": lambda i: coder.encode(rows[i % PROBES : i % PROBES + 1])}, 1, seconds=seconds
        ),
    }


def _through_tee(seed: int, seconds: float, keep: Latencies) -> dict[str, Any]:
    """The same decision through pipes, storage and counters of the secure world, and bare."""
    touches = finger_impressions(seed, person=0, count=3 + PROBES)
    views = face_views(seed, person=0, count=3 + PROBES)
    fingers = FingerprintGallery(touches[:3])
    faces = FaceGallery(np.stack([v.vector for v in views[:3]]))
    cases: dict[str, tuple[Sequence[Any], Any]] = {
        "fingerprint": (touches[3:], fingers.scores),
        "face": (views[3:], lambda probe: faces.scores(probe.vector[np.newaxis])),
    }
    found = {}
    with (
        tempfile.TemporaryDirectory(prefix="bioguard-bench-") as name,
        Device.init(Path(name) / "device", require_pin=False) as device,
    ):
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        device.enroll("alice", touches[:3], finger="right-index")
        device.enroll("alice", views[:3])
        for what, (probes, bare) in cases.items():
            latencies: dict[str, list[float]] = {}
            contenders: dict[str, Any] = {
                "bare": lambda i, p=probes, b=bare: b(p[i % PROBES]),
                "through tee": lambda i, p=probes: device.authenticate("alice", p[i % PROBES]),
            }
            found[what] = in_turn(contenders, 1, seconds=max(seconds, 1.0), keep=latencies)
            keep[f"1:1 {what}, three samples enrolled"] = latencies
    return found
