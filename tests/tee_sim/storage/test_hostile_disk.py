"""Whatever the disk does, an answer is right or it is a typed error."""

from collections.abc import Callable
from uuid import UUID

import pytest

from tee_sim.normal.supplicant import service
from tee_sim.secure.storage import TaStore, verify
from tee_sim.shared.blobs import Around, Committed
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rpmb_frames import RpmbTransport

Apply = Callable[[], list[bytes | None]]
BODY = {bytes((i,)): bytes((i,)) * 50 for i in range(200)}


@pytest.fixture
def full(mine: TaStore) -> TaStore:
    with mine.transaction() as change:
        for object_id, body in BODY.items():
            change.put(object_id, body, kind="k", owner=object_id, commitment=object_id * 32)
    return mine


READ_FAULTS = {
    "read@1: flip(5) objects": {TeeResult.CORRUPT_OBJECT},
    "read@1: flip(80) objects": {TeeResult.CORRUPT_OBJECT},
    "read@1: truncate(40) objects": {TeeResult.CORRUPT_OBJECT},
    "read@1: truncate(0) objects": {TeeResult.CORRUPT_OBJECT},
    "read@1: missing objects": {TeeResult.CORRUPT_OBJECT},
    "read@1: stale objects": {TeeResult.CORRUPT_OBJECT},
    "read@1: eio": {TeeResult.STORAGE_NOT_AVAILABLE},
    "read@1: busy": {TeeResult.BUSY},
}


@pytest.mark.parametrize("rule", READ_FAULTS)
def test_faulty_read(world, full: TaStore, ta: UUID, rule: str) -> None:  # type: ignore[no-untyped-def]
    full.put(b"\x07", b"newer", kind="k")
    again = world.open().namespace(ta)
    assert b"\x07" in {h.object_id for h in again.headers()}, "the pages are read"
    plan = world.arm(rule)
    with pytest.raises(TeeError) as caught:
        again.get(b"\x07")
    assert caught.value.result in READ_FAULTS[rule]
    assert len(plan.fired) == 1
    assert again.get(b"\x07").body == b"newer"


def test_objects_swapped_in_one_answer_and_between_answers(world, full: TaStore, ta: UUID) -> None:  # type: ignore[no-untyped-def]
    full = world.open().namespace(ta)
    assert len(list(full.headers())) == len(BODY), "the pages are read"
    plan = world.arm("read@1: swap objects")
    with pytest.raises(TeeError, match="object row does not fit the directory"):
        list(full.load())
    assert {o.header.object_id: o.body for o in full.load()} == BODY
    full = world.open().namespace(ta)
    assert len(list(full.headers())) == len(BODY)
    plan = world.arm("read@2: swap objects")
    assert full.get(b"\1").body == BODY[b"\1"]
    with pytest.raises(TeeError, match="object row does not fit the directory"):
        full.get(b"\2")
    assert len(plan.fired) == 1


PAGE_FAULTS = ["stale", "flip(3)", "flip(40)", "truncate(31)", "truncate(500)", "missing", "swap"]


@pytest.mark.parametrize("action", PAGE_FAULTS)
def test_faulty_directory_page(world, full: TaStore, ta: UUID, action: str) -> None:  # type: ignore[no-untyped-def]
    full.put(b"\x07", b"newer", kind="k")
    store = world.open()
    plan = world.arm(f"read@1: {action} pages")
    with pytest.raises(TeeError) as caught:
        list(store.namespace(ta).headers())
    assert (caught.value.result, len(plan.fired)) == (TeeResult.CORRUPT_OBJECT, 1)
    assert [h.object_id for h in store.namespace(ta).headers()] == list(BODY)


def test_damage_of_one_object_costs_no_other(world, full: TaStore, ta: UUID) -> None:  # type: ignore[no-untyped-def]
    world.blobs.rows[world.row(b"\x09")] = b"junk"
    again = world.open().namespace(ta)
    for object_id, body in BODY.items():
        if object_id == b"\x09":
            with pytest.raises(TeeError):
                again.get(object_id)
        else:
            assert again.get(object_id).body == body
    again.put(b"\x09", b"repaired", kind="k")
    assert again.get(b"\x09").body == b"repaired"


