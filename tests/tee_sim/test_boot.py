"""Per-boot keys: the same within a boot, new after it, and an old boot's name brings nothing back."""

from uuid import UUID

import pytest

from tee_sim.boot import BOOT_OBJECT, CORE_UUID, shared_keys
from tee_sim.errors import TeeError, TeeResult
from tee_sim.keys import KeyLadder
from tee_sim.manifest import Manifest
from tee_sim.rng import SeededRng
from tee_sim.secure import _TaKeys

A, B = b"A" * 16, b"B" * 16


class Store:
    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def get(self, object_id: bytes):
        if object_id not in self.rows:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such object")
        return type("Stored", (), {"body": self.rows[object_id]})()

    def transaction(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def put(self, object_id: bytes, body: bytes, *, kind: str) -> None:
        assert kind == "boot"
        self.rows[object_id] = body


def test_same_boot_same_keys_and_names_separate() -> None:
    store, rng = Store(), SeededRng(b"boot")
    first = shared_keys(["x", "y"], store, A, rng)
    assert shared_keys(["x", "y"], store, A, rng) == first
    assert first["x"] != first["y"]
    assert {len(k) for k in first.values()} == {32}


def test_another_boot_has_other_keys_and_the_old_name_brings_nothing_back() -> None:
    store, rng = Store(), SeededRng(b"boot")
    first = shared_keys(["x"], store, A, rng)
    second = shared_keys(["x"], store, B, rng)
    third = shared_keys(["x"], store, A, rng)
    assert len({first["x"], second["x"], third["x"]}) == 3


def test_a_start_without_a_name_is_a_boot_of_its_own_and_stores_nothing() -> None:
    store, rng = Store(), SeededRng(b"boot")
    assert shared_keys(["x"], store, None, rng) != shared_keys(["x"], store, None, rng)
    assert shared_keys([], store, A, rng) == {}
    assert store.rows == {}


def test_other_errors_of_the_store_are_not_swallowed_and_a_short_object_is_replaced() -> None:
    store, rng = Store(), SeededRng(b"boot")
    store.rows[BOOT_OBJECT] = A
    assert len(shared_keys(["x"], store, A, rng)["x"]) == 32
    assert len(store.rows[BOOT_OBJECT]) == 48

    def broken(object_id: bytes):
        raise TeeError(TeeResult.CORRUPT_OBJECT, "damaged")

    store.get = broken
    with pytest.raises(TeeError, match="damaged"):
        shared_keys(["x"], store, A, rng)


def test_only_applications_that_name_a_shared_key_get_it() -> None:
    keys = {"x": bytes(32), "y": b"y" * 32}
    manifest = Manifest(uuid=A, name="x", entry="a:B", code=(), shared_keys=("x",))
    given = _TaKeys(KeyLadder(bytes(32), bytes(16)), manifest, keys)
    assert given.shared("x") == bytes(32)
    with pytest.raises(TeeError, match="the manifest does not name this shared key") as caught:
        given.shared("y")
    assert caught.value.result is TeeResult.ACCESS_DENIED


def test_no_application_can_have_the_cores_namespace() -> None:
    with pytest.raises(TeeError, match="the nil uuid belongs to the core"):
        Manifest(uuid=CORE_UUID.bytes, name="x", entry="a:B", code=())
    assert UUID(int=0) == CORE_UUID
