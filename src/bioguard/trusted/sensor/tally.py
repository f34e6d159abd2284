"""What is counted for a whole sensor: the misses of 1:N, and how often each record came near.

| object id       | kind  | owner | body                                                    |
|-----------------|-------|-------|---------------------------------------------------------|
| `X` + sensor id | tally |       | Tally, padded to a size that the number of records sets |

One object, because which objects a decision writes must not tell which records came near. A record enters it when it is
enrolled and leaves it when it is erased, in the same transaction: `TalliedStore` sees to that, so no caller can forget.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Final

from bioguard.records.modality import Modality
from bioguard.trusted.sensor.exposure import ENTRY_BYTES, Exposures
from bioguard.trusted.sensor.lockout import CLEAR, LockoutState
from bioguard.trusted.sensor.padding import padded, unpadded
from bioguard.trusted.sensor.sensors import FACE, FINGERPRINT
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.schema import AtMost, Record
from tee_sim.shared.ta_api import ObjectInfo, Store, StoredObject, Transaction

SENSOR_IDS = {Modality.FINGERPRINT: FINGERPRINT.sensor_id, Modality.FACE: FACE.sensor_id}
_SIZES: Final = (*(4096 << n for n in range(8)), 768 << 10)
"""4 kB to 512 kB, and the largest object that a store takes."""
_OVERHEAD_BYTES: Final = 64
"""Length, list, lockout state and the heads of two byte strings."""
MAX_RECORDS: Final = (_SIZES[-1] - _OVERHEAD_BYTES) // ENTRY_BYTES
"""87 374 records a sensor."""
_RECORD_PREFIX = b"R"
_SENSORS = {"fingerprint": FINGERPRINT.sensor_id, "face": FACE.sensor_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally(Record):
    """What is stored for a sensor.

    Attributes:
        search: lockout of 1:N, which no match clears.
        keys, counts: of `Exposures`.
    """

    search: LockoutState = CLEAR
    keys: Annotated[bytes, AtMost(_SIZES[-1])] = b""
    counts: Annotated[bytes, AtMost(_SIZES[-1])] = b""

    @property
    def exposures(self) -> Exposures:
        """How often each record came near. Raises ValueError."""
        return Exposures.unpacked(self.keys, self.counts)

    def with_exposures(self, exposures: Exposures) -> "Tally":
        """The same with other counts."""
        return replace(self, keys=exposures.packed_keys(), counts=exposures.counts)


def _object_id(sensor_id: int) -> bytes:
    return b"X" + bytes([sensor_id])


def _size_bytes(records: int) -> int:
    wanted = _OVERHEAD_BYTES + ENTRY_BYTES * records
    try:
        return next(size for size in _SIZES if wanted <= size)
    except StopIteration:
        raise TeeError(TeeResult.STORAGE_NO_SPACE, f"a sensor keeps at most {MAX_RECORDS} records") from None


def read_tally(store: Store, sensor_id: int) -> Tally:
    """The tally of a sensor; an empty one before the first enrollment."""
    stored = store.find(_object_id(sensor_id))
    return Tally() if stored is None else Tally.from_bytes(unpadded(stored.body))


def put_tally(transaction: Transaction, sensor_id: int, tally: Tally) -> None:
    """Store a tally together with other changes. Raises TeeError STORAGE_NO_SPACE above MAX_RECORDS."""
    body = padded(tally.to_bytes(), _size_bytes(len(tally.counts)))
    transaction.put(_object_id(sensor_id), body, kind="tally")


class _TalliedTransaction:
    """A transaction that knows which records it stores and erases."""

    def __init__(self, inner: Transaction, store: Store) -> None:
        self._inner = inner
        self._store = store
        self._changed: dict[int, Exposures] = {}

    def put(
        self, object_id: bytes, body: bytes, *, kind: str, owner: bytes = b"", commitment: bytes = b""
    ) -> ObjectInfo:
        info = self._inner.put(object_id, body, kind=kind, owner=owner, commitment=commitment)
        if object_id[:1] == _RECORD_PREFIX:
            sensor_id = _SENSORS[kind]
            self._changed[sensor_id] = self._exposures(sensor_id).enrolled(object_id[1:])
        return info

    def erase(self, object_id: bytes) -> None:
        self._inner.erase(object_id)
        if object_id[:1] == _RECORD_PREFIX:
            for sensor_id in _SENSORS.values():
                exposures = self._exposures(sensor_id)
                if exposures.holds(object_id[1:]):
                    self._changed[sensor_id] = exposures.erased(object_id[1:])

    def keep_count(self, old: bytes, new: bytes) -> None:
        """See the function."""
        for sensor_id, exposures in self._changed.items():
            before = read_tally(self._store, sensor_id).exposures
            if before.holds(old):
                self._changed[sensor_id] = exposures.inherited(new, before.count(old))

    def _exposures(self, sensor_id: int) -> Exposures:
        changed = self._changed.get(sensor_id)
        return read_tally(self._store, sensor_id).exposures if changed is None else changed

    def write(self) -> None:
        """Store what changed."""
        for sensor_id, exposures in self._changed.items():
            put_tally(self._inner, sensor_id, read_tally(self._store, sensor_id).with_exposures(exposures))


def keep_count(transaction: Transaction, old: bytes, new: bytes) -> None:
    """Give a record that holds the samples of another, which it replaces in this transaction, the other's count.

    Raises:
        TypeError: not a transaction of a `TalliedStore`, which would lose the count.
    """
    if not isinstance(transaction, _TalliedTransaction):
        raise TypeError("the records of this store are not counted")
    transaction.keep_count(old, new)


class TalliedStore:
    """`Store` whose transactions keep the tallies along with the records."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner

    @contextmanager
    def transaction(self, reserve: Reserve = Reserve.NONE) -> Iterator[Transaction]:
        with self._inner.transaction(reserve) as transaction:
            tallied = _TalliedTransaction(transaction, self._inner)
            yield tallied
            tallied.write()

    def get(self, object_id: bytes) -> StoredObject:
        return self._inner.get(object_id)

    def find(self, object_id: bytes) -> StoredObject | None:
        return self._inner.find(object_id)

    def headers(self) -> Iterator[ObjectInfo]:
        return self._inner.headers()

    def load(self, *, kind: str | None = None) -> Iterator[StoredObject]:
        return self._inner.load(kind=kind)

    def state(self) -> tuple[int, bytes]:
        return self._inner.state()
