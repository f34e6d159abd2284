"""Gatekeeper: records, throttle table, the order write-then-check, reboots, and those of the VTS."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.commands.gatekeeper import EnrollPin, VerifyPin
from bioguard.commands.status import GatekeeperStatus
from bioguard.errors import InputRefused
from bioguard.records.password_handle import PasswordHandle
from bioguard.records.tokens import AuthToken
from bioguard.trusted.gatekeeper.throttle import FailureRecord, remaining_ms, retry_timeout_ms
from tee_sim.shared.clock import FakeClock

KEY = bytes(range(32))
ALICE, BOB = b"A" * 16, b"B" * 16


def verify(world, pin=b"1234", user=ALICE, challenge=9, handle=None):
    return world.gatekeeper.verify(
        VerifyPin(user=user, challenge=challenge, handle=handle or world.handles[user], pin=pin)
    )


TABLE = [
    *[(x, 0) for x in (0, 1, 4, 6, 9)],
    *[(x, 30) for x in (5, 10, 11, 29, 30, 39)],
    (40, 60), (49, 60), (50, 120), (60, 240), (69, 240), (70, 480), (80, 960), (90, 1920), (99, 1920),
    (100, 3840), (110, 7680), (120, 15360), (130, 30720), (139, 30720), (140, 86400), (4000000000, 86400),
]  # fmt: skip


@pytest.mark.parametrize(("failures", "seconds"), TABLE)
def test_throttle_table(failures: int, seconds: int) -> None:
    assert retry_timeout_ms(failures) == seconds * 1000


def test_throttle_meets_the_cdd() -> None:
    """CDD 9.11 C-0-2: beyond 150 failures at least 24 hours per attempt."""
    assert min(retry_timeout_ms(x) for x in range(150, 200)) == 24 * 3600 * 1000


def test_record_layouts() -> None:
    handle = PasswordHandle(user_id=0x0102030405060708, salt=0x1112131415161718, signature=b"s" * 32)
    packed = struct.pack("<BQQQ32sB", 2, 0x0102030405060708, 1, 0x1112131415161718, b"s" * 32, 0)
    assert (handle.to_bytes(), len(packed)) == (packed, 58)
    assert PasswordHandle.from_bytes(packed) == handle
    assert handle.signed_head() == packed[:17]
    record = FailureRecord(secure_user_id=1, last_checked_ms=2, failures=3)
    assert record.to_bytes().hex() == "0100000000000000020000000000000003000000"
    assert FailureRecord.from_bytes(record.to_bytes()) == record
    for bad in (packed[:-1], packed + b"\0", b"\3" + packed[1:], packed[:-1] + b"\1"):
        with pytest.raises(InputRefused):
            PasswordHandle.from_bytes(bad)
    with pytest.raises(InputRefused, match=r"^19 bytes, a failure record has 20$"):
        FailureRecord.from_bytes(bytes(19))


def test_right_pin_gives_the_token_of_this_user_and_challenge(world) -> None:
    sid = world.set_pin()
    world.clock.advance(5)
    answer = verify(world, challenge=0xDEAD)
    token = AuthToken.from_bytes(answer.token).verify(KEY)
    assert (token.challenge, token.user_id, token.authenticator_id) == (0xDEAD, sid, 0)
    assert (token.authenticator_type, token.timestamp_ms) == (1, world.clock.boot_ms())


def test_wrong_pin_empty_pin_and_no_pin(world) -> None:
    world.set_pin()
    assert verify(world, b"9999").status is GatekeeperStatus.GENERAL_FAILURE
    assert verify(world, b"").status is GatekeeperStatus.GENERAL_FAILURE
    assert verify(world).status is GatekeeperStatus.OK
    assert world.gatekeeper.enroll(EnrollPin(user=BOB, desired=b"")).status is GatekeeperStatus.GENERAL_FAILURE
    assert BOB not in world.pins.rows


@pytest.mark.parametrize(
    ("pin", "near"),
    [
        (b"12\x0034", b"12"),
        (b"12\x0034", b"12\x0035"),
        (b"x" * 64, b"x" * 63),
        (b"x" * 64, b"x" * 65),
        (b"x" * 256, b"x" * 255),
    ],
)
def test_nothing_is_truncated(world, pin: bytes, near: bytes) -> None:
    world.set_pin(ALICE, pin)
    assert verify(world, near).status is GatekeeperStatus.GENERAL_FAILURE
    assert verify(world, pin).status is GatekeeperStatus.OK


def test_trusted_reenroll_keeps_the_sid_and_untrusted_changes_it(world) -> None:
    sid = world.set_pin()
    old = world.handles[ALICE]
    again = world.gatekeeper.enroll(EnrollPin(user=ALICE, desired=b"5678", current_handle=old, current=b"1234"))
    assert (again.status, again.secure_user_id) == (GatekeeperStatus.OK, sid)
    assert world.gatekeeper.enroll(EnrollPin(user=ALICE, desired=b"0000")).secure_user_id != sid


def test_reenroll_with_a_wrong_pin_is_a_throttled_failure(world) -> None:
    world.set_pin()
    request = EnrollPin(user=ALICE, desired=b"5678", current_handle=world.handles[ALICE], current=b"no")
    statuses = [world.gatekeeper.enroll(request) for _ in range(6)]
    assert [s.status for s in statuses[:4]] == [GatekeeperStatus.GENERAL_FAILURE] * 4
    assert [(s.status, s.timeout_ms) for s in statuses[4:]] == [(GatekeeperStatus.RETRY_TIMEOUT, 30_000)] * 2
    assert verify(world).status is GatekeeperStatus.RETRY_TIMEOUT


def test_an_old_handle_does_not_come_back(world) -> None:
    """Departure: AOSP's handle is not anchored, so an old one with its old PIN verifies again."""
    world.set_pin()
    old = world.handles[ALICE]
    new = world.gatekeeper.enroll(EnrollPin(user=ALICE, desired=b"5678", current_handle=old, current=b"1234")).handle
    assert verify(world, b"1234", handle=old).status is GatekeeperStatus.GENERAL_FAILURE
    assert verify(world, b"5678", handle=new).status is GatekeeperStatus.OK


