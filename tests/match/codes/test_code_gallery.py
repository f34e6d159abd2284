"""CodeGallery: every kernel against brute force and against each other; growing, shrinking, ties, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from numpy.typing import NDArray

from bioguard.errors import InputRefused
from bioguard.match import CodeGallery
from bioguard.match.kernels import available, choose, describe

KERNELS = available()


def brute(probes: NDArray[np.uint8], codes: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Distances bit by bit, without any counting instruction."""
    a, b = np.unpackbits(probes, axis=1), np.unpackbits(codes, axis=1)
    return np.array([[int((x != y).sum()) for y in b] for x in a], np.uint16).reshape(len(a), len(b))


def nearest(matrix: NDArray[np.uint16], k: int) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    order = np.argsort(matrix, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(matrix, order, axis=1), order


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@st.composite
def problems(draw: st.DrawFn) -> tuple[NDArray[np.uint8], NDArray[np.uint8], int, int, int]:
    """Codes with many ties (few distinct values), odd sizes, lengths around the byte counter's limit of 31 words."""
    words = draw(st.sampled_from([1, 2, 3, 8, 15, 16, 17, 31, 32, 33]))
    n, m = draw(st.integers(0, 70)), draw(st.integers(0, 19))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    few = rng.integers(0, 256, (draw(st.integers(1, 5)), 8 * words), dtype=np.uint8)
    kind = draw(st.sampled_from(["random", "ties", "extreme"]))
    if kind == "random":
        codes = rng.integers(0, 256, (n, 8 * words), dtype=np.uint8)
    elif kind == "ties":
        codes = few[rng.integers(0, len(few), n)]
    else:
        codes = np.where(rng.integers(0, 2, (n, 1)), 255, 0).astype(np.uint8).repeat(8 * words, axis=1)
    probes = few[rng.integers(0, len(few), m)] if kind != "extreme" else np.zeros((m, 8 * words), np.uint8)
    return codes, probes, draw(st.integers(1, 80)), draw(st.integers(0, 64 * words)), draw(st.integers(1, 4))


@settings(max_examples=120, deadline=None)
@given(problems())
def test_every_kernel_agrees_with_brute_force(
    problem: tuple[NDArray[np.uint8], NDArray[np.uint8], int, int, int],
) -> None:
    codes, probes, k, radius, threads = problem
    matrix = brute(probes, codes)
    distances, indices = nearest(matrix, k)
    for kernel in KERNELS:
        gallery = CodeGallery(codes, kernel=kernel)
        got = gallery.search(probes, k, threads=threads)
        assert (got[0].dtype, got[1].dtype) == (np.uint16, np.int64)
        assert np.array_equal(got[0], distances)
        assert np.array_equal(got[1], indices)
        assert np.array_equal(gallery.distances(probes, threads=threads), matrix)
        counts = gallery.histogram(probes, threads=threads)
        assert np.array_equal(counts, np.bincount(matrix.ravel(), minlength=gallery.n_bits + 1))
        bounds, near, where = gallery.within(probes, radius)
        assert np.array_equal(np.diff(bounds), (matrix <= radius).sum(axis=1))
        assert np.array_equal(where, np.nonzero(matrix <= radius)[1])
        assert np.array_equal(near, matrix[matrix <= radius])


@settings(max_examples=120, deadline=None)
@given(problems(), st.integers(110, 250), st.lists(st.integers(0, 69), max_size=20, unique=True))
def test_a_head_radius_passes_over_rows_unless_too_few_are_left(
    problem: tuple[NDArray[np.uint8], NDArray[np.uint8], int, int, int], radius: int, gone: list[int]
) -> None:
    codes, probes, k, _, threads = problem
    galleries = [CodeGallery(codes, kernel=kernel) for kernel in KERNELS]
    alive = np.setdiff1d(np.arange(len(codes)), gone)
    for gallery in galleries:
        gallery.remove([index for index in gone if index < len(codes)])
    if codes.shape[1] < 40:
        with pytest.raises(InputRefused, match=r"^codes of \d+ bits have no first 320$"):
            galleries[0].search(probes, k, head_radius=radius)
        return
    matrix, heads = brute(probes, codes[alive]), brute(probes[:, :40], codes[alive, :40])
    for gallery in galleries:
        distances, indices = gallery.search(probes, k, threads=threads, head_radius=radius)
        for p in range(len(probes)):
            within = np.flatnonzero(heads[p] <= radius)
            rows = within if within.size >= min(k, len(alive)) else np.arange(len(alive))
            order = rows[np.argsort(matrix[p][rows], kind="stable")[:k]]
            assert np.array_equal(indices[p], alive[order])
            assert np.array_equal(distances[p], matrix[p][order])


def test_what_is_within_the_radius_and_nearest_of_all_is_found(kernel: str) -> None:
    """More blocks within than wait at once, and lists that shrink on the way; several threads."""
    rng = np.random.default_rng(9)
    codes, probes = rng.integers(0, 256, (40_003, 128), dtype=np.uint8), rng.integers(0, 256, (9, 128), dtype=np.uint8)
    gallery = CodeGallery(codes, kernel=kernel)
    full = gallery.search(probes, 40)[1]
    for threads in (1, 3):
        found = gallery.search(probes, 40, head_radius=148, threads=threads)
        for p, probe in enumerate(probes):
            heads = np.bitwise_count(codes[:, :40] ^ probe[:40]).sum(axis=1, dtype=np.uint16)
            rows = np.flatnonzero(heads <= 148)
            line = np.bitwise_count(codes[rows] ^ probe).sum(axis=1, dtype=np.uint16)
            order = np.argsort(line, kind="stable")[:40]
            assert np.array_equal(found[1][p], rows[order])
            assert np.array_equal(found[0][p], line[order])
            assert set(full[p]) & set(rows) <= set(found[1][p])
    within = int(np.count_nonzero(np.bitwise_count(codes[:, :40] ^ probes[0, :40]).sum(axis=1, dtype=np.uint16) <= 140))
    for k, beyond in ((within, False), (within + 1, True)):
        heads = codes[gallery.search(probes[0], k, head_radius=140)[1][0], :40]
        assert (np.bitwise_count(heads ^ probes[0, :40]).sum(axis=1, dtype=np.uint16) > 140).any() == beyond


def test_what_is_removed_or_left_behind_is_overwritten(kernel: str) -> None:
    gallery = CodeGallery(np.full((40, 128), 255, np.uint8), kernel=kernel)

    def held() -> list[NDArray[np.generic]]:
        store = gallery._store
        return list(getattr(store, "_planes", None) or [store._words])  # type: ignore[attr-defined]

    def bits() -> int:
        return sum(int(np.bitwise_count(part).sum()) for part in held())

    gallery.remove(range(3))
    assert bits() == 37 * 1024
    left = held()
    gallery.add(np.full((60, 128), 255, np.uint8))
    assert bits() == 97 * 1024
    assert not any(part.any() for part in left), "a gallery that grew left rows where it was"
    gallery.remove(range(3, 90))
    assert len(gallery._index.live) == len(gallery) == 10, "the rows that stay were moved together"
    assert bits() == 10 * 1024


def test_long_lists_and_many_probes(kernel: str) -> None:
    """Past every internal bound: lists shrink, tiles and rounds of probes change, the last block is ragged."""
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 4, (20_011, 16), dtype=np.uint8)  # a tile is 8 192 rows, distances take 33 values
    probes = rng.integers(0, 4, (261, 16), dtype=np.uint8)  # a round is 256 probes
    gallery = CodeGallery(codes, kernel=kernel)
    for k, threads in ((1, 1), (64, 2), (700, 3)):
        distances, indices = gallery.search(probes, k, threads=threads)
        for p in (0, 7, 8, 255, 256, 260):
            line = np.bitwise_count(codes ^ probes[p]).sum(axis=1, dtype=np.uint16)
            order = np.argsort(line, kind="stable")[:k]
            assert np.array_equal(indices[p], order)
            assert np.array_equal(distances[p], line[order])
    assert np.array_equal(gallery.histogram(probes), gallery.histogram(probes, threads=2))
    assert gallery.histogram(probes).sum() == 261 * 20_011


