"""Killing the secure world: a typed error at once, a store as before or after, and an answer to the next question."""

import os
import select
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions, pins
from bioguard.device.applications import manifests
from bioguard.device.consent import grant_all
from bioguard.errors import TeeUnavailable
from bioguard.evidence.attack.world import hosting
from bioguard.records.locks import Lock
from bioguard.records.modality import Modality
from bioguard.simulate.people import face_views
from bioguard.trusted.sensor.authorization import SensorAuthorization
from tee_sim.normal.machine import locked_start
from tee_sim.normal.sandbox_verdict.processes import Inspected, inspect_processes
from tee_sim.normal.sandbox_verdict.verdict import Level, Verdict
from tee_sim.normal.secure_process import SecureProcess
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.wire import CloseSession

ALICE, BOB = face_views(1, person=0, count=3), face_views(1, person=1, count=3)
PROBE = face_views(1, person=0, count=1, first=5)[0]


def kill(process: SecureProcess) -> None:
    """SIGKILL, and wait until the pipe is closed.

    The process we started is a waiter; the secure world is its child in a PID namespace and dies by the parent-death
    signal, a moment later. Until then it may still answer.
    """
    os.kill(process.pid, signal.SIGKILL)
    closed = select.poll()
    closed.register(process._read_fd, 0)
    assert closed.poll(10_000)


class KillAfter:
    """A tap that kills the secure world when the n-th frame passes."""

    def __init__(self) -> None:
        self.left = -1
        self.process: SecureProcess | None = None
        self.frames = 0

    def __call__(self, direction: str, frame: bytes) -> None:
        self.frames += 1
        self.left -= 1
        if self.left == 0 and self.process is not None:
            kill(self.process)


def start(directory: Path, tap: KillAfter) -> Device:
    device = Device.open(directory, DeviceOptions(tap=tap))
    tap.process = device.running.process
    return device


def partially_locked(*asked: object) -> Inspected:
    """`inspect_processes` on a host that has lost layers since."""
    seen = inspect_processes(*asked)  # type: ignore[arg-type]
    return replace(seen, verdict=Verdict(level=Level.PARTIAL, findings=(), reasons=()))


def enroll_and_list(device: Device) -> None:
    """The last frame of an enrollment is the answer itself: only the next call meets a dead process then."""
    device.enroll("bob", BOB)
    list(device.records())


