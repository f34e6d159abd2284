"""What is enrolled, and shown, looks like one person's face of a centered model: refusals by name, in both profiles."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bioguard.device import Device, DeviceOptions, Level
from bioguard.device.applications import manifests
from bioguard.device.consent import grant_all
from bioguard.device.pins import lock_info
from bioguard.errors import BioguardError
from bioguard.evidence.attack.world import hosting
from bioguard.exit_codes import ExitCode
from bioguard.records import FaceEmbedding
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality, Profile
from bioguard.simulate.people import face_views, finger_impressions

ALICE, BOB = (face_views(1, person=person, count=6) for person in (0, 1))


def altered(view: FaceEmbedding, change: Callable[[np.ndarray], np.ndarray]) -> FaceEmbedding:
    return FaceEmbedding.from_features(change(view.vector.astype(np.float64)))


def zero_point(v: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(v / np.abs(v).max() * 127 + 128), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=Profile)
def device(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """The secure world is in this process: what it decides is the same, and a start costs nothing."""
    options = DeviceOptions(allow_level=Level.NOT_ENFORCED, release_grid_ms=0)
    directory: Path = tmp_path_factory.mktemp("gate") / "device"
    with (
        hosting(manifests(), locked=False),
        Device.init(directory, options, profile=request.param, require_pin=False) as made,
    ):
        for name in ("alice", "bob"):
            made.add_user(name)
            grant_all(made, name, of_age=True)
        made.enroll("bob", BOB[:3])
        yield made


def refused(device: Device, call: Callable[[], object]) -> tuple[str, str]:
    before = list(device.records())
    with pytest.raises(BioguardError) as caught:
        call()
    assert list(device.records()) == before
    assert caught.value.exit_code is ExitCode.INPUT_REFUSED
    return caught.value.code, caught.value.message.rpartition(": ")[2]


A, B = ALICE, BOB
ENROLLMENTS = {
    "somebody else in the middle": ([A[0], B[3], A[1]], "enroll.inconsistent", "sample 2 is too different"),
    "two and two": (
        [A[0], A[1], B[3], B[4]],
        "enroll.inconsistent",
        "sample 3 is too different, sample 4 is too different",
    ),
    "two strangers": ([A[0], B[3]], "enroll.inconsistent", "sample 2 is too different"),
    "three times one view": ([A[0]] * 3, "enroll.poor_quality", "sample 2 is immobile, sample 3 is immobile"),
    "one view requantized": (
        [A[0], A[1], altered(A[0], lambda v: np.rint(v / np.abs(v).max() * 127))],
        "enroll.poor_quality",
        "sample 3 is immobile",
    ),
    "constant": (
        [altered(A[0], np.ones_like)],
        "enroll.not_centered",
        "all numbers are the same",
    ),
    "zero point": (
        [A[0], altered(A[1], zero_point)],
        "enroll.not_centered",
        "sample 2 is not centered, or quantized with a zero point",
    ),
    "offset": (
        [altered(A[0], lambda v: v + 1.5 / np.sqrt(v.size)), A[1]],
        "enroll.not_centered",
        "sample 1 is not centered, or quantized with a zero point",
    ),
    "a row number": (
        [altered(A[0], lambda v: np.concatenate(([7.0], v[1:])))],
        "enroll.not_centered",
        "sample 1 is made of one number, such as a row number, with the rest next to nothing",
    ),
    "other dimension": (
        [altered(A[0], lambda v: v[:128])],
        "enroll.dimension",
        "the face embedding has another dimension than the enrolled ones, or than the other views",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ENROLLMENTS)
def test_what_does_not_belong_is_refused_and_named(device: Device, case: str) -> None:
    samples, code, told = ENROLLMENTS[case]
    assert refused(device, lambda: device.enroll("alice", samples)) == (code, told)


def test_touches_of_two_fingers_are_refused_also_two_of_each(device: Device) -> None:
    one, other = (finger_impressions(1, person=person, count=2) for person in (0, 1))
    code, told = refused(device, lambda: device.enroll("alice", [*one, *other], finger="right-index"))
    assert (code, told) == ("enroll.inconsistent", "sample 3 is too different, sample 4 is too different")


def test_what_cannot_be_compared_is_refused_and_costs_nobody_an_attempt(device: Device) -> None:
    probes = {
        "match.not_centered": [altered(B[4], change) for change in (np.ones_like, zero_point, np.abs)],
        "match.dimension": [altered(B[4], lambda v, d=d: v[:d]) for d in (64, 128, 500)],
    }
    for _ in range(7):  # more than lock the sensor
        for code, views in probes.items():
            for view in views:
                assert refused(device, lambda view=view: device.authenticate("bob", view))[0] == code
                assert refused(device, lambda view=view: device.identify(view))[0] == code
    assert lock_info(device, "bob", Modality.FACE).lock is Lock.NONE
    assert device.authenticate("bob", B[4]).match
    assert device.identify(B[4]).user == "bob"
