"""The scenario of a running device in front of its sessions: knobs turned while it runs, and deaths that they bring."""

from collections.abc import Iterator

import pytest

from bioguard.device import Device, DeviceOptions, clock
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import ErrorCode
from bioguard.hal.backend import BackendDied
from bioguard.hal.callbacks import OperationError
from bioguard.hal.operations import SessionDead
from bioguard.simulate.faults.live import LiveFaults
from bioguard.simulate.faults.session_sensor import session_script
from tests.hal.phone import CLOCK_MS, Phone, touch

FINGER = 0
SEEN = [cb.Acquired(1)]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Phone, LiveFaults]]:
    """A device with alice's finger, and what is scripted for it."""
    directory = tmp_path_factory.mktemp("phone") / "device"
    Device.init(directory, DeviceOptions(seed="phone", clock=CLOCK_MS)).close()
    faults = LiveFaults(directory)
    with Device.open(directory, DeviceOptions(hooks=faults, release_grid_ms=0)) as device:
        made = Phone(device, script=session_script(faults))
        made.add("alice")
        made.enroll("alice", FINGER, person=0)
        yield made, faults


@pytest.fixture(autouse=True)
def cleared(played: tuple[Phone, LiveFaults]) -> Iterator[None]:
    """No test finds the knobs of another."""
    yield
    made, faults = played
    made.hal.client_died()
    faults.clear()


def test_knobs_act_from_the_next_capture_on(played: tuple[Phone, LiveFaults]) -> None:
    made, faults = played
    with made.session("alice", FINGER) as number:
        faults.set("quality_sequence", "2,5")
        made.call(number, lambda s: s.authenticate(0))
        told = [made.call(number, lambda s: s.present(touch(0))) for _ in range(3)]
        assert told[:2] == [[cb.Acquired(2)], [cb.Acquired(5)]]
        assert isinstance(told[2][-1], cb.AuthenticationSucceeded)
        assert faults.report() == ()
        faults.set("operation_authenticate_error", "1009")
        assert made.attempt(number, touch(0)) == [OperationError(ErrorCode.VENDOR, 9)]


def test_the_comparison_is_a_real_one_of_somebody_elses_finger(played: tuple[Phone, LiveFaults]) -> None:
    made, faults = played
    faults.set("wrong_finger", "true")
    with made.session("alice", FINGER) as number:
        for _ in range(4):
            assert made.attempt(number, touch(0)) == [*SEEN, cb.AuthenticationFailed()]
        faults.clear("wrong_finger")
        assert isinstance(made.attempt(number, touch(0))[-1], cb.AuthenticationSucceeded)


LATENCIES = b"""\
format = "bioguard-scenario 2"

[[sensor]]
kind = "fingerprint"
latency_ms = { capture = 200, match = 40 }

[[sensor]]
kind = "face"
type = "rgb"
"""


def test_the_latencies_of_a_scenario_pass_before_the_code_and_before_the_answer(
    played: tuple[Phone, LiveFaults],
) -> None:
    made, faults = played
    faults.load(LATENCIES)
    with made.session("alice", FINGER) as number:
        told = []
        made.watch = lambda callback: told.append((type(callback), clock.now(made.device).boot_ms - before))
        made.call(number, lambda s: s.authenticate(0))
        before = clock.now(made.device).boot_ms
        made.call(number, lambda s: s.present(touch(0)))
        made.watch = None
        assert told == [(cb.Acquired, 200), (cb.AuthenticationSucceeded, 240)]
    faults.load(b'format = "bioguard-scenario 2"\n')


def test_a_latency_moves_a_stepped_clock(played: tuple[Phone, LiveFaults]) -> None:
    made, faults = played
    faults.set("operation_authenticate_latency", "700")
    with made.session("alice", FINGER) as number:
        before = clock.now(made.device).boot_ms
        made.attempt(number, touch(0))
        assert clock.now(made.device).boot_ms - before == 700


def test_a_scripted_enrollment_of_a_real_finger(played: tuple[Phone, LiveFaults]) -> None:
    made, faults = played
    faults.set("next_enrollment", "7:10-[4,1],20:true")
    with made.session("alice", FINGER) as number:
        token = made.token("alice", made.challenge(number))
        made.call(number, lambda s: s.enroll(token))
        assert made.call(number, lambda s: s.present(touch(6, 0))) == [
            cb.Acquired(4),
            cb.Acquired(1),
            cb.EnrollmentProgress(0, 1),
        ]
        stored = made.call(number, lambda s: s.present(touch(6, 1)))[-1]
        (there,) = made.call(number, lambda s: s.enumerate_enrollments())
        assert (stored.remaining, stored.enrollment_id in there.ids, 7 in there.ids) == (0, True, False)
        assert faults.values() == {}


def test_a_death_at_a_command_ends_the_session_and_is_told_before_the_next_answer(
    played: tuple[Phone, LiveFaults],
) -> None:
    made, faults = played
    number = made.hal.create_session("alice", FINGER)
    made.call(number, lambda s: s.authenticate(0))
    faults.set("ta_panic", "AUTHENTICATE")
    made.heard.clear()
    with pytest.raises(BackendDied):
        made.hal.call(number, lambda s: s.present(touch(0)))
    assert made.heard == []
    faults.clear("ta_panic")
    with pytest.raises(SessionDead):
        made.hal.call(number, lambda s: s.present(touch(0)))
    assert [type(told) for _, told in made.heard] == [cb.Restarted]
    with made.session("alice", FINGER) as number:
        assert isinstance(made.attempt(number, touch(0))[-1], cb.AuthenticationSucceeded)
