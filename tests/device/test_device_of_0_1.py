"""A device that bioguard 0.1 made is refused with what to do, and nothing of it is changed."""

import shutil
from pathlib import Path

import pytest

from bioguard.device import Device
from bioguard.device.fuses import FUSE_FILE, VERSION
from bioguard.errors import IntegrityFailure, NotPermitted, TeeUnavailable

GOLDEN = Path(__file__).parents[1] / "golden" / "v0_1" / "device"


@pytest.fixture
def old(directory: Path) -> Path:
    shutil.copytree(GOLDEN, directory)
    for path in (directory, *directory.iterdir()):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return directory


def test_it_is_refused_with_a_hint_and_left_as_it_is(old: Path) -> None:
    with pytest.raises(TeeUnavailable, match=r"is a device of format 1, this is bioguard 0\.2") as caught:
        Device.open(old)
    assert caught.value.code == "device.version"
    assert "device wipe" in caught.value.hint
    for path in GOLDEN.iterdir():
        assert (old / path.name).read_bytes() == path.read_bytes()
    assert {p.name for p in old.iterdir()} == {p.name for p in GOLDEN.iterdir()}


def test_what_the_hint_says_works(old: Path) -> None:
    with pytest.raises(NotPermitted) as caught:
        Device.init(old)
    assert caught.value.code == "device.exists"
    Device.wipe(old)
    assert list(old.iterdir()) == []
    Device.init(old).close()


def test_its_store_is_not_taken_for_a_new_one_either(old: Path) -> None:
    fuses = old / FUSE_FILE
    fuses.write_text(fuses.read_text("ascii").replace("bioguard-fuses 1", f"bioguard-fuses {VERSION}"), "ascii")
    with pytest.raises(IntegrityFailure) as caught:
        Device.open(old)
    assert caught.value.code == "store.version"


def test_a_device_from_before_records_were_of_a_sensor_is_refused_too(directory: Path) -> None:
    Device.init(directory).close()
    fuses = directory / FUSE_FILE
    fuses.write_text(fuses.read_text("ascii").replace(f"bioguard-fuses {VERSION}", "bioguard-fuses 2"), "ascii")
    with pytest.raises(TeeUnavailable, match=rf"is a device of format 2, .* of format {VERSION}$") as caught:
        Device.open(directory)
    assert caught.value.code == "device.version"
