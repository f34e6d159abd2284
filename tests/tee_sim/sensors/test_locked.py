"""Sensors in locked processes: whatever one does, the capture has a code, the vault lives and the next one is read."""

import importlib
import os
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tee_sim.normal import picture_pipe, secure_process
from tee_sim.normal.captured import Captured
from tee_sim.normal.client import Context, Session
from tee_sim.normal.machine.locked_start import Started, start_locked
from tee_sim.normal.sandbox_verdict.level import Level
from tee_sim.normal.supplicant import Supplicant
from tee_sim.secure.hosts import messages
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.host_processes import host_names
from tee_sim.shared.lock_report import LayerState
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.sandbox import filters, kernel
from tee_sim.shared.sensor_manifest import SensorFile, SensorManifest
from tee_sim.shared.wire import Boot, CaptureRequest, Feed, LockProfile, Provision
from tests.tee_sim.locked.conftest import COUNTER, counter
from tests.tee_sim.sensors.conftest import DAY, LIGHT, NIGHT, have_ended
from tests.tee_sim.sensors.stubs.hostile import sensor as stub

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux only")
STUBS = Path(__file__).parent / "stubs"
HOSTILE = SensorManifest(
    name="hostile-a",
    entry="hostile.sensor:Hostile",
    code=("hostile.*",),
    preload=("tee_sim",),
    heap_bytes=32 << 20,
    time_ms=2_000,
    spares=8,
    max_picture_bytes=1 << 20,
    max_sample_bytes=64,
)
LAST = replace(HOSTILE, name="last", spares=0)
SENSORS = (HOSTILE, replace(HOSTILE, name="hostile-b"), LAST)
PROVISION = Provision(huk=bytes(32), device_id=bytes(16), create=True)


def boot_of(*sensors: SensorManifest, applications: tuple[Manifest, ...] = ()) -> Boot:
    folders = {"light": LIGHT, "counter": COUNTER, "hostile": STUBS}
    return Boot(
        manifests=applications,
        folders=tuple(os.fsencode(folders[m.entry.partition(".")[0]]) for m in applications),
        profile=LockProfile.STRICT,
        sensors=sensors,
        sensor_folders=tuple(os.fsencode(folders.get(s.entry.partition(".")[0], "")) for s in sensors),
    )


class World:
    """A locked world with an application that counts, one that takes light, and sensors."""

    def __init__(self, boot: Boot, started: Started) -> None:
        self.boot, self.started, self.captures = boot, started, 0
        self.counting: Session | None = None

    def capture(self, sensor: str, says: str | bytes) -> Captured:
        self.captures += 1
        data = says if isinstance(says, bytes) else f"{says}#{self.captures}".encode()
        return self.started.process.capture(sensor, data)

    def counts(self) -> bool:
        """Whether the application goes on counting in the session of before."""
        commands = importlib.import_module("counter.commands")
        self.counting = self.counting or Context(self.started.process).open_session(commands.COUNTER_UUID)
        before = self.counting.call(commands.READ, commands.Nothing()).calls
        after: int = self.counting.call(commands.READ, commands.Nothing()).calls
        return after == before + 1


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    light = SensorManifest.from_toml((LIGHT / "sensor.toml").read_text("utf-8"))
    applications = (counter(), Manifest.from_toml((LIGHT / "manifest.toml").read_text("utf-8")))
    boot = boot_of(*SENSORS, light, applications=applications)
    supplicant = Supplicant(tmp_path_factory.mktemp("sensors"))
    started = start_locked(boot, supplicant, PROVISION, accept=lambda _verdict: None)
    yield World(boot, started)
    started.process.kill()
    supplicant.close()


def test_the_stub_knows_the_tag_of_its_messages() -> None:
    sampled = messages.Sampled(number=1, acquired=1, quality=1, payload=b"")
    assert messages.pack(sampled)[5] == stub._SAMPLED


