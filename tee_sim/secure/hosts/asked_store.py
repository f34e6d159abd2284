"""`tee_sim.shared.ta_api.Store` in a host: asked for at the core, as rarely as can be.

On a busy machine a question costs two changes of process, each of which may wait for a processor. So

* what is read, or written, is kept to the end of the call of the core that it was read in, and no longer: clear
  bodies have no business in memory between two calls. Nobody but this application writes its objects, and it is in
  one call at a time;
* a transaction is collected here and sent whole; only what the core has to see earlier (an erasure, a walk, a question
  to another application, more than a frame) makes it begin there.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from tee_sim.secure.hosts.questions import BATCH_BYTES, MAX_FETCH, Question
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.object_header import Header
from tee_sim.shared.reserve import Reserve, refuse_more_than

Asking = Callable[[Question, list[object]], list[Any]]
"""Sends one question, returns the answer's words. Raises TeeError."""
_HEADER_BYTES: Final = 240
"""Of one object that is put, at most: id, kind, owner, commitment, ids and their frame."""
_ABSENT: Final[list[Any]] = []


@dataclass(frozen=True, slots=True)
class ReceivedObject:
    """`tee_sim.shared.ta_api.StoredObject`, as the core sent it."""

    header: Header
    body: bytes


class AskedTransaction:
    """`tee_sim.shared.ta_api.Transaction`.

    Attributes:
        begun: whether it is open at the core; what was put before has been sent there.
        changes: header, its version not known yet, and body of what was put and not sent.
    """

    def __init__(self, ask: Asking, manifest: Manifest, reserve: Reserve) -> None:
        self._ask = ask
        self._manifest = manifest
        self._reserve = reserve
        self._size_bytes = 0
        self.begun = False
        self.changes: dict[bytes, tuple[Header, bytes]] = {}

    def put(
        self, object_id: bytes, body: bytes, *, kind: str, owner: bytes = b"", commitment: bytes = b"", ids: bytes = b""
    ) -> None:
        """As `Transaction.put`. Too many objects are refused when the transaction ends."""
        uuid = UUID(bytes=self._manifest.uuid)
        header = Header(ta=uuid, object_id=object_id, version=0, kind=kind, owner=owner, commitment=commitment, ids=ids)
        if len(body) > self._manifest.max_object_bytes:
            raise TeeError(TeeResult.STORAGE_NO_SPACE, f"object is larger than {self._manifest.max_object_bytes} bytes")
        self.changes[object_id] = header, body
        self._size_bytes += len(body) + _HEADER_BYTES
        if self.begun or self._size_bytes > BATCH_BYTES:
            self.begin()

    def erase(self, object_id: bytes) -> None:
        """As `Transaction.erase`: only the core knows whether there is such an object."""
        self.begin()
        self._ask(Question.ERASE, [object_id])

    def begin(self) -> None:
        """Open it at the core, unless it is, and send what was put."""
        if not self.begun:
            self._ask(Question.BEGIN, [int(self._reserve)])
            self.begun = True
        for change in self.changes.values():
            self._ask(Question.PUT, _words(*change))
        self.changes.clear()

    def commit(self) -> int:
        """Make it durable. Returns the version of what was put, 0 if nothing is left to know of it."""
        if self.begun:
            self._ask(Question.COMMIT, [])
            return 0
        if not self.changes:
            return 0
        words: list[object] = [_words(*change) for change in self.changes.values()]
        version: int = self._ask(Question.TRANSACT, [int(self._reserve), words])[0]
        return version

    def undo(self) -> None:
        """Forget it, here and at the core."""
        if self.begun:
            self._ask(Question.ROLL_BACK, [])


