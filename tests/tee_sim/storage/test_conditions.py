"""A counter near and at its end, a device that takes no write: what can still be done, what not, and what is said."""

from contextlib import suppress

import pytest

from tee_sim.secure.storage import TaStore, rekey, verify
from tee_sim.secure.storage.anchorage import COMMIT_WRITES, RESERVED_WRITES
from tee_sim.shared.errors import UNWRITABLE, TeeError, TeeResult
from tee_sim.shared.reserve import Condition, Reserve
from tee_sim.shared.rpmb_frames import MAX_COUNTER

LAST = MAX_COUNTER - COMMIT_WRITES - RESERVED_WRITES
"""The highest value at which ordinary work goes on."""


def refused(call) -> TeeResult:  # type: ignore[no-untyped-def]
    with pytest.raises(TeeError) as caught:
        call()
    return caught.value.result


def put(mine: TaStore, object_id: bytes, reserve: Reserve = Reserve.NONE) -> None:
    with mine.transaction(reserve) as change:
        change.put(object_id, object_id * 3, kind="k")


@pytest.fixture
def filled(world, mine: TaStore) -> TaStore:  # type: ignore[no-untyped-def]
    for i in range(6):
        mine.put(bytes([i]), bytes([i]) * 9, kind="k")
    return mine


def again(world, ta) -> TaStore:  # type: ignore[no-untyped-def]
    world.store = world.open()
    return world.store.namespace(ta)


def test_ordinary_work_ends_before_what_is_kept(world, ta, filled: TaStore) -> None:  # type: ignore[no-untyped-def]
    world.medium.counter = LAST - 1  # the start writes once
    mine = again(world, ta)
    assert world.store.condition is Condition.WRITABLE
    put(mine, b"a")
    assert (world.medium.counter, world.store.condition) == (LAST + 2, Condition.COUNTER_RESERVED)
    assert refused(lambda: put(mine, b"b")) == TeeResult.STORAGE_COUNTER_SPENT
    assert refused(lambda: list(rekey(world.store))) == TeeResult.STORAGE_COUNTER_SPENT
    assert world.medium.counter == LAST + 2
    mine.erase(bytes([0]))
    put(mine, b"c", Reserve.ANCHORED)
    assert world.medium.counter == LAST + 6
    assert {o.header.object_id for o in mine.load()} == {bytes([i]) for i in range(1, 6)} | {b"a", b"c"}


def test_starts_use_up_nothing_that_is_kept(world, ta, filled: TaStore) -> None:  # type: ignore[no-untyped-def]
    world.medium.counter = LAST + 1
    before = world.snapshot()
    for _ in range(5):
        assert len(list(again(world, ta).load())) == 6
    assert world.snapshot() == before
    assert world.store.anti_rollback_level == 1000


def test_the_last_values_do_and_then_the_disk_is_the_anchor(world, ta, filled: TaStore) -> None:  # type: ignore[no-untyped-def]
    world.medium.counter = MAX_COUNTER - 5
    mine = again(world, ta)
    for i in range(2):
        mine.erase(bytes([i]))
    assert (world.medium.counter, world.store.anti_rollback_level) == (MAX_COUNTER - 1, 0)
    block = world.medium.blocks[0]
    assert refused(lambda: put(mine, b"a", Reserve.ANCHORED)) == TeeResult.STORAGE_COUNTER_SPENT
    mine.erase(bytes([2]))
    put(mine, b"request", Reserve.ALL)
    for _ in range(2):
        mine = again(world, ta)
        assert {o.header.object_id for o in mine.load()} == {bytes([3]), bytes([4]), bytes([5]), b"request"}
        assert (world.store.condition, world.store.anti_rollback_level) == (Condition.COUNTER_SPENT, 0)
        assert verify(world.store) == 4
    assert (world.medium.blocks[0], world.medium.counter) == (block, MAX_COUNTER - 1)
    mine.erase(bytes([3]))
    assert verify(again(world, ta)._store) == 3


