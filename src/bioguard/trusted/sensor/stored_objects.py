"""Store what the sensor rules remember, in bodies of a size that shows nothing.

| object id                 | kind   | owner | body                                                    |
|---------------------------|--------|-------|---------------------------------------------------------|
| `S` + sensor id + user    | sensor | user  | LockoutState, padded to STATE_BYTES                     |
| `X` + sensor id           | tally  |       | Tally, padded to a size that the number of records sets |

The ids of `S`, as a token has them: secure user id and authenticator id, little-endian. The core makes the tokens out
of them (`StoredTokens`).

Enforces: whoever watches the disk learns neither the lockout of a user nor which records came near a probe. The tally
of a sensor is one object, because which objects a decision writes must not name a record; a record enters it and
leaves it in the transaction that stores or erases it (`recount`).

Does not promise: to hide which user's state a claim writes, which is the user that was claimed.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Annotated, Final

from bioguard.records.locks import Lock
from bioguard.records.tokens import TOKEN_KEY_NAME
from bioguard.trusted.kept_objects import erase_if_stored, keep, value_of
from bioguard.trusted.sensor.authorization import SensorUserState
from bioguard.trusted.sensor.exposure import ENTRY_BYTES, Exposures, unpacked_keys
from bioguard.trusted.sensor.lockout import CLEAR, LockoutState
from bioguard.trusted.sensor.sensors import SENSOR_IDS
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.schema import AtMost, Record
from tee_sim.shared.ta_api import Keys, Store, Transaction

STATE_BYTES: Final = 32
"""Three numbers of at most 9 bytes, the list, the length."""
_LENGTH_BYTES: Final = 4
_SIZES: Final = (*(4096 << n for n in range(8)), 768 << 10)
"""4 kB to 512 kB, and the largest object that a store takes."""
_OVERHEAD_BYTES: Final = 64
"""Length, list, lockout state and the heads of two byte strings."""
MAX_RECORDS: Final = (_SIZES[-1] - _OVERHEAD_BYTES) // ENTRY_BYTES
"""87 374 records a sensor."""


def padded(body: bytes, size_bytes: int) -> bytes:
    """Length, body, zeros. Raises ValueError if it does not fit."""
    if len(body) + _LENGTH_BYTES > size_bytes:
        raise ValueError(f"{len(body)} bytes do not fit {size_bytes}")
    return (len(body).to_bytes(_LENGTH_BYTES, "big") + body).ljust(size_bytes, b"\0")


def unpadded(data: bytes) -> bytes:
    """What `padded` was given. Raises ValueError for anything that it does not write."""
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
    if len(data) < end or any(data[end:]):
        raise ValueError("not a padded body")
    return data[_LENGTH_BYTES:end]


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
        same = exposures.keys is unpacked_keys(self.keys)
        return replace(self, keys=self.keys if same else exposures.packed_keys(), counts=exposures.counts)


def tally_object(sensor_id: int) -> bytes:
    """Where the tally of one sensor is."""
    return b"X" + bytes([sensor_id])


def _size_bytes(records: int) -> int:
    wanted = _OVERHEAD_BYTES + ENTRY_BYTES * records
    try:
        return next(size for size in _SIZES if wanted <= size)
    except StopIteration:
        raise TeeError(TeeResult.STORAGE_NO_SPACE, f"a sensor keeps at most {MAX_RECORDS} records") from None


def read_tally(store: Store, sensor_id: int) -> Tally:
    """The tally of a sensor; an empty one before the first enrollment."""
    return value_of(store, tally_object(sensor_id), _tally_of) or Tally()


def _tally_of(body: bytes, _ids: bytes) -> Tally:
    return Tally.from_bytes(unpadded(body))


def put_tally(transaction: Transaction, sensor_id: int, tally: Tally) -> None:
    """Store a tally together with other changes. Raises TeeError STORAGE_NO_SPACE above MAX_RECORDS."""
    body = padded(tally.to_bytes(), _size_bytes(len(tally.counts)))
    transaction.put(tally_object(sensor_id), body, kind="tally")
    keep(transaction, tally_object(sensor_id), tally)


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
    tally = read_tally(store, sensor_id)
    exposures = before = tally.exposures
    for record_id in erased:
        exposures = exposures.erased(record_id)
    if stored is not None:
        exposures = exposures.enrolled(stored)
        if inherits is not None and before.holds(inherits):
            exposures = exposures.inherited(stored, before.count(inherits))
    put_tally(transaction, sensor_id, tally.with_exposures(exposures))


class StoredStates:
    """`SensorStates` over the TA's store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._locked: dict[tuple[int, bytes], LockoutState] | None = None

    @staticmethod
    def object_id(sensor_id: int, user: bytes) -> bytes:
        """Where the state of one sensor and user is."""
        return b"S" + bytes([sensor_id]) + user

    def load(self, sensor_id: int, user: bytes) -> SensorUserState:
        return self._read(sensor_id, user) or SensorUserState()

    def _read(self, sensor_id: int, user: bytes) -> SensorUserState | None:
        return value_of(self._store, self.object_id(sensor_id, user), _state_of)

    def save(self, sensor_id: int, user: bytes, state: SensorUserState) -> None:
        with self._store.transaction() as transaction:
            self.put(transaction, sensor_id, user, state)

    def put(self, transaction: Transaction, sensor_id: int, user: bytes, state: SensorUserState) -> None:
        """Store a state together with other changes."""
        body = padded(state.lockout.to_bytes(), STATE_BYTES)
        ids = state.secure_user_id.to_bytes(8, "little") + state.authenticator_id.to_bytes(8, "little")
        transaction.put(self.object_id(sensor_id, user), body, kind="sensor", owner=user, ids=ids)
        keep(transaction, self.object_id(sensor_id, user), state)
        if self._locked is not None:
            self._note(self._locked, sensor_id, user, state.lockout)

    def erase(self, transaction: Transaction, user: bytes) -> None:
        """Forget a user on both sensors, together with other changes, unread: damage keeps nobody here."""
        for sensor_id in SENSOR_IDS.values():
            erase_if_stored(transaction, self.object_id(sensor_id, user))
            if self._locked is not None:
                self._locked.pop((sensor_id, user), None)

    def locked(self, sensor_ids: Collection[int], observed: Callable[[LockoutState], LockoutState]) -> frozenset[bytes]:
        """Users with a lock on one of these sensors.

        Locks are held in memory from the first question on, and what time has made of one is held there too: reading
        or writing the states of others in a search would show the disk who they are, and count with it.

        Args:
            observed: the state as time has made it.
        """
        if self._locked is None:
            self._locked = {}
            for stored in self._store.load(kind="sensor"):
                if stored.body != _CLEAR_BODY:  # as most are, at a tenth of what it takes to decode one
                    header = stored.header
                    self._note(self._locked, header.object_id[1], header.owner, _lockout_of(stored.body))
        self._locked = {key: observed(lockout) for key, lockout in self._locked.items()}
        return frozenset(user for (on, user), lockout in self._locked.items() if on in sensor_ids and lockout.lock)

    @staticmethod
    def _note(locked: dict[tuple[int, bytes], LockoutState], sensor_id: int, user: bytes, state: LockoutState) -> None:
        """Keep a state with a lock among these, and none without."""
        if state.lock is Lock.NONE:
            locked.pop((sensor_id, user), None)
        else:
            locked[sensor_id, user] = state

    def doubt(self) -> None:
        """A transaction failed: what is held in memory may not be what is stored."""
        self._locked = None


_CLEAR_BODY: Final = padded(CLEAR.to_bytes(), STATE_BYTES)


def _lockout_of(body: bytes) -> LockoutState:
    return LockoutState.from_bytes(unpadded(body))


def _state_of(body: bytes, ids: bytes) -> SensorUserState:
    return SensorUserState(
        lockout=_lockout_of(body),
        secure_user_id=int.from_bytes(ids[:8], "little"),
        authenticator_id=int.from_bytes(ids[8:], "little"),
    )


@dataclass(frozen=True, slots=True)
class StoredTokens:
    """`BootTokens` that the core makes, out of the ids of the stored states."""

    keys: Keys

    def check(self, data: bytes) -> bool:
        return self.keys.check(TOKEN_KEY_NAME, data)

    def make(self, sensor_id: int, user: bytes, challenge: int) -> bytes:
        object_id, echo = StoredStates.object_id(sensor_id, user), challenge.to_bytes(8, "little")
        return self.keys.state(TOKEN_KEY_NAME, object_id=object_id, echo=echo)