class AskedStore:
    """The objects of the application of this host.

    Args:
        ask: the way to the core.
        manifest: of the application.

    Attributes:
        at_once: whether a transaction begins at the core when its block does: while another application asks, whose
            own transaction may stand in the way, and nothing of the block is to happen then.
    """

    def __init__(self, ask: Asking, manifest: Manifest) -> None:
        self._ask = ask
        self._manifest = manifest
        self._uuid = UUID(bytes=manifest.uuid)
        self._opened: dict[bytes, ReceivedObject | None] = {}
        self._calls = 0
        self.at_once = False
        self._open: AskedTransaction | None = None

    def end_call(self) -> None:
        """The call of the core is over.

        Raises:
            RuntimeError: a transaction was left open, which is a panic.
        """
        self._opened.clear()
        self._calls += 1
        left, self._open = self._open, None
        if left is not None:
            raise RuntimeError("a transaction was left open")

    def settle(self) -> None:
        """Let the core see what this application has begun to write: another question depends on it."""
        if self._open is not None:
            self._opened.clear()
            self._open.begin()

    @contextmanager
    def transaction(self, reserve: Reserve = Reserve.NONE) -> Iterator[AskedTransaction]:
        """As `Store.transaction`."""
        # The core refuses it as well; here it is refused before the block, as in the core's own process.
        refuse_more_than(self._manifest.reserve, reserve)
        if self._open is not None:
            raise TeeError(TeeResult.BAD_STATE, "a transaction is open")
        transaction = AskedTransaction(self._ask, self._manifest, reserve)
        if self.at_once:
            transaction.begin()
        self._open = transaction
        try:
            yield transaction
        except BaseException:
            self._forget(transaction)
            transaction.undo()
            raise
        self._forget(transaction)
        version = transaction.commit()
        for object_id, (header, body) in transaction.changes.items():
            self._opened[object_id] = ReceivedObject(_at(header, version), body)

    def _forget(self, transaction: AskedTransaction) -> None:
        """End it here, before the core is asked: nothing read in it is true for certain any more."""
        self._opened.clear()
        if self._open is transaction:
            self._open = None

    def fetch(self, object_ids: Sequence[bytes]) -> None:
        """As `Store.fetch`."""
        asked = [i for i in object_ids if i not in self._opened and not self._is_put(i)][:MAX_FETCH]
        if asked and not self._is_begun():
            for object_id, words in zip(asked, self._ask(Question.FETCH, list(asked)), strict=True):
                if words is not None:
                    self._opened[object_id] = None if words == _ABSENT else self._stored(words)

    def get(self, object_id: bytes) -> ReceivedObject:
        """As `Store.get`."""
        found = self.find(object_id)
        if found is None:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such object")
        return found

    def find(self, object_id: bytes) -> ReceivedObject | None:
        """As `Store.find`."""
        if self._open is not None and object_id in self._open.changes:
            header, body = self._open.changes[object_id]
            return ReceivedObject(_at(header, self.state()[0] + 1), body)
        if self._is_begun():
            return self._ask_for(object_id)
        if object_id not in self._opened:
            self._opened[object_id] = self._ask_for(object_id)
        return self._opened[object_id]

    def _ask_for(self, object_id: bytes) -> ReceivedObject | None:
        try:
            return self._stored(self._ask(Question.GET, [object_id]))
        except TeeError as error:
            if error.result is not TeeResult.ITEM_NOT_FOUND:
                raise
            return None

    def _is_put(self, object_id: bytes) -> bool:
        return self._open is not None and object_id in self._open.changes

    def _is_begun(self) -> bool:
        """Whether the core has a part of the open transaction: what was kept here is older than that."""
        return self._open is not None and self._open.begun

    def headers(self) -> Iterator[Header]:
        """As `Store.headers`."""
        return map(self._header, self._walk(Question.HEADERS, []))

    def load(self, *, kind: str | None = None) -> Iterator[ReceivedObject]:
        """As `Store.load`."""
        return map(self._stored, self._walk(Question.LOAD, [kind]))

    def _walk(self, question: Question, words: list[object]) -> Iterator[list[Any]]:
        self.settle()
        call = self._calls
        number, items = self._ask(question, words)
        try:
            yield from items
            while number:
                if call != self._calls:
                    raise RuntimeError("a walk through the store ends with the call that it was begun in")
                number, items = self._ask(Question.NEXT, [number])
                yield from items
        finally:
            if number and call == self._calls:
                self._ask(Question.LEAVE_WALK, [number])

    def state(self) -> tuple[int, bytes]:
        """As `Store.state`."""
        epoch, root_hash = self._ask(Question.STATE, [])
        return epoch, root_hash

    def _header(self, words: list[Any]) -> Header:
        object_id, version, kind, owner, commitment, ids = words
        return Header(
            ta=self._uuid, object_id=object_id, version=version, kind=kind, owner=owner, commitment=commitment, ids=ids
        )

    def _stored(self, words: list[Any]) -> ReceivedObject:
        *header, body = words
        return ReceivedObject(self._header(header), body)


def _words(header: Header, body: bytes) -> list[object]:
    return [header.object_id, body, header.kind, header.owner, header.commitment, header.ids]


def _at(header: Header, version: int) -> Header:
    return replace(header, version=version)