def test_each_process_has_the_whole_lock_and_the_filter_of_its_kind(world: World) -> None:
    inspected = world.started.inspected
    assert inspected.verdict.level.meets(Level.ENFORCED), inspected.verdict.reasons
    assert [host.name for host in inspected.hosts] == list(host_names(world.boot))
    sensors = [host for host in inspected.hosts if host.name.startswith("sensor ")]
    assert len(sensors) == 9 + 9 + 1 + 4
    of_core = [layer.name for layer in inspected.core.report.layers]
    for host in sensors:
        names = [layer.name for layer in host.report.layers]
        assert [name for name in names if name != "heap"] == of_core
        assert len(of_core) == 19
        states = {layer.state for layer in host.report.layers}
        assert states == {layer.state for layer in inspected.core.report.layers} | {LayerState.APPLIED}
        assert (host.seen.threads, host.seen.capabilities) == (1, 0)
        ends = (host.report.request_fd, host.report.reply_fd)
        own = filters.secure_world_program(kernel.MACHINE, "strict", *ends, (), host.report.picture_fd)
        assert host.report.filter_sha256 == own.sha256()
    assert len({host.report.filter_sha256 for host in inspected.hosts}) == 2


def test_an_application_takes_what_a_locked_sensor_has_read(world: World) -> None:
    commands = importlib.import_module("light.commands")
    with Context(world.started.process).open_session(commands.LIGHT_UUID) as session:
        for picture, is_day in ((DAY, True), (NIGHT, False)):
            captured = world.capture("light", picture)
            asked = commands.Judge(capture_id=captured.capture_id)
            assert session.call(commands.JUDGE, asked).is_day is is_day
            with pytest.raises(TeeError, match="ITEM_NOT_FOUND"):
                session.call(commands.JUDGE, asked)
        other = world.capture("hostile-a", "good")
        with pytest.raises(TeeError, match="ACCESS_DENIED"):
            session.call(commands.JUDGE, commands.Judge(capture_id=other.capture_id))


@pytest.mark.parametrize("says", stub.HOSTILE)
def test_a_fault_of_a_capture_is_a_code_and_ends_nothing(world: World, says: str) -> None:
    padded = f"{says}#".encode().ljust(5_000, b"0")
    fault = world.capture("hostile-a", padded)
    assert (fault.capture_id, fault.acquired, fault.host_end) == (None, 0, HostEnd.NONE)
    assert world.capture("hostile-a", "good").acquired == 1
    assert world.counts()


ENDS = {
    "ends": HostEnd.EXITED,
    "opens a file": HostEnd.FORBIDDEN_CALL,
    "hangs": HostEnd.TOO_SLOW,
    "says half a frame": HostEnd.TOO_SLOW,
}


@pytest.mark.parametrize(("number", "says"), [*enumerate(stub.DEADLY)])
def test_one_that_ends_is_a_code_and_the_next_capture_has_a_spare(world: World, number: int, says: str) -> None:
    sensor = SENSORS[number % 2].name
    fault = world.capture(sensor, says)
    assert (fault.capture_id, fault.acquired) == (None, 0)
    assert fault.host_end is ENDS.get(says, HostEnd.OUT_OF_TURN)
    again = world.capture(sensor, "good")
    assert (again.acquired, again.host_end, len(again.capture_id or b"")) == (1, HostEnd.NONE, 16)
    assert world.counts()


