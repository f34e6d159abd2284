"""Killing the secure world: a typed error at once, not at the deadline, and a store as before or after."""

import os
import select
import signal
from pathlib import Path

import pytest

from bioguard.device import Device, DeviceOptions
from bioguard.device.consent import grant_all
from bioguard.errors import TeeUnavailable
from bioguard.synthetic import face_views
from tee_sim.errors import TeeError, TeeResult
from tee_sim.process import SecureProcess
from tee_sim.wire import CloseSession

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
    device = start(directory, tap)
    tap.frames = 0
    device.enroll("bob", BOB)
    total = tap.frames
    device.erase("bob", next(device.records("bob")).record_id)
    device.close()
    assert total > 6
    ended = set()
    for moment in sorted({1, total, *range(2, total, max(1, total // 7))}):
        device = start(directory, tap)
        tap.left = moment
        with pytest.raises(TeeUnavailable) as caught:
            enroll_and_list(device)
        assert caught.value.code == "tee.dead"
        device.close()
        tap.left = -1
        with Device.open(directory) as again:
            assert again.authenticate("alice", PROBE).match
            records = list(again.records("bob"))
            ended.add(len(records))
            for record in records:
                again.erase("bob", record.record_id)
    assert ended == {0, 1}


def test_killed_while_idle_and_before_it_is_asked(directory: Path) -> None:
    device = Device.init(directory)
    kill(device.running.process)
    with pytest.raises(TeeUnavailable, match="the secure world is gone"):
        device.identify(PROBE)
    device.close()
    Device.open(directory).close()


def test_a_deadline_kills_and_says_so(directory: Path) -> None:
    with Device.init(directory) as device:
        os.kill(device.running.process.pid, signal.SIGSTOP)
        children = Path(f"/proc/{device.running.process.pid}/task/{device.running.process.pid}/children")
        for child in children.read_text().split():
            os.kill(int(child), signal.SIGSTOP)
        with pytest.raises(TeeError, match="did not answer in time and was killed") as caught:
            device.running.process.exchange(CloseSession(session=1), timeout_ms=200)
        assert caught.value.result is TeeResult.TIMEOUT
        assert not device.running.process.alive