def test_another_users_handle_and_every_changed_handle_byte_are_refused(world) -> None:
    world.set_pin(ALICE, b"1234")
    world.set_pin(BOB, b"1234")
    assert verify(world, handle=world.handles[BOB]).status is GatekeeperStatus.GENERAL_FAILURE
    good = world.handles[ALICE]
    for i in range(58):
        changed = bytearray(good)
        changed[i] ^= 1
        world.pins.rows[ALICE] = world.pins.writes[0]
        assert verify(world, handle=bytes(changed)).status is GatekeeperStatus.GENERAL_FAILURE, i


def test_a_foreign_handle_costs_the_user_nothing(world) -> None:
    world.set_pin(ALICE, b"1234")
    world.set_pin(BOB, b"1234")
    before = world.pins.rows[ALICE]
    for _ in range(6):
        verify(world, handle=world.handles[BOB])
    assert world.pins.rows[ALICE] == before


def test_deleted_user_does_not_verify_and_absent_user_is_tolerated(world) -> None:
    world.set_pin()
    world.gatekeeper.delete_user(ALICE)
    world.gatekeeper.delete_user(ALICE)
    assert verify(world).status is GatekeeperStatus.GENERAL_FAILURE


def test_the_failure_is_written_before_the_pin_is_looked_at(world) -> None:
    world.set_pin()
    seen: list[int] = []

    def watching(pin: bytes, salt: bytes) -> bytes:
        seen.append(FailureRecord.from_bytes(world.pins.rows[ALICE].failure).failures)
        return b"\0" * 32

    world.stretch = watching
    verify(world)
    assert seen == [1]


def test_a_power_cut_during_the_comparison_counts(world) -> None:
    world.set_pin()

    def cut(pin: bytes, salt: bytes) -> bytes:
        raise KeyboardInterrupt

    honest, world.stretch = world.stretch, cut
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            verify(world)
    world.stretch = honest
    assert verify(world).status is GatekeeperStatus.RETRY_TIMEOUT


def test_in_a_wait_the_pin_is_not_looked_at_and_nothing_counts(world) -> None:
    world.set_pin()
    answers = [verify(world, b"bad") for _ in range(5)]
    assert (answers[-1].status, answers[-1].timeout_ms) == (GatekeeperStatus.RETRY_TIMEOUT, 30_000)
    before = world.pins.rows[ALICE]
    world.stretch = None
    world.clock.advance(12_000)
    assert verify(world).timeout_ms == 18_000
    assert world.pins.rows[ALICE] == before


def test_the_wait_ends_and_success_clears(world) -> None:
    world.set_pin()
    for _ in range(5):
        verify(world, b"bad")
    world.clock.advance(29_999)
    assert verify(world).status is GatekeeperStatus.RETRY_TIMEOUT
    world.clock.advance(1)
    assert verify(world).status is GatekeeperStatus.OK
    assert FailureRecord.from_bytes(world.pins.rows[ALICE].failure).failures == 0


def test_reboot_restarts_the_full_wait_without_another_failure(world) -> None:
    world.clock.advance(10_000_000)
    world.set_pin()
    for _ in range(5):
        verify(world, b"bad")
    world.clock.advance(29_000)
    world.clock = FakeClock(boot_ms=1_000)
    assert verify(world).timeout_ms == 30_000
    assert FailureRecord.from_bytes(world.pins.rows[ALICE].failure).failures == 5
    world.clock.advance(30_000)
    assert verify(world).status is GatekeeperStatus.OK


def test_password_key_is_not_the_token_key_and_pins_are_salted(world) -> None:
    world.set_pin(ALICE, b"1234")
    first = world.handles[ALICE]
    world.set_pin(ALICE, b"1234")
    assert first[25:57] != world.handles[ALICE][25:57]
    assert b"1234" not in first + world.handles[ALICE]


@given(st.integers(0, 200), st.integers(0, 1 << 40), st.integers(0, 1 << 40))
def test_remaining_is_never_more_than_the_wait_and_never_negative(failures: int, checked: int, now: int) -> None:
    record = FailureRecord(secure_user_id=1, last_checked_ms=checked, failures=failures)
    _, left = remaining_ms(record, now)
    assert 0 <= left <= retry_timeout_ms(failures)
    if now > checked + retry_timeout_ms(failures):
        assert left == 0
