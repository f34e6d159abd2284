"""Store what a sensor has counted: a head that every decision writes whole, and beside it the keys, which it does not.

| object id                              | kind      | body                                              |
|----------------------------------------|-----------|---------------------------------------------------|
| `X` + sensor id                        | tally     | TallyHead, padded to whole STEP_BYTES             |
| `X` + sensor id + part u16, big-endian | tallykeys | keys of `Exposures`, each KEY_BYTES, big-endian   |

The keys in their order are cut into parts of at most MOST_KEYS; the head names the parts and how many keys each has. So
an enrollment writes one part (two where one is cut) and the head, a decision the head alone: a byte a record.

Enforces: whoever watches the disk does not learn which records came near a probe. The counts of a sensor are one
object of one size, because which objects a decision writes, and how large, must not name a record; a record enters it
and leaves it in the transaction that stores or erases it (`recount`), and of an erased one no key is left.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import accumulate, count
from struct import Struct
from typing import Annotated, Final

from bioguard.trusted.kept_objects import keep, value_of
from bioguard.trusted.sensor.exposure import KEY_BYTES, Exposures, packed_keys
from bioguard.trusted.sensor.lockout import CLEAR, LockoutState
from bioguard.trusted.sensor.stored_objects import padded, unpadded
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.schema import AtMost, Record
from tee_sim.shared.ta_api import Store, Transaction

STEP_BYTES: Final = 4096
"""What pads the head: the lockout of searches is 4 to 20 bytes, which must not show."""
_OVERHEAD_BYTES: Final = 64
"""Length, list, lockout state and the heads of two byte strings."""
MOST_KEYS: Final = 1024
"""8 kB. With more of them an enrollment writes more, with fewer the first request of a start reads more objects."""
MAX_RECORDS: Final = 100_000
"""Records a sensor: as many as a search can hold in memory, with the states of as many people (docs/limitations.md)."""
_PART: Final = Struct(">HH")
_MOST_PARTS_BYTES: Final = _PART.size << 16


@dataclass(frozen=True, slots=True)
class Part:
    """How many keys the object of this number has, never none."""

    number: int
    keys: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyHead(Record):
    """What every decision writes.

    Attributes:
        search: lockout of 1:N, which no match clears.
        counts: of `Exposures`.
        parts: number and size of each part u16, in the order of the keys.
    """

    search: LockoutState
    counts: Annotated[bytes, AtMost(MAX_RECORDS)]
    parts: Annotated[bytes, AtMost(_MOST_PARTS_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What is stored for a sensor.

    Attributes:
        search: as in `TallyHead`.
        keys, counts: of `Exposures`.
        parts: where the keys are stored.
    """

    search: LockoutState = CLEAR
    keys: tuple[int, ...] = ()
    counts: bytes = b""
    parts: tuple[Part, ...] = ()

    @property
    def exposures(self) -> Exposures:
        """How often each record came near."""
        return Exposures(self.keys, self.counts)

    def with_counts(self, exposures: Exposures) -> "Tally":
        """The same with other counts of the same records."""
        return replace(self, counts=exposures.counts)


def tally_object(sensor_id: int) -> bytes:
    """Where the head of one sensor is."""
    return b"X" + bytes([sensor_id])


def _part_object(sensor_id: int, number: int) -> bytes:
    return tally_object(sensor_id) + number.to_bytes(2, "big")


def read_tally(store: Store, sensor_id: int) -> Tally:
    """The tally of a sensor; an empty one before the first enrollment. Raises TeeError of the store, ValueError."""

    def read(body: bytes, _ids: bytes) -> Tally:
        head = TallyHead.from_bytes(unpadded(body))
        parts = tuple(Part(*part) for part in _PART.iter_unpack(head.parts))
        bodies = {one.header.object_id: one.body for one in store.load(kind="tallykeys")}  # one walk, not a row each
        keys = b"".join(bodies.get(_part_object(sensor_id, part.number), b"") for part in parts)
        exposures = Exposures.unpacked(keys, head.counts)
        if sum(part.keys for part in parts) != len(exposures):
            raise ValueError("parts of a tally do not fit its keys")
        return Tally(search=head.search, keys=exposures.keys, counts=head.counts, parts=parts)

    return value_of(store, tally_object(sensor_id), read) or Tally()