REFUSING = {
    "commit@1: enospc": TeeResult.STORAGE_NO_SPACE,
    "commit@1: eio": TeeResult.STORAGE_NOT_AVAILABLE,
    "commit@1: busy": TeeResult.BUSY,
    "commit@1: lie": TeeResult.STORAGE_NOT_AVAILABLE,
    "rpmb.write@1: eio": TeeResult.STORAGE_NOT_AVAILABLE,
    "rpmb.write@1: lose-reply": TeeResult.STORAGE_NOT_AVAILABLE,
    "rpmb.write@1: flip(508)": TeeResult.SECURITY,
}
"""The last one is of the chip's result, at which whoever is at the disk stops; of the rest of an answer only the secure
world can tell, when the transaction has been carried out."""


@pytest.mark.parametrize("rule", REFUSING)
def test_refused_commit_changes_nothing_and_the_next_one_works(world, full: TaStore, rule: str, ta: UUID) -> None:  # type: ignore[no-untyped-def]
    plan = world.arm(rule)

    def both() -> None:
        with full.transaction() as change:
            change.put(b"\x07", b"newer", kind="k")
            change.erase(b"\x08")

    with pytest.raises(TeeError) as caught:
        both()
    assert (caught.value.result, len(plan.fired)) == (REFUSING[rule], 1)
    assert {o.header.object_id: o.body for o in full.load()} == BODY
    full.put(b"\x07", b"newest", kind="k")
    assert {o.header.object_id: o.body for o in world.open().namespace(ta).load()} == BODY | {b"\x07": b"newest"}


@pytest.mark.parametrize(
    "rule",
    [
        "commit@1: eio-after",
        "rpmb.write@1: flip(300)",
        "rpmb.write@1: stale",
        "rpmb.write@2: eio",
        "rpmb.write@2: lose-reply",
        "rpmb.write@2: flip(300)",
    ],
)
def test_a_commit_that_happened_is_a_success_whatever_was_reported(world, full: TaStore, rule: str, ta: UUID) -> None:  # type: ignore[no-untyped-def]
    plan = world.arm(rule)
    full.put(b"\x07", b"newer", kind="k")
    assert len(plan.fired) == 1
    assert full.get(b"\x07").body == b"newer"
    assert {o.header.object_id: o.body for o in world.open().namespace(ta).load()} == BODY | {b"\x07": b"newer"}


@pytest.mark.parametrize(
    "rule", ["commit@1: drop(0)", "commit@1: drop(0) objects", "commit@1: flip(60)", "commit@1: flip(60) objects"]
)
def test_a_disk_that_keeps_half_a_transaction_stops_the_store(world, full: TaStore, rule: str, ta: UUID) -> None:  # type: ignore[no-untyped-def]
    world.arm(rule)
    with pytest.raises(TeeError) as caught:
        full.put(b"\x07", b"newer", kind="k")
    assert caught.value.result in {TeeResult.STORAGE_NOT_AVAILABLE, TeeResult.SECURITY}
    with pytest.raises(TeeError, match="the device must be restarted"):
        full.get(b"\x01")
    world.arm("")
    try:
        again = world.open().namespace(ta)
    except TeeError as error:
        assert error.result == TeeResult.SECURITY
        return
    with pytest.raises(TeeError) as caught:
        again.get(b"\x07")
    assert caught.value.result == TeeResult.CORRUPT_OBJECT


def test_a_disk_that_lies_all_the_time_is_found_at_the_next_boot(world, full: TaStore) -> None:  # type: ignore[no-untyped-def]
    """Writes go to a cache that reads are served from, and the cache is lost with the power."""
    durable = dict(world.blobs.rows)
    full.put(b"\x07", b"newer", kind="k")
    world.blobs.rows = durable
    with pytest.raises(TeeError) as caught:
        world.open()
    assert caught.value.result == TeeResult.SECURITY


