"""Damage: whatever is done to the disk, an answer is right or a typed error, never another."""

from uuid import UUID

import pytest

from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.storage import ObjectStore
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rng import SeededRng
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium

HUK, DEVICE_ID = bytes(range(32)), bytes(range(16))
ONE, TWO = UUID(int=1), UUID(int=2)
CONTENT = {bytes([65 + i]) * 3: bytes([i]) * (40 * i) for i in range(9)}
TYPED = (TeeResult.CORRUPT_OBJECT, TeeResult.SECURITY, TeeResult.BAD_FORMAT, TeeResult.ITEM_NOT_FOUND)


def filled() -> tuple[MemoryBlobs, RpmbDevice]:
    disk, rpmb = MemoryBlobs(), RpmbDevice(MemoryMedium())
    store = opened(disk, rpmb, create=True)
    for ta in (ONE, TWO):
        with store.namespace(ta).transaction() as transaction:
            for object_id, body in CONTENT.items():
                transaction.put(object_id, body + ta.bytes, kind="k", owner=b"owner")
    return disk, rpmb


def opened(disk: MemoryBlobs, rpmb: RpmbDevice, *, create: bool = False, huk: bytes = HUK) -> ObjectStore:
    return ObjectStore.open(disk, rpmb, KeyLadder(huk, DEVICE_ID), SeededRng(b"d"), create=create)


def look(disk: MemoryBlobs, rpmb: RpmbDevice) -> int:
    """Read everything; count typed errors; fail on a wrong answer or a silently missing object."""
    errors = 0
    try:
        store = opened(disk, rpmb)
    except TeeError as error:
        assert error.result in TYPED
        return 1
    for ta in (ONE, TWO):
        for object_id, body in CONTENT.items():
            try:
                assert store.namespace(ta).get(object_id).body == body + ta.bytes
            except TeeError as error:
                assert error.result in TYPED
                assert error.result is not TeeResult.ITEM_NOT_FOUND
                errors += 1
    return errors


def test_undamaged() -> None:
    assert look(*filled()) == 0


def test_a_flipped_bit_anywhere_is_detected_and_hurts_nothing_else() -> None:
    disk, rpmb = filled()
    cases = 0
    for name, row in list(disk.rows.items()):
        positions = sorted({*range(min(len(row), 40)), *range(0, len(row), 37), len(row) - 1})
        for at in positions:
            disk.rows[name] = row[:at] + bytes([row[at] ^ (1 << at % 8)]) + row[at + 1 :]
            assert look(disk, rpmb) >= 1, (name, at)
            cases += 1
        disk.rows[name] = row
    assert cases > 700
    assert look(disk, rpmb) == 0


@pytest.mark.parametrize("how", ["empty", "cut", "longer", "zero", "gone"])
def test_truncated_grown_zeroed_and_missing_rows(how: str) -> None:
    disk, rpmb = filled()
    for name, row in list(disk.rows.items()):
        changed = {"empty": b"", "cut": row[:-1], "longer": row + b"\0", "zero": bytes(len(row)), "gone": None}[how]
        if changed is None:
            del disk.rows[name]
        else:
            disk.rows[name] = changed
        assert look(disk, rpmb) >= 1, name
        disk.rows[name] = row


def test_swapped_rows_between_objects_and_applications() -> None:
    disk, rpmb = filled()
    names = [n for n in sorted(disk.rows) if n[:1] == b"o"]
    for one, two in zip(names, names[1:] + names[:1], strict=True):
        first, second = disk.rows[one], disk.rows[two]
        disk.rows[one], disk.rows[two] = second, first
        assert look(disk, rpmb) == 2
        disk.rows[one], disk.rows[two] = first, second


def test_an_old_row_of_the_same_object_does_not_come_back() -> None:
    disk, rpmb = filled()
    old = dict(disk.rows)
    opened_store = opened(disk, rpmb)
    store = opened_store.namespace(ONE)
    name = opened_store.name(store.header(b"AAA"))
    with store.transaction() as transaction:
        transaction.put(b"AAA", b"new", kind="k", owner=b"owner")
    assert disk.rows[name] != old[name]
    disk.rows[name] = old[name]
    with pytest.raises(TeeError) as caught:
        opened(disk, rpmb).namespace(ONE).get(b"AAA")
    assert caught.value.result is TeeResult.CORRUPT_OBJECT


def test_an_erased_object_does_not_come_back() -> None:
    disk, rpmb = filled()
    old = dict(disk.rows)
    with opened(disk, rpmb).namespace(ONE).transaction() as transaction:
        transaction.erase(b"BBB")
    for name in set(old) - set(disk.rows):
        disk.rows[name] = old[name]
    with pytest.raises(TeeError) as caught:
        opened(disk, rpmb).namespace(ONE).get(b"BBB")
    assert caught.value.result is TeeResult.ITEM_NOT_FOUND
    disk.rows = old
    with pytest.raises(TeeError) as caught:
        opened(disk, rpmb)
    assert caught.value.result is TeeResult.SECURITY


def test_another_hardware_key_opens_nothing() -> None:
    disk, rpmb = filled()
    with pytest.raises(TeeError) as caught:
        opened(disk, rpmb, huk=bytes(32))
    assert caught.value.result in TYPED


def test_cost_of_one_more_does_not_grow_with_what_is_there() -> None:
    class Counting(MemoryBlobs):
        written = 0

        def commit(self, changes: object) -> None:
            Counting.written = sum(map(len, changes.puts.values()))  # type: ignore[attr-defined]
            super().commit(changes)  # type: ignore[arg-type]

    sizes = {}
    for count in (100, 3000):
        disk, rpmb = Counting(), RpmbDevice(MemoryMedium())
        store = opened(disk, rpmb, create=True).namespace(ONE)
        with store.transaction() as transaction:
            for i in range(count):
                transaction.put(i.to_bytes(16, "big"), bytes(100), kind="k", owner=b"o")
        with store.transaction() as transaction:
            transaction.put(b"one more", bytes(100), kind="k", owner=b"o")
        sizes[count] = Counting.written
    assert sizes[3000] < 3 * sizes[100]
