"""The intentions of the old corruption series 9001 to 9524, on this store's rows and pages.

There a changed byte gives CORRUPT_OBJECT once and ITEM_NOT_FOUND afterwards, because OP-TEE removes what is damaged.
Here it stays CORRUPT_OBJECT until the application overwrites the object: see docs/gp-objects.md.
There is no head, node or data block: a row has version, digest, nonce and one sealed body with its tag, so damage
anywhere in an object is found when it is read from the disk; the head's and nodes' cases become the directory's pages.
"""

from uuid import UUID

import pytest

from tee_sim.gp_objects import Flag, GpObjects, TaPanic, Whence
from tee_sim.shared.errors import TeeError, TeeResult
from tests.tee_sim.gp.devices import ALL, READ, Device, refused

SIZES = (1, 2, 3, 4, 8, 4094, 4095, 4097, 4098, 4096, 2 * 4096, 3 * 4096, 4 * 4096)


def made(size: int) -> tuple[Device, bytes]:
    """A device with a damaged-to-be and a healthy object, and the row name of the first."""
    device = Device()
    objects = device.objects()
    objects.close(objects.create(b"id", ALL, bytes(size)))
    objects.close(objects.create(b"healthy", ALL, b"well"))
    mine = device.store.namespace(UUID(int=1))
    return device, device.store.name(mine.header(b"\0id"))


def bump(device: Device, name: bytes, at: int) -> None:
    """Value + 1 of one byte, as in the old cases."""
    row = bytearray(device.disk.rows[name])
    row[at] = (row[at] + 1) % 256
    device.disk.rows[name] = bytes(row)


def stays_corrupt_until_overwritten(device: Device) -> None:
    device.boot()
    objects = device.objects()
    for _ in range(2):
        refused(TeeResult.CORRUPT_OBJECT, objects.open, b"id", READ)
    refused(TeeResult.ACCESS_CONFLICT, objects.create, b"id", ALL)
    assert objects.read(objects.open(b"healthy", READ), 9) == b"well"
    handle = objects.create(b"id", ALL | Flag.OVERWRITE, b"again")
    assert objects.read(handle, 9) == b"again"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", ["first", "digest", "nonce", "body", "padding", "tag", "last"])
def test_9001_to_9523_a_changed_byte_of_the_row(size: int, place: str) -> None:
    device, name = made(size)
    end = len(device.disk.rows[name])
    at = {
        "first": 0, "digest": 8, "nonce": 40, "body": 52 + size // 2, "padding": end - 17, "tag": end - 16,
        "last": end - 1,
    }[place]  # fmt: skip
    bump(device, name, at)
    stays_corrupt_until_overwritten(device)


def test_9524_an_unlinked_row() -> None:
    device, name = made(100)
    del device.disk.rows[name]
    stays_corrupt_until_overwritten(device)


@pytest.mark.parametrize("at", [0, 1, 40, -16, -1])
def test_9021_a_changed_byte_of_the_root_page_refuses_the_whole_store(at: int) -> None:
    device, _ = made(100)
    name = next(name for name in device.disk.rows if name.startswith(b"p"))
    bump(device, name, at % len(device.disk.rows[name]))
    try:
        device.boot()
    except TeeError as error:
        assert error.result in {TeeResult.SECURITY, TeeResult.CORRUPT_OBJECT}
    else:
        pytest.fail("a damaged directory was accepted")


def test_9501_a_changed_byte_of_a_leaf_page_hides_nothing() -> None:
    device = Device()
    objects = device.objects()
    for number in range(200):
        objects.close(objects.create(bytes([number]), ALL, b"x"))
    leaf = max(name for name in device.disk.rows if name.startswith(b"p"))
    bump(device, leaf, len(device.disk.rows[leaf]) // 2)
    device.boot()
    objects = device.objects()
    results = [opened(objects, bytes([number])) for number in range(200)]
    assert set(results) == {TeeResult.SUCCESS, TeeResult.CORRUPT_OBJECT}


def opened(objects: GpObjects, object_id: bytes) -> TeeResult:
    try:
        objects.close(objects.open(object_id, READ))
    except TeeError as error:
        return error.result
    return TeeResult.SUCCESS


@pytest.mark.parametrize("operation", ["read", "write", "truncate", "seek", "info", "rename", "restrict_usage"])
def test_9503_damage_while_open_closes_the_handle(operation: str) -> None:
    device, name = made(5000)
    objects = device.objects()
    handle = objects.open(b"id", ALL)
    bump(device, name, len(device.disk.rows[name]) - 1)
    device.store.rows.clear()  # the row has made room for others
    arguments = {
        "read": (1,), "write": (b"x",), "truncate": (1,), "seek": (0, Whence.END), "info": (), "rename": (b"new",),
        "restrict_usage": (0,),
    }[operation]  # fmt: skip
    refused(TeeResult.CORRUPT_OBJECT, getattr(objects, operation), handle, *arguments)
    with pytest.raises(TaPanic):
        objects.read(handle, 1)
    stays_corrupt_until_overwritten(device)
