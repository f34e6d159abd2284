"""The objects of an application, whose commitments and ids the core has made."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from tee_sim.secure.made.call import Call
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.ta_api import ObjectInfo, Store, Transaction


class KnownObjects(Store, Protocol):
    """A store that knows headers without opening an object."""

    def header(self, object_id: bytes) -> ObjectInfo:
        """Raises TeeError ITEM_NOT_FOUND."""
        ...

    def __len__(self) -> int:
        """How many objects there are."""
        ...


@dataclass(frozen=True, slots=True)
class _MadeTransaction:
    """`tee_sim.shared.ta_api.Transaction`."""

    inner: Transaction
    objects: KnownObjects
    call: Call

    def put(
        self,
        object_id: bytes,
        body: bytes,
        *,
        kind: str,
        owner: bytes = b"",
        commitment: bytes = b"",
        ids: bytes = b"",
    ) -> object:
        """As `Transaction.put`. Raises NotMadeError for a commitment or an id that the core does not know."""
        old = self._old(object_id)
        if old is None:
            self.call.object_id(object_id, lambda other: self._old(other) is not None)
        if commitment or ids:
            self.call.digest(commitment, old.commitment if old is not None else b"")
            self.call.ids(ids, old.ids if old is not None else b"", of=object_id)
        return self.inner.put(object_id, body, kind=kind, owner=owner, commitment=commitment, ids=ids)

    def _old(self, object_id: bytes) -> ObjectInfo | None:
        try:
            return self.objects.header(object_id)
        except TeeError as error:
            if error.result is not TeeResult.ITEM_NOT_FOUND:
                raise
            return None

    def erase(self, object_id: bytes) -> None:
        """As `Transaction.erase`."""
        self.inner.erase(object_id)


class MadeStore:
    """`tee_sim.shared.ta_api.Store` of one application.

    Args:
        objects: its objects, which take any header.
        call: what the application may use now.
    """

    def __init__(self, objects: KnownObjects, call: Call) -> None:
        self._objects = objects
        self._call = call
        self.get, self.find, self.fetch = objects.get, objects.find, objects.fetch
        self.headers, self.load, self.state = objects.headers, objects.load, objects.state

    def transaction(self, reserve: Reserve = Reserve.NONE) -> AbstractContextManager[_MadeTransaction]:
        """As `Store.transaction`."""
        return self._transaction(reserve)

    @contextmanager
    def _transaction(self, reserve: Reserve) -> Iterator[_MadeTransaction]:
        with self._objects.transaction(reserve) as inner:
            yield _MadeTransaction(inner, self._objects, self._call)
