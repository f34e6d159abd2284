"""What is accepted at boot, and what is not."""

import pytest

from tee_sim.secure.keys import RPMB_TEST_KEY
from tee_sim.secure.storage import ObjectStore, TaStore, verify
from tee_sim.shared.errors import TeeError, TeeResult


def refused(world, **options) -> TeeResult:  # type: ignore[no-untyped-def]
    with pytest.raises(TeeError) as caught:
        world.open(**options)
    return caught.value.result


def test_a_store_is_made_only_on_request_and_once(world, ta) -> None:  # type: ignore[no-untyped-def]
    assert refused(world) == TeeResult.ITEM_NOT_FOUND
    world.open(create=True).namespace(ta).put(b"a", b"1", kind="k")
    again = world.open(create=True)
    assert (again.epoch, again.namespace(ta).get(b"a").body) == (1, b"1")


@pytest.mark.parametrize(
    "step", ["commit@1: eio", "rpmb.write@2: eio", "rpmb.write@1: lose-reply", "rpmb.write@2: lose-reply"]
)
def test_an_interrupted_first_boot_can_be_repeated(world, ta, step: str) -> None:  # type: ignore[no-untyped-def]
    world.arm(step)
    assert refused(world, create=True) == TeeResult.STORAGE_NOT_AVAILABLE
    world.arm("")
    world.open(create=True).namespace(ta).put(b"a", b"1", kind="k")
    assert verify(world.open()) == 1


def test_levels_are_honest(world) -> None:  # type: ignore[no-untyped-def]
    assert world.open(create=True).anti_rollback_level == 1000
    assert type(world)().open(create=True, rpmb_key=RPMB_TEST_KEY).anti_rollback_level == 100
    assert type(world)().open(create=True, anchored=False).anti_rollback_level == 0


def test_without_anchor_a_whole_rollback_goes_unnoticed(world, ta) -> None:  # type: ignore[no-untyped-def]
    """Level 0 means this. The test is here so that nobody believes more."""
    mine = world.open(create=True, anchored=False).namespace(ta)
    mine.put(b"a", b"old", kind="k")
    before = dict(world.blobs.rows)
    mine.put(b"a", b"new", kind="k")
    assert world.open(anchored=False).namespace(ta).get(b"a").body == b"new"
    world.blobs.rows = before
    assert world.open(anchored=False).namespace(ta).get(b"a").body == b"old"


def test_rolled_back_disk(world, mine: TaStore) -> None:  # type: ignore[no-untyped-def]
    mine.put(b"a", b"old", kind="k")
    before = dict(world.blobs.rows)
    mine.put(b"a", b"new", kind="k")
    world.blobs.rows = before
    with pytest.raises(TeeError, match="not in the state of the last commit") as caught:
        world.open()
    assert (caught.value.result, caught.value.hint) == (
        TeeResult.SECURITY, "a restored copy is refused; wipe the device to start again",
    )  # fmt: skip


@pytest.mark.parametrize("what", ["huk", "device_id"])
def test_another_device(world, store: ObjectStore, what: str) -> None:  # type: ignore[no-untyped-def]
    original = getattr(world, what)
    setattr(world, what, b"\xee" + original[1:])
    assert refused(world) == TeeResult.SECURITY
    assert refused(world, create=True) == TeeResult.SECURITY
    setattr(world, what, original)
    assert world.open().epoch == 0


def test_empty_disk_under_a_used_anchor(world, store: ObjectStore) -> None:  # type: ignore[no-untyped-def]
    world.blobs.rows.clear()
    assert refused(world) == TeeResult.SECURITY
    assert refused(world, create=True) == TeeResult.SECURITY


def test_new_rpmb_under_a_used_disk(world, mine: TaStore) -> None:  # type: ignore[no-untyped-def]
    mine.put(b"a", b"1", kind="k")
    world.medium = type(world.medium)()
    assert refused(world) == TeeResult.ITEM_NOT_FOUND
    assert len(world.open(create=True).namespace(mine._ta)) == 0


def test_boot_uses_up_a_counter_value(world, store: ObjectStore) -> None:  # type: ignore[no-untyped-def]
    """A write the host withheld before the boot must not be deliverable after it."""
    before = world.medium.counter
    world.open()
    assert world.medium.counter == before + 1


def test_withheld_anchor_write_is_dead_after_the_next_boot(world, mine: TaStore, ta) -> None:  # type: ignore[no-untyped-def]
    mine.put(b"a", b"1", kind="k")
    world.arm("rpmb.write@2+: withhold")
    with pytest.raises(TeeError):
        mine.put(b"a", b"2", kind="k")
    hostile = world.rpmb
    world.arm("")
    store = world.open()
    assert store.namespace(ta).get(b"a").body == b"2"
    state = world.snapshot()
    hostile.release()
    assert world.snapshot() == state
    assert world.open().namespace(ta).get(b"a").body == b"2"
