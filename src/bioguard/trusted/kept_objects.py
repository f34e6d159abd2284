"""Keep small objects in memory as they were decoded, beside the store that they lie in.

Promised: what is kept is what the last commit wrote, or what was read since then. The application is the only one who
writes its objects, and whatever writes one of these goes through `KeptStore.transaction`. After a transaction that
failed nothing is kept: whether it happened is not known.

Not kept: anything of a template or a code (`bioguard.trusted.biometric.ready_records` has a bound of its own), and
nothing beyond MOST_KEPT objects.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar, cast

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.ta_api import Store, Transaction

MOST_KEPT: Final = 1024
"""What decisions read of two hundred people: user, consents, a state a sensor; and the tallies of the sensors."""
T = TypeVar("T")
Read = Callable[[bytes, bytes], T]
"""Decodes an object: its body, and the ids in its header. Always the same one for an object."""
_NOT_DECODED: Final = object()


class KeptTransaction:
    """`tee_sim.shared.ta_api.Transaction` that knows what it changes."""

    def __init__(self, inner: Transaction) -> None:
        self._inner = inner
        self.changed: dict[bytes, object] = {}

    def put(
        self, object_id: bytes, body: bytes, *, kind: str, owner: bytes = b"", commitment: bytes = b"", ids: bytes = b""
    ) -> object:
        """As `Transaction.put`."""
        self.changed[object_id] = _NOT_DECODED
        return self._inner.put(object_id, body, kind=kind, owner=owner, commitment=commitment, ids=ids)

    def erase(self, object_id: bytes) -> None:
        """As `Transaction.erase`."""
        self._inner.erase(object_id)
        self.changed[object_id] = None


class KeptStore:
    """`tee_sim.shared.ta_api.Store`."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self._kept: OrderedDict[bytes, object] = OrderedDict()
        self._open: KeptTransaction | None = None
        self.get, self.find, self.headers = inner.get, inner.find, inner.headers
        self.load, self.state = inner.load, inner.state

    @contextmanager
    def transaction(self, reserve: Reserve = Reserve.NONE) -> Iterator[KeptTransaction]:
        """As `Store.transaction`. What it puts with a value is kept once it is committed, and nothing before."""
        try:
            with self._inner.transaction(reserve) as inner:
                self._open = transaction = KeptTransaction(inner)
                try:
                    yield transaction
                finally:
                    self._open = None
        except BaseException:
            self.doubt()
            raise
        for object_id, value in transaction.changed.items():
            self._keep(object_id, value)

    def fetch(self, object_ids: Sequence[bytes]) -> None:
        """As `Store.fetch`, of those that are not kept."""
        missing = [object_id for object_id in object_ids if object_id not in self._kept]
        if missing:
            self._inner.fetch(missing)

    def doubt(self) -> None:
        """A request failed: what is held in memory may not be what is stored."""
        self._kept.clear()

    def value(self, object_id: bytes, read: Read[T]) -> T | None:
        """What an object decodes to; None if there is none. Raises as `Store.find` and `read`."""
        changed = self._open.changed if self._open is not None else {}
        if object_id in changed:
            value = changed[object_id]
            return _read(self._inner, object_id, read) if value is _NOT_DECODED else cast("T | None", value)
        if object_id not in self._kept:
            self._keep(object_id, _read(self._inner, object_id, read))
        return cast("T | None", self._kept[object_id])

    def _keep(self, object_id: bytes, value: object) -> None:
        self._kept.pop(object_id, None)
        if value is not _NOT_DECODED:
            self._kept[object_id] = value
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def value_of(store: Store, object_id: bytes, read: Read[T]) -> T | None:
    """What an object decodes to, kept where the store keeps it; None if there is none."""
    return store.value(object_id, read) if isinstance(store, KeptStore) else _read(store, object_id, read)


def keep(transaction: Transaction, object_id: bytes, value: object) -> None:
    """Say what the body that was just put decodes to: after the commit nobody has to."""
    if isinstance(transaction, KeptTransaction):
        transaction.changed[object_id] = value


def erase_if_stored(transaction: Transaction, object_id: bytes) -> None:
    """Erase an object that may not be there, without opening it: one that is damaged goes as well."""
    try:
        transaction.erase(object_id)
    except TeeError as error:
        if error.result is not TeeResult.ITEM_NOT_FOUND:
            raise


def _read(store: Store, object_id: bytes, read: Read[T]) -> T | None:
    stored = store.find(object_id)
    return None if stored is None else read(stored.body, stored.header.ids)
