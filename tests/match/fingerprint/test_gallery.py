"""Galleries: every backend gives the same answer, rows come and go."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioguard.errors import InputRefused
from bioguard.match import FingerprintGallery
from bioguard.match.fingerprint import backends, native_backend, prepare, prepare_all
from bioguard.match.fingerprint.extraction import NATIVE, describe
from bioguard.match.fingerprint.native_backend import PackedTemplates, compare
from bioguard.match.fingerprint.numpy_backend import evidence_block
from bioguard.match.fingerprint.prepared import PreparedTemplate
from tests.match.fingerprint.fingers import impression, noise

MIXED = [impression(p, n) for p in range(12) for n in range(2)] + [noise(n, n) for n in (0, 1, 2, 7, 8, 9, 90, 255)]
PREPARED = prepare_all(MIXED)
COMPILED = [name for name in backends() if name != "numpy"]
needs_kernel = pytest.mark.skipif(NATIVE is None, reason="the kernel was not built")


@needs_kernel
@pytest.mark.parametrize("backend", COMPILED)
def test_kernel_agrees_with_numpy(backend: str) -> None:
    records = PackedTemplates.of(PREPARED, PREPARED[0].codes.shape[1])
    for probe in PREPARED:
        mine, twin = compare(probe, [records], backend), evidence_block(probe, PREPARED)
        assert np.array_equal(mine[:, 1:4], twin[:, 1:4]), "counts are whole numbers and must be equal"
        assert np.allclose(mine, twin, rtol=2e-5, atol=2e-5)


@needs_kernel
def test_variants_agree_to_the_last_bit() -> None:
    records = PackedTemplates.of(PREPARED, PREPARED[0].codes.shape[1])
    for probe in PREPARED:
        results = {compare(probe, [records], name).tobytes() for name in COMPILED}
        assert len(results) == 1


@needs_kernel
def test_compiled_descriptors_agree_with_numpy() -> None:
    for mine, twin in zip(describe(MIXED), describe(MIXED, compiled=False), strict=True):
        assert mine.shape == twin.shape
        difference = np.abs(mine.astype(int) - twin)
        assert difference.max(initial=0) <= 1
        assert np.mean(difference != 0) < 1e-3 if difference.size else True


@pytest.mark.parametrize("backend", backends())
def test_rows_come_and_go(backend: str) -> None:
    gallery = FingerprintGallery(MIXED[:10], backend=backend)
    assert gallery.add(PREPARED[10:20]).tolist() == list(range(10, 20))
    before = gallery.scores(MIXED[3])
    gallery.remove([0, 7, 19])
    assert len(gallery) == 17
    assert np.array_equal(gallery.scores(MIXED[3]), np.delete(before, [0, 7, 19]))
    assert gallery.template(6).to_bytes() == PREPARED[8].to_bytes()
    assert gallery.stats.backend == backend
    assert gallery.stats.rows == 17
    assert 1000 < gallery.stats.bytes_per_template < 12_000
    with pytest.raises(InputRefused, match="no such gallery row"):
        gallery.remove([17])
    for call, message in (
        (lambda: gallery.remove([1.5]), "row numbers have dtype float64, expected integers"),
        (lambda: gallery.remove([True]), "row numbers have dtype bool, expected integers"),
        (lambda: gallery.template(17), "row is 17, expected 0 to 16"),
        (lambda: gallery.template(-1), "row is -1, expected 0 to 16"),
        (lambda: gallery.template(1.0), "row is 1.0, expected a whole number"),
        (lambda: gallery.search(MIXED[3], 1.5), "k is 1.5, expected a whole number"),
        (lambda: gallery.search(MIXED[3], True), "k is True, expected a whole number"),
        (lambda: gallery.search(MIXED[3], 0), "k is 0, expected at least 1"),
        (lambda: FingerprintGallery([], backend=backend, threads=0), "threads is 0, expected 1 to 64"),
    ):
        with pytest.raises(InputRefused) as caught:
            call()
        assert caught.value.message == message
    assert len(gallery) == 17


@pytest.mark.parametrize("backend", backends())
def test_search_is_the_top_of_scores(backend: str) -> None:
    gallery = FingerprintGallery(MIXED, backend=backend)
    scores, rows = gallery.search(MIXED[4], 5)
    everything = gallery.scores(MIXED[4])
    assert rows[:2].tolist() == [4, 5], "the print itself, then the same finger"
    assert np.array_equal(scores, everything[rows])
    assert np.array_equal(np.sort(everything)[::-1][:5], scores)
    assert gallery.search(MIXED[4], 1000)[1].size == len(MIXED)


@pytest.mark.parametrize("backend", backends())
def test_empty_gallery(backend: str) -> None:
    gallery = FingerprintGallery(backend=backend)
    assert gallery.scores(MIXED[0]).size == 0
    assert gallery.search(MIXED[0], 3)[1].size == 0
    assert gallery.stats.bytes_per_template == 0


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_backend, "_CHUNK", 7)
    one, two = FingerprintGallery(MIXED), FingerprintGallery(MIXED, threads=2)
    assert np.array_equal(one.scores(MIXED[1]), two.scores(MIXED[1]))


def test_cascade_finds_the_finger() -> None:
    rows = PREPARED[:24] + prepare_all([impression(p) for p in range(100, 320)])
    gallery = FingerprintGallery(rows, backend="numpy")
    scores, found = gallery.search(PREPARED[0], 2)
    assert found.tolist() == [0, 1]
    assert np.array_equal(scores, gallery.search(PREPARED[0], 2, exhaustive=True)[0])


def test_unknown_backend() -> None:
    with pytest.raises(InputRefused, match="no fingerprint backend abacus here"):
        FingerprintGallery(backend="abacus")


@pytest.mark.parametrize("t", PREPARED[-8:], ids=len)
def test_prepared_bytes_round_trip(t: PreparedTemplate) -> None:
    data = t.to_bytes()
    again = PreparedTemplate.from_bytes(data)
    assert again.to_bytes() == data
    assert len(data) == 4 + len(t) * (8 + t.codes.shape[1])
    for broken in (data[:-1], data + b"\0", b"\x02" + data[1:], data[:3] + b"\x01" + data[4:]):
        with pytest.raises(InputRefused, match="not a prepared fingerprint"):
            PreparedTemplate.from_bytes(broken)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_prepared_bytes_are_a_value_or_our_error(data: bytes) -> None:
    with contextlib.suppress(InputRefused):
        assert PreparedTemplate.from_bytes(data).to_bytes() == data


def kernel_args(probe: PreparedTemplate, packed: PackedTemplates) -> list[object]:
    """Arguments of the compiled `compare`: probe, constants, a gallery of one piece, room for the answer."""
    return [
        0, 96, 1, probe.codes, probe.places, native_backend._CONSTANTS, native_backend._KEPT,
        ((packed.data, packed.starts, packed.counts),), np.empty((len(packed), 6), np.float32),
    ]  # fmt: skip


@needs_kernel
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_kernel_refuses_what_does_not_fit(data: st.DataObject) -> None:
    """Any wrong size or offset ends in ValueError, never in a read outside a buffer."""
    assert NATIVE is not None
    args = kernel_args(prepare(MIXED[0]), PackedTemplates.of(PREPARED[:5], 96))
    where = data.draw(st.sampled_from([3, 4, 5, 6, 8, "part"]))
    whole = list(args[7][0]) if where == "part" else args  # type: ignore[index]
    at = data.draw(st.integers(0, 2)) if where == "part" else int(where)
    wrong = np.asarray(whole[at]).reshape(-1)
    whole[at] = wrong[: data.draw(st.integers(0, wrong.size - 1))].copy()
    if where == "part":
        args[7] = (tuple(whole),)
    with pytest.raises(ValueError, match=r"wrong size|outside the buffer|differ in length"):
        NATIVE.compare(*args)


@needs_kernel
@pytest.mark.parametrize(("at", "value"), [(0, 9), (0, -1), (1, 97), (1, 136), (2, 0), (2, -1), (2, 65)])
def test_kernel_refuses_numbers_out_of_range(at: int, value: int) -> None:
    assert NATIVE is not None
    args = kernel_args(prepare(MIXED[0]), PackedTemplates.of(PREPARED[:5], 96))
    args[at] = value
    with pytest.raises(ValueError, match=r"no such variant|out of range"):
        NATIVE.compare(*args)


@needs_kernel
@pytest.mark.parametrize("pieces", [None, [], ((),), (1,), ((1, 2, 3),), ((np.zeros(1, np.uint8),) * 2,)])
def test_kernel_refuses_what_is_no_gallery(pieces: object) -> None:
    assert NATIVE is not None
    args = kernel_args(prepare(MIXED[0]), PackedTemplates.of(PREPARED[:5], 96))
    args[7] = pieces
    with pytest.raises(TypeError):
        NATIVE.compare(*args)


@needs_kernel
def test_kernel_refuses_a_record_that_reaches_out() -> None:
    assert NATIVE is not None
    probe, packed = prepare(MIXED[0]), PackedTemplates.of(PREPARED[:2], 96)
    for starts in ([0, packed.data.size], [-2, 0], [1, 0], [0, 2**62]):
        args = kernel_args(probe, packed)
        args[7] = ((packed.data, np.array(starts, np.int64), packed.counts),)
        with pytest.raises(ValueError, match="outside the buffer"):
            NATIVE.compare(*args)
    args[7] = ((packed.data, np.append(packed.starts, 0), packed.counts),)
    with pytest.raises(ValueError, match="differ in length"):
        NATIVE.compare(*args)


@needs_kernel
@pytest.mark.parametrize("backend", COMPILED)
@given(sizes=st.lists(st.integers(0, 80), max_size=6), threads=st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_threads_share_out_any_pieces(backend: str, sizes: list[int], threads: int) -> None:
    """Batches of 32 rows that end within, at and across pieces, of which some are empty."""
    made = [PackedTemplates.of([PREPARED[i % len(PREPARED)] for i in range(n)], 96) for n in sizes]
    shared = compare(PREPARED[1], made, backend, threads)
    alone = [compare(PREPARED[1], [part], backend) for part in made]
    assert np.array_equal(shared, np.concatenate([np.zeros((0, 6), np.float32), *alone]))