@pytest.mark.parametrize("value", [MAX_COUNTER, MAX_COUNTER - 1])
def test_a_counter_at_its_end_leaves_reading_and_erasing(world, ta, filled: TaStore, value: int) -> None:  # type: ignore[no-untyped-def]
    world.medium.counter = value
    mine = again(world, ta)
    assert mine.get(bytes([1])).body == bytes([1]) * 9
    assert refused(lambda: put(mine, b"a")) == TeeResult.STORAGE_COUNTER_SPENT
    mine.erase(bytes([1]))
    assert refused(lambda: again(world, ta).get(bytes([1]))) == TeeResult.ITEM_NOT_FOUND
    assert world.medium.counter == value


def test_the_disk_cannot_take_over_while_the_counter_lasts(world, ta, filled: TaStore) -> None:  # type: ignore[no-untyped-def]
    """Nor can what it held be played later on another state: it is older, or not of that use."""
    before = dict(world.blobs.rows)
    world.medium.counter = MAX_COUNTER
    again(world, ta).erase(bytes([0]))
    anchor = world.blobs.rows[b"a"]
    world.blobs.rows = {**before, b"a": anchor}
    assert refused(lambda: again(world, ta)) == TeeResult.SECURITY
    world.medium.counter = 100
    assert len(list(again(world, ta).load())) == 6
    again(world, ta).erase(bytes([5]))
    again(world, ta).erase(bytes([4]))
    world.medium.counter = MAX_COUNTER
    with pytest.raises(TeeError, match="the anchor on the disk is older than the one in the RPMB"):
        again(world, ta)
    world.blobs.rows[b"a"] = world.medium.blocks[0]
    assert refused(lambda: again(world, ta)) == TeeResult.SECURITY


def test_without_the_disks_anchor_the_last_state_of_the_rpmb_is_asked_for(world, ta, filled: TaStore) -> None:  # type: ignore[no-untyped-def]
    before = dict(world.blobs.rows)
    world.medium.counter = MAX_COUNTER
    again(world, ta).erase(bytes([0]))
    del world.blobs.rows[b"a"]
    assert refused(lambda: again(world, ta)) == TeeResult.SECURITY
    world.blobs.rows = before  # level 0: a whole copy from before the erasure is as good as new, and this is known
    assert len(list(again(world, ta).load())) == 6


@pytest.mark.parametrize(
    "step", ["commit@1: eio", "commit@2: eio", "commit@2: enospc", "commit@2: lie", "commit@3: eio"]
)
def test_an_erasure_on_the_disks_anchor_happens_or_not(world, ta, filled: TaStore, step: str) -> None:  # type: ignore[no-untyped-def]
    world.medium.counter = MAX_COUNTER
    mine = again(world, ta)
    world.arm(step)
    with suppress(TeeError):
        mine.erase(bytes([0]))
    world.arm("")
    left = {o.header.object_id for o in again(world, ta).load()}
    assert left in ({bytes([i]) for i in range(6)}, {bytes([i]) for i in range(1, 6)})
    assert verify(world.store) == len(left)


def test_an_rpmb_that_takes_no_write_leaves_reading(world, ta, filled: TaStore) -> None:  # type: ignore[no-untyped-def]
    world.arm("rpmb.write: eio")
    mine = again(world, ta)
    assert (world.store.condition, len(list(mine.load()))) == (Condition.READ_ONLY, 6)
    for change in (lambda: put(mine, b"a"), lambda: put(mine, b"a", Reserve.ALL), lambda: mine.erase(bytes([0]))):
        assert refused(change) == TeeResult.STORAGE_READ_ONLY
    world.arm("")
    assert refused(lambda: mine.erase(bytes([0]))) == TeeResult.STORAGE_READ_ONLY  # until it is opened again
    again(world, ta).erase(bytes([0]))


