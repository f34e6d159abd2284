"""The directory with tiny pages next to a dictionary: contents, order, page accounting and the cost of a change."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tee_sim.secure.storage.directory import Tree
from tee_sim.shared.blobs import Changes, page_name
from tee_sim.shared.rng import OsRng, SeededRng
from tee_sim.testing.in_memory import MemoryBlobs

DEVICE_ID = bytes(16)
KEYS = st.binary(min_size=1, max_size=2)
# layout of an entry: docs/formats/storage.md section 2
BATCHES = st.lists(st.dictionaries(KEYS, st.booleans(), max_size=25), max_size=12)


def entry(text: bytes) -> bytes:
    return bytes(8) + len(text).to_bytes(2, "big") + bytes(60) + text


class Directory:
    """A tree with pages of at most eight, on a disk in memory."""

    def __init__(self) -> None:
        self.blobs = MemoryBlobs()
        self.tree = Tree(self.blobs, DEVICE_ID, SeededRng(b"tree"), leaf=8, inner=8)
        self.keep(self.tree.make_empty())

    def keep(self, update) -> None:  # type: ignore[no-untyped-def]
        self.blobs.commit(Changes(update.puts, tuple(page_name(n) for n in update.freed)))
        self.tree.adopt(update)

    def change(self, changes: dict[bytes, bytes | None]) -> int:
        update = self.tree.update(changes, self.tree.info)
        self.keep(update)
        return len(update.puts)

    def cold(self) -> Tree:
        tree = Tree(self.blobs, DEVICE_ID, OsRng(), leaf=8, inner=8)
        tree.open(self.tree.root)
        return tree


@settings(max_examples=150, deadline=None)
@given(BATCHES)
def test_like_a_dictionary(batches: list[dict[bytes, bool]]) -> None:
    directory, model = Directory(), {}
    for number, batch in enumerate(batches):
        text = entry(bytes((number,)))
        directory.change({key: text if keep else None for key, keep in batch.items()})
        model |= {key: text for key, keep in batch.items() if keep}
        for key, keep in batch.items():
            if not keep:
                model.pop(key, None)
        for tree in (directory.tree, directory.cold()):
            assert list(tree.scan(b"")) == sorted(model.items())
            assert {key: tree.lookup(key) for key in [*batch, b"\0\0"]} == {k: model.get(k) for k in [*batch, b"\0\0"]}
        pages = list(directory.cold().page_numbers())
        assert {page_name(n) for n in pages} == set(directory.blobs.rows)
        assert len(pages) <= 1 + 3 * len(model)


def filled(count: int) -> Directory:
    directory = Directory()
    for start in range(0, count, 50):
        directory.change({i.to_bytes(3, "big"): entry(b"x") for i in range(start, min(count, start + 50))})
    return directory


def test_a_change_writes_the_path_only() -> None:
    for count, most in ((4, 1), (100, 6), (3000, 10)):
        assert filled(count).change({(count // 2).to_bytes(3, "big"): entry(b"y")}) <= most


def test_shrinking_gives_pages_back() -> None:
    directory = filled(1000)
    many = len(directory.blobs.rows)
    for i in range(1000):
        if i % 20:
            directory.change({i.to_bytes(3, "big"): None})
    assert [key for key, _ in directory.cold().scan(b"")] == [i.to_bytes(3, "big") for i in range(0, 1000, 20)]
    assert len(directory.blobs.rows) < many / 4
    directory.change({i.to_bytes(3, "big"): None for i in range(0, 1000, 20)})
    assert set(directory.blobs.rows) == {page_name(0)}


def test_a_scan_goes_on_behind_the_last_key_after_an_update() -> None:
    directory = filled(60)
    seen = []
    for key, _ in directory.tree.scan(b""):
        seen.append(int.from_bytes(key, "big"))
        directory.change({b"\0\0\x20": entry(b"new"), b"\0\0\0": entry(b"behind"), key: entry(b"same")})
    assert seen == list(range(60))


def test_page_numbers_are_never_used_again() -> None:
    directory = filled(100)
    used = set(directory.tree.page_numbers())
    directory.change({i.to_bytes(3, "big"): None for i in range(100)})
    directory.change({i.to_bytes(3, "big"): entry(b"x") for i in range(100)})
    assert used & set(directory.tree.page_numbers()) == {0}


def test_a_page_in_memory_that_is_another_version_is_read_again() -> None:
    directory = Directory()
    directory.change({b"a": entry(b"older")})
    older = dict(directory.tree._cache)
    directory.change({b"a": entry(b"newer")})
    directory.tree._cache.update(older)
    assert directory.tree.lookup(b"a") == entry(b"newer")
    assert [raw for _, raw in directory.tree.scan(b"")] == [entry(b"newer")]
