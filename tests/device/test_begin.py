"""Opening a device has its biometric application made: what is wrong then is said to whoever asks first, or opens."""

from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions
from bioguard.device.world import World
from bioguard.errors import TeeUnavailable
from bioguard.simulate.people import face_views
from bioguard.trusted.biometric.readiness import PARTS, RECORDS
from tee_sim.shared.errors import TeeError, TeeResult

ALICE = face_views(1, person=0, count=4)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("begin") / "device"
    with Device.init(directory, require_pin=False) as device:
        device.add_user("alice")
    return directory


def test_whoever_asks_first_finds_the_application_made(directory: Path) -> None:
    frames: list[str] = []
    with Device.open(directory, DeviceOptions(tap=lambda direction, _frame: frames.append(direction))) as device:
        assert device._world._heard is not None
        opened = len(frames)
        device.user_handle("alice")
        assert len(frames) - opened == 2 + 2, "one question, and the read of what it names"
    with Device.open(directory, DeviceOptions(read_only=True)) as looked_at:
        assert looked_at._world._heard is None, "who only looks writes nothing"


def test_what_is_refused_is_refused_to_the_first_question(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = World._session, []

    def refuse(self: World, running, uuid):
        calls.append(uuid)
        if len(calls) <= 2:
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, "not now")
        return real(self, running, uuid)

    monkeypatch.setattr(World, "_session", refuse)
    with Device.open(directory) as device:
        with pytest.raises(TeeUnavailable):
            device.user_handle("alice")
        assert device.user_handle("alice")


def test_a_secure_world_that_ends_over_it_is_no_device(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(self: World, running, uuid):
        running.process.kill()
        raise TeeError(TeeResult.TARGET_DEAD, "gone")

    monkeypatch.setattr(World, "_session", end)
    with pytest.raises(TeeUnavailable):
        Device.open(directory)
    monkeypatch.undo()
    with Device.open(directory) as device:  # the lock was given back
        assert device.user_handle("alice")


def test_what_is_made_ready_is_named_once() -> None:
    assert len({*PARTS, *RECORDS}) == len(PARTS) + len(RECORDS)