def test_the_longest_code(kernel: str) -> None:
    codes = np.stack([np.zeros(8184, np.uint8), np.full(8184, 255, np.uint8)])
    gallery = CodeGallery(codes, kernel=kernel)
    distances, indices = gallery.search(codes[1], 2)
    assert distances.tolist() == [[0, 65472]]
    assert indices.tolist() == [[1, 0]]
    assert gallery.histogram(codes)[[0, 65472]].tolist() == [2, 2]


def test_the_whole_list_in_order(kernel: str) -> None:
    codes = np.random.default_rng(0).integers(0, 256, (3_000, 16), dtype=np.uint8)
    distances, indices = CodeGallery(codes, kernel=kernel).search(codes[17], 10_000)
    assert distances.shape == (1, 3_000)
    assert sorted(indices[0]) == list(range(3_000))
    assert (np.diff(distances[0].astype(int)) >= 0).all()


class Growing(RuleBasedStateMachine):
    """Add and remove against a dictionary index -> code; every kernel in step."""

    @initialize(n=st.integers(0, 40))
    def start(self, n: int) -> None:
        self.rng = np.random.default_rng(n)
        codes = self.rng.integers(0, 256, (n, 16), dtype=np.uint8)
        self.model = dict(enumerate(codes))
        self.next = n
        self.galleries = [CodeGallery(codes, kernel=kernel) for kernel in KERNELS]

    @rule(n=st.integers(0, 40))
    def add(self, n: int) -> None:
        codes = self.rng.integers(0, 256, (n, 16), dtype=np.uint8)
        for gallery in self.galleries:
            assert gallery.add(codes).tolist() == list(range(self.next, self.next + n))
        self.model.update(zip(range(self.next, self.next + n), codes, strict=True))
        self.next += n

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        if self.model:
            gone = data.draw(st.lists(st.sampled_from(sorted(self.model)), unique=True, max_size=30))
            for gallery in self.galleries:
                gallery.remove(gone)
            for index in gone:
                del self.model[index]

    @rule(index=st.integers(0, 300))
    def remove_unknown(self, index: int) -> None:
        if index not in self.model:
            for gallery in self.galleries:
                with pytest.raises(InputRefused, match=r"^an index is not in this gallery$"):
                    gallery.remove([*list(self.model)[:1], index])

    @invariant()
    def same_as_the_model(self) -> None:
        ids = np.array(sorted(self.model), np.int64)
        codes = np.array([self.model[i] for i in ids], np.uint8).reshape(len(ids), 16)
        probe = self.rng.integers(0, 256, (2, 16), dtype=np.uint8)
        line = np.bitwise_count(codes[np.newaxis] ^ probe[:, np.newaxis]).sum(axis=2, dtype=np.uint16)
        distances, order = nearest(line, 5)
        for gallery in self.galleries:
            assert len(gallery) == len(ids)
            assert np.array_equal(gallery.indices, ids)
            assert np.array_equal(gallery.distances(probe), line)
            got = gallery.search(probe, 5)
            assert np.array_equal(got[0], distances)
            assert np.array_equal(got[1], ids[order])
            assert np.array_equal(gallery.histogram(probe), np.bincount(line.ravel(), minlength=129))
            assert np.array_equal(gallery.within(probe, 60)[2], ids[np.nonzero(line <= 60)[1]])