def test_a_second_answer_is_nobodys(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lies in the pipe when the next capture is asked for, which has a spare."""
    asked: list[int] = []
    feed = world.started.process._feed

    def noted(wanted: Feed, deadline: float) -> None:
        asked.append(wanted.process)
        feed(wanted, deadline)

    monkeypatch.setattr(world.started.process, "_feed", noted)
    first, second, third = (world.capture("hostile-b", says).acquired for says in ("answers twice", "good", "good"))
    # It has come by then and the process is passed over, or it comes as the answer to a capture whose it is not.
    assert (first, third, asked[2]) == (1, 1, asked[0] + 1)
    assert (second, asked[1]) in ((1, asked[0] + 1), (0, asked[0]))


def test_when_its_processes_are_spent_a_sensor_is_dead_and_the_vault_lives(world: World) -> None:
    assert world.capture("last", "ends").host_end is HostEnd.EXITED
    for _ in range(2):
        with pytest.raises(TeeError) as dead:
            world.capture("last", "good")
        assert (dead.value.result, dead.value.origin) == (TeeResult.TARGET_DEAD, Origin.TEE)
        assert dead.value.hint
    assert world.counts()
    assert world.capture("light", DAY).acquired == 1


@pytest.mark.parametrize(
    ("sent", "first", "second"),
    [(b"good#0 and more", HostEnd.NONE, HostEnd.EXITED), (b"good#", HostEnd.TOO_SLOW, HostEnd.NONE)],
    ids=["longer", "shorter"],
)
def test_a_picture_of_another_length_than_said(
    world: World, monkeypatch: pytest.MonkeyPatch, sent: bytes, first: HostEnd, second: HostEnd
) -> None:
    """The normal world harms its own captures alone."""

    def send(fd: int, number: int, picture: bytes, *_: object) -> bool:
        head = picture_pipe.PICTURE_HEAD
        os.write(fd, head.pack(number, len(picture)) + sent)
        return True

    with monkeypatch.context() as patch:
        patch.setattr(secure_process, "send_picture", send)
        assert world.capture("hostile-b", b"good#0").host_end is first
    assert world.capture("hostile-b", "good").host_end is second
    assert world.capture("hostile-b", "good").acquired == 1
    assert world.counts()


def test_what_the_core_is_asked_is_checked_there_too(world: World) -> None:
    asked = [CaptureRequest(sensor=3, size_bytes=4097), CaptureRequest(sensor=0, size_bytes=0)]
    assert [world.started.process.exchange(message).result for message in asked] == [TeeResult.EXCESS_DATA] * 2


def test_a_picture_is_sent_once_and_only_for_a_capture(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    process = world.started.process
    monkeypatch.setattr(secure_process, "send_picture", lambda *_: True)
    monkeypatch.setattr(process, "_picture", b"a picture")
    process._feed(Feed(process=0, number=1), 0.0)
    for number in (0, 99):
        with pytest.raises(TeeError, match="a picture that nobody gave"):
            process._feed(Feed(process=number, number=1), 0.0)
        process._picture = b"a picture" if number == 0 else None


def test_one_that_was_killed_between_two_captures_is_passed_over(world: World) -> None:
    seen = next(host.seen for host in world.started.inspected.hosts if host.name == "sensor light")
    watched = os.pidfd_open(seen.process_id)
    os.kill(seen.process_id, signal.SIGKILL)
    assert have_ended([watched])
    again = world.capture("light", DAY)
    assert (again.acquired, again.host_end) == (1, HostEnd.NONE)


REACH = f"{['/dev/null'] * 3 + ['anon_inode'] + ['pipe'] * 4} {{'{'0' * 16}'}} ['lo'] [] 0 True"
"""While it is made: its own pipes and one to say so, no capability, an empty network, nothing of the core's memory."""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"entry": "hostile.sensor:Nobody"}, "sensor hostile-a: AttributeError"),
        ({"entry": "hostile.bad:Raises"}, "sensor hostile-a: RuntimeError: not today"),
        ({"entry": "hostile.bad:Threads"}, "sensor hostile-a: LockError: it has started 1 threads"),
        ({"entry": "hostile.bad:Ends"}, "sensor hostile-a: its process ended while it was made"),
        ({"entry": "hostile.bad:EndsLater"}, "sensor hostile-a: a process of it was not locked: "),
        ({"entry": "hostile.looks:Looks"}, f"RuntimeError: {re.escape(REACH)}"),
        ({"entry": "hostile.bad:Unnamed"}, "sensor hostile-a: ValueError: its extractor is not 1 to 128 bytes"),
        ({"code": ("hostile", "hostile.bad")}, "sensor hostile-a: ModuleNotFoundError"),
        ({"entry": "bioguard.text:Nothing", "code": ("bioguard",)}, "bioguard.text is not listed under code"),
        ({"preload": ()}, "sensor hostile-a: ImportError"),
        ({"files": (SensorFile(path=__file__, sha256=bytes(32)),)}, "is not what the manifest states"),
    ],
)
def test_one_that_cannot_be_made_ends_the_start_with_words(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    supplicant, boot = Supplicant(tmp_path), boot_of(replace(LAST, name="hostile-a", **changes))
    try:
        with pytest.raises(secure_process.SensorStartError, match=words):
            start_locked(boot, supplicant, PROVISION, accept=lambda _verdict: None)
    finally:
        supplicant.close()
