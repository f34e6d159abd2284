"""Rows that are kept: no second question to the disk, never an old answer, never more memory than was said."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import field
from types import SimpleNamespace
from uuid import UUID

import pytest

from tee_sim.normal.supplicant.service import RequestNote
from tee_sim.secure.storage import TaStore, object_sealer, rekey
from tee_sim.secure.storage.row_cache import MOST_BYTES, RowCache
from tee_sim.secure.storage.watch import Unwatched
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError
from tee_sim.shared.object_header import Header
from tee_sim.shared.storage_requests import Operation

IDS = [bytes((i,)) for i in range(20)]


@pytest.fixture
def again(world, mine: TaStore) -> TaStore:  # type: ignore[no-untyped-def]
    """The application after a restart, its directory read and no row of an object."""
    with mine.transaction() as change:
        for object_id in IDS:
            change.put(object_id, object_id * 9, kind="k")
    store = world.open()
    again = store.namespace(UUID("12345678-0000-0000-0000-000000000001"))
    assert len(list(again.headers())) == len(IDS)
    world.notes.clear()
    return again


def read(notes: list[RequestNote]) -> list[int]:
    """How many object rows each READ asked for."""
    return [sum(name[:1] == b"o" for name in note.names) for note in notes if note.operation is Operation.READ]


def test_a_row_is_asked_for_once_and_in_the_order_of_names(world, again: TaStore) -> None:  # type: ignore[no-untyped-def]
    for _ in range(3):
        again.fetch([b"\7", b"\3"])
        again.fetch([b"\3", b"\5"])
        assert again.get(b"\3").body == b"\3" * 9
        assert len(list(again.load())) == len(IDS)
    assert read(world.notes) == [2, 1, len(IDS) - 3]
    assert all(list(note.names) == sorted(note.names) for note in world.notes)


@dataclass(frozen=True)
class Walks(Unwatched):
    """Notes the rows that are said to be of a walk."""

    rows: list[int] = field(default_factory=list)

    def walks(self, number: int, names: Collection[bytes]) -> None:
        self.rows.append(len(names))


@pytest.mark.parametrize("erases", [False, True])
def test_a_walk_that_a_transaction_has_a_say_in_is_none(world, again: TaStore, erases: bool) -> None:  # type: ignore[no-untyped-def]
    """A transaction that is given up could else say which rows are read, and only the walk would be counted."""
    again._store.watch = walks = Walks()
    with suppress(ZeroDivisionError), again.transaction() as change:
        for object_id in IDS[:7]:
            change.erase(object_id) if erases else change.put(object_id, b"newer", kind="k")
        change.put(b"new", b"new", kind="k")
        found = [one.body for one in again.load(kind="k")]
        raise ZeroDivisionError
    kept = [object_id * 9 for object_id in IDS[7:]]
    assert found == ([] if erases else [b"newer"] * 7) + kept + [b"new"]
    assert read(world.notes) == [13], "what is put, or erased, is not asked for"
    assert walks.rows == [], "each of them is counted"
    assert len(list(again.load())) == len(IDS)
    assert walks.rows == [7]


def test_a_walk_of_a_kind_reads_no_row_that_has_its_name_elsewhere(world, again: TaStore) -> None:  # type: ignore[no-untyped-def]
    again.put(b"has note in it", b"", kind="k", owner=b"note")
    again._store.rows.clear()
    world.notes.clear()
    assert list(again.load(kind="note")) == []
    assert read(world.notes) == []


def test_what_was_written_is_not_read(world, again: TaStore) -> None:  # type: ignore[no-untyped-def]
    again.put(b"\3", b"newer", kind="k")
    world.notes.clear()
    assert again.get(b"\3").body == b"newer"
    assert world.notes == []
    again.erase(b"\3")
    assert again.find(b"\3") is None
    again.put(b"\3", b"newest", kind="k")
    assert again.get(b"\3").body == b"newest"


def test_what_a_transaction_gave_up_is_not_kept(world, again: TaStore) -> None:  # type: ignore[no-untyped-def]
    world.arm("commit@1: enospc")
    with pytest.raises(TeeError):
        again.put(b"\3", b"newer", kind="k")
    assert again.get(b"\3").body == b"\3" * 9
    with suppress(ZeroDivisionError), again.transaction() as change:
        change.put(b"\4", b"newer", kind="k")
        raise ZeroDivisionError
    assert again.get(b"\4").body == b"\4" * 9


def test_what_was_opened_by_another_entry_is_not_walked_through(world, store, mine: TaStore) -> None:  # type: ignore[no-untyped-def]
    mine.put(b"a", b"older", kind="k")
    older = mine.get(b"a")
    mine.put(b"a", b"newer", kind="k")
    with store.request():
        mine.get(b"a")
        ((key, (entry, _)),) = store.opened.items()
        store.opened[key] = (entry[:-1] + b"?", older)
        assert [o.body for o in mine.load()] == [b"newer"]


def test_names_are_kept_up_to_a_number(store, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(object_sealer, "_NAMES_KEPT", 2)
    sealer, tas = store._sealer, (UUID(int=1), UUID(int=2))
    sealer._known_names.clear()
    names = [[sealer.name(ta, object_id) for ta in tas for object_id in IDS] for _ in range(2)]
    assert names[0] == names[1]
    assert len({*names[0]}) == 2 * len(IDS)
    assert len(sealer._known_names) <= 2


def test_key_and_nonces_of_a_row_are_each_drawn(store, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    drawn = bytes(range(56))
    monkeypatch.setattr(store._sealer, "_rng", SimpleNamespace(bytes=lambda size: drawn[:size]))
    header = Header(ta=UUID(int=1), object_id=b"a", version=1, kind="k", owner=b"", commitment=b"", ids=b"")
    sealed = store._sealer.seal(header, b"body")
    key, nonce, wrap_nonce = drawn[:32], drawn[32:44], drawn[44:]
    assert nonce in sealed.row
    assert wrap_nonce in sealed.entry
    assert key not in sealed.row + sealed.entry


def test_a_damaged_row_is_not_kept(world, again: TaStore) -> None:  # type: ignore[no-untyped-def]
    good = world.blobs.rows[world.row(b"\3")]
    world.blobs.rows[world.row(b"\3")] = good[:-1] + bytes((good[-1] ^ 1,))
    for _ in range(2):
        with pytest.raises(TeeError, match="sealed object does not open"):
            again.get(b"\3")
        again.fetch([b"\3"])
    world.blobs.rows[world.row(b"\3")] = good
    assert again.get(b"\3").body == b"\3" * 9


def test_rows_of_before_a_rekey_are_replaced(world, store, mine: TaStore) -> None:  # type: ignore[no-untyped-def]
    mine.put(b"a", b"body", kind="k")
    assert list(rekey(store)) == [1]
    world.notes.clear()
    assert mine.get(b"a").body == b"body"
    assert world.notes == []


def test_nothing_kept_is_in_clear(again: TaStore) -> None:
    again.put(b"\3", b"CANARY" * 9, kind="k")
    assert again.get(b"\3").body == b"CANARY" * 9
    assert "CANARY" not in repr(again._store.rows._rows)  # type: ignore[attr-defined]


def test_the_longest_unused_goes_first_and_the_bound_holds() -> None:
    cache = RowCache(most_bytes=3 * 1500)
    for name in (b"1", b"2", b"3"):
        cache.keep(name, b"entry", bytes(1000))
    assert cache.get(b"1", b"entry") == bytes(1000)
    cache.keep(b"4", b"entry", bytes(1000))
    assert [cache.get(name, b"entry") is not None for name in (b"1", b"2", b"3", b"4")] == [True, False, True, True]
    cache.keep(b"5", b"entry", bytes(5000))
    assert [name for name in (b"1", b"3", b"4", b"5") if cache.get(name, b"entry")] == []
    for _ in range(100):
        cache.keep(b"6", b"entry", bytes(1000))
    assert cache.get(b"6", b"entry") == bytes(1000)
    assert cache._size_bytes < 1500
    cache.drop(b"6")
    cache.drop(b"6")
    assert cache._size_bytes == 0
    assert MOST_BYTES == 256 << 20


def test_a_row_counts_for_its_entry_alone() -> None:
    cache = RowCache()
    cache.keep(b"name", b"entry", b"row")
    assert cache.get(b"name", b"another") is None
    assert cache.get(b"other", b"entry") is None
    assert cache.get(b"name", b"entry") == b"row"
    cache.clear()
    assert cache.get(b"name", b"entry") is None