TestGrowing = Growing.TestCase
TestGrowing.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)


def test_probes_from_unaligned_and_strided_memory(kernel: str) -> None:
    codes = np.random.default_rng(3).integers(0, 256, (50, 64), dtype=np.uint8)
    gallery = CodeGallery(codes, kernel=kernel)
    raw = np.zeros(64 * 5 + 1, np.uint8)
    unaligned = raw[1:].reshape(5, 64)
    unaligned[:] = codes[:5]
    strided = np.asfortranarray(codes)[:10:2]
    read_only = codes[:3].copy()
    read_only.flags.writeable = False
    assert gallery.search(unaligned, 1)[1].ravel().tolist() == [0, 1, 2, 3, 4]
    assert gallery.search(strided, 1)[1].ravel().tolist() == [0, 2, 4, 6, 8]
    assert gallery.search(read_only, 1)[1].ravel().tolist() == [0, 1, 2]


def test_the_gallery_keeps_its_own_copy(kernel: str) -> None:
    codes = np.zeros((3, 8), np.uint8)
    gallery = CodeGallery(codes, kernel=kernel)
    codes[:] = 255
    assert gallery.search(np.zeros(8, np.uint8), 1)[0].tolist() == [[0]]


def test_empty_gallery(kernel: str) -> None:
    gallery = CodeGallery(np.zeros((0, 128), np.uint8), kernel=kernel)
    probes = np.zeros((2, 128), np.uint8)
    assert [a.shape for a in gallery.search(probes, 5)] == [(2, 0), (2, 0)]
    assert gallery.distances(probes).shape == (2, 0)
    assert gallery.histogram(probes).sum() == 0
    assert gallery.within(probes, 1024)[0].tolist() == [0, 0, 0]
    gallery.add(probes)
    assert gallery.search(probes, 5)[0].tolist() == [[0, 0], [0, 0]]


