"""Puts and erases happen together or not at all; reads see what they should."""

from contextlib import suppress
from uuid import UUID

import pytest

from tee_sim.secure.storage import ObjectStore, TaStore, rekey, verify
from tee_sim.shared.errors import TeeError, TeeResult


def bodies(ta: TaStore) -> dict[bytes, bytes]:
    return {o.header.object_id: o.body for o in ta.load()}


def test_header_and_body_come_back(mine: TaStore) -> None:
    put = mine.put(b"id", b"body", kind="record", owner=b"o" * 16, commitment=b"c" * 32)
    got = mine.get(b"id")
    assert (got.header, got.body) == (put, b"body")
    assert (put.version, put.kind, put.owner, put.commitment) == (1, "record", b"o" * 16, b"c" * 32)
    assert mine.header(b"id") == put


def test_versions_are_epochs_and_never_come_back(mine: TaStore, store: ObjectStore) -> None:
    versions = [mine.put(b"id", b"", kind="k").version]
    mine.erase(b"id")
    versions += [mine.put(b"id", b"", kind="k").version, mine.put(b"id", b"", kind="k").version]
    assert versions == [1, 3, 4]
    assert store.epoch == 4


def test_nothing_happens_on_an_exception(mine: TaStore, store: ObjectStore) -> None:
    mine.put(b"a", b"1", kind="k")

    def broken() -> None:
        with mine.transaction() as change:
            change.put(b"b", b"2", kind="k")
            change.erase(b"a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert bodies(mine) == {b"a": b"1"}
    assert store.epoch == 1


def test_an_absent_object_is_none_and_a_damaged_one_is_an_error(
    mine: TaStore, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine.put(b"id", b"body", kind="k")
    assert mine.find(b"other") is None
    found = mine.find(b"id")
    assert found is not None
    assert found.body == b"body"
    with mine.transaction() as change:
        change.erase(b"id")
        assert mine.find(b"id") is None
        change.put(b"id", b"body", kind="k")
    store.rows.clear()
    monkeypatch.setattr(store.blobs, "read", lambda names: [None for _ in names])
    with pytest.raises(TeeError) as caught:
        mine.find(b"id")
    assert caught.value.result is TeeResult.CORRUPT_OBJECT


def test_reads_inside_see_own_writes_and_order(mine: TaStore) -> None:
    for object_id in (b"b", b"d"):
        mine.put(object_id, b"old", kind="k")
    with mine.transaction() as change:
        change.put(b"a", b"new", kind="k")
        change.put(b"d", b"newer", kind="k")
        change.put(b"e", b"new", kind="other")
        change.erase(b"b")
        assert [h.object_id for h in mine.headers()] == [b"a", b"d", b"e"]
        assert bodies(mine) == {b"a": b"new", b"d": b"newer", b"e": b"new"}
        assert [o.header.object_id for o in mine.load(kind="other")] == [b"e"]
        assert len(mine) == 3
        assert mine.get(b"d").body == b"newer"
        with pytest.raises(TeeError, match="no such object"):
            mine.get(b"b")
        with pytest.raises(TeeError, match="no such object"):
            change.erase(b"b")
    assert bodies(mine) == {b"a": b"new", b"d": b"newer", b"e": b"new"}


def test_many_changes_are_one_epoch(mine: TaStore, store: ObjectStore) -> None:
    with mine.transaction() as change:
        for i in range(500):
            change.put(i.to_bytes(2, "big"), bytes(100), kind="k")
    assert (store.epoch, len(mine), verify(store)) == (1, 500, 500)
    with mine.transaction() as change:
        pass
    assert store.epoch == 1


def test_a_transaction_larger_than_a_message(mine: TaStore, store: ObjectStore) -> None:
    with mine.transaction() as change:
        for i in range(40):
            change.put(bytes((i,)), bytes((i,)) * 100_000, kind="k")
    assert verify(store) == 40
    assert mine.get(b"\x07").body == b"\7" * 100_000


def test_put_and_erase_of_the_same_id(mine: TaStore) -> None:
    mine.put(b"a", b"1", kind="k", commitment=b"c" * 32)
    with mine.transaction() as change:
        change.put(b"a", b"2", kind="k")
        change.erase(b"a")
        change.put(b"x", b"2", kind="k")
        change.erase(b"x")
    assert bodies(mine) == {}
    with mine.transaction() as change:
        change.put(b"n", b"", kind="k")
        change.erase(b"n")
    assert bodies(mine) == {}


def test_one_transaction_at_a_time(mine: TaStore, store: ObjectStore, other_ta: UUID) -> None:
    with mine.transaction(), pytest.raises(TeeError, match="a transaction is already open") as caught:
        store.namespace(other_ta).put(b"a", b"", kind="k")
    assert caught.value.result == TeeResult.BAD_STATE


def test_applications_do_not_see_each_other(mine: TaStore, store: ObjectStore, other_ta: UUID) -> None:
    other = store.namespace(other_ta)
    mine.put(b"id", b"mine", kind="k")
    other.put(b"id", b"other", kind="k")
    other.put(b"id2", b"other", kind="k")
    assert (mine.get(b"id").body, other.get(b"id").body) == (b"mine", b"other")
    assert (len(mine), len(other), verify(store)) == (1, 2, 3)
    with pytest.raises(TeeError, match="no such object") as caught:
        mine.get(b"id2")
    assert caught.value.result == TeeResult.ITEM_NOT_FOUND


def test_quotas(store: ObjectStore, ta: UUID) -> None:
    small = store.namespace(ta, max_objects=2, max_object_bytes=10)
    with pytest.raises(TeeError, match="object is larger than 10 bytes") as caught:
        small.put(b"a", bytes(11), kind="k")
    assert caught.value.result == TeeResult.STORAGE_NO_SPACE
    small.put(b"a", bytes(10), kind="k")

    def three() -> None:
        with small.transaction() as change:
            change.put(b"b", b"", kind="k")
            change.put(b"a", b"again", kind="k")
            change.put(b"c", b"", kind="k")

    with pytest.raises(TeeError, match="quota of 2 objects is used up"):
        three()
    with small.transaction() as change:
        change.put(b"b", b"", kind="k")
        change.erase(b"a")
        change.put(b"c", b"", kind="k")
    assert len(small) == 2


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"object_id": bytes(65), "kind": "k"}, "object id"),
        ({"object_id": b"a", "kind": "k" * 17}, "kind"),
        ({"object_id": b"a", "kind": "\n"}, "kind"),
        ({"object_id": b"a", "kind": "k", "owner": bytes(33)}, "owner"),
        ({"object_id": b"a", "kind": "k", "commitment": bytes(31)}, "commitment"),
    ],
)
def test_header_bounds(mine: TaStore, arguments: dict[str, object], what: str) -> None:
    with pytest.raises(TeeError, match=f"object header: {what} is out of bounds") as caught:
        mine.put(body=b"", **arguments)  # type: ignore[arg-type]
    assert caught.value.result == TeeResult.BAD_PARAMETERS
    assert len(mine) == 0