@pytest.mark.parametrize("step", ["commit@1: eio", "rpmb.write@2: eio", "rpmb.write@1: lose-reply"])
def test_what_was_interrupted_is_decided_without_writing_too(world, ta, filled: TaStore, step: str) -> None:  # type: ignore[no-untyped-def]
    world.arm(f"{step}; rpmb.write@3+: eio; rpmb.write@2: eio")
    with pytest.raises(TeeError):
        filled.erase(bytes([0]))
    world.medium.counter = MAX_COUNTER - 7
    world.arm("rpmb.write: eio")
    read = {o.header.object_id for o in again(world, ta).load()}
    world.arm("")
    mine = again(world, ta)
    assert {o.header.object_id for o in mine.load()} == read
    mine.erase(bytes([1]))
    assert {o.header.object_id for o in again(world, ta).load()} == read - {bytes([1])}


def test_a_refusal_that_is_no_want_of_writing_still_stops_the_start(world, filled: TaStore) -> None:  # type: ignore[no-untyped-def]
    world.arm("rpmb.write@1: flip(300)")
    assert refused(world.open) not in UNWRITABLE


def of_a_manifest(world, ta, reserve: Reserve) -> TaStore:  # type: ignore[no-untyped-def]
    """The store of a start at which only what is kept for erasures is left."""
    world.medium.counter = LAST + 1
    world.store = world.open()
    assert world.store.condition is Condition.COUNTER_RESERVED
    return world.store.namespace(ta, reserve=reserve)


@pytest.mark.parametrize(
    ("stated", "asked", "said"),
    [
        (Reserve.NONE, Reserve.ANCHORED, "asks for the reserve anchored, the manifest states none"),
        (Reserve.NONE, Reserve.ALL, "asks for the reserve all, the manifest states none"),
        (Reserve.ANCHORED, Reserve.ALL, "asks for the reserve all, the manifest states anchored"),
    ],
)
def test_more_than_the_manifest_states_is_denied(world, ta, filled, stated, asked, said) -> None:  # type: ignore[no-untyped-def]
    mine = of_a_manifest(world, ta, stated)
    before = world.snapshot()
    with pytest.raises(TeeError, match=said) as caught:
        put(mine, b"a", asked)
    assert caught.value.result is TeeResult.ACCESS_DENIED
    assert caught.value.hint == (
        f'write in the manifest, if people\'s requests depend on it: reserve = "{asked.name.lower()}"'
    )
    assert world.snapshot() == before
    mine.erase(bytes([0]))  # and no transaction is left open


OLD, NEW = bytes([0]), b"new"


@pytest.mark.parametrize(
    ("puts", "passes"),
    [
        ({}, True),
        ({bytes([1]): 18}, True),  # no more than the erased one and the replaced one had
        ({bytes([1]): 19}, False),
        ({bytes([1]): 9, bytes([2]): 19}, False),
        ({NEW: 0}, False),  # with an object made for each that is erased, it could go on forever
    ],
)
def test_an_erasure_is_no_excuse_for_writing(world, ta, filled, puts: dict[bytes, int], passes: bool) -> None:  # type: ignore[no-untyped-def]
    mine = of_a_manifest(world, ta, Reserve.NONE)

    def change() -> None:
        with mine.transaction() as transaction:
            transaction.erase(OLD)
            for object_id, size_bytes in puts.items():
                transaction.put(object_id, bytes(size_bytes), kind="k")

    if passes:
        change()
        assert mine.find(OLD) is None
    else:
        assert refused(change) == TeeResult.STORAGE_COUNTER_SPENT
        assert mine.find(OLD) is not None
        mine = of_a_manifest(world, ta, Reserve.ANCHORED)
        change()  # what the manifest states applies, whatever the transaction asks for
        assert mine.find(OLD) is None


def test_what_is_put_and_erased_in_one_transaction_excuses_nothing(world, ta, filled) -> None:  # type: ignore[no-untyped-def]
    mine = of_a_manifest(world, ta, Reserve.NONE)

    def change() -> None:
        with mine.transaction() as transaction:
            transaction.put(NEW, bytes(500), kind="k")
            transaction.erase(NEW)
            transaction.put(OLD, bytes(10), kind="k")

    assert refused(change) == TeeResult.STORAGE_COUNTER_SPENT
