"""One counter of failed attempts, as a caller may see it (`tests.model.reference`)."""

from dataclasses import dataclass

TIMED_EVERY, TIMED_MS, PERMANENT_AT = 5, 30_000, 20


@dataclass
class Lock:
    """Failed attempts, and since when they lock; whether one was made in this life, and the next is charged ahead.

    glanced_ms: when a search saw that the wait starts again; it keeps that for itself and stores nothing.
    """

    failures: int = 0
    since_ms: int | None = None
    permanent: bool = False
    seen: bool = False
    ahead: bool = False
    glanced_ms: int | None = None

    def look(self, now_ms: int) -> tuple[str, int]:
        """Let time pass; say which lock holds and for how long."""
        if self.permanent:
            return "PERMANENT", 0
        if self.since_ms is not None and now_ms < self.since_ms:
            self.since_ms = now_ms
            self.stored()
        if self.since_ms is not None and now_ms >= self.since_ms + TIMED_MS:
            self.since_ms = None
            self.stored()
        return ("NONE", 0) if self.since_ms is None else ("TIMED", self.since_ms + TIMED_MS - now_ms)

    def glance(self, now_ms: int) -> bool:
        """Whether a search finds it locked."""
        if self.permanent or self.since_ms is None:
            return self.permanent
        since_ms = self.since_ms if self.glanced_ms is None else self.glanced_ms
        if now_ms < since_ms:
            since_ms = self.glanced_ms = now_ms
        return now_ms < since_ms + TIMED_MS

    def stored(self) -> None:
        """Searches go by what was written last."""
        self.glanced_ms = None

    def fail(self, now_ms: int) -> None:
        """One more; it is not locked."""
        self.failures += 1
        self.permanent = self.failures >= PERMANENT_AT
        if not self.permanent and self.failures % TIMED_EVERY == 0:
            self.since_ms = now_ms

    def settled(self) -> None:
        """An attempt has ended: the next one is charged with it, but for the first one and where that would lock."""
        self.stored()
        locks = self.permanent or self.since_ms is not None
        follows = self.failures + 1
        self.ahead = self.seen and not locks and follows % TIMED_EVERY != 0 and follows < PERMANENT_AT
        self.seen = True

    def die(self) -> None:
        """Whoever knew that it was not made is gone."""
        self.failures += self.ahead
        self.seen = self.ahead = False
        self.stored()

    def clear(self) -> None:
        """All forgiven."""
        self.failures, self.since_ms, self.permanent, self.ahead = 0, None, False, False
        self.stored()
