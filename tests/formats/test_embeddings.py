"""npy, npz and csv against NumPy's own reader and writer; bombs are refused before they are inflated."""

import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bioguard.errors import InputRefused
from bioguard.formats import load, load_bytes, load_features
from bioguard.formats.npy import read_npy
from bioguard.formats.npz import read_npz
from bioguard.records import FaceEmbedding

DTYPES = st.sampled_from(["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "|i1", "|u1", "<i2", ">u4", "<i8"]).map(np.dtype)


def saved(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


@given(st.data(), DTYPES, hnp.array_shapes(min_dims=1, max_dims=2, max_side=9), st.booleans())
@settings(max_examples=150)
def test_reads_what_numpy_writes(data: st.DataObject, dtype: np.dtype, shape: tuple[int, ...], fortran: bool) -> None:
    array = data.draw(hnp.arrays(dtype, shape))
    if fortran:
        array = np.asfortranarray(array)
    ours = read_npy(saved(array))
    theirs = np.load(io.BytesIO(saved(array)), allow_pickle=False)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize(
    "array", [np.array(1.0), np.ones((2, 2, 2)), np.array(["a"]), np.array([True]), np.array([1j])]
)
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    with pytest.raises(InputRefused) as caught:
        read_npy(saved(array))
    assert caught.value.code in ("format.npy_shape", "format.npy_header")


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    stream = io.BytesIO()
    np.save(stream, np.array([Trap()], dtype=object), allow_pickle=True)
    for octets in (stream.getvalue(), _zip("embeddings.npy", stream.getvalue())):
        with pytest.raises(InputRefused) as caught:
            load_bytes(octets, "x.npz" if octets[:2] == b"PK" else "x.npy")
        assert caught.value.code == "format.npy_dtype"
    assert not (tmp_path / "sprung").exists()


def _zip(name: str, content: bytes, compress: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compress) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def test_one_row_is_one_view_and_several_are_a_list(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(3, 128)).astype(np.float32)
    np.save(tmp_path / "one.npy", rows[0])
    np.save(tmp_path / "row.npy", rows[:1])
    np.save(tmp_path / "three.npy", rows)
    np.savez(tmp_path / "named.npz", embeddings=rows, labels=np.arange(3))
    np.savez_compressed(tmp_path / "only.npz", rows)
    np.savetxt(tmp_path / "three.csv", rows, delimiter=",", fmt="%.9e")
    expected = [FaceEmbedding.from_features(row) for row in rows]
    assert load_features(tmp_path / "one.npy") == expected[0]
    assert load_features(tmp_path / "row.npy") == expected[0]
    for name in ("three.npy", "named.npz", "only.npz", "three.csv"):
        assert load_features(tmp_path / name) == expected, name
    with np.load(tmp_path / "named.npz") as archive:
        assert np.array_equal(archive["embeddings"], read_npz((tmp_path / "named.npz").read_bytes()))


def test_extension_wins_and_content_decides_without_one(tmp_path: Path) -> None:
    octets = saved(np.ones(64, np.float32))
    assert len(load_bytes(octets, "face").features) == 1
    assert len(load_bytes(_zip("arr_0.npy", octets), "face.dat").features) == 1
    for name in ("face.iso", "face.npz", "face.xyt", "face.csv"):
        with pytest.raises(InputRefused):
            load_bytes(octets, name)
    with pytest.raises(InputRefused, match="not a feature file this program knows"):
        load_bytes(b"", "x")


def test_inflating_bombs_stay_small() -> None:
    """300 MB of zeros in 300 kB: a header that lies about the size, and one that does not."""
    bomb = _zip("embeddings.npy", bytes(300 << 20))
    assert len(bomb) < 1 << 20
    directory = bomb.index(b"PK\x01\x02")
    lie = bomb[: directory + 24] + (1 << 20).to_bytes(4, "little") + bomb[directory + 28 :]
    tracemalloc.start()
    try:
        for octets, code in ((bomb, "format.too_large"), (lie, "format.npz_damaged")):
            with pytest.raises(InputRefused) as caught:
                load_bytes(octets, "x.npz")
            assert caught.value.code == code
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_archive_limits() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for i in range(65):
            archive.writestr(f"{i}.npy", b"")
    with pytest.raises(InputRefused, match="archive has 65 members"):
        read_npz(stream.getvalue())
    with pytest.raises(InputRefused, match="packed in an unusual way"):
        read_npz(_zip("a.npy", saved(np.ones(64)), zipfile.ZIP_BZIP2))


def test_a_file_is_measured_before_it_is_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bioguard.formats.files as module

    big = tmp_path / "big.iso"
    with big.open("wb") as stream:
        stream.write(b"FMR\0 20\0")
        stream.truncate(module.MAX_MINUTIAE_BYTES + 1)
    monkeypatch.setattr(module, "parse_minutiae", lambda _: pytest.fail("parsed"))
    with pytest.raises(InputRefused, match="file has more than 16777216 bytes") as caught:
        load(big)
    assert caught.value.code == "format.too_large"


def test_too_many_views() -> None:
    header = np.lib.format.magic(1, 0)
    text = b"{'descr': '|i1', 'fortran_order': False, 'shape': (65537, 64), }".ljust(117) + b"\n"
    octets = header + len(text).to_bytes(2, "little") + text + b"\1" * (65537 * 64)
    with pytest.raises(InputRefused, match="65537 views, at most 65536 are read"):
        load_bytes(octets, "x.npy")


def test_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "no.iso")


def test_a_signaling_nan_is_an_error_not_a_warning() -> None:
    octets = saved(np.ones(64, np.float32))[:-4] + bytes.fromhex("0100807f")
    with pytest.raises(InputRefused, match="embeddings hold NaN or infinity") as caught:
        load_bytes(octets, "x.npy")
    assert caught.value.code == "input.not_finite"
