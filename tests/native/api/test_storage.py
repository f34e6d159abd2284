"""Persistent objects and their data as the core answers them: what a call that succeeds leaves behind."""

from typing import Any

import pytest

from tee_sim.gp_api.storage import READ_BYTES, STORAGES
from tee_sim.gp_objects.constants import MAX_DATA_BYTES
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.gp_functions import Function
from tests.native.api.native import META, OVERWRITE, PRIVATE, READ, WRITE, App, Panicked, Refused

F = Function


def content(app: App, object_id: bytes = b"id") -> bytes:
    handle = app.one(F.OPEN_PERSISTENT_OBJECT, PRIVATE, object_id, READ)
    data: bytes = app.one(F.READ_OBJECT_DATA, handle, READ_BYTES)
    app.ask(F.CLOSE_OBJECT, handle)
    return data


def test_what_is_written_truncated_and_renamed_is_there_after_a_reboot() -> None:
    app = App()
    handle = app.stored(data=b"0123456789")
    app.ask(F.SEEK_OBJECT_DATA, handle, -2, 2)
    app.ask(F.WRITE_OBJECT_DATA, handle, b"abc", 3)
    assert app.ask(F.GET_OBJECT_INFO1, handle)[4:6] == [11, 11]
    app.ask(F.TRUNCATE_OBJECT_DATA, handle, 10)
    app.ask(F.RENAME_PERSISTENT_OBJECT, handle, b"new")
    assert app.ask(F.GET_OBJECT_INFO1, handle)[4:6] == [10, 11]
    app = app.restarted()
    assert content(app, b"new") == b"01234567ab"
    with pytest.raises(Refused) as caught:
        content(app)
    assert caught.value.result is TeeResult.ITEM_NOT_FOUND


@pytest.mark.parametrize("function", [F.CLOSE_AND_DELETE_PERSISTENT_OBJECT1, F.CLOSE_AND_DELETE_PERSISTENT_OBJECT])
def test_what_is_deleted_is_gone_with_its_handle(function: Function) -> None:
    app = App()
    handle = app.stored()
    assert app.ask(function, handle) == []
    assert app.ask(function, 0) == [], "TEE_HANDLE_NULL"
    with pytest.raises(Panicked):
        app.ask(F.CLOSE_OBJECT, handle)
    app.stored(flags=READ)


def test_objects_are_freed_and_reset() -> None:
    app = App()
    handle = app.aes()
    assert app.ask(F.RESET_TRANSIENT_OBJECT, handle) == []
    assert app.ask(F.GET_OBJECT_INFO1, handle)[1] == 0
    assert app.ask(F.FREE_TRANSIENT_OBJECT, handle) == []
    for function in (F.RESET_TRANSIENT_OBJECT, F.FREE_TRANSIENT_OBJECT, F.CLOSE_OBJECT):
        assert app.ask(function, 0) == [], "TEE_HANDLE_NULL"
        with pytest.raises(Panicked):
            app.ask(function, handle)


def test_an_enumerator_finds_each_object_once() -> None:
    app = App()
    stored = {b"": b"", b"a": b"1", b"\0": b"22", bytes(64): b"333", b"\xff" * 64: b"4444"}
    for object_id, data in stored.items():
        app.ask(F.CLOSE_OBJECT, app.stored(object_id, data=data))
    number = app.one(F.ALLOCATE_PERSISTENT_OBJECT_ENUMERATOR)
    app.ask(F.START_PERSISTENT_OBJECT_ENUMERATOR, number, PRIVATE)
    found: dict[bytes, Any] = {}
    for _ in stored:
        *info, object_id = app.ask(F.GET_NEXT_PERSISTENT_OBJECT, number)
        found[object_id] = info
    assert found == {key: [0xA00000BF, 0, 0, 0xFFFFFFFF, len(data), 0, 0x30000] for key, data in stored.items()}
    assert app.ask(F.RESET_PERSISTENT_OBJECT_ENUMERATOR, number) == []
    with pytest.raises(Refused):
        app.ask(F.GET_NEXT_PERSISTENT_OBJECT, number)
    assert app.ask(F.FREE_PERSISTENT_OBJECT_ENUMERATOR, number) == []
    with pytest.raises(Panicked):
        app.ask(F.FREE_PERSISTENT_OBJECT_ENUMERATOR, number)


def test_one_storage_has_three_names() -> None:
    app = App()
    app.ask(F.CLOSE_OBJECT, app.stored())
    for storage in STORAGES:
        app.ask(F.CLOSE_OBJECT, app.one(F.OPEN_PERSISTENT_OBJECT, storage, b"id", READ))


def test_an_object_of_zeros_needs_no_bytes_on_the_way_and_has_an_end() -> None:
    app = App()
    app.ask(F.CREATE_PERSISTENT_OBJECT, PRIVATE, b"id", READ, 0, None, 5)
    app.stored(b"full", READ | WRITE | META | OVERWRITE, bytes(MAX_DATA_BYTES))
    with pytest.raises(Refused) as caught:
        app.ask(F.CREATE_PERSISTENT_OBJECT, PRIVATE, b"more", READ, 0, bytes(MAX_DATA_BYTES + 1), MAX_DATA_BYTES + 1)
    assert caught.value.result is TeeResult.STORAGE_NO_SPACE
    app = app.restarted()
    assert content(app) == bytes(5)
    handle = app.one(F.OPEN_PERSISTENT_OBJECT, PRIVATE, b"full", READ)
    parts = [len(app.one(F.READ_OBJECT_DATA, handle, 1 << 40)) for _ in range(3)]
    assert parts == [READ_BYTES, MAX_DATA_BYTES - READ_BYTES, 0]


def test_a_damaged_object_is_not_renamed() -> None:
    app = App()
    handle = app.stored()
    whole = app.store.get

    def damaged(object_id: bytes) -> Any:
        if object_id == b"\0id":
            app.store.result = TeeResult.CORRUPT_OBJECT
        return whole(object_id)

    app.store.get = damaged  # type: ignore[method-assign]
    with pytest.raises(Refused) as caught:
        app.ask(F.RENAME_PERSISTENT_OBJECT, handle, b"new")
    assert caught.value.result is TeeResult.CORRUPT_OBJECT
