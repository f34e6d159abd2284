"""The checklist of the contract (sections 2 to 6) on a real device: sessions before a locked secure world."""

from collections.abc import Iterator

import pytest

from bioguard.device import pins
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import ErrorCode
from bioguard.hal.callbacks import OperationError, is_terminal
from bioguard.hal.device_backend import enrollment_id_of
from bioguard.hal.hal import SessionInUse
from bioguard.hal.session import WrongState
from bioguard.records.locks import Lock
from tests.hal.phone import PIN, Phone, look, phone, touch

FINGER, FACE = 0, 1
UNABLE = OperationError(ErrorCode.UNABLE_TO_PROCESS)
CANCELED = OperationError(ErrorCode.CANCELED)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, fast_pins_on_devices: None) -> Iterator[Phone]:
    """A device with alice, one finger and one face of person 0, and bob, who has a PIN and nothing enrolled."""
    with phone(tmp_path_factory.mktemp("phone") / "device") as made:
        made.add("alice")
        made.add("bob")
        made.enroll("alice", FINGER, person=0)
        made.enroll("alice", FACE, person=0)
        yield made


@pytest.fixture(autouse=True)
def unlocked(shared: Phone) -> Iterator[None]:
    """Each test finds alice without failed attempts."""
    yield
    shared.hal.client_died()
    pins.unlock(shared.device, "alice", PIN)


# -- row 2: what an enrollment is refused for ------------------------------------------------------------------------


def test_an_enrollment_is_refused_before_a_capture_by_whatever_is_wrong_with_its_token(shared: Phone) -> None:
    with shared.session("alice", FACE) as number:
        of_the_face = shared.challenge(number)
    with shared.session("bob", FINGER) as number:
        of_bob = shared.challenge(number)
    with shared.session("alice", FINGER) as number:
        revoked, live = shared.challenge(number), shared.challenge(number)
        assert shared.call(number, lambda s: s.revoke_challenge(revoked)) == [cb.ChallengeRevoked(revoked)]
        good = shared.token("alice", live)
        broken = good[:-1] + bytes([good[-1] ^ 1])
        for token in (
            b"",
            broken,
            shared.token("alice", live ^ 1),
            shared.token("alice", revoked),
            shared.token("alice", of_the_face),
            shared.token("alice", of_bob),
            shared.token("bob", live),
        ):
            assert shared.call(number, lambda s, token=token: s.enroll(token)) == [UNABLE]
            with pytest.raises(WrongState, match=r"^capture is not allowed while idling$"):
                shared.call(number, lambda s: s.present(touch(3)))
        assert shared.call(number, lambda s: s.enroll(good)) == []
        assert shared.call(number, lambda s: s.cancel()) == [CANCELED]
        shared.pass_ms(600_001)
        assert shared.call(number, lambda s: s.enroll(good)) == [UNABLE], "a challenge lives ten minutes"


def test_several_challenges_live_and_one_is_good_for_several_fingers(shared: Phone) -> None:
    shared.add("carol")
    with shared.session("carol", FINGER) as number:
        first, second = shared.challenge(number), shared.challenge(number)
        ids = {
            shared.enroll_with(number, shared.token("carol", challenge), FINGER, person)
            for person, challenge in enumerate((first, second, first), 4)
        }
        (told,) = shared.call(number, lambda s: s.enumerate_enrollments())
        assert (len(ids), set(told.ids)) == (3, ids)
        kept = min(ids)
        gone = tuple(ids - {kept})
        (told,) = shared.call(number, lambda s: s.remove_enrollments((*gone, 12345)))
        assert set(told.ids) == {*gone}, "what was removed, not what was asked for"
        assert shared.call(number, lambda s: s.enumerate_enrollments()) == [cb.EnrollmentsEnumerated((kept,))]


# -- rows 3 and 4: authenticator ids and tokens ----------------------------------------------------------------------


def authenticator_id(shared: Phone, number: int) -> int:
    (told,) = shared.call(number, lambda s: s.get_authenticator_id())
    return told.authenticator_id


def test_the_life_of_an_authenticator_id(shared: Phone) -> None:
    shared.add("dave")
    with shared.session("dave", FINGER) as number:
        assert authenticator_id(shared, number) == 0
        token = shared.token("dave", shared.challenge(number))
        ids, seen = [], []
        for person in (7, 8):
            ids.append(shared.enroll_with(number, token, FINGER, person))
            seen.append(authenticator_id(shared, number))
        assert len({0, *seen}) == 3
        shared.call(number, lambda s: s.remove_enrollments((ids[0],)))
        assert authenticator_id(shared, number) == seen[1]
        (rotated,) = shared.call(number, lambda s: s.invalidate_authenticator_id())
        assert rotated.authenticator_id not in (0, *seen)
        assert authenticator_id(shared, number) == rotated.authenticator_id
        shared.call(number, lambda s: s.remove_enrollments((ids[1],)))
        assert authenticator_id(shared, number) == 0


