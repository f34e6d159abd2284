"""The death of the secure world under sessions: as the death of a HAL, told before the next answer."""

from collections.abc import Iterator

import pytest

from bioguard.errors import InputRefused
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import ErrorCode
from bioguard.hal.backend import BackendDied
from bioguard.hal.callbacks import OperationError
from bioguard.hal.operations import SessionDead
from tests.hal.phone import Phone, phone, touch

FINGER, FACE = 0, 1


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    """A device with alice's finger."""
    with phone(tmp_path_factory.mktemp("phone") / "device") as made:
        made.add("alice")
        made.enroll("alice", FINGER, person=0)
        yield made


def test_a_death_is_told_once_ends_every_session_and_keeps_what_is_stored(shared: Phone) -> None:
    finger, face = shared.hal.create_session("alice", FINGER), shared.hal.create_session("alice", FACE)
    challenge = shared.challenge(finger)
    for _ in range(4):
        shared.attempt(finger, touch(1))
    shared.call(face, lambda s: s.detect_interaction())
    shared.device.running.process.kill()
    shared.heard.clear()
    for number in (finger, face, finger):
        with pytest.raises(SessionDead, match=r"^the session ended with the secure world$"):
            shared.hal.call(number, lambda s: s.generate_challenge())
    assert shared.heard == [(0, cb.Restarted("killed by signal 9"))]
    assert shared.hal.restarts == 1
    with shared.session("alice", FINGER) as number:
        assert number not in (finger, face)
        (told,) = shared.call(number, lambda s: s.enumerate_enrollments())
        assert len(told.ids) == 1
        token = shared.token("alice", challenge)
        assert shared.call(number, lambda s: s.enroll(token)) == [OperationError(ErrorCode.UNABLE_TO_PROCESS)]
        heard = shared.attempt(number, touch(1))
        assert heard[-1] == cb.LockoutTimed(30_000), "failed attempts are kept"
        shared.call(number, lambda s: s.reset_lockout(shared.pin_tokens["alice"]))


def test_a_death_over_an_attempt_is_no_callback_and_the_next_request_finds_another_world(shared: Phone) -> None:
    with shared.session("alice", FINGER) as number:
        shared.call(number, lambda s: s.authenticate(0))
        shared.call(number, lambda s: s.get_authenticator_id())
        shared.heard.clear()
        before = shared.device.running

        def dies(session: object) -> None:
            shared.device.running.process.kill()
            session.present(touch(0))

        with pytest.raises(BackendDied):
            shared.hal.call(number, dies)
        assert shared.heard == []
        assert shared.device.running is before, "the old session asks no new world"
        shared.hal.tick()
        assert shared.heard == [(0, cb.Restarted("killed by signal 9"))]
        with pytest.raises(SessionDead):
            shared.hal.call(number, lambda s: s.close())


def test_numbers_that_name_no_session_and_no_sensor(shared: Phone) -> None:
    with pytest.raises(InputRefused, match=r"^there is no session 99$") as caught:
        shared.hal.call(99, lambda s: s.close())
    assert caught.value.code == "session.unknown"
    with pytest.raises(InputRefused, match=r"^there is no sensor 9$") as caught:
        shared.hal.create_session("alice", 9)
    assert caught.value.code == "sensor.unknown"
    with pytest.raises(InputRefused) as caught:
        shared.hal.create_session("nobody", FINGER)
    assert caught.value.code == "user.unknown"


def test_the_end_of_the_client_closes_every_session(shared: Phone) -> None:
    finger, face = shared.hal.create_session("alice", FINGER), shared.hal.create_session("alice", FACE)
    shared.call(finger, lambda s: s.authenticate(0))
    shared.heard.clear()
    shared.hal.client_died()
    shared.hal.client_died()
    assert sorted(shared.heard) == [(finger, cb.SessionClosed()), (face, cb.SessionClosed())]
