"""One call of an application: what it could know in it that the core did make, draw, or pass on.

The record of a call begins empty with each entry and ends with it: nothing that was made in one call can be used up in
another, where it would say something about that one.
"""

import math
from collections.abc import Callable, Iterable
from typing import Final, NoReturn

from tee_sim.secure.ledger import SUCCESSOR_STEPS
from tee_sim.secure.made.words import NONE, split, words_of
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.object_header import COMMITMENT_BYTES, ID_BYTES
from tee_sim.shared.params import Param, Params
from tee_sim.shared.surrounds import Surrounds

MAX_DIGESTS: Final = 64
"""Digests that are made or checked in one call. An application that makes many and keeps the one that it likes best
chooses 6 bits, and so many digests of records are enough for the largest change that one request makes."""
MAX_PREFIX_BYTES: Final = 2
"""Free bytes before the words of an object's id: what kind of object it is."""
MAX_DRAWN: Final = 64
"""Ids out of random bytes that one call may use; what is drawn beyond is random, and no id."""


class NotMadeError(Exception):
    """An application handed over what the core should have made, and has not: an act outside the contract."""


class Call:
    """What the current entry of one instance may use. No two entries of an instance overlap.

    Args:
        charge: told each choice in bits as it is made: before the disk or anybody else sees what was chosen.

    Attributes:
        time_ms: when the request of the normal world came that this entry belongs to, since boot.
        chosen_bits: upper bound of what the application has chosen among what the core made, drew or passed on.
        broken: whether it did something outside the contract; it may have caught the error.
        cost: what it takes to say which object is meant, in bits, for one that may be about what the request names.
    """

    def __init__(self, charge: Callable[[float], None] = lambda _: None) -> None:
        self._charge = charge
        self.cost: Callable[[bytes], float] = lambda _: math.inf
        self.time_ms = 0
        self.chosen_bits = 0.0
        self.broken = False
        self._forget()

    def _forget(self) -> None:
        self._request: Iterable[Param] = ()
        self._replies: list[Params] = []
        self._asked: frozenset[bytes] | None = None
        self._answered: frozenset[bytes] | None = None
        self._drawn: set[bytes] = set()
        self._stated: dict[bytes, str] = {}
        self._digests: set[bytes] = set()
        self._asked_digests = 0

    def entered(self, given: Params | None, time_ms: int) -> Surrounds[None]:
        """Surrounds one entry.

        Args:
            given: the parameters that its client gave.
        """
        self.time_ms, self.chosen_bits, self.broken = time_ms, 0.0, False
        self._request = given or ()
        return Surrounds(None, self._forget)

    def refuse(self, why: str) -> NoReturn:
        """Raises NotMadeError, and remembers it."""
        self.broken = True
        raise NotMadeError(why)

    def choose(self, among: int) -> None:
        """Count one choice."""
        self._count(math.log2(max(among, 1)))

    def _count(self, bits: float) -> None:
        self.chosen_bits += bits
        self._charge(bits)

    # What the core passes on

    def received(self, left: Params) -> None:
        """Another application has answered."""
        self._replies.append(left)
        self._answered = None

    def drew(self, data: bytes) -> None:
        """Random bytes were drawn for this application: ids, if they are as long as ids are."""
        words = split(data)
        if len(self._drawn) + len(words) <= MAX_DRAWN:
            self._drawn.update(words)

    def checked(self, ids: tuple[bytes, ...]) -> None:
        """A statement was found right that has these ids."""
        self._drawn.update(ids)

    def echo(self, echo: bytes) -> bytes:
        """Eight bytes of the request, or zeros. Raises NotMadeError for any others."""
        words = self._in_request()
        if echo != NONE and echo not in words:
            self.refuse("an echo of what is not in the request")
        self.choose(len(words) + 1)
        return echo

    def ids(self, ids: bytes, old: bytes, *, of: bytes) -> None:
        """Ids that an object is to have.

        Args:
            old: those that the object has.
            of: its object id. One that ends with the ids may be what its client calls it, and nothing is stated about
                such an object: whoever asks would else have stated about whom he likes.

        Raises:
            NotMadeError: one of them the application cannot know.
            TeeError: BAD_PARAMETERS, they are none.
        """
        if ids == old:
            return
        words, kept = split(ids), split(old)
        if not words and ids:
            raise TeeError(TeeResult.BAD_PARAMETERS, "object header: ids is out of bounds")
        known = {NONE, *self._drawn, *self._received()}
        if of.endswith(ids):
            known.update(kept, self._in_request())
        elif not of.endswith(old):  # ids that were a name are none of anything else
            known.update(kept)
        for word in words:
            if word not in known:
                self.refuse("an id that was neither drawn nor received")
            self.choose(len(known))

    def _in_request(self) -> frozenset[bytes]:
        if self._asked is None:
            self._asked = words_of(self._request)
        return self._asked

    def _received(self) -> frozenset[bytes]:
        if self._answered is None:
            self._answered = words_of(param for left in self._replies for param in left)
        return self._answered

    def object_id(self, object_id: bytes, is_there: Callable[[bytes], bool]) -> None:
        """Count the id of a new object: it may be told later. Free ones are counted with all of their bits.

        Args:
            is_there: whether an object of this application has an id.
        """
        number = int.from_bytes(object_id[-ID_BYTES:], "big")
        before = (number - step for step in SUCCESSOR_STEPS if len(object_id) > ID_BYTES and number >= step)
        if any(is_there(object_id[:-ID_BYTES] + one.to_bytes(ID_BYTES, "big")) for one in before):
            return  # which of the steps it is is counted with the row
        known = self._drawn | self._received() | self._in_request()
        for free in range(MAX_PREFIX_BYTES + 1):
            words = split(object_id[free:])
            if words and known.issuperset(words):
                self._count(8.0 * free + len(words) * math.log2(len(known)))
                return
        self._count(8.0 * len(object_id))

    def stated_about(self, object_id: bytes, among: int) -> None:
        """Count which object a statement is about.

        Args:
            among: how many there are.
        """
        self._count(min(math.log2(max(among, 1)), self.cost(object_id)))

    # What the core has made

    def count_digest(self) -> None:
        """One more digest is made or checked. Raises NotMadeError above MAX_DIGESTS."""
        self._asked_digests += 1
        if self._asked_digests > MAX_DIGESTS:
            self.refuse(f"more than {MAX_DIGESTS} digests in one call")

    def made_digest(self, digest: bytes) -> None:
        """It may be put with an object, in this call."""
        self._digests.add(digest)

    def digest(self, commitment: bytes, old: bytes) -> None:
        """The commitment that an object is to have. Raises NotMadeError if it was not made in this call; TeeError.

        Args:
            old: the one that it has.
        """
        if commitment in (b"", old):
            return
        if len(commitment) != COMMITMENT_BYTES:
            raise TeeError(TeeResult.BAD_PARAMETERS, "object header: commitment is out of bounds")
        if commitment not in self._digests:
            self.refuse("a commitment that the core has not made")
        self.choose(len(self._digests))

    def made_statement(self, key: str, statement: bytes) -> None:
        """It may be answered with, in this call."""
        self._stated[statement] = key

    def has_stated(self, key: str, statement: bytes) -> bool:
        """Whether the core has made this statement in this call."""
        return self._stated.get(statement) == key
