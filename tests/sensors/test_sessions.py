"""Pictures through sessions of protocol 2: captured once, judged, enrolled, compared; what gives no sample is told."""

from collections.abc import Iterator

import numpy as np
import pytest
from stub_engine import DRY, LIE, RAISE, SIDE_PX, picture, touches

from bioguard.device import Device, DeviceOptions
from bioguard.hal.aidl_codes import FingerprintAcquired
from bioguard.report.png import write_png
from bioguard.serve.protocol import IdentifyRequest
from bioguard.serve.v2.values import MAX_PICTURE_BYTES, MAX_SAMPLE_BYTES, PresentedForm
from tee_sim.shared.errors import TeeError
from tee_sim.shared.limits import CAPTURE_LIFE_MS
from tests.sensors.conftest import agreed
from tests.serve.v2.client import Client, Refused

START_MS = 1_790_000_000_000
FINGER, FACE = 0, 1
GOOD, VENDOR = ("ACQUIRED", [1, 0]), ("ACQUIRED", [7, 0])
DRY_FINGER = ("ACQUIRED", [int(FingerprintAcquired.TOO_BRIGHT), 0])
FAILED, WAITS = ("AUTHENTICATION_FAILED", []), [0, 0]


def png(person: int, touch: int = 0, act: int = 0) -> bytes:
    """A touch of the stub's people as a file that states its resolution."""
    pixels = np.frombuffer(picture(person, touch, act)[-SIDE_PX * SIDE_PX :], np.uint8).reshape(SIDE_PX, SIDE_PX)
    return write_png(pixels, 500)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    options = DeviceOptions(release_grid_ms=0, clock=START_MS)
    directory = tmp_path_factory.mktemp("pictures") / "phone"
    sensors = ["fingerprint=stub_engine:Stub"]
    with Device.init(directory, options, sensors=sensors, require_pin=False, uncalibrated=True) as device:
        agreed(device, "alice")
        agreed(device, "bob")
        yield device


@pytest.fixture
def client(made: Device) -> Iterator[Client]:
    one = Client(made)
    yield one
    one.conversation.end()


def show(client: Client, session: int, octets: bytes) -> list[tuple[str, list[object]]]:
    client.ask("present", session, int(PresentedForm.PICTURE), octets, None)
    return [(name, fields) for _, name, fields in client.events]


@pytest.fixture(scope="module")
def enrolled(made: Device) -> int:
    """Alice's finger, with pictures among it that are none of hers or of nobody."""
    client = Client(made)
    (session,) = client.ask("create_session", b"alice", FINGER)
    client.ask("enroll", session, b"", 3, 2, None, None)
    assert show(client, session, png(1, 0)) == [GOOD, ("ENROLLMENT_PROGRESS", [0, 2])]
    assert show(client, session, png(1, 1, DRY)) == [DRY_FINGER]
    assert show(client, session, png(1, 1, RAISE)) == [VENDOR]
    assert show(client, session, png(1, 1, LIE)) == [VENDOR]
    assert show(client, session, png(1, 1)) == [GOOD, ("ENROLLMENT_PROGRESS", [0, 1])]
    good, (name, (enrollment_id, remaining)) = show(client, session, png(1, 2))
    assert (good, name, remaining) == (GOOD, "ENROLLMENT_PROGRESS", 0)
    client.conversation.end()
    return int(enrollment_id)


def test_pictures_unlock_and_what_is_no_attempt_is_not_counted(client: Client, enrolled: int) -> None:
    (session,) = client.ask("create_session", b"alice", FINGER)
    client.ask("authenticate", session, 0, None)
    for act, told in ((DRY, DRY_FINGER), (LIE, VENDOR)):
        for _ in range(6):  # five failed attempts lock
            assert show(client, session, png(1, 3, act)) == [told]
    assert client.ask("lock_status", b"alice", FINGER) == WAITS
    assert show(client, session, png(1, 4)) == [GOOD, ("AUTHENTICATION_SUCCEEDED", [enrolled, None])]