def test_ids_of_every_length_and_order(mine: TaStore) -> None:
    ids = [b"", b"\0", b"\0\0", b"\xff" * 64, b"\xff" * 63, bytes(64), b"m"]
    for object_id in ids:
        mine.put(object_id, object_id + b"!", kind="k")
    assert [h.object_id for h in mine.headers()] == sorted(ids)
    assert bodies(mine) == {i: i + b"!" for i in ids}


def test_erasing_while_iterating(mine: TaStore) -> None:
    with mine.transaction() as change:
        for i in range(300):
            change.put(i.to_bytes(2, "big"), b"", kind="k")
    seen = []
    for header in mine.headers():
        seen.append(int.from_bytes(header.object_id, "big"))
        mine.erase(header.object_id)
    assert seen == list(range(300))
    assert len(mine) == 0


def test_damage_is_found_when_a_row_is_next_read_from_the_disk(world, store, mine, ta) -> None:  # type: ignore[no-untyped-def]
    mine.put(b"a", b"one", kind="k")
    mine.put(b"b", b"two", kind="k")
    good = world.blobs.rows.pop(world.row(b"a"))
    for _ in range(2):
        with store.request():
            assert mine.get(b"a").body == b"one"
    with pytest.raises(TeeError, match="object row is missing"):
        verify(store)
    again = world.open().namespace(ta)
    with pytest.raises(TeeError, match="object row is missing"):
        again.get(b"a")
    assert again.get(b"b").body == b"two"
    world.blobs.rows[world.row(b"a")] = good
    assert again.get(b"a").body == b"one"


def test_what_a_request_keeps_is_never_another_version(world, store, mine) -> None:  # type: ignore[no-untyped-def]
    mine.put(b"a", b"one", kind="k")
    with store.request():
        first = mine.get(b"a")
        with suppress(ZeroDivisionError), mine.transaction() as change:
            change.put(b"a", b"given up", kind="k")
            assert mine.get(b"a").body == b"given up"
            raise ZeroDivisionError
        assert mine.get(b"a") is first
        mine.put(b"a", b"two", kind="k", owner=b"o")
        assert (mine.get(b"a").body, mine.get(b"a").header.owner) == (b"two", b"o")
        mine.erase(b"a")
        with pytest.raises(TeeError) as caught:
            mine.get(b"a")
        assert caught.value.result is TeeResult.ITEM_NOT_FOUND
        list(rekey(store))
        mine.put(b"a", b"three", kind="k")
        assert mine.get(b"a").body == b"three"
    assert world.open().namespace(mine._ta).get(b"a").body == b"three"