def put_tally(transaction: Transaction, sensor_id: int, tally: Tally) -> None:
    """Store lockout and counts of the same records, together with other changes.

    Raises:
        TeeError: STORAGE_NO_SPACE above MAX_RECORDS.
    """
    if len(tally.counts) > MAX_RECORDS:
        raise TeeError(TeeResult.STORAGE_NO_SPACE, f"a sensor keeps at most {MAX_RECORDS} records")
    parts = b"".join(_PART.pack(part.number, part.keys) for part in tally.parts)
    head = TallyHead(search=tally.search, counts=tally.counts, parts=parts)
    wanted = _OVERHEAD_BYTES + len(head.counts) + len(parts)
    body = padded(head.to_bytes(), -(-wanted // STEP_BYTES) * STEP_BYTES)
    transaction.put(tally_object(sensor_id), body, kind="tally")
    keep(transaction, tally_object(sensor_id), tally)


def put_records(
    transaction: Transaction, sensor_id: int, tally: Tally, after: Exposures, changed: Iterable[bytes]
) -> None:
    """Store the tally of other records, together with other changes.

    Args:
        tally: as it is stored.
        changed: ids of the records that are in one of the two and not in the other.
    """
    parts, puts = _cut_anew(tally, after, {int.from_bytes(record_id[:KEY_BYTES], "big") for record_id in changed})
    put_tally(transaction, sensor_id, replace(tally, keys=after.keys, counts=after.counts, parts=parts))
    for number in sorted({part.number for part in tally.parts} - {part.number for part in parts}):
        transaction.erase(_part_object(sensor_id, number))
    for number, keys in sorted(puts.items()):
        transaction.put(_part_object(sensor_id, number), packed_keys(keys), kind="tallykeys")


def _cut_anew(tally: Tally, after: Exposures, changed: set[int]) -> tuple[tuple[Part, ...], dict[int, tuple[int, ...]]]:
    """The parts of these records, and the keys of those that are to be written."""
    old = tally.parts or (Part(0, 0),)
    starts = [0, *accumulate(part.keys for part in old)]
    lows = [tally.keys[start] for start in starts[1:-1]]
    touched = {bisect_right(lows, key) for key in changed}
    used = {part.number for part in old}
    free = (number for number in count() if number not in used)
    parts: list[Part] = []
    puts: dict[int, tuple[int, ...]] = {}
    at = 0
    for place, part in enumerate(old):
        if place not in touched:
            parts.append(part)
            at += part.keys
            continue
        end = bisect_left(after.keys, lows[place]) if place < len(lows) else len(after)
        for first, keys in enumerate(_pieces(after.keys[at:end])):
            parts.append(Part(next(free) if first else part.number, len(keys)))
            puts[parts[-1].number] = keys
        at = end
    return tuple(parts), puts


def _pieces(keys: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The keys of a part, in halves where they are more than MOST_KEYS; none of none."""
    if len(keys) > MOST_KEYS:
        yield from _pieces(keys[: len(keys) // 2])
        yield from _pieces(keys[len(keys) // 2 :])
    elif keys:
        yield keys


def recount(
    store: Store,
    transaction: Transaction,
    sensor_id: int,
    *,
    erased: Iterable[bytes] = (),
    stored: bytes | None = None,
    inherits: bytes | None = None,
) -> None:
    """Take erased records out of a sensor's tally and put a new one in, together with other changes.

    Args:
        inherits: the record whose samples the new one holds; what was learned of them goes with them.
    """
    tally, changed = read_tally(store, sensor_id), list(erased)
    exposures = before = tally.exposures
    for record_id in changed:
        exposures = exposures.erased(record_id)
    if stored is not None:
        exposures = exposures.enrolled(stored)
        if inherits is not None and before.holds(inherits):
            exposures = exposures.inherited(stored, before.count(inherits))
        changed.append(stored)
    put_records(transaction, sensor_id, tally, exposures, changed)