def test_another_person_fails_and_is_counted(client: Client, enrolled: int) -> None:
    (session,) = client.ask("create_session", b"alice", FINGER)
    client.ask("authenticate", session, 0, None)
    for touch in range(4):
        assert show(client, session, png(3, touch)) == [GOOD, FAILED]
    assert show(client, session, png(3, 4)) == [GOOD, FAILED, ("LOCKOUT_TIMED", [30_000])]
    assert [name for name, _ in show(client, session, png(1, 4))] == ["ACQUIRED", "LOCKOUT_TIMED"]
    client.ask("clock_advance", 30_000)
    assert show(client, session, png(1, 4))[-1] == ("AUTHENTICATION_SUCCEEDED", [enrolled, None])


def test_presence_needs_a_finger_in_the_picture(client: Client, made: Device) -> None:
    (session,) = client.ask("create_session", b"alice", FINGER)
    client.ask("detect_interaction", session, None)
    assert show(client, session, png(1, 1, DRY)) == [DRY_FINGER]
    assert show(client, session, png(3, 1)) == [GOOD, ("INTERACTION_DETECTED", [])]


def test_an_enrollment_ends_when_its_first_capture_is_too_old(client: Client) -> None:
    (session,) = client.ask("create_session", b"bob", FINGER)
    client.ask("enroll", session, b"", 2, 3, None, None)
    assert show(client, session, png(2, 0)) == [GOOD, ("ENROLLMENT_PROGRESS", [0, 1])]
    client.ask("clock_advance", CAPTURE_LIFE_MS)
    assert show(client, session, png(2, 1)) == [("ERROR", [3, 0, "sample.unknown_capture"])]


def test_a_search_takes_pictures_and_what_gives_no_sample_is_refused(client: Client, enrolled: int) -> None:
    form = int(PresentedForm.PICTURE)
    match, name, _ = client.ask("identify", FINGER, form, png(1, 5))
    assert (match, name) == (True, b"alice")
    with pytest.raises(Refused) as caught:
        client.ask("identify", FINGER, form, png(1, 5, DRY))
    code, message, _, exit_code = caught.value.args
    assert (code, message, exit_code) == (
        "sample.not_acquired",
        "the sensor made no sample of the picture (too bright)",
        3,
    )
    assert client.ask("search_lock_status", FINGER) == WAITS
    assert client.refused("identify", FACE, form, png(1)) == "sample.no_sensor"


def test_what_is_refused_leaves_the_operation_waiting(client: Client, enrolled: int) -> None:
    (session,) = client.ask("create_session", b"alice", FINGER)
    form = int(PresentedForm.PICTURE)
    assert client.refused("present", session, form, png(1), None) == "session.state"
    client.ask("authenticate", session, 0, None)
    assert client.refused("present", session, form, b"no picture", None) == "picture.format"
    assert client.refused("present", session, form, picture(1), None) == "picture.dpi", "a PGM states none"
    assert client.refused("present", session, form, bytes(MAX_PICTURE_BYTES), None) == "picture.format"
    assert client.refused("present", session, form, bytes(MAX_PICTURE_BYTES + 1), None) == "serve.request"
    assert client.refused("present", session, 0, bytes(MAX_SAMPLE_BYTES + 1), None) == "serve.sample"
    assert client.refused("present", session, 0, touches(1)[4].to_bytes(), None) == "sample.sensor_only"
    assert show(client, session, png(1, 4))[-1][0] == "AUTHENTICATION_SUCCEEDED"
    (face,) = client.ask("create_session", b"alice", FACE)
    client.ask("detect_interaction", face, None)
    assert client.refused("present", face, form, png(1), None) == "sample.no_sensor"


def test_version_1_has_no_pictures() -> None:
    with pytest.raises(TeeError):
        IdentifyRequest.from_plain([int(PresentedForm.PICTURE), png(1), 0])
