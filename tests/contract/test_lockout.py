"""Lockout policies as pure state machines, strengths, and the timers after which only the PIN helps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.device.strong_auth_rules import Fallback, UnlockTimes, android_fallback, apple_fallback
from bioguard.errors import InputRefused
from bioguard.records.locks import AttemptOutcome, Lock, LockStatus
from bioguard.records.strength import ABILITIES, SensorStrength, cleared_with, locked_by
from bioguard.trusted.sensor.lockout import ANDROID_11, ANDROID_13, APPLE, CLEAR, LockoutPolicy, LockoutState, strictest

H = 3_600_000


def fail(policy: LockoutPolicy, state: LockoutState, now: int) -> LockoutState:
    return policy.settle(policy.charge(state, now), state, AttemptOutcome.NO_MATCH, now)


def fail_until(policy: LockoutPolicy, count: int) -> tuple[LockoutState, list[tuple[int, Lock]], int]:
    state, now, locks = CLEAR, 1_000, []
    for _ in range(count):
        if policy.status(state, now).lock is Lock.TIMED:
            now += policy.timed_ms
        if policy.status(state, now).lock is Lock.PERMANENT:
            break
        state = fail(policy, state, now)
        if state.lock is not Lock.NONE:
            locks.append((state.failed_attempts, state.lock))
    return state, locks, now


def test_framework_numbers() -> None:
    state, locks, _ = fail_until(ANDROID_13, 50)
    assert locks == [(5, Lock.TIMED), (10, Lock.TIMED), (15, Lock.TIMED), (20, Lock.PERMANENT)]
    assert state.failed_attempts == 20
    assert ANDROID_13.timed_ms == 30_000


def test_android_13_limits_hold() -> None:
    assert ANDROID_13.trials_before_pin() == 20
    assert ANDROID_13.backoff_before_pin_ms() == 90_000


def test_android_11_has_no_permanent_tier() -> None:
    state, locks, _ = fail_until(ANDROID_11, 50)
    assert locks == [(n, Lock.TIMED) for n in range(5, 51, 5)]
    assert ANDROID_11.trials_before_pin() is None
    assert state.failed_attempts == 50


def test_apple_has_no_timed_tier() -> None:
    assert fail_until(APPLE, 50)[1] == [(5, Lock.PERMANENT)]
    assert APPLE.backoff_before_pin_ms() == 0


def test_a_timed_lock_counts_down_and_opens_but_keeps_the_counter() -> None:
    state, _, now = fail_until(ANDROID_13, 5)
    left = [ANDROID_13.status(state, now + ms).remaining_ms for ms in (0, 1, 15_000, 29_999)]
    assert left == [30_000, 29_999, 15_000, 1]
    assert ANDROID_13.status(state, now + 30_000) == LockStatus(Lock.NONE)
    assert ANDROID_13.observed(state, now + 30_000).failed_attempts == 5


def test_a_reboot_restarts_the_full_wait() -> None:
    state, _, _ = fail_until(ANDROID_13, 5)
    assert ANDROID_13.status(state, 10) == LockStatus(Lock.TIMED, 30_000)
    restarted = ANDROID_13.observed(state, 10)
    assert (restarted.since_ms, restarted.failed_attempts) == (10, 5)


def test_success_clears_and_a_poor_capture_is_given_back() -> None:
    state, _, now = fail_until(ANDROID_13, 4)
    charged = ANDROID_13.charge(state, now)
    assert charged.lock is Lock.TIMED
    assert ANDROID_13.settle(charged, state, AttemptOutcome.MATCH, now) == CLEAR
    assert ANDROID_13.settle(charged, state, AttemptOutcome.POOR_CAPTURE, now) == state
    assert ANDROID_13.settle(charged, state, AttemptOutcome.NO_MATCH, now) == charged


def test_charging_while_locked_is_a_bug() -> None:
    state, _, now = fail_until(ANDROID_13, 5)
    with pytest.raises(ValueError, match="attempt charged while locked"):
        ANDROID_13.charge(state, now)


def test_a_policy_without_limits_is_refused() -> None:
    with pytest.raises(InputRefused, match=r"^a lockout policy needs a timed or a permanent limit$"):
        LockoutPolicy(name="none", timed_every=0, timed_ms=0, permanent_at=0, source="")


@given(st.integers(0, 1000), st.sampled_from(Lock), st.integers(0, 1 << 40))
def test_state_is_canonical_bytes(failed: int, lock: Lock, since: int) -> None:
    state = LockoutState(failed_attempts=failed, lock=lock, since_ms=since)
    assert LockoutState.from_bytes(state.to_bytes()) == state


def test_permanent_beats_timed_and_longer_beats_shorter() -> None:
    permanent, long, short = LockStatus(Lock.PERMANENT), LockStatus(Lock.TIMED, 9), LockStatus(Lock.TIMED, 3)
    assert strictest((short, permanent, long)) == permanent
    assert strictest((short, long)) == long
    assert strictest(()) == LockStatus(Lock.NONE)


def test_strengths_cascade_down() -> None:
    strong, weak, convenience = SensorStrength.STRONG, SensorStrength.WEAK, SensorStrength.CONVENIENCE
    assert locked_by(convenience) == {strong, weak, convenience}
    assert locked_by(weak) == {strong, weak}
    assert locked_by(strong) == {strong}
    assert cleared_with(strong) == {strong, weak, convenience}
    assert cleared_with(convenience) == {convenience}


def test_what_each_class_may_do() -> None:
    assert [(a.cdd_class, a.tokens, a.prompt, a.keystore) for a in ABILITIES.values()] == [
        (1, False, False, False),
        (2, False, True, False),
        (3, True, True, True),
    ]
    assert [a.authenticator_mask for a in ABILITIES.values()] == [4095, 255, 15]
    assert [a.spoof_accept_max_percent for a in ABILITIES.values()] == [100, 20, 7]


STRONG, WEAK = SensorStrength.STRONG, SensorStrength.WEAK


@pytest.mark.parametrize(
    ("strength", "credential", "biometric", "failed", "now", "why"),
    [
        (STRONG, None, None, 0, 1, Fallback.BOOT),
        (STRONG, None, 1, 0, 1, Fallback.BOOT),
        (STRONG, 0, None, 0, 72 * H - 1, None),
        (STRONG, 0, 72 * H - 1, 0, 72 * H, Fallback.AGE),
        (STRONG, 0, None, 4, 5 * H, None),
        (WEAK, 0, 23 * H, 0, 24 * H - 1, None),
        (WEAK, 0, 23 * H, 0, 24 * H, Fallback.AGE),
        (WEAK, 0, None, 0, 4 * H, Fallback.IDLE),
        (WEAK, 0, H, 0, 5 * H - 1, None),
        (WEAK, 0, None, 3, H, Fallback.FAILED_ATTEMPTS),
        (SensorStrength.CONVENIENCE, 0, None, 2, H, None),
    ],
)
def test_android_fallback(strength, credential, biometric, failed, now, why) -> None:
    times = UnlockTimes(credential_ms=credential, biometric_ms=biometric, failed_attempts=failed)
    assert android_fallback(times, strength, now) is why


@pytest.mark.parametrize(
    ("credential", "biometric", "now", "why"),
    [
        (None, None, 1, Fallback.BOOT),
        (0, None, 48 * H, None),
        (0, None, 48 * H + 1, Fallback.IDLE),
        (0, 47 * H, 90 * H, None),
        (0, 155 * H, 156 * H, None),
        (0, 151 * H, 156 * H, Fallback.AGE),
        (0, 155 * H, 159 * H, None),
        (0, 155 * H, 159 * H + 1, Fallback.AGE),
    ],
)
def test_apple_fallback(credential, biometric, now, why) -> None:
    assert apple_fallback(UnlockTimes(credential_ms=credential, biometric_ms=biometric), now) is why