class Skips:
    """A supplicant that carries out what it likes of a commit, and answers with what it has."""

    @staticmethod
    def first_write(rpmb: RpmbTransport, around: Around, apply: Apply, expected: list[bytes | None]) -> Committed:
        found, second = apply(), rpmb.transfer(around[1], 1)
        return Committed([second, second], found)

    @staticmethod
    def transaction(rpmb: RpmbTransport, around: Around, apply: Apply, expected: list[bytes | None]) -> Committed:
        return Committed([rpmb.transfer(frames, 1) for frames in around], expected)

    @staticmethod
    def second_write(rpmb: RpmbTransport, around: Around, apply: Apply, expected: list[bytes | None]) -> Committed:
        first = rpmb.transfer(around[0], 1)
        return Committed([first, first], apply())

    @staticmethod
    def answer_to_it(rpmb: RpmbTransport, around: Around, apply: Apply, expected: list[bytes | None]) -> Committed:
        return Committed([rpmb.transfer(around[0], 1)], apply())

    @staticmethod
    def order(rpmb: RpmbTransport, around: Around, apply: Apply, expected: list[bytes | None]) -> Committed:
        return Committed([rpmb.transfer(frames, 1) for frames in reversed(around)], apply())


@pytest.mark.parametrize(
    ("skips", "refused", "opens"),
    [
        (Skips.first_write, True, False),
        (Skips.transaction, False, False),
        (Skips.second_write, False, True),
        (Skips.answer_to_it, False, True),
        (Skips.order, False, True),
    ],
)
def test_a_step_of_a_commit_that_is_left_out_is_found_or_made_up_for(  # type: ignore[no-untyped-def]
    world, full: TaStore, ta: UUID, monkeypatch: pytest.MonkeyPatch, skips: object, refused: bool, opens: bool
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(service, "carry_out", skips)
        if refused:
            with pytest.raises(TeeError):
                full.put(b"\x07", b"newer", kind="k")
            with pytest.raises(TeeError, match="the device must be restarted"):
                full.get(b"\x01")
        else:
            full.put(b"\x07", b"newer", kind="k")
    if opens:
        full.put(b"\x08", b"newest", kind="k")
        now = BODY | {b"\x07": b"newer", b"\x08": b"newest"}
        assert {o.header.object_id: o.body for o in world.open().namespace(ta).load()} == now
    else:
        with pytest.raises(TeeError) as caught:
            world.open()
        assert caught.value.result == TeeResult.SECURITY


@pytest.mark.parametrize("skips", [Skips.second_write, Skips.answer_to_it])
def test_a_commit_is_answered_only_when_the_state_of_before_is_refused(  # type: ignore[no-untyped-def]
    world, full: TaStore, monkeypatch: pytest.MonkeyPatch, skips: object
) -> None:
    """Whoever withholds the second write, and answers with another one, keeps an anchor that takes both states."""
    before = dict(world.blobs.rows)
    with monkeypatch.context() as patched:
        patched.setattr(service, "carry_out", skips)
        full.put(b"\x07", b"newer", kind="k")
    world.blobs.rows = before
    with pytest.raises(TeeError) as caught:
        world.open()
    assert caught.value.result == TeeResult.SECURITY


def test_planted_rows_are_reported(world, full: TaStore, ta: UUID) -> None:  # type: ignore[no-untyped-def]
    store = world.open()
    assert verify(store) == len(BODY)
    world.blobs.rows[b"o" + bytes(32)] = b"x"
    with pytest.raises(TeeError, match="the disk holds rows the directory does not know"):
        verify(store)


def test_nothing_of_a_body_is_on_the_disk(world, mine: TaStore) -> None:  # type: ignore[no-untyped-def]
    mine.put(b"a", b"CANARY-CANARY-CANARY", kind="k")
    everything = b"".join([*world.blobs.rows.values(), *world.medium.blocks])
    assert b"CANARY" not in everything
    assert b"CANARY" not in repr(world.notes).encode()
