"""Counts what one request of the normal world lets out, as the length of a code word. Pure.

Whoever stands outside sees a reply, a result, messages to the disk, when each of them comes, and how a process ended.
Each of these is an event; the ledger charges each with the length of its word in one fixed prefix code
(docs/formats/budget.md). Whatever an application chooses, and whatever somebody outside has agreed on with it: a
request that was charged b bits tells no more than b bits, on average over its choices (Kraft's inequality).

An account is opened with the request and closed with its answer. Over its limit nothing further leaves: the charge is
made before the event, and whoever makes it asks `spent`.
"""

import math
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import field
from enum import StrEnum, unique
from typing import Final, Protocol

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.limits import MAX_WAIT_MS
from tee_sim.shared.surrounds import Surrounds

_STEP_SPANS: Final = ((250e-6, 5, 20), (4e-3, 3, 9), (32e-3, 2, 8), (512e-3, 1, 14))
"""Release times: from the first, so many an octave, so many of them. The last is above an hour."""
STEPS_S: Final = tuple(
    first * 2 ** (number / per_octave) for first, per_octave, count in _STEP_SPANS for number in range(count)
)
"""After what it answers, in seconds, something is released. Below the first is what a scheduler adds by itself, and
waiting for the next makes nothing slower by more than a seventh where a decision is made, by half below half a second,
by as much again above."""
_FINE_PER_OCTAVE, _FINE_OCTAVES = 16, 24
FINE_STEPS_S: Final = tuple(250e-6 * 2 ** (n / _FINE_PER_OCTAVE) for n in range(_FINE_PER_OCTAVE * _FINE_OCTAVES))
"""The same for what no application answers, a sensor's reading: it knows no secret, so more bits of time are given away
for less waiting, a forty-sixth on average."""
RECENT: Final = 32
"""Names that are told apart by how lately they were used."""
_ORIGINS: Final = 2
"""Of a result: the application's own, and one that the secure world gave it."""


class Meter(Protocol):
    """What whoever runs an application needs of the ledger."""

    @property
    def spent(self) -> bool:
        """Whether the account is over its limit, so that nothing further may leave."""
        ...

    def heard(self) -> None:
        """An application has spoken: when the next event comes is its choice."""
        ...


@dataclass(frozen=True, slots=True)
class Unmetered:
    """`Meter` of an application whose requests nobody counts."""

    spent: bool = False

    def heard(self) -> None:
        """Nobody asks when."""


@unique
class Way(StrEnum):
    """A way out."""

    REPLY = "reply"
    CHOICE = "choice of what the core made"
    RESULT = "result"
    READ = "storage read"
    WRITE = "storage write"
    TIME = "time"
    CANCELLATION = "cancellation"
    CAPTURE = "capture"


def gamma_bits(number: int) -> float:
    """Length of Elias' gamma code of a number from 1 up."""
    return 2.0 * (number.bit_length() - 1) + 1.0


def choice_bits(of: int) -> float:
    """One of so many; none for one."""
    return math.log2(max(1, of))


ANSWERED_BITS: Final = 1.0
"""What comes next: SUCCESS, and the end of the request."""
COMMIT_BITS: Final = 2.0
READ_BITS: Final = 3.0
PAGES_BITS: Final = 4.0
REFUSED_BITS: Final = 5.0 + choice_bits((len(TeeResult) - 1) * _ORIGINS)
"""A refusal: which named result, and of which of two origins."""
ENDED_BITS: Final = 6.0 + choice_bits(len(HostEnd))
"""The application is dead: in which way (`NONE` is a panic)."""
LOOK_BITS: Final = 6.0 + choice_bits(MAX_WAIT_MS + 1)
"""A question about a cancellation, and for how many milliseconds."""
TIME_BITS: Final = choice_bits(len(STEPS_S))
"""When something is released: at one of these steps after what it answers."""
FINE_TIME_BITS: Final = choice_bits(len(FINE_STEPS_S))
DIGEST_BITS: Final = 6.0
"""A digest that an application has made in this call, of at most 64."""


def step_after(elapsed_s: float, steps_s: Sequence[float] = STEPS_S) -> float:
    """The first release time that is not before `elapsed_s`. After the last nothing is waited for."""
    number = bisect_left(steps_s, elapsed_s)
    return steps_s[number] if number < len(steps_s) else elapsed_s


