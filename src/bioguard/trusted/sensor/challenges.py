"""Tie an enrollment to a fresh PIN check by challenges. One table per sensor and user: that is the binding.

Several may live at once; a new one does not end an older one; each ends when its time is over, when it is revoked, or
with the secure world. A challenge may be used more than once while it lives (several fingers in one visit to the
settings), as HIDL 1.0 says and AIDL does not forbid.

Does not promise: that whoever asked for a challenge uses it, only that the PIN was shown after it was made.
"""

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.rng import Rng, nonzero_u64

LIFETIME_MS = 600_000
"""The framework's own timeout in its HIDL era (HidlToAidlSessionAdapter); AIDL leaves the number to the TEE."""
MAX_LIVE = 128
"""AOSP's test suite asks for 100 without revoking one. Beyond this the oldest goes: memory stays bounded."""


@dataclass(frozen=True, slots=True)
class ChallengeTable:
    """Live challenges, oldest first: (value, boot time at which it was made)."""

    live: tuple[tuple[int, int], ...] = ()

    def generate(self, rng: Rng, now_ms: int) -> tuple["ChallengeTable", int]:
        """Make an unpredictable non-zero 64-bit challenge that no other live one equals."""
        kept = self._alive(now_ms)
        value = nonzero_u64(rng, {other for other, _ in kept})
        return ChallengeTable((*kept, (value, now_ms))[-MAX_LIVE:]), value

    def revoke(self, challenge: int) -> "ChallengeTable":
        """Forget one. An unknown one is no error: the callback echoes it."""
        return ChallengeTable(tuple(entry for entry in self.live if entry[0] != challenge))

    def holds(self, challenge: int, now_ms: int) -> bool:
        """Whether the challenge is live."""
        return any(value == challenge for value, _ in self._alive(now_ms))

    def _alive(self, now_ms: int) -> tuple[tuple[int, int], ...]:
        return tuple(entry for entry in self.live if now_ms - entry[1] < LIFETIME_MS)
