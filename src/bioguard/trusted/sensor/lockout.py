"""Lock out after failed matches: one state per sensor and user, several policies, no clock of its own.

Order of use, so that a power cut never gives a free guess:

    verdict = policy.status(state, now_ms)      # locked? then refuse; the attempt does not count
    charged = policy.charge(state, now_ms)      # persist this BEFORE comparing
    ... compare ...
    settled = policy.settle(charged, state, outcome)   # persist this after it

Time is boot time in milliseconds. A clock behind the start of a wait means a reboot: the full wait starts again.
Because boot time is never larger than the real time since an earlier boot's event, a wait is never cut short.

Does not promise: to remember. The store holds the state, and notices a rollback.
"""

from dataclasses import replace
from typing import Annotated

from bioguard.errors import InputRefused
from bioguard.records.locks import AttemptOutcome, Lock, LockStatus
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import Record, UpTo

_MAX_MS = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class LockoutState(Record):
    """What is stored.

    Attributes:
        failed_attempts: since the last success or reset; survives the end of a timed lockout.
        lock: as of the last change.
        since_ms: boot time at which a timed lockout began.
    """

    failed_attempts: Annotated[int, UpTo(1 << 31)] = 0
    lock: Lock = Lock.NONE
    since_ms: Annotated[int, UpTo(_MAX_MS)] = 0


CLEAR = LockoutState()


@dataclass(frozen=True, slots=True, kw_only=True)
class LockoutPolicy:
    """Limits of one policy.

    Attributes:
        name: for people.
        timed_every: a timed lockout at each multiple of this many failures; 0 for none.
        timed_ms: its length.
        permanent_at: failures after which only the PIN helps; 0 for never.
        source: where the numbers come from.
    """

    name: str
    timed_every: int
    timed_ms: int
    permanent_at: int
    source: str

    def __post_init__(self) -> None:
        if min(self.timed_every, self.timed_ms, self.permanent_at) < 0 or not (self.timed_every or self.permanent_at):
            raise InputRefused(
                "a lockout policy needs a timed or a permanent limit", hint="numbers from 0", code="lockout.policy"
            )

    def observed(self, state: LockoutState, now_ms: int) -> LockoutState:
        """The state as time has made it: restarted after a reboot, opened after the wait."""
        if state.lock is not Lock.TIMED:
            return state
        if now_ms < state.since_ms:
            return replace(state, since_ms=now_ms)
        if now_ms - state.since_ms >= self.timed_ms:
            return replace(state, lock=Lock.NONE, since_ms=0)
        return state

    def status(self, state: LockoutState, now_ms: int) -> LockStatus:
        """Whether attempts are refused now."""
        seen = self.observed(state, now_ms)
        if seen.lock is Lock.TIMED:
            return LockStatus(Lock.TIMED, seen.since_ms + self.timed_ms - now_ms)
        return LockStatus(seen.lock)

    def charge(self, state: LockoutState, now_ms: int) -> LockoutState:
        """Count an attempt as failed before it is compared. The state must not be locked.

        Raises:
            ValueError: it is locked; a locked attempt does not count (a bug of the caller).
        """
        seen = self.observed(state, now_ms)
        if seen.lock is not Lock.NONE:
            raise ValueError("attempt charged while locked")
        failed = seen.failed_attempts + 1
        if self.permanent_at and failed >= self.permanent_at:
            return LockoutState(failed_attempts=failed, lock=Lock.PERMANENT)
        if self.timed_every and failed % self.timed_every == 0:
            return LockoutState(failed_attempts=failed, lock=Lock.TIMED, since_ms=now_ms)
        return LockoutState(failed_attempts=failed)

    def settle(self, charged: LockoutState, before: LockoutState, outcome: AttemptOutcome, now_ms: int) -> LockoutState:
        """The state after the comparison: success clears, a non-match stays charged, the others are given back."""
        if outcome is AttemptOutcome.MATCH:
            return CLEAR
        return charged if outcome is AttemptOutcome.NO_MATCH else self.observed(before, now_ms)

    def trials_before_pin(self) -> int | None:
        """False trials until only the PIN helps; None for no limit."""
        return self.permanent_at or None

    def backoff_before_pin_ms(self) -> int:
        """Total of all timed waits on the way to the permanent lockout."""
        if not (self.permanent_at and self.timed_every):
            return 0
        return (self.permanent_at - 1) // self.timed_every * self.timed_ms


def strictest(statuses: tuple[LockStatus, ...]) -> LockStatus:
    """The lock that applies when several do: permanent before timed, the longer wait before the shorter."""
    return max(statuses, key=lambda s: (s.lock, s.remaining_ms), default=LockStatus(Lock.NONE))


ANDROID_13 = LockoutPolicy(
    name="android-13",
    timed_every=5,
    timed_ms=30_000,
    permanent_at=20,
    source="framework LockoutFrameworkImpl; meets CDD 13+ C-1-9 (20 trials, 90 s) and C-SR-5 (30 s after every 5)",
)
ANDROID_11 = LockoutPolicy(
    name="android-11",
    timed_every=5,
    timed_ms=30_000,
    permanent_at=0,
    source="CDD 11/12 section 7.3.10, the minimum: 30 s after five false trials, no permanent limit",
)
APPLE = LockoutPolicy(
    name="apple",
    timed_every=0,
    timed_ms=0,
    permanent_at=5,
    source="Apple Platform Security: five failed attempts, then the passcode; no timed tier",
)
