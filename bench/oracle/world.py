"""A device as its normal world sees it: what a caller can send, and everything that comes back.

`Caller` is what the attackers are given. It adapts to refusals as an attacker would: waits on a stepped clock, gives
the insider's own PIN, shows the insider's own face, restarts, reboots; whatever opened a lock before is tried first.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bioguard.commands.status import ReplyStatus

Array = NDArray[np.float64]
Traffic = Sequence[tuple[str, bytes | tuple[bytes, ...], *tuple[int, ...]]]
"""Requests to the disk: operation, what is named, sizes."""
MAX_REMEDIES = 3
"""Rounds of remedies after which a refusal is taken for good."""


@unique
class Insider(Enum):
    """What the attacker is on the device."""

    NOBODY = "outsider"
    PIN = "insider-pin"
    FACE = "insider-face"
    BOTH = "insider"


class SpentError(Exception):
    """The device answers this attacker no more, or the calls are used up."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one comparison told: the victim named (1:N) or accepted (1:1), if any; or why it was refused."""

    status: ReplyStatus
    victim: int | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """Something that may open a lock. calls: how many commands it sends."""

    name: str
    act: Callable[[], None]
    calls: int


class World(Protocol):
    """A device with victims on it. Rates are inverse: 100 is 1/100; None stands for the device's own."""

    victims: int

    def identify(self, probe: Array, rate: int | None) -> Answer: ...

    def authenticate(self, victim: int, probe: Array, rate: int | None) -> Answer: ...

    def remedies(self, insider: Insider) -> list[Remedy]: ...

    def traffic(self) -> Traffic:
        """What the last comparison asked of the disk, as far as the normal world sees it."""
        ...

    def owners_day(self) -> None:
        """What the victims themselves do in a day: show their faces, give their PINs."""
        ...


@dataclass(slots=True)
class Caller:
    """One attacker's way to the world, with a budget of calls.

    Attributes:
        calls: commands sent so far; compared: those in which something was compared.
        best: the best cosine of anything presented so far (told to nobody before the end).
        known: the best of what the attacker knows to be good: hits, and what was concluded.
        owner_every: calls between two days of the victims; 0 for never.
    """

    world: World
    insider: Insider
    budget: int
    judge: Callable[[Array], float]
    owner_every: int = 0
    calls: int = 0
    compared: int = 0
    hits: int = 0
    best: float = -1.0
    known: float = -1.0
    refusals: Counter[str] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)
    _pending: list[Array] = field(default_factory=list)
    _hits: list[Array] = field(default_factory=list)
    _next_day: int = 0

    def identify(self, probe: Array, rate: int | None = None) -> int | None:
        """The victim named. Raises SpentError."""
        return self._ask(probe, lambda: self.world.identify(probe, rate))

    def authenticate(self, victim: int, probe: Array, rate: int | None = None) -> int | None:
        """`victim` if it was accepted. Raises SpentError."""
        return self._ask(probe, lambda: self.world.authenticate(victim, probe, rate))

    def offered(self, rate: int, probe: Array) -> bool:
        """Whether a rate of 1:N can be asked for at all."""
        self._spend(1)
        status = self.world.identify(probe, rate).status
        self.compared += status is ReplyStatus.OK
        return status is ReplyStatus.OK or status.name.startswith("LOCKED")

    def offered_claim(self, rate: int, probe: Array) -> bool:
        """The same of 1:1, for the first victim."""
        self._spend(1)
        status = self.world.authenticate(0, probe, rate).status
        self.compared += status is ReplyStatus.OK
        return status is ReplyStatus.OK or status.name.startswith("LOCKED")

    def _ask(self, probe: Array, send: Callable[[], Answer]) -> int | None:
        for _ in range(MAX_REMEDIES):
            answer = self._once(probe, send)
            if answer is None:
                answer = self._remedied(probe, send)
            if answer is not None:
                return answer.victim
        raise SpentError

    def _once(self, probe: Array, send: Callable[[], Answer]) -> Answer | None:
        self._spend(1)
        answer = send()
        if answer.status is not ReplyStatus.OK:
            self.refusals[answer.status.name] += 1
            return None
        self.compared += 1
        self._pending.append(probe)
        if answer.victim is not None:
            self.hits += 1
            self._hits.append(probe)
        if len(self._pending) >= 1024:
            self.settle()
        return answer

    def _remedied(self, probe: Array, send: Callable[[], Answer]) -> Answer | None:
        """Try what opened a lock before, then everything else."""
        for remedy in sorted(self.world.remedies(self.insider), key=lambda r: -self.opened[r.name]):
            self._spend(remedy.calls)
            remedy.act()
            answer = self._once(probe, send)
            if answer is not None:
                self.opened[remedy.name] += 1
                return answer
        return None

    def remedy_all(self) -> None:
        """Do everything that may help, in case a hit is kept back silently."""
        for remedy in self.world.remedies(self.insider):
            self._spend(remedy.calls)
            remedy.act()

    def _spend(self, calls: int) -> None:
        if self.calls + calls > self.budget:
            raise SpentError
        self.calls += calls
        if self.owner_every and self.calls >= self._next_day:
            self._next_day = self.calls + self.owner_every
            self.world.owners_day()

    def settle(self, *estimates: Array) -> None:
        """Judge what was presented, and estimates that were not."""
        self.known = max(self.known, self._judged([*self._hits, *estimates]))
        self.best = max(self.best, self.known, self._judged(self._pending))
        self._pending.clear()
        self._hits.clear()

    def _judged(self, faces: list[Array]) -> float:
        if not faces:
            return -1.0
        rows = np.stack(faces)
        return self.judge(rows / np.linalg.norm(rows, axis=1, keepdims=True))
