"""Life cycle: made once, one process at a time, private fuses, wiped for good."""

from pathlib import Path

import pytest

from bioguard.commands.gatekeeper import GATEKEEPER_UUID
from bioguard.device import Device, DeviceOptions, Level, making, parse_clock
from bioguard.device.consent import grant_all, log_key
from bioguard.device.fuses import FUSE_FILE
from bioguard.device.names import Names
from bioguard.device.pins import has_pin, set_pin
from bioguard.errors import BioguardError, InputRefused, IntegrityFailure, NotPermitted, TeeUnavailable
from bioguard.records.modality import Profile
from bioguard.simulate.people import face_views
from tee_sim.shared.wire import LockProfile


def refused(call: object, kind: type[BioguardError], code: str) -> BioguardError:
    with pytest.raises(kind) as caught:
        call()  # type: ignore[operator]
    assert caught.value.code == code
    assert caught.value.hint
    return caught.value


def test_what_was_enrolled_survives_a_restart_and_nothing_survives_a_wipe(directory: Path) -> None:
    with Device.init(directory, require_pin=False) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        device.enroll("alice", face_views(1, person=0, count=3))
    with Device.open(directory) as device:
        assert device.authenticate("alice", face_views(1, person=0, count=1, first=4)[0]).match
    Device.wipe(directory)
    assert [p.name for p in directory.iterdir()] == []
    refused(lambda: Device.open(directory), TeeUnavailable, "device.missing")


def test_a_device_is_made_once(directory: Path) -> None:
    Device.init(directory).close()
    before = (directory / FUSE_FILE).read_bytes()
    refused(lambda: Device.init(directory), NotPermitted, "device.exists")
    assert (directory / FUSE_FILE).read_bytes() == before


def test_one_process_at_a_time(directory: Path) -> None:
    with Device.init(directory):
        refused(lambda: Device.open(directory), TeeUnavailable, "device.in_use")
    Device.open(directory).close()


def test_fuses_are_private_marked_and_checked(directory: Path) -> None:
    Device.init(directory).close()
    fuses = directory / FUSE_FILE
    assert fuses.stat().st_mode & 0o777 == 0o600
    assert b"SIMULATED" in fuses.read_bytes()
    fuses.chmod(0o644)
    refused(lambda: Device.open(directory), IntegrityFailure, "device.fuse_mode")
    fuses.chmod(0o600)
    good = fuses.read_bytes()
    fuses.write_bytes(good[:-1])
    refused(lambda: Device.open(directory), IntegrityFailure, "device.fuse_damaged")
    fuses.write_bytes(good.replace(b"huk ", b"huk 0")[: len(good)])
    refused(lambda: Device.open(directory), IntegrityFailure, "device.fuse_damaged")


def test_the_store_of_another_device_does_not_open(tmp_path: Path) -> None:
    for name in ("one", "two"):
        Device.init(tmp_path / name).close()
    foreign = (tmp_path / "one" / "storage.db").read_bytes()
    (tmp_path / "two" / "storage.db").write_bytes(foreign)
    with pytest.raises(IntegrityFailure):
        Device.open(tmp_path / "two")


@pytest.mark.parametrize("limits", [(0, 2), (11, 2), (5, 0), (5, 11)])
def test_limits_are_one_to_ten(directory: Path, limits: tuple[int, int]) -> None:
    refused(lambda: Device.init(directory, max_fingers=limits[0], max_faces=limits[1]), InputRefused, "device.limits")
    assert not directory.exists()


def test_below_enforced_it_does_not_start_unless_the_level_is_named(directory: Path) -> None:
    weak = DeviceOptions(profile=LockProfile.PERMISSIVE_DEBUG)
    refused(lambda: Device.init(directory, weak), TeeUnavailable, "tee.sandbox")
    assert not directory.exists()
    Device.init(directory).close()
    error = refused(lambda: Device.open(directory, weak), TeeUnavailable, "tee.sandbox")
    assert "below ENFORCED" in error.message
    named = DeviceOptions(profile=LockProfile.PERMISSIVE_DEBUG, allow_level=Level.PARTIAL)
    with Device.open(directory, named) as device:
        assert device.running.verdict.level is Level.PARTIAL