def test_killed_at_moments_spread_over_an_enrollment(directory: Path) -> None:
    with Device.init(directory, require_pin=False) as device:
        for name in ("alice", "bob"):
            device.add_user(name)
            grant_all(device, name, of_age=True)
        device.enroll("alice", ALICE)
    tap = KillAfter()
    for _ in range(2):  # as the enrollments below: not the first one of this user
        device = start(directory, tap)
        tap.frames = 0
        device.enroll("bob", BOB)
        total = tap.frames
        device.erase("bob", next(device.records("bob")).record_id)
        device.close()
    assert total > 6
    ended = set()
    met: list[int] = []
    moments = sorted({1, total, *range(2, total, max(1, total // 4))})
    for moment in moments:
        device = start(directory, tap)
        tap.left = moment
        try:
            enroll_and_list(device)
        except TeeUnavailable as error:
            assert error.code == "tee.dead"
            met.append(moment)
        else:
            assert device.running.process is not tap.process  # between two calls of it: the next one started it again
        device.close()
        tap.left = -1
        with Device.open(directory) as again:
            assert again.authenticate("alice", PROBE).match
            records = list(again.records("bob"))
            ended.add(len(records))
            for record in records:
                again.erase("bob", record.record_id)
    assert ended == {0, 1}
    assert len(met) >= len(moments) - 2


def test_killed_while_idle_it_is_started_again_and_says_so(directory: Path) -> None:
    notes: list[str] = []
    with Device.init(directory, DeviceOptions(note=notes.append), require_pin=False) as device:
        device.add_user("alice")
        grant_all(device, "alice", of_age=True)
        device.enroll("alice", ALICE)
        pins.set_pin(device, "alice", b"2580")
        token = pins.verify_pin(device, "alice", b"2580")
        first = device.running.process
        kill(first)
        first._process.wait(10)
        assert device.authenticate("alice", PROBE).match
        assert notes == ["the secure world had ended (killed by signal 9) and was started again"]
        assert device.running.process is not first
        assert device.running.verdict.level.meets(Level.ENFORCED)
        pins.check_token(device, token)  # the boot goes on
        assert device.users() == ["alice"]
    assert len(notes) == 1


def test_whoever_meets_a_death_is_told_and_the_next_one_is_answered(directory: Path) -> None:
    notes: list[str] = []
    with Device.init(directory, DeviceOptions(note=notes.append), require_pin=False) as device:
        device.add_user("alice")
        for number in range(2):
            os.write(device.running.process._write_fd, b"\xff" * 8)  # no frame
            with pytest.raises(TeeUnavailable, match="exit status 70: it was sent what is no message") as caught:
                device.user_handle("alice", fresh=True)
            assert caught.value.code == "tee.dead"
            assert len(notes) == number
            device.user_handle("alice", fresh=True)
            assert notes[number] == (
                "the secure world had ended (exit status 70: it was sent what is no message, or failed inside) "
                "and was started again"
            )


def test_a_start_that_is_refused_is_tried_again_at_the_next_call(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Device.init(directory, require_pin=False) as device:
        device.add_user("alice")
        kill(device.running.process)
        device.running.process._process.wait(10)
        with monkeypatch.context() as during:
            during.setattr(locked_start, "inspect_processes", partially_locked)
            for _ in range(2):
                with pytest.raises(TeeUnavailable, match="the sandbox is PARTIAL, below ENFORCED"):
                    device.user_handle("alice", fresh=True)
        assert len(device.user_handle("alice", fresh=True)) == 16
        (directory / "fuses.simulated").rename(directory / "elsewhere")
        kill(device.running.process)
        device.running.process._process.wait(10)
        with pytest.raises(TeeUnavailable) as caught:
            device.user_handle("alice", fresh=True)
        assert caught.value.code == "device.missing"


def test_a_closed_device_stays_closed(directory: Path) -> None:
    device = Device.init(directory)
    device.close()
    device.close()
    for call in (device.wake, lambda: device.identify(PROBE), device.rekey):
        with pytest.raises(TeeUnavailable, match=r"^the device was closed$"):
            call()
    Device.open(directory).close()


def test_a_panic_is_told_and_the_next_question_has_a_new_instance(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def panics(*_: object) -> None:
        raise ZeroDivisionError

    with hosting(manifests()), Device.init(directory, DeviceOptions(allow_level=Level.NOT_ENFORCED)) as device:
        device.add_user("alice")
        challenge = pins.generate_challenge(device, "alice", Modality.FACE)
        world = device.running
        for _ in range(20):  # more often than there may be sessions
            with monkeypatch.context() as during:
                during.setattr(SensorAuthorization, "lock_status", panics)
                with pytest.raises(TeeUnavailable) as caught:
                    pins.lock_info(device, "alice", Modality.FACE)
            assert caught.value.code == "tee.panic"
            assert pins.lock_info(device, "alice", Modality.FACE).lock is Lock.NONE
        assert device.running is world, "the others went on"
        assert pins.generate_challenge(device, "alice", Modality.FACE) != challenge


def test_a_deadline_kills_and_says_so(directory: Path) -> None:
    notes: list[str] = []
    with Device.init(directory, DeviceOptions(note=notes.append), require_pin=False) as device:
        os.kill(device.running.process.pid, signal.SIGSTOP)
        children = Path(f"/proc/{device.running.process.pid}/task/{device.running.process.pid}/children")
        for child in children.read_text().split():
            os.kill(int(child), signal.SIGSTOP)
        with pytest.raises(TeeError, match="did not answer in time and was killed") as caught:
            device.running.process.exchange(CloseSession(session=1), timeout_ms=200)
        assert caught.value.result is TeeResult.TIMEOUT
        assert not device.running.process.alive
        device.wake()
        assert device.running.process.alive
    said = "the secure world had ended (it did not answer in time and was killed) and was started again"
    assert notes == [said]
