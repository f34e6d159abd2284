"""Erasing destroys keys, also those of every older version of the directory."""

from uuid import UUID

import pytest

from tee_sim.secure.storage import ObjectStore, TaStore
from tee_sim.secure.storage.directory_pages import PageRef, open_page
from tee_sim.shared.errors import TeeError


def test_an_erased_object_is_gone_and_the_store_is_in_another_state(mine: TaStore, store: ObjectStore) -> None:
    mine.put(b"id", b"secret", kind="k", commitment=b"c" * 32)
    before = mine.state()
    mine.erase(b"id")
    assert (before[0], mine.state()) == (1, (2, store.root_hash))
    assert mine.state()[1] != before[1]
    with pytest.raises(TeeError, match="no such object"):
        mine.get(b"id")
    with pytest.raises(TeeError, match="no such object"):
        mine.erase(b"id")


def test_a_copied_disk_with_all_device_keys_does_not_give_an_erased_object_back(world, mine: TaStore, ta: UUID) -> None:  # type: ignore[no-untyped-def]
    """The strongest thief: a copy of the disk from before, and the whole device (HUK, RPMB) after the erasure."""
    mine.put(b"id", b"secret", kind="k")
    mine.put(b"other", b"secret", kind="k")
    copied_before = dict(world.blobs.rows)
    mine.erase(b"id")
    store = world.open()
    anchor = store._anchor.read()
    assert anchor is not None
    assert anchor.pending is None
    for blob in copied_before.values():
        for number in range(4):
            with pytest.raises(TeeError):
                open_page(PageRef(number, anchor.current.key, blob[:32]), blob, world.device_id)


def test_before_the_erasure_the_same_thief_would_have_succeeded(world, mine: TaStore) -> None:  # type: ignore[no-untyped-def]
    """The positive control of the test above."""
    mine.put(b"id", b"secret", kind="k")
    anchor = world.open()._anchor.read()
    node, _ = open_page(anchor.current, world.blobs.rows[b"p" + bytes(8)], world.device_id)
    assert len(node.keys) == 1
