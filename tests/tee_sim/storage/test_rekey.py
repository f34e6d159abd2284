"""New keys for everything, one batch at a time, whatever happens in between."""

from uuid import UUID

import pytest

from tee_sim.secure.storage import ObjectStore, TaStore, rekey, verify
from tee_sim.secure.storage.directory_pages import DirectoryEntry
from tee_sim.shared.errors import TeeError, TeeResult


@pytest.fixture
def full(mine: TaStore, store: ObjectStore, other_ta: UUID) -> TaStore:
    for ta in (mine, store.namespace(other_ta)):
        with ta.transaction() as change:
            for i in range(100):
                change.put(bytes((i,)), bytes((i,)) * 9, kind="k", commitment=bytes((i,)) * 32)
    return mine


def generations(store: ObjectStore) -> set[int]:
    entries = (raw for ta in store.tree.info.counts for _, raw in store.namespace(ta)._entries())
    return {DirectoryEntry.from_bytes(raw).generation for raw in entries}


def test_rekey_changes_keys_and_rows_and_nothing_else(world, full: TaStore, store: ObjectStore) -> None:  # type: ignore[no-untyped-def]
    before = list(full.load())
    rows = {name: blob for name, blob in world.blobs.rows.items() if name[:1] == b"o"}
    salt = store._record.salt
    assert list(rekey(store, batch=64)) == [64, 100, 164, 200]
    assert list(full.load()) == before
    assert all(world.blobs.rows[name] != blob for name, blob in rows.items())
    assert (generations(store), store._record.next_salt) == ({2}, None)
    assert store._record.salt != salt
    assert verify(world.open()) == 200


def test_rekey_can_be_cut_off_at_every_step_and_resumed(world, full: TaStore, ta: UUID) -> None:  # type: ignore[no-untyped-def]
    before = list(full.load())
    for steps in range(3):
        store = world.open()
        steps_of = rekey(store, batch=64)
        for _ in range(steps):
            next(steps_of)
        steps_of.close()
        store = world.open()
        assert list(store.namespace(ta).load()) == before
        store.namespace(ta).put(b"new", b"1", kind="k")
        store.namespace(ta).erase(b"new")
    store = world.open()
    assert store._record.next_salt is not None
    assert list(rekey(store)) == [36]
    assert generations(store) == {2}
    assert list(world.open().namespace(ta).load()) == before


def test_rekey_stops_at_a_damaged_object_and_loses_no_other(world, full: TaStore, store: ObjectStore, ta: UUID) -> None:  # type: ignore[no-untyped-def]
    name = world.row(b"\x05")
    good = world.blobs.rows[name]
    world.blobs.rows[name] = good[:-1] + b"!"
    store = world.open()
    with pytest.raises(TeeError) as caught:
        list(rekey(store, batch=10))
    assert caught.value.result == TeeResult.CORRUPT_OBJECT
    world.blobs.rows[name] = good
    list(rekey(store, batch=10))
    assert verify(store) == 200


def test_no_rekey_is_finished_on_top_of_an_unknown_state(world, full: TaStore, store: ObjectStore) -> None:  # type: ignore[no-untyped-def]
    steps = rekey(store)
    for done in steps:
        if done == 200:
            break
    store._dead = True
    with pytest.raises(TeeError) as caught:
        list(steps)
    assert caught.value.result == TeeResult.STORAGE_NOT_AVAILABLE
    assert world.open()._record.next_salt is not None


@pytest.mark.parametrize(
    "rule", ["rpmb.write@1: eio", "rpmb.write@1: lose-reply", "commit@2: enospc", "rpmb.write@4: lose-reply"]
)
def test_rekey_survives_a_fault(world, full: TaStore, ta: UUID, rule: str) -> None:  # type: ignore[no-untyped-def]
    before = list(full.load())
    store = world.open()
    world.arm(rule)
    with pytest.raises(TeeError):
        list(rekey(store, batch=50))
    world.arm("")
    store = world.open()
    assert list(store.namespace(ta).load()) == before
    list(rekey(store, batch=50))
    assert list(world.open().namespace(ta).load()) == before


def test_an_empty_store(store: ObjectStore) -> None:
    assert list(rekey(store)) == []
    assert store._record.generation == 2