CODES = np.zeros((2, 16), np.uint8)
LENGTHS = "expected a multiple of 8 from 8 to 8184"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: CodeGallery(CODES.astype(np.int64)), "codes have dtype int64, expected uint8"),
        (lambda g: CodeGallery(np.zeros((1, 2, 8), np.uint8)), "codes have shape (1, 2, 8), expected [n, n_bytes]"),
        (lambda g: CodeGallery(np.zeros((1, 12), np.uint8)), f"codes of 12 bytes, {LENGTHS}"),
        (lambda g: CodeGallery(np.zeros((1, 0), np.uint8)), f"codes of 0 bytes, {LENGTHS}"),
        (lambda g: CodeGallery(np.zeros((1, 8192), np.uint8)), f"codes of 8192 bytes, {LENGTHS}"),
        (lambda g: g.search(np.zeros((1, 8), np.uint8), 1), "codes of 8 bytes, this gallery holds codes of 16"),
        (lambda g: g.add(np.zeros((1, 8), np.uint8)), "codes of 8 bytes, this gallery holds codes of 16"),
        (lambda g: g.search(CODES, 0), "k is 0, expected at least 1"),
        (lambda g: g.search(CODES, 2.5), "k is 2.5, expected a whole number"),
        (lambda g: g.search(CODES, np.float64(1)), "k is np.float64(1.0), expected a whole number"),
        (lambda g: g.search(CODES, True), "k is True, expected a whole number"),
        (lambda g: g.search(CODES, 1, threads=1.0), "threads is 1.0, expected a whole number"),
        (lambda g: g.within(CODES, 2.5), "radius is 2.5, expected a whole number"),
        (lambda g: g.remove([1.7]), "row numbers have dtype float64, expected integers"),
        (lambda g: g.remove(1.0), "row numbers have dtype float64, expected integers"),
        (lambda g: g.remove([True, False]), "row numbers have dtype bool, expected integers"),
        (lambda g: g.remove([2**63 + 1]), "an index is not in this gallery"),
        (lambda g: g.search(CODES, 1, threads=0), "threads is 0, expected 1 to 64"),
        (lambda g: g.histogram(CODES, threads=65), "threads is 65, expected 1 to 64"),
        (lambda g: g.search(CODES, 1, head_radius=319), "codes of 128 bits have no first 320"),
        (lambda g: g.search(CODES, 1, head_radius=321), "head_radius is 321, expected 0 to 320"),
        (lambda g: g.search(CODES, 1, head_radius=-1), "head_radius is -1, expected 0 to 320"),
        (lambda g: g.search(CODES, 1, head_radius=9.0), "head_radius is 9.0, expected a whole number"),
        (lambda g: g.within(CODES, -1), "radius is -1, expected 0 to 128"),
        (lambda g: g.within(CODES, 129), "radius is 129, expected 0 to 128"),
        (lambda g: g.remove([5]), "an index is not in this gallery"),
        (lambda g: g.remove([-1]), "an index is not in this gallery"),
        (lambda g: g.remove([0, 0]), "an index is not in this gallery"),
        (lambda g: CodeGallery(CODES, kernel="sse9"), "kernel 'sse9' cannot run here"),
    ],
)  # fmt: skip
def test_refusals(call: object, message: str) -> None:
    gallery = CodeGallery(CODES)
    with pytest.raises(InputRefused) as caught:
        call(gallery)  # type: ignore[operator]
    assert str(caught.value) == message
    assert caught.value.hint
    assert gallery.indices.tolist() == [0, 1]


def test_environment_forces_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KERNELS:
        monkeypatch.setenv("BIOGUARD_KERNEL", name)
        assert CodeGallery(CODES).kernel == choose() == describe().active == name
        assert describe().forced
    monkeypatch.setenv("BIOGUARD_KERNEL", "altivec")
    with pytest.raises(InputRefused, match=r"^kernel 'altivec' cannot run here$"):
        CodeGallery(CODES)
    assert CodeGallery(CODES, kernel="numpy").kernel == "numpy"


def test_describe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIOGUARD_KERNEL", raising=False)
    found = describe()
    assert found.available[-1] == "numpy"
    assert found.active == found.available[0]
    assert not found.forced
    assert bool(found.note) == (found.active in {"numpy", "portable"})