@dataclass(slots=True)
class Account:
    """What one request has let out.

    Attributes:
        limit: in bits.
        untimed: whether nothing is released at a step: the application has free replies and no limit, so that it could
            say in a reply whatever it could say by the time of one.
        bits: by way out.
    """

    limit: float
    untimed: bool = False
    bits: dict[Way, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """The sum, in bits."""
        return sum(self.bits.values())


class Ledger:
    """The accounts of one secure world, one at a time."""

    def __init__(self) -> None:
        self._account: Account | None = None
        self._thinking = False

    def request(self, limit: float, *, untimed: bool = False) -> Surrounds[Account]:
        """Count one request of the normal world."""
        self._account = account = Account(limit, untimed)
        self._thinking = False
        return Surrounds(account, self._close)

    def _close(self) -> None:
        self._account = None

    @property
    def counting(self) -> bool:
        """Whether a request is counted: what the core does outside of one is nobody's choice."""
        return self._account is not None

    def charge(self, way: Way, bits: float) -> None:
        """Count an event, before it happens."""
        if self._account is not None and bits:
            self._account.bits[way] = self._account.bits.get(way, 0.0) + bits

    @property
    def spent(self) -> bool:
        """Whether the account is over its limit, so that nothing further may leave."""
        return self._account is not None and self._account.total > self._account.limit

    def heard(self) -> None:
        """An application has spoken: when the next event comes is its choice."""
        self._thinking = self._account is not None and not self._account.untimed

    def timed(self, bits: float = TIME_BITS) -> bool:
        """Whether the event that comes now is released at a step; if so, that is counted, with so many bits."""
        thinking, self._thinking = self._thinking, False
        if thinking:
            self.charge(Way.TIME, bits)
        return thinking


class Recent:
    """Names by how lately they were used."""

    def __init__(self, most: int = RECENT) -> None:
        self._most = most
        self._names: OrderedDict[bytes, None] = OrderedDict()

    def rank(self, name: bytes) -> int:
        """1 for the last one used, 0 for one that is not kept."""
        if name not in self._names:
            return 0
        return next(rank for rank, known in enumerate(reversed(self._names), 1) if known == name)

    def __contains__(self, name: bytes) -> bool:
        return name in self._names

    def use(self, name: bytes) -> None:
        """It was used now."""
        self._names[name] = None
        self._names.move_to_end(name)
        if len(self._names) > self._most:
            self._names.popitem(last=False)

    def drop(self, name: bytes) -> None:
        """It is gone."""
        self._names.pop(name, None)


def row_bits(rank: int, related: int, rows: int) -> float:
    """Which row: one used lately, one of those that the request is about, or any.

    Args:
        rank: of `Recent`; 0 for none.
        related: how many rows belong to somebody whom the request names; 0 if this is none of them.
        rows: how many there are, on the whole disk.
    """
    words = [3.0 + choice_bits(rows)]
    if related:
        words.append(2.0 + choice_bits(related))
    if rank:
        words.append(1.0 + gamma_bits(rank))
    return min(words)


SUCCESSOR_STEPS: Final = (1, 16, 32, 64)
"""How far the number at the end of a new id may be behind that of another, to be told as the next one."""
REMADE_BITS: Final = 20.0
"""Which of the ids that an application has erased: their names on the disk are known. It may have erased a million."""


def new_row_bits(rank: int, about: int, rows: int) -> float:
    """Which row is made: the next after one used lately; a short prefix before what the request names; or any.

    Args:
        rank: of a recent row that its id follows; 0 for none.
        about: how many words of the request an id could end in; 0 if this one ends in none, behind two bytes at most.
        rows: how many there are: it may be put between any two of them.
    """
    words = [6.0 + choice_bits(rows + 1) + REMADE_BITS]
    if about:
        words.append(5.0 + 17.0 + choice_bits(about))
    if rank:
        words.append(4.0 + gamma_bits(rank) + choice_bits(len(SUCCESSOR_STEPS)))
    return min(words)


def follows(later: bytes, earlier: bytes) -> bool:
    """Whether an id is another one with a number of 8 bytes at its end that is larger by one of SUCCESSOR_STEPS."""
    if len(later) != len(earlier) or len(later) < 8 or later[:-8] != earlier[:-8]:
        return False
    return int.from_bytes(later[-8:], "big") - int.from_bytes(earlier[-8:], "big") in SUCCESSOR_STEPS


def set_bits(each: Sequence[float]) -> float:
    """How many, and which: each at its own length, without their order, which the disk is not told."""
    return gamma_bits(len(each) + 1) + sum(each) - math.log2(math.factorial(len(each)))


def declared_bits(of: int, successors: int) -> float:
    """One of so many sets of rows that the manifest names, where numbered rows go on in the last one or a new one."""
    return 1.0 + choice_bits(of) + successors * (4.0 + choice_bits(len(SUCCESSOR_STEPS)))


UNDECLARED_BITS: Final = 1.0
SIZE_CLASSES: Final = 24
"""From 256 bytes to 768 KiB (docs/formats/storage.md), two an octave."""
_NEXT_CLASS: Final = 1.6
"""A class is at most half as large again as the one below, and two classes are more than this."""
_HEADER_SIZES: Final = 1 + 16 + 32 + 32 + 32
"""How long what an application chooses of a header can be: kind, owner, digest and ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Lengths of a row on the disk, and of what is chosen in its header, in bytes.

    Attributes:
        row_before: None for a row that is new.
        header_before: of a new row that goes on where another is full, that of the other; None for any other new one.
    """

    row_before: int | None
    row: int
    header_before: int | None
    header: int

    def bits(self) -> float:
        """What a change of them tells; the sizes of pages follow from it.

        A row keeps its class: 7/8. It goes to the next class: 1/32 up or down. Its header keeps its length: 15/16. A
        new row is of the smallest class: 1/2.
        """
        same = self.header == self.header_before
        header_bits = math.log2(16 / 15) if same else 4.0 + choice_bits(_HEADER_SIZES)
        if self.row_before is None:
            return 1.0 + (0.0 if self.row <= _SMALLEST_BYTES else choice_bits(SIZE_CLASSES)) + header_bits
        larger, smaller = max(self.row, self.row_before), min(self.row, self.row_before)
        class_bits = 5.0 if larger <= _NEXT_CLASS * smaller else 4.0 + choice_bits(SIZE_CLASSES)
        class_bits = math.log2(8 / 7) if larger == smaller else class_bits
        return class_bits + header_bits


_SMALLEST_BYTES: Final = 256 + 52 + 16
"""A row of the smallest class: version, digest, nonce and tag around it."""
WALKS_ON_BITS: Final = math.log2(4096 / 4095)
LEAVES_WALK_BITS: Final = 12.0
"""After a batch of a walk through the store its next batch is read: 4095 of 4096; or anything else happens."""
