"""Count how often a decision may have revealed something of a record: the budget that no lockout gives back.

A yes or no at a fixed threshold reveals next to nothing of a sample that lies far below it, and up to one bit of a
sample near it. Who collects such bits walks along the threshold to the template. A lockout does not end that: an
insider clears it with a finger or a PIN of their own, or waits. So every decision in which a record came near counts
one for that record, whatever was answered, and only what nobody reaches by walking sets the count back: a strong match
of this very record.

| count                 | the record accepts                                                                       |
|-----------------------|------------------------------------------------------------------------------------------|
| below LIMIT           | what the rate accepts                                                                    |
| LIMIT to CLOSED - 1   | strong scores only                                                                       |
| CLOSED                | strong scores, in 1:1 only: no search looks at it until the person has claimed the name  |

The last line is there because a spent record still says no to all but strong scores, and an insider who clears the
counter of 1:N could go on asking until a guess around what was learned happens to be strong.

| score of the record                  | counts                                                                   |
|--------------------------------------|--------------------------------------------------------------------------|
| far: below the near threshold        | nothing                                                                  |
| near                                 | one, unless the decision was a strong match (of this record or another)  |
| strong, and the record is the answer | the count becomes 0                                                      |
| accepted, but another user's strong match was the answer | LIMIT                                               |

A strong match of another record says that this one scored less, which is as good as certain while it is merely near.
But whoever enrolls a face beside one that is half known chooses what it has to beat, and a search that ends in a match
is given back: such a record would ask about the other one without end. In an honest search nobody else is accepted
besides the person, so what that costs may be a lot: LIMIT at once. Records of one person are not counted against each
other.

Pure. The counts are stored in the transaction that ends a decision, before its answer leaves: they never understate.

Does not promise: that nothing is learned, only how much (docs/protection.md, "Many answers").
"""

import struct
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from operator import lt
from typing import Final, Self

from tee_sim.shared.dataclass import dataclass

LIMIT: Final = 10
"""Near decisions between two strong matches. On the development half of LFW (docs/protection.md): who starts at a false
match, knows how faces are distributed and gets ideal answers comes from a mean cosine of 0.45 to 0.48 with ten of them,
to 0.56 with thirty; the strong threshold is 0.56. The limit costs genuine people 0.3 % more refusals."""
CLOSED: Final = 50
"""Near decisions after which no search finds the record. Around a face known to a cosine of 0.48 one guess in some
thousands is strong (`python -m bench.oracle`, siege): forty of them are below one in a hundred. A stranger comes near
once in a hundred tries, so 5 000 of them pass between two visits of a person who is only ever searched for."""
KEY_BYTES: Final = 8
"""Of a record id, which is 16 random bytes: among 100 000 records two share a key on one of 3.7 billion devices."""


def packed_keys(keys: Sequence[int]) -> bytes:
    """Keys as bytes."""
    return struct.pack(f">{len(keys)}Q", *keys)


@dataclass(frozen=True, slots=True)
class Exposures:
    """One count for every enrolled record of a sensor.

    Attributes:
        keys: the first KEY_BYTES of each record id as a number, ascending.
        counts: one byte for each, 0 to CLOSED.
    """

    keys: tuple[int, ...] = ()
    counts: bytes = b""

    @classmethod
    def unpacked(cls, keys: bytes, counts: bytes) -> Self:
        """From what `packed_keys` wrote. Raises ValueError for what it does not write."""
        if len(keys) != KEY_BYTES * len(counts) or max(counts, default=0) > CLOSED:
            raise ValueError("exposure counts do not fit their records")
        numbers = struct.unpack(f">{len(counts)}Q", keys)
        if not all(map(lt, numbers, numbers[1:])):
            raise ValueError("exposure keys are not in order")
        return cls(numbers, counts)

    def __len__(self) -> int:
        return len(self.keys)

    def _place(self, record_id: bytes) -> tuple[int, bool]:
        key = int.from_bytes(record_id[:KEY_BYTES], "big")
        place = bisect_left(self.keys, key)
        return place, place < len(self.keys) and self.keys[place] == key

    def holds(self, record_id: bytes) -> bool:
        """Whether a record is counted."""
        return self._place(record_id)[1]

    def enrolled(self, record_id: bytes) -> Self:
        """With a new record, of which nobody has learned anything."""
        place, known = self._place(record_id)
        if known:
            return self
        key = int.from_bytes(record_id[:KEY_BYTES], "big")
        return type(self)(
            (*self.keys[:place], key, *self.keys[place:]), self.counts[:place] + b"\0" + self.counts[place:]
        )

    def erased(self, record_id: bytes) -> Self:
        """Without a record."""
        place, known = self._place(record_id)
        if not known:
            return self
        return type(self)(self.keys[:place] + self.keys[place + 1 :], self.counts[:place] + self.counts[place + 1 :])

    def inherited(self, record_id: bytes, count: int) -> Self:
        """With this count for a record that took another's place: what was learned of the samples goes with them."""
        place, known = self._place(record_id)
        if not known:
            return self
        return type(self)(self.keys, self.counts[:place] + bytes([count]) + self.counts[place + 1 :])

    def count(self, record_id: bytes) -> int:
        """Near decisions since the last strong match. CLOSED for a record that is not counted: it has no budget."""
        place, known = self._place(record_id)
        return self.counts[place] if known else CLOSED

    def spent(self, record_id: bytes) -> bool:
        """Whether only a strong score is accepted."""
        return self.count(record_id) >= LIMIT

    def closed(self, record_id: bytes) -> bool:
        """Whether no search looks at a record."""
        return self.count(record_id) >= CLOSED

    def after(self, *, near: Iterable[bytes] = (), strong: bytes | None = None, beaten: Iterable[bytes] = ()) -> Self:
        """After a decision in which these records came near, or this one was matched strongly and beat those."""
        counts = bytearray(self.counts)
        for record_id, cost in [*((r, 1) for r in near), *((r, LIMIT) for r in beaten)]:
            place, known = self._place(record_id)
            if known:
                counts[place] = min(counts[place] + cost, CLOSED)
        if strong is not None:
            place, known = self._place(strong)
            if known:
                counts[place] = 0
        return type(self)(self.keys, bytes(counts))
