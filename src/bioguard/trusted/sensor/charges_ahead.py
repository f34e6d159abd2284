"""Charge the next attempt in the commit that settles this one, so that a device in use makes one commit a decision.

    charge = ahead.take(key, stored)                  # an attempt begins; None: charge it now
    ... compare ...
    charge = ahead.next(key, settled, policy, now_ms)  # store what it has charged with the settlement
    ... commit ...
    ahead.stored(key, charge)                         # now, and not before, an attempt may be made of it

Promised, whatever ends whenever:
* An attempt is compared only after its charge is durable. What is stored of one that is charged ahead is what is stored
  of a miss: whoever was not told in this life of the application that it is unused takes it for one.
* A charge is used once, or given back once, and only while what is stored is what it has charged.
* None is made that would lock. The attempt that may lock is charged when it is made: nobody is locked out by an attempt
  that was never made, not after a power cut either.
* Nothing is charged ahead for somebody who is there for the first time: a command of one decision costs two commits, as
  before, and leaves nothing to give back.

Does not promise: that two commits in place of one tell the disk nothing. They say that a decision is one of the first
of a start, or that it might lock.
"""

from collections import OrderedDict
from dataclasses import field
from typing import Final

from bioguard.records.locks import Lock
from bioguard.trusted.sensor.lockout import LockoutPolicy, LockoutState
from tee_sim.shared.dataclass import dataclass

MOST_AHEAD: Final = 16
"""How many are given back in one commit at an end, and people told apart as having been here before."""
Key = tuple[int, bytes]
"""Sensor and user; no user for searches."""


@dataclass(frozen=True, slots=True)
class Charge:
    """An attempt that is counted as failed in storage: the state before it, and with it."""

    before: LockoutState
    charged: LockoutState


@dataclass(slots=True)
class ChargesAhead:
    """The charges of this life of the application that nobody has used."""

    _unused: dict[Key, Charge] = field(default_factory=dict)
    _seen: OrderedDict[Key, None] = field(default_factory=OrderedDict)

    def take(self, key: Key, stored: LockoutState) -> Charge | None:
        """The charge of an attempt that begins now, once; None if there is none for what is stored."""
        charge = self._unused.pop(key, None)
        return charge if charge is not None and charge.charged == stored else None

    def next(self, key: Key, settled: LockoutState, policy: LockoutPolicy, now_ms: int) -> Charge | None:
        """What to store in place of `settled`, if the next attempt is to be charged with it."""
        known = key in self._seen
        self._seen[key] = None
        self._seen.move_to_end(key)
        if len(self._seen) > MOST_AHEAD:
            self._seen.popitem(last=False)
        if not known or len(self._unused) >= MOST_AHEAD or policy.status(settled, now_ms).lock is not Lock.NONE:
            return None
        charged = policy.charge(settled, now_ms)
        return Charge(settled, charged) if charged.lock is Lock.NONE else None

    def stored(self, key: Key, charge: Charge | None) -> None:
        """What `next` gave is durable."""
        if charge is not None:
            self._unused[key] = charge

    def forget(self, key: Key) -> None:
        """A user is erased: whoever has the id next is there for the first time."""
        self._unused.pop(key, None)
        self._seen.pop(key, None)

    def take_all(self) -> dict[Key, Charge]:
        """All that are unused, to be given back. They are not held any more, whatever comes of it."""
        unused, self._unused = self._unused, {}
        return unused
