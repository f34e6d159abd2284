"""A secure store in memory for the bench: whole transactions, and power cuts where an attack wants them.

Nothing is sealed here: the bench tests trusted applications, not the store below them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.ta_api import ObjectInfo, StoredObject


class PowerCutError(Exception):
    """The power fails: whatever ran is gone."""


@dataclass(frozen=True, slots=True)
class _Info:
    object_id: bytes
    version: int
    kind: str
    owner: bytes
    commitment: bytes
    ids: bytes


@dataclass(frozen=True, slots=True)
class _Object:
    header: _Info
    body: bytes


class Disk:
    """What survives a restart: the objects of every application.

    Attributes:
        cut_after: transactions that still happen before the power fails; None for never.
        traffic: what was asked for so far, as whoever answers it sees it: what is read, what is written and how large.
            Names are those of the application; a store hides them, not how often and in which order they come.
    """

    def __init__(self) -> None:
        self.objects: dict[bytes, dict[bytes, _Object]] = {}
        self.cut_after: int | None = None
        self.traffic: list[tuple[str, bytes, int]] = []

    def spend(self) -> None:
        """Account for one transaction. Raises PowerCutError when the power is gone."""
        if self.cut_after is not None:
            if self.cut_after == 0:
                raise PowerCutError
            self.cut_after -= 1


class _Transaction:
    def __init__(self, before: dict[bytes, _Object]) -> None:
        self.rows = dict(before)
        self.changes: list[tuple[str, bytes, int]] = []

    def put(
        self, object_id: bytes, body: bytes, *, kind: str, owner: bytes = b"", commitment: bytes = b"", ids: bytes = b""
    ) -> ObjectInfo:
        old = self.rows.get(object_id)
        info = _Info(object_id, old.header.version + 1 if old else 1, kind, owner, commitment, ids)
        self.rows[object_id] = _Object(info, bytes(body))
        self.changes.append(("put", object_id, len(body)))
        return info

    def erase(self, object_id: bytes) -> None:
        if object_id not in self.rows:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such object")
        del self.rows[object_id]
        self.changes.append(("erase", object_id, 0))


class MemoryStore:
    """`tee_sim.shared.ta_api.Store` of one application on a `Disk`."""

    def __init__(self, disk: Disk, application: bytes) -> None:
        self._disk = disk
        self._application = application
        self._open: _Transaction | None = None

    @property
    def _rows(self) -> dict[bytes, _Object]:
        return self._disk.objects.setdefault(self._application, {})

    def __len__(self) -> int:
        return len(self._rows)

    @contextmanager
    def transaction(self, _reserve: Reserve = Reserve.NONE) -> Iterator[_Transaction]:
        self._open = transaction = _Transaction(self._rows)
        try:
            yield transaction
        finally:
            self._open = None
        self._disk.spend()
        self._disk.traffic += transaction.changes
        self._disk.objects[self._application] = transaction.rows

    def header(self, object_id: bytes) -> ObjectInfo:
        rows = self._rows if self._open is None else self._open.rows
        if object_id not in rows:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such object")
        return rows[object_id].header

    def get(self, object_id: bytes) -> StoredObject:
        if object_id not in self._rows:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such object")
        return self._read(self._rows[object_id])

    def fetch(self, object_ids: Sequence[bytes]) -> None:
        """Nothing is far away here."""

    def find(self, object_id: bytes) -> StoredObject | None:
        return self.get(object_id) if object_id in self._rows else None

    def _read(self, stored: _Object) -> _Object:
        self._disk.traffic.append(("get", stored.header.object_id, len(stored.body)))
        return stored

    def headers(self) -> Iterator[ObjectInfo]:
        yield from (self._rows[i].header for i in sorted(self._rows))

    def load(self, *, kind: str | None = None) -> Iterator[StoredObject]:
        yield from (self._read(self._rows[i]) for i in sorted(self._rows) if kind in (None, self._rows[i].header.kind))

    def state(self) -> tuple[int, bytes]:
        return 0, bytes(32)
