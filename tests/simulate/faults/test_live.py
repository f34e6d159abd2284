"""Faults of a device that runs: changed while it does, kept with it, reported; and what its disk and RPMB take."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions, clock
from bioguard.errors import BioguardError, InputRefused, TeeUnavailable
from bioguard.simulate.faults.live import LiveFaults
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.scenario.document import parse_scenario
from tests.unlocked import unlocked_devices


@pytest.fixture(autouse=True)
def unlocked() -> Iterator[None]:
    with unlocked_devices():
        yield


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    Device.init(tmp_path / "device", DeviceOptions(clock=1_800_000_000_000)).close()
    return tmp_path / "device"


def test_a_rule_that_is_set_while_the_device_runs_fires_and_one_that_did_not_is_reported(directory: Path) -> None:
    faults = LiveFaults(directory)
    with Device.open(directory, DeviceOptions(hooks=faults)) as device:
        device.add_user("alice")
        faults.set("storage", "commit@1: eio; commit@500: lie")
        with pytest.raises(BioguardError):
            device.add_user("bob")
        device.add_user("carol")
        report = faults.report()
        assert len(report) == 1
        assert report[0].startswith("storage rule 'commit@500: lie' was never due, commit was passed ")
        faults.clear("storage")
        assert faults.report() == ()
    assert not (directory / "scenario.toml").exists()


def test_a_knob_of_virtual_sensors_is_refused_and_a_sequence_begins_with_the_next_capture(directory: Path) -> None:
    faults = LiveFaults(directory)
    with pytest.raises(InputRefused, match=r"^max_enrollments does nothing on a device") as refused:
        faults.set("max_enrollments", "1")
    assert refused.value.code == "fault.no_effect"
    assert [faults.next_capture()[0] for _ in range(3)] == [0, 1, 2]
    faults.set("quality_sequence", "2,5,1")
    assert faults.next_capture()[0] == 0
    assert Scenario.load(directory).played == 1
    assert faults.report() == ("quality_sequence: its last 2 codes were not played",)
    with pytest.raises(InputRefused) as unknown:
        faults.set("quality_sequence", "300")
    assert (unknown.value.code, faults.values()) == ("fault.value", {"quality_sequence": "2,5,1"})


def test_a_command_meets_its_fault_by_name_and_the_next_question_a_new_secure_world(directory: Path) -> None:
    faults = LiveFaults(directory)
    with Device.open(directory, DeviceOptions(hooks=faults)) as device:
        faults.set("ta_panic", "add-user")
        with pytest.raises(TeeUnavailable):
            device.add_user("alice")
        assert faults.report() == ()
        faults.clear()
        device.add_user("alice")
        assert device.users() == ["alice"]


def test_a_scenario_is_loaded_as_a_whole_or_not_at_all(directory: Path) -> None:
    faults = LiveFaults(directory)
    faults.set("lockout", "true")
    for wrong, code in (
        (b"[faults]\nlockout = true\n", "scenario.missing_key"),
        (b'format = "bioguard-scenario 2"\n[device]\nrequire_pin = false\n', "scenario.made"),
        (b'format = "bioguard-scenario 2"\n[[input]]\ncall = "users"\n', "scenario.made"),
        (b'format = "bioguard-scenario 2"\n[faults]\nmax_enrollments = 1\n', "fault.no_effect"),
    ):
        with pytest.raises(InputRefused) as refused:
            faults.load(wrong)
        assert refused.value.code == code
    assert faults.values() == {"lockout": "true"}
    faults.load(b'format = "bioguard-scenario 2"\nseed = 9\n[faults]\npipe = "cut"\npipe_after = 3\n')
    assert (faults.seed, faults.values()) == (9, {"pipe": "cut", "pipe_after": "3"})
    assert Scenario.load(directory).knobs.changed() == faults.values()


def test_a_scenario_that_is_loaded_again_draws_the_same_latencies(directory: Path) -> None:
    faults = LiveFaults(directory)
    drawn = []
    for _ in range(2):
        faults.load(SLOW)
        drawn.append([faults.capture_ms(0) for _ in range(4)])
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 1


def test_what_cannot_be_kept_with_the_device_has_changed_nothing(directory: Path) -> None:
    faults = LiveFaults(directory)
    faults.set("quality_sequence", "2,5,1")
    faults.next_capture()
    kept = (directory / "scenario.toml").read_bytes()
    (directory / "scenario.toml").unlink()
    (directory / "scenario.toml").mkdir()
    (directory / "scenario.toml" / "in").touch()
    asked: tuple[Callable[[], None], ...] = (
        lambda: faults.set("quality_sequence", "3"),
        lambda: faults.set("pipe", "cut"),
        lambda: faults.clear("quality_sequence"),
        faults.clear,
        lambda: faults.load(b'format = "bioguard-scenario 2"\nseed = 9\n[faults]\nlockout = true\n'),
    )
    for ask in asked:
        with pytest.raises(BioguardError):
            ask()
        assert (faults.values(), faults.seed) == ({"quality_sequence": "2,5,1"}, 0)
        assert faults.report() == ("quality_sequence: its last 2 codes were not played",)
    (directory / "scenario.toml" / "in").unlink()
    (directory / "scenario.toml").rmdir()
    faults.save()
    assert (directory / "scenario.toml").read_bytes() == kept


SLOW = b"""\
format = "bioguard-scenario 2"
[[sensor]]
kind = "fingerprint"
latency_ms = { capture = [100, 200], match = 7 }
[latency_ms]
storage = 10
rpmb = 1000
"""


def test_what_disk_and_rpmb_take_moves_a_stepped_clock_when_the_question_is_answered(directory: Path) -> None:
    Scenario.of(parse_scenario(SLOW, "slow.toml")).save(directory)
    faults = LiveFaults(directory)
    with Device.open(directory, DeviceOptions(hooks=faults)) as device:
        before = clock.now(device).boot_ms
        device.add_user("alice")
        took_ms = clock.now(device).boot_ms - before
        assert took_ms > 1000
        assert took_ms % 1000 % 10 == 0
        before = clock.now(device).boot_ms
        assert clock.now(device).boot_ms == before, "asking for the time asks nothing of the disk"
    assert {100 <= faults.capture_ms(0) <= 200 for _ in range(20)} == {True}
    assert len({faults.capture_ms(0) for _ in range(20)}) > 5
    assert (faults.match_ms(0), faults.capture_ms(1)) == (7, 0)
    assert faults.report() == ()


def test_on_the_hosts_clock_it_is_waited_for(tmp_path: Path) -> None:
    Device.init(tmp_path / "device").close()
    Scenario.of(parse_scenario(SLOW, "slow.toml")).save(tmp_path / "device")
    slept: list[float] = []
    with Device.open(
        tmp_path / "device", DeviceOptions(hooks=LiveFaults(tmp_path / "device", sleep=slept.append))
    ) as device:
        slept.clear()
        device.add_user("alice")
    assert slept
    assert min(slept) >= 0.01
    assert sum(slept) > 1
