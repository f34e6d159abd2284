"""Whose rows are in memory when a request begins: they are read again only where something has changed."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tee_sim.secure.counted_store import CountedStore
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.ledger import Ledger
from tee_sim.secure.pace import Pace
from tee_sim.secure.storage import ObjectStore
from tee_sim.secure.traffic import CountedBlobs
from tee_sim.shared.manifest import CommandWrites, Manifest
from tee_sim.shared.rng import OsRng
from tee_sim.shared.row_patterns import parse_commit
from tee_sim.testing.in_memory import MemoryBlobs

ALICE, BOB = b"alice000", b"bob00000"
MANIFEST = Manifest.from_toml(
    'uuid = "00000000-0000-0000-0000-000000000001"\nname = "noted"\nentry = "noted.app:App"\ncode = ["noted.*"]\n'
    "[budget]\nbits = 4096\n"
)


class Disk(MemoryBlobs):
    """Notes which rows of objects are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read_names: set[bytes] = set()

    def read(self, names: Sequence[bytes]) -> list[bytes | None]:
        self.read_names |= {name for name in names if name[:1] == b"o"}
        return super().read(names)


class Seen:
    """A store, and what a request that names somebody has read of it, and is known to be about."""

    def __init__(self, disk: Disk, *, create: bool = False) -> None:
        self.disk = disk
        ledger = Ledger()
        self.blobs = CountedBlobs(disk, ledger)
        self.store = ObjectStore.open(self.blobs, None, KeyLadder(bytes(32), bytes(16)), OsRng(), create=create)
        self.watch = CountedStore(self.store, self.blobs, Pace(None, ledger))  # type: ignore[arg-type]
        self.mine = self.store.namespace(MANIFEST.ta_uuid)

    def begin(self, *named: bytes, manifest: Manifest = MANIFEST, command: int = 1) -> set[bytes]:
        """Ids of the rows that are read; those that the request is about are `related`."""
        self.disk.read_names = set()
        with self.store.request():
            self.watch.begin(manifest, command, frozenset(named))
        names = {self.store.row_name(MANIFEST.ta_uuid, h.object_id): h.object_id for h in self.mine.headers()}
        self.related = {names[name] for name in self.blobs._asked.related}
        return {names[name] for name in self.disk.read_names}


@pytest.fixture
def seen() -> Seen:
    made = Seen(Disk(), create=True)
    for object_id, owner in ((b"A1", ALICE), (b"A2", ALICE), (b"B1", BOB)):
        made.mine.put(object_id, b"body", kind="k", owner=owner)
    return Seen(made.disk)


def test_the_second_request_about_somebody_reads_nothing_and_is_about_the_same(seen: Seen) -> None:
    assert (seen.begin(ALICE), seen.related) == ({b"A1", b"A2"}, {b"A1", b"A2"})
    assert (seen.begin(ALICE), seen.related) == (set(), {b"A1", b"A2"})
    assert (seen.begin(BOB), seen.related) == ({b"B1"}, {b"B1"})
    seen.mine.put(b"A1", b"other", kind="k", owner=ALICE)
    assert (seen.begin(ALICE), seen.related) == (set(), {b"A1", b"A2"})


def test_what_is_known_is_of_one_command_of_one_application(seen: Seen) -> None:
    """Another command of the same person may put other rows, and another application has none of hers."""
    of_two = replace(MANIFEST, writes=(CommandWrites(command=2, commits=("A*",)),))
    seen.begin(ALICE, manifest=of_two)
    seen.begin(ALICE, manifest=of_two, command=2)
    assert seen.blobs._asked.commits == (parse_commit("A*"),)
    seen.begin(ALICE, manifest=replace(of_two, uuid=bytes(range(16))), command=2)
    assert seen.related == set()


def test_a_walk_sees_what_an_open_transaction_has_put_and_erased(seen: Seen) -> None:
    seen.begin(ALICE)
    assert [o.header.object_id for o in seen.mine.load(kind="k")] == [b"A1", b"A2", b"B1"]
    with seen.mine.transaction() as change:
        change.put(b"A3", b"new", kind="k")
        change.erase(b"A1")
        assert [o.header.object_id for o in seen.mine.load(kind="k")] == [b"A2", b"A3", b"B1"]


def test_a_walk_of_a_kind_goes_in_the_order_of_ids(seen: Seen) -> None:
    more = [bytes((letter,)) for letter in b"zyxwvutsrq"]
    for object_id in more:
        seen.mine.put(object_id, b"body", kind="k", owner=BOB)
    assert [o.header.object_id for o in seen.mine.load(kind="k")] == [b"A1", b"A2", b"B1", *sorted(more)]


def test_who_names_nobody_waits_for_no_directory(seen: Seen) -> None:
    with seen.store.request():
        seen.watch.begin(MANIFEST, 1, frozenset())
    assert seen.watch._relations == {}


def test_what_came_went_or_became_anothers_counts_at_once(seen: Seen) -> None:
    seen.begin(ALICE)
    seen.mine.put(b"A3", b"new", kind="k", owner=ALICE)
    assert (seen.begin(ALICE), seen.related) == (set(), {b"A1", b"A2", b"A3"})
    seen.mine.put(b"B1", b"hers now", kind="k", owner=ALICE)
    assert (seen.begin(ALICE), seen.related) == (set(), {b"A1", b"A2", b"A3", b"B1"})
    seen.mine.erase(b"A2")
    assert (seen.begin(ALICE), seen.related) == (set(), {b"A1", b"A3", b"B1"})


def test_what_made_room_for_others_is_read_again(seen: Seen) -> None:
    seen.begin(ALICE)
    seen.store.rows.clear()
    assert seen.begin(ALICE) == {b"A1", b"A2"}
