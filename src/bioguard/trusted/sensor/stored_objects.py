"""Store what the sensor rules remember, in bodies of a size that shows nothing.

| object id              | kind   | owner | body                               |
|------------------------|--------|-------|------------------------------------|
| `S` + sensor id + user | sensor | user  | SensorBody, padded to STATE_BYTES  |

The ids of `S`, as a token has them: secure user id and authenticator id, little-endian. The core makes the tokens out
of them (`StoredTokens`).

Enforces: whoever watches the disk does not learn the lockout of a user, nor which features are on.

Does not promise: to hide which user's state a claim writes, which is the user that was claimed.
"""

from collections.abc import Callable, Collection
from typing import Annotated, Final

from bioguard.records.locks import Lock
from bioguard.records.sensor_props import MAX_SENSORS
from bioguard.records.tokens import TOKEN_KEY_NAME
from bioguard.trusted.kept_objects import erase_if_stored, keep, value_of
from bioguard.trusted.sensor.authorization import SensorUserState
from bioguard.trusted.sensor.lockout import CLEAR, LockoutState
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import Record, UpTo
from tee_sim.shared.ta_api import Keys, Store, Transaction

STATE_BYTES: Final = 32
"""Of the lockout, three numbers of 5, 1 and 9 bytes; the features, two lists, the length: 22 bytes."""
_LENGTH_BYTES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorBody(Record):
    """What is stored of a state besides its ids: as in `SensorUserState`."""

    lockout: LockoutState = CLEAR
    features: Annotated[int, UpTo(7)] = 0


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
        body = padded(SensorBody(lockout=state.lockout, features=state.features).to_bytes(), STATE_BYTES)
        ids = state.secure_user_id.to_bytes(8, "little") + state.authenticator_id.to_bytes(8, "little")
        transaction.put(self.object_id(sensor_id, user), body, kind="sensor", owner=user, ids=ids)
        keep(transaction, self.object_id(sensor_id, user), state)
        if self._locked is not None:
            self._note(self._locked, sensor_id, user, state.lockout)

    def erase(self, transaction: Transaction, user: bytes) -> None:
        """Forget a user on every sensor, together with other changes, unread: damage keeps nobody here."""
        for sensor_id in range(MAX_SENSORS):
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
                    self._note(self._locked, header.object_id[1], header.owner, _body_of(stored.body).lockout)
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


_CLEAR_BODY: Final = padded(SensorBody().to_bytes(), STATE_BYTES)


def _body_of(data: bytes) -> SensorBody:
    return SensorBody.from_bytes(unpadded(data))


def _state_of(data: bytes, ids: bytes) -> SensorUserState:
    body = _body_of(data)
    return SensorUserState(
        lockout=body.lockout,
        features=body.features,
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