@pytest.mark.parametrize(("sensor", "sample"), [(FINGER, touch(0)), (FACE, look(0))], ids=["finger", "face"])
def test_a_success_of_a_strong_sensor_carries_a_token_that_the_secure_world_made(shared: Phone, sensor, sample) -> None:
    with shared.session("alice", sensor) as number:
        (ids,) = shared.call(number, lambda s: s.enumerate_enrollments())
        heard = shared.attempt(number, sample, operation_id=0xABCDEF)
        success = heard[-1]
        assert success.enrollment_id == ids.ids[0]
        assert success.token.mac.hex() not in repr(heard)
        assert repr(success.token.mac) not in repr(heard)
        token = pins.check_token(shared.device, success.token.to_bytes())
        assert (token.challenge, token.authenticator_type) == (0xABCDEF, 2)
        assert token.authenticator_id == authenticator_id(shared, number) != 0


# -- row 5: what ends an operation -----------------------------------------------------------------------------------


def test_a_rejected_finger_may_try_again_and_a_rejected_face_is_done(shared: Phone) -> None:
    with shared.session("alice", FINGER) as number:
        shared.call(number, lambda s: s.authenticate(0))
        assert shared.call(number, lambda s: s.present(touch(1))) == [cb.Acquired(1), cb.AuthenticationFailed()]
        heard = shared.call(number, lambda s: s.present(touch(0)))
        assert isinstance(heard[-1], cb.AuthenticationSucceeded)
    with shared.session("alice", FACE) as number:
        shared.call(number, lambda s: s.authenticate(0))
        heard = shared.call(number, lambda s: s.present(look(1)))
        assert heard == [cb.AuthenticationFrame(1), cb.AuthenticationFailed()]
        with pytest.raises(WrongState, match=r"^capture is not allowed while idling$"):
            shared.call(number, lambda s: s.present(look(0)))


def test_exactly_one_terminal_callback_each(shared: Phone) -> None:
    token = shared.pin_tokens["alice"]
    with shared.session("alice", FINGER) as number:
        for start in (
            lambda s: s.generate_challenge(),
            lambda s: s.revoke_challenge(1),
            lambda s: s.enumerate_enrollments(),
            lambda s: s.remove_enrollments((9,)),
            lambda s: s.get_authenticator_id(),
            lambda s: s.invalidate_authenticator_id(),
            lambda s: s.reset_lockout(token),
            lambda s: s.reset_lockout(b""),
            lambda s: s.enroll(token),
            lambda s: s.authenticate(0),
            lambda s: s.detect_interaction(),
        ):
            heard = shared.call(number, start) + shared.call(number, lambda s: s.cancel())
            assert [is_terminal(one, shared.kind(FINGER)) for one in heard].count(True) == 1, heard


def test_one_session_for_each_hal(shared: Phone) -> None:
    finger = shared.hal.create_session("alice", FINGER)
    face = shared.hal.create_session("bob", FACE)
    with pytest.raises(SessionInUse, match=rf"^session {finger} is open$"):
        shared.hal.create_session("bob", FINGER)
    shared.call(finger, lambda s: s.authenticate(0))
    assert shared.call(face, lambda s: s.detect_interaction()) == []
    with pytest.raises(WrongState, match=r"^close is not allowed while authenticating$"):
        shared.call(finger, lambda s: s.close())
    assert shared.call(finger, lambda s: s.cancel()) == [CANCELED]
    assert shared.call(finger, lambda s: s.close()) == [cb.SessionClosed()]
    with pytest.raises(WrongState, match=r"^generate challenge is not allowed while closed$"):
        shared.call(finger, lambda s: s.generate_challenge())
    again = shared.hal.create_session("bob", FINGER)
    assert len({finger, face, again}) == 3


@pytest.mark.parametrize(
    ("record_id", "number"), [(bytes(16), 1), (b"\xff" * 16, 0x7FFF_FFFF), (b"\x00\x00\x00\x05" + bytes(12), 2)]
)
def test_an_enrollment_id_is_of_31_bits_and_never_0(record_id: bytes, number: int) -> None:
    assert enrollment_id_of(record_id) == number


# -- row 6: lockout --------------------------------------------------------------------------------------------------