def test_seeded_devices_are_equal_and_others_are_not(tmp_path: Path) -> None:
    def key(name: str, seed: str | None) -> str:
        with Device.init(tmp_path / name, DeviceOptions(seed=seed)) as device:
            return log_key(device).vkey

    assert key("a", "x") == key("b", "x") != key("c", "y")
    assert key("d", None) != key("e", None)


@pytest.mark.parametrize("text", ["now", "fixed:2026-13-01T00:00:00Z", "fixed:2026-01-01 00:00", ""])
def test_a_clock_has_one_form(text: str) -> None:
    refused(lambda: parse_clock(text), InputRefused, "clock.format")
    assert parse_clock("fixed:1970-01-01T00:00:01Z") == 1000


def test_damaged_names_are_an_integrity_failure_and_hurt_no_record(directory: Path) -> None:
    with Device.init(directory, require_pin=False) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        device.enroll("alice", face_views(1, person=0, count=3))
    good = (directory / "names.json").read_bytes()
    for bad in (b"{}", b"[]", b"not json", good.replace(b'"format": 1', b'"format": 2'), good[:-2]):
        (directory / "names.json").write_bytes(bad)
        refused(lambda: Device.open(directory), IntegrityFailure, "device.names_damaged")
    (directory / "names.json").unlink()
    with Device.open(directory) as device:
        assert [r.user for r in device.records()] == [None]


def test_an_initialization_that_was_interrupted_leaves_no_device_and_is_begun_again(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(self: Device, *_: object, **__: object) -> None:
        self.running.process.kill()
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(Device, "ask", dies)
        during.setattr(making, "give_up", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            Device.init(directory, profile=Profile.DIGEST_ONLY)
    assert {p.name for p in directory.iterdir()} >= {"fuses.simulated.new", "storage.db", "rpmb.img"}
    refused(lambda: Device.open(directory), TeeUnavailable, "device.missing")
    Device.init(directory, profile=Profile.DIGEST_ONLY).close()
    with Device.open(directory) as device:
        device.add_user("alice")
    assert not (directory / "fuses.simulated.new").exists()


def test_files_that_an_initialization_would_overwrite_are_left_alone(directory: Path) -> None:
    directory.mkdir()
    (directory / "storage.db").write_text("mine", "ascii")
    refused(lambda: Device.init(directory), NotPermitted, "device.exists")
    refused(lambda: Device.wipe(directory), TeeUnavailable, "device.missing")
    assert (directory / "storage.db").read_text("ascii") == "mine"


def test_an_initialization_that_is_refused_leaves_nothing(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise NotPermitted("no", hint="again", code="store.full")

    monkeypatch.setattr(Device, "ask", full)
    refused(lambda: Device.init(directory), NotPermitted, "store.full")
    assert not directory.exists()
    directory.mkdir()
    refused(lambda: Device.init(directory), NotPermitted, "store.full")
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("dies_before", [GATEKEEPER_UUID, None])
def test_an_interrupted_removal_is_finished_by_the_next_one(
    directory: Path, monkeypatch: pytest.MonkeyPatch, dies_before: object
) -> None:
    real = Device.ask

    def call(self: Device, *args: object, **more: object) -> object:
        if more.get("uuid") == dies_before:
            raise TeeUnavailable("it died", hint="again")
        return real(self, *args, **more)

    def save(_self: object) -> None:
        raise TeeUnavailable("it died", hint="again")

    with Device.init(directory, require_pin=False) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        device.enroll("alice", face_views(1, person=0, count=3))
        set_pin(device, "alice", b"2580")
        with monkeypatch.context() as during:
            if dies_before is None:
                during.setattr(Names, "save", save)
            else:
                during.setattr(Device, "ask", call)
            refused(lambda: device.remove_user("alice"), TeeUnavailable, "tee")
    with Device.open(directory) as device:
        assert device.users() == ["alice"]
        assert device.remove_user("alice") == ()
        assert device.users() == []
        device.add_user("alice")
        assert not has_pin(device, "alice")
