"""The state of each sensor and user in the store: object `S` + sensor id + user, padded to STATE_BYTES."""

from typing import Final

from bioguard.records.locks import Lock
from bioguard.trusted.sensor.authorization import SensorUserState
from bioguard.trusted.sensor.lockout import LockoutState
from bioguard.trusted.sensor.padding import padded, unpadded
from bioguard.trusted.sensor.tally import SENSOR_IDS
from tee_sim.shared.ta_api import Store, Transaction

STATE_BYTES: Final = 64
"""Five numbers of at most 9 bytes, two lists, the length."""


class StoredStates:
    """`SensorStates` over the TA's store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lockouts: dict[tuple[int, bytes], LockoutState] | None = None

    @staticmethod
    def object_id(sensor_id: int, user: bytes) -> bytes:
        """Where the state of one sensor and user is."""
        return b"S" + bytes([sensor_id]) + user

    def load(self, sensor_id: int, user: bytes) -> SensorUserState:
        return self._read(sensor_id, user) or SensorUserState()

    def _read(self, sensor_id: int, user: bytes) -> SensorUserState | None:
        stored = self._store.find(self.object_id(sensor_id, user))
        return None if stored is None else SensorUserState.from_bytes(unpadded(stored.body))

    def save(self, sensor_id: int, user: bytes, state: SensorUserState) -> None:
        with self._store.transaction() as transaction:
            self.put(transaction, sensor_id, user, state)

    def put(self, transaction: Transaction, sensor_id: int, user: bytes, state: SensorUserState) -> None:
        """Store a state together with other changes."""
        body = padded(state.to_bytes(), STATE_BYTES)
        transaction.put(self.object_id(sensor_id, user), body, kind="sensor", owner=user)
        if self._lockouts is not None:
            self._lockouts[sensor_id, user] = state.lockout

    def erase(self, transaction: Transaction, user: bytes) -> None:
        """Forget a user on both sensors, together with other changes."""
        for sensor_id in SENSOR_IDS.values():
            if self._read(sensor_id, user) is not None:
                transaction.erase(self.object_id(sensor_id, user))
            if self._lockouts is not None:
                self._lockouts.pop((sensor_id, user), None)

    def locked(self) -> frozenset[bytes]:
        """Users with a lock on any sensor, as of the last change.

        Held in memory from the first question on: reading the state of whoever a search found would tell the disk who
        that was.
        """
        if self._lockouts is None:
            self._lockouts = {
                (stored.header.object_id[1], stored.header.owner): SensorUserState.from_bytes(
                    unpadded(stored.body)
                ).lockout
                for stored in self._store.load(kind="sensor")
            }
        return frozenset(user for (_, user), lockout in self._lockouts.items() if lockout.lock is not Lock.NONE)

    def doubt(self) -> None:
        """A transaction failed: what is held in memory may not be what is stored."""
        self._lockouts = None