def misses(shared: Phone, number: int, count: int) -> list[cb.Callback]:
    for _ in range(count):
        heard = shared.attempt(number, touch(1))
    return heard


def test_lockouts_come_end_and_are_told(shared: Phone) -> None:
    with shared.session("alice", FINGER) as number:
        for _ in range(3):
            heard = misses(shared, number, 5)
            assert heard == [cb.Acquired(1), cb.AuthenticationFailed(), cb.LockoutTimed(30_000)]
            for _ in range(3):
                assert shared.attempt(number, touch(0)) == [cb.LockoutTimed(30_000)], "not compared, not counted"
            assert shared.pass_ms(29_999) == []
            assert shared.pass_ms(1) == [cb.LockoutCleared()]
            assert shared.pass_ms(1) == []
        assert misses(shared, number, 5)[-1] == cb.LockoutPermanent()
        assert shared.pass_ms(10**8) == []
        assert shared.attempt(number, touch(0)) == [cb.LockoutPermanent()]
        assert shared.call(number, lambda s: s.reset_lockout(shared.pin_tokens["alice"])) == [UNABLE], "a day old"
        assert shared.call(number, lambda s: s.reset_lockout(shared.token("bob", 0))) == [UNABLE]
        assert shared.call(number, lambda s: s.reset_lockout(shared.token("alice", 0))) == [cb.LockoutCleared()]
        assert isinstance(shared.attempt(number, touch(0))[-1], cb.AuthenticationSucceeded)


def test_a_finger_that_goes_on_after_a_lock_is_told_of_it_each_time(shared: Phone) -> None:
    with shared.session("alice", FINGER) as number:
        shared.call(number, lambda s: s.authenticate(0))
        for _ in range(5):
            heard = shared.call(number, lambda s: s.present(touch(1)))
        assert heard[1:] == [cb.AuthenticationFailed(), cb.LockoutTimed(30_000)]
        for sample in (touch(1), touch(0)):
            heard = shared.call(number, lambda s, sample=sample: s.present(sample))
            assert heard == [cb.Acquired(1), cb.LockoutTimed(30_000)], "not compared, not counted"
        assert shared.pass_ms(30_000) == [cb.LockoutCleared()]
        assert isinstance(shared.call(number, lambda s: s.present(touch(0)))[-1], cb.AuthenticationSucceeded)


def test_a_success_zeroes_presence_does_not_count_and_the_counter_outlives_session_and_secure_world(
    shared: Phone,
) -> None:
    with shared.session("alice", FINGER) as number:
        misses(shared, number, 4)
        assert isinstance(shared.attempt(number, touch(0))[-1], cb.AuthenticationSucceeded)
        misses(shared, number, 4)
        for _ in range(3):
            shared.call(number, lambda s: s.detect_interaction())
            assert shared.call(number, lambda s: s.present(touch(1))) == [cb.Acquired(1), cb.InteractionDetected()]
    shared.device.running.close()  # an end, no crash: an attempt that was charged ahead is given back
    with shared.session("alice", FINGER) as number:
        assert misses(shared, number, 1)[-1] == cb.LockoutTimed(30_000)
        assert pins.lock_info(shared.device, "bob", shared.kind(FINGER)).lock is Lock.NONE


def test_a_lockout_that_somebody_else_ends_is_told_too(shared: Phone) -> None:
    with shared.session("alice", FINGER) as number:
        misses(shared, number, 5)
        shared.heard.clear()
        pins.unlock(shared.device, "alice", PIN)
        shared.hal.tick()
        assert shared.heard == [(number, cb.LockoutCleared())]


# -- what AIDL has no number for -------------------------------------------------------------------------------------


def test_refusals_without_a_number_say_their_code(shared: Phone) -> None:
    with shared.session("bob", FINGER) as number:
        shared.call(number, lambda s: s.authenticate(0))
        heard = shared.call(number, lambda s: s.present(touch(0)))
        assert heard == [OperationError(ErrorCode.UNABLE_TO_PROCESS, 0, "match.not_enrolled")]


def test_a_finger_that_is_enrolled_already(shared: Phone) -> None:
    with shared.session("alice", FINGER) as number:
        token = shared.token("alice", shared.challenge(number))
        shared.call(number, lambda s: s.enroll(token, touches=2))
        shared.call(number, lambda s: s.present(touch(0, 3)))
        heard = shared.call(number, lambda s: s.present(touch(0, 4)))
        assert heard == [cb.Acquired(1), OperationError(ErrorCode.VENDOR, 1, "enroll.duplicate_finger")]
