"""Stores that cannot be written (a spent counter, a full disk, a read-only mount): what goes on, and true reasons."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bioguard.commands.biometric import EraseAuthorization
from bioguard.device import Device
from bioguard.device.pins import verify_pin
from bioguard.device.receipts import erasure_receipt
from bioguard.errors import BioguardError
from tee_sim.normal.rpmb_chip.file_medium import FileMedium, OsFile
from tee_sim.shared.rpmb_frames import MAX_COUNTER
from tests.device.unwritable import VIEWS, make

OPERATOR = EraseAuthorization(by_operator=True)


def _namespace() -> list[str] | None:
    """How to run something in a mount namespace of its own, if that can be done here."""
    for words in (["unshare", "--mount"], ["unshare", "--map-root-user", "--mount"]):
        if shutil.which(words[0]) and not subprocess.run([*words, "true"], check=False, capture_output=True).returncode:
            return words
    return None


def _played(kind: str, root: Path) -> dict[str, object]:
    words = _namespace()
    if words is None:
        pytest.skip("no mount namespace of its own can be made here")
    program = [sys.executable, "-m", "tests.device.unwritable", kind, str(root)]
    done = subprocess.run(
        [*words, *program], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_full_disk_leaves_reading_export_and_erasure(tmp_path: Path) -> None:
    assert _played("full", tmp_path) == {
        "listed": 2,
        "matches": "store.full",
        "identified": "store.full",
        "enrolled": "store.full",
        "exported": "yes",
        "erased": 1,
        "removed": 1,
        "storage": "full",
        "left": 0,
        "users": ["alice"],
        "matches afterwards": "match.not_enrolled",
    }


def test_a_read_only_mount_leaves_reading(tmp_path: Path) -> None:
    assert _played("read-only", tmp_path) == {
        "listed": 2,
        "matches": "store.read_only",
        "identified": "store.read_only",
        "enrolled": "store.read_only",
        "exported": "store.read_only",
        "erased": "store.read_only",
        "removed": "store.read_only",
        "storage": "read_only",
        "left": 2,
        "users": ["alice", "bob"],
        "matches afterwards": True,
    }


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("good") / "device"
    make(directory)
    return directory


@pytest.fixture
def worn(good: Path, tmp_path: Path) -> Callable[[int], Path]:
    def worn(counter: int) -> Path:
        directory = tmp_path / "device"
        shutil.copytree(good, directory)
        with closing(OsFile(directory / "rpmb.img", create=False)) as file:
            medium = FileMedium(file)
            medium.commit(key=medium.key, counter=counter)
        return directory

    return worn


def _code(call: Callable[[], object]) -> str:
    with pytest.raises(BioguardError) as caught:
        call()
    assert caught.value.hint
    return caught.value.code


def test_a_counter_near_its_end_keeps_what_people_may_ask_for(worn: Callable[[int], Path]) -> None:
    with Device.open(worn(MAX_COUNTER - 20)) as device:
        assert device.running.storage == "counter_reserved"
        assert _code(lambda: device.authenticate("alice", VIEWS["alice"][3])) == "store.counter_spent"
        assert _code(lambda: device.identify(VIEWS["alice"][3])) == "store.counter_spent"
        assert _code(lambda: device.add_user("carol")) == "store.counter_spent"
        leave = EraseAuthorization(token=verify_pin(device, "bob", b"2718"))
        digest = device.erase("bob", next(device.records("bob")).record_id, leave)
        assert len(erasure_receipt(device, [digest]).erasures) == 1
        assert [r.user for r in device.records()] == ["alice"]


def test_a_counter_at_its_end_leaves_reading_and_the_operators_erasure(worn: Callable[[int], Path]) -> None:
    directory = worn(MAX_COUNTER)
    with Device.open(directory) as device:
        status = device.running.status()
        assert (status["storage"], status["anti_rollback_level"]) == ("counter_spent", 0)
        assert len(list(device.records())) == 2
        assert _code(lambda: device.authenticate("alice", VIEWS["alice"][3])) == "store.counter_spent"
        assert _code(lambda: verify_pin(device, "bob", b"2718")) == "store.counter_spent"
        assert len(device.remove_user("bob", OPERATOR)) == 1
    with Device.open(directory) as device:
        assert device.users() == ["alice"]
        device.erase("alice", next(device.records("alice")).record_id, OPERATOR)
        assert list(device.records()) == []


def test_a_pin_is_not_looked_at_where_a_rollback_would_give_the_attempt_back(worn: Callable[[int], Path]) -> None:
    directory = worn(MAX_COUNTER)
    with Device.open(directory) as device:
        assert {_code(lambda pin=pin: verify_pin(device, "bob", pin)) for pin in (b"0000", b"2718")} == {
            "store.counter_spent"
        }
