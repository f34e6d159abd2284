"""What is kept decoded is what the last commit wrote, whatever a transaction puts, erases, or comes to."""

import pytest

from bioguard.trusted import kept_objects
from bioguard.trusted.kept_objects import KeptStore, keep
from tee_sim.secure.storage import TaStore
from tee_sim.shared.errors import TeeError
from tests.tee_sim.storage.conftest import TA, World

ONE = b"C1"


class Told:
    """A store that notes what is opened."""

    def __init__(self, inner: TaStore) -> None:
        self.inner = inner
        self.opened: list[bytes] = []
        self.get, self.headers, self.load, self.state = inner.get, inner.headers, inner.load, inner.state
        self.fetch, self.transaction = inner.fetch, inner.transaction

    def find(self, object_id: bytes) -> object:
        self.opened.append(object_id)
        return self.inner.find(object_id)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def told(world: World) -> Told:
    return Told(world.open(create=True).namespace(TA))


@pytest.fixture
def store(told: Told) -> KeptStore:
    return KeptStore(told)  # type: ignore[arg-type]


def value(store: KeptStore, object_id: bytes = ONE) -> bytes | None:
    return store.value(object_id, lambda body, _ids: body)


def put(store: KeptStore, body: bytes, *, kept: bool = True) -> None:
    with store.transaction() as transaction:
        transaction.put(ONE, body, kind="k")
        if kept:
            keep(transaction, ONE, body)


@pytest.mark.parametrize("kept", [True, False])
def test_what_a_commit_wrote_is_what_is_read(store: KeptStore, *, kept: bool) -> None:
    assert value(store) is None
    for body in (b"a", b"b"):
        put(store, body, kept=kept)
        assert value(store) == body
    with store.transaction() as transaction:
        assert value(store) == b"b"
        transaction.erase(ONE)
        assert value(store) is None
    assert value(store) is None


def test_what_is_kept_is_not_opened_again(store: KeptStore, told: Told) -> None:
    put(store, b"a")
    assert [value(store) for _ in range(3)] == [b"a"] * 3
    assert not told.opened
    store.doubt()
    assert [value(store) for _ in range(3)] == [b"a"] * 3
    assert told.opened == [ONE]


@pytest.mark.parametrize("fault", ["commit: eio", "rpmb.write@1: eio", "rpmb.write@1: lose-reply"])
def test_nothing_of_a_commit_that_failed_is_kept(store: KeptStore, world: World, fault: str) -> None:
    put(store, b"a")
    world.arm(fault)
    with pytest.raises(TeeError):
        put(store, b"b")
    world.arm("")
    assert value(store) == b"a"


def test_nothing_of_a_transaction_that_was_given_up_is_kept(store: KeptStore, told: Told) -> None:
    put(store, b"a")

    def given_up() -> None:
        with store.transaction() as transaction:
            transaction.put(ONE, b"b", kind="k")
            keep(transaction, ONE, b"b")
            assert value(store) == b"b"
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        given_up()
    assert value(store) == b"a"
    assert told.opened == [ONE], "nothing is kept after it"


def test_no_more_is_kept_than_the_bound(store: KeptStore, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_objects, "MOST_KEPT", 2)
    for object_id in (b"1", b"2", b"3", b"3", b"1"):
        value(store, object_id)
    assert told.opened == [b"1", b"2", b"3", b"1"]
