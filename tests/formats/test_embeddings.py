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


SHAPES = st.integers(64, 70).flatmap(lambda d: st.sampled_from([(d,), (1, d), (3, d)]))


def parsed(octets: bytes, max_views: int = 16) -> np.ndarray:
    return read_npy(io.BytesIO(octets), len(octets), max_views)


def unzipped(octets: bytes) -> np.ndarray:
    return read_npz(io.BytesIO(octets), len(octets), 16)


@given(st.data(), DTYPES, SHAPES, st.booleans())
@settings(max_examples=150)
def test_reads_what_numpy_writes(data: st.DataObject, dtype: np.dtype, shape: tuple[int, ...], fortran: bool) -> None:
    array = data.draw(hnp.arrays(dtype, shape))
    if fortran:
        array = np.asfortranarray(array)
    ours = parsed(saved(array))
    theirs = np.atleast_2d(np.load(io.BytesIO(saved(array)), allow_pickle=False))
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    assert ours.tobytes() == theirs.tobytes()


OTHER_ARRAYS = {
    "no dimension": (np.array(1.0), "format.npy_shape: npy array has 0 dimensions"),
    "three dimensions": (np.ones((1, 1, 64)), "format.npy_shape: npy array has 3 dimensions"),
    "a column": (np.ones((512, 1)), "input.dimension: embeddings have dimension 1, expected 64 to 1024"),
    "text": (np.array(["a"] * 64), "format.npy_dtype: npy array holds text"),
    "bytes": (np.array([b"a"] * 64), "format.npy_dtype: npy array holds text"),
    "truth": (np.ones(64, bool), "format.npy_dtype: npy array holds true and false"),
    "complex": (np.ones(64, np.complex64), "format.npy_dtype: npy array holds complex numbers"),
    "big complex": (np.ones(64, ">c16"), "format.npy_dtype: npy array holds complex numbers"),
    "dates": (np.zeros(64, "M8[s]"), "format.npy_dtype: npy array holds dates"),
    "spans": (np.zeros(64, "m8[ns]"), "format.npy_dtype: npy array holds time spans"),
    "bfloat16": (np.zeros(64, "V2"), "format.npy_dtype: npy array holds raw bytes or records with fields"),
    "records": (np.zeros(64, [("a", "f4"), ("b", "f4")]), "format.npy_dtype: npy array holds raw bytes or records"),
    "long double": (np.ones(64, np.longdouble), "format.npy_dtype: npy element type '<f16' is not read"),
}


@pytest.mark.parametrize("name", OTHER_ARRAYS)
def test_other_arrays_are_refused_for_what_they_are(name: str) -> None:
    array, reason = OTHER_ARRAYS[name]
    for octets, file in ((saved(array), "x.npy"), (_zip("embeddings.npy", saved(array)), "x.npz")):
        with pytest.raises(InputRefused) as caught:
            load_bytes(octets, file)
        assert f"{caught.value.code}: {caught.value.message}".startswith(reason)
        assert caught.value.hint


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
        assert np.array_equal(archive["embeddings"], unzipped((tmp_path / "named.npz").read_bytes()))


def test_extension_wins_and_content_decides_without_one(tmp_path: Path) -> None:
    octets = saved(np.ones(64, np.float32))
    assert len(load_bytes(octets, "face").features) == 1
    assert len(load_bytes(_zip("arr_0.npy", octets), "face.dat").features) == 1
    for name in ("face.iso", "face.npz", "face.xyt", "face.csv"):
        with pytest.raises(InputRefused):
            load_bytes(octets, name)
    with pytest.raises(InputRefused, match="not a feature file this program knows"):
        load_bytes(b"\0", "x")
    with pytest.raises(InputRefused, match="the file is empty"):
        load_bytes(b"", "x.png")


def test_inflating_bombs_stay_small() -> None:
    """300 MB of zeros in 300 kB: a directory that tells, one that lies about the size, and an array that says so."""
    one = saved(np.ones(64, np.float32))
    bomb = _zip("embeddings.npy", one + bytes(300 << 20))
    assert len(bomb) < 1 << 20
    directory = bomb.index(b"PK\x01\x02")
    lie = bomb[: directory + 24] + len(one).to_bytes(4, "little") + bomb[directory + 28 :]
    alike = _zip("embeddings.npy", saved(np.ones((2000, 1024), np.float32)))
    many = _zip("embeddings.npy", saved(np.arange(20_000 * 64, dtype=np.int16).reshape(20_000, 64)))
    expected = {bomb: "format.too_large", lie: "format.npz_damaged", alike: "format.npz_ratio"}
    expected[many] = "format.too_many_views"
    tracemalloc.start()
    try:
        for octets, code in expected.items():
            with pytest.raises(InputRefused) as caught:
                load_bytes(octets, "x.npz")
            assert caught.value.code == code
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_an_archive_with_a_long_directory_is_not_listed() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for i in range(3000):
            archive.writestr(f"{i}.npy", b"")
    with pytest.raises(InputRefused, match="not a readable npz archive"):
        load_bytes(stream.getvalue(), "x.npz")


def test_archive_limits() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for i in range(65):
            archive.writestr(f"{i}.npy", b"")
    with pytest.raises(InputRefused, match="archive has 65 members"):
        unzipped(stream.getvalue())
    with pytest.raises(InputRefused, match="packed in an unusual way"):
        unzipped(_zip("a.npy", saved(np.ones(64)), zipfile.ZIP_BZIP2))


def test_a_file_is_measured_before_it_is_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bioguard.formats.files as module

    big = tmp_path / "big.iso"
    with big.open("wb") as stream:
        stream.write(b"FMR\0 20\0")
        stream.truncate(module.MAX_MINUTIAE_BYTES + 1)
    monkeypatch.setattr(module, "read_minutiae_file", lambda *_: pytest.fail("parsed"))
    with pytest.raises(InputRefused, match="file has 16777217 bytes, at most 16777216 are read") as caught:
        load(big)
    assert caught.value.code == "format.too_large"


@pytest.mark.parametrize("max_views", [1, 16, 16_384])
def test_too_many_views_are_refused_from_the_header(max_views: int) -> None:
    rows = np.random.default_rng(1).integers(-100, 100, (max_views + 1, 64)).astype(np.int8)
    text = "\n".join(",".join(map(str, row)) for row in rows.tolist())
    word = "is" if max_views == 1 else "are"
    for octets, name in ((saved(rows), "x.npy"), (_zip("a.npy", saved(rows)), "x.npz"), (text.encode(), "x.csv")):
        with pytest.raises(InputRefused) as caught:
            load_bytes(octets, name, max_views=max_views)
        assert caught.value.message == f"{max_views + 1} views, at most {max_views} {word} read here"
        assert caught.value.code == "format.too_many_views"


def test_numbers_beyond_what_is_kept_are_refused_from_the_header() -> None:
    octets = saved(np.zeros((4097, 1024), np.uint8))
    with pytest.raises(InputRefused, match="4097 views of 1024 numbers, at most 4194304 numbers are read") as caught:
        load_bytes(octets, "x.npy")
    assert caught.value.code == "format.too_large"


def test_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "no.iso")


def test_a_signaling_nan_is_an_error_not_a_warning() -> None:
    octets = saved(np.ones(64, np.float32))[:-4] + bytes.fromhex("0100807f")
    with pytest.raises(InputRefused, match="embeddings hold NaN or infinity") as caught:
        load_bytes(octets, "x.npy")
    assert caught.value.code == "input.not_finite"


def text_of(rows: np.ndarray, *, index: list[object] | None = None, header: str = "") -> bytes:
    """As pandas writes a table: shortest decimals, perhaps column names and row numbers."""
    lines = [",".join(repr(float(v)) for v in row) for row in rows]
    if index is not None:
        lines = [f"{i},{line}" for i, line in zip(index, lines, strict=True)]
    return (header + "\n".join(lines) + "\n").encode()


def unit_rows(views: int, dimension: int, seed: int = 1) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(views, dimension))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


INDEXES: dict[str, list[object]] = {
    "row numbers": [0, 1, 2],
    "a slice": [4, 5, 6],
    "any order": [17, 3, 99],
    "from 1": [1, 2, 3],
    "one label": [7, 7, 7],
    "times": [1764374400.25, 1764374401.5, 1764374402.75],
}


@pytest.mark.parametrize("name", INDEXES)
@pytest.mark.parametrize("views", [1, 2, 3])
@pytest.mark.parametrize("column", [0, -1])
def test_a_row_number_or_label_is_no_feature(name: str, views: int, column: int) -> None:
    """Issue pandas 10646 and others: the index becomes a dimension, and different people match."""
    rows, index = unit_rows(views, 512), INDEXES[name][:views]
    at = 0 if column == 0 else 512
    with_index = np.insert(rows, at, np.array(index, np.float64), axis=1)
    files = [(_zip("embeddings.npy", saved(with_index)), "x.npz"), (saved(with_index.astype(np.float32)), "x.npy")]
    if index == [0]:
        files = []  # adds nothing to a vector, and looks like a dead component
    files.append((text_of(with_index) if index != [0] else text_of(rows, index=index), "x.csv"))
    for octets, file in files:
        with pytest.raises(InputRefused) as caught:
            load_bytes(octets, file)
        assert caught.value.code == "input.foreign_column"
        expected = 0 if file == "x.csv" and index == [0] else at
        assert caught.value.message.startswith(f"column {expected + 1} of the embeddings ")


@pytest.mark.parametrize("scale", [1.0, 22.6])
@pytest.mark.parametrize("views", [1, 2, 5])
def test_the_index_column_of_pandas_is_refused_whatever_the_scale(views: int, scale: float) -> None:
    rows = unit_rows(views, 512) * scale
    for start in (0, 1, 6):
        index: list[object] = list(range(start, start + views))
        with pytest.raises(InputRefused) as caught:
            load_bytes(text_of(rows, index=index), "x.csv")
        assert caught.value.code == "input.foreign_column"


@pytest.mark.parametrize("size", [1.1, 2.0, 9.0])
def test_a_measure_among_the_numbers_is_no_feature(size: float) -> None:
    """An age or a quality, of no whole number, that holds 55 to 99 % of the length of each row."""
    rows = np.insert(unit_rows(3, 512), 512, size + np.array([0.25, 0.5, 0.125]), axis=1)
    with pytest.raises(InputRefused, match="column 513 of the embeddings makes more than 50% of the length") as caught:
        load_bytes(saved(rows), "x.npy")
    assert caught.value.code == "input.foreign_column"


@pytest.mark.parametrize("column", [0, 64])
def test_a_row_number_among_whole_numbers_is_told_by_counting(column: int) -> None:
    rows = np.rint(unit_rows(4, 64) * 300).astype(np.int16)
    assert len(load_bytes(saved(rows), "x.npy").features) == 4
    numbered = np.insert(rows, column, [41, 42, 43, 44], axis=1)
    with pytest.raises(InputRefused, match=f"column {column + 1} of the embeddings counts the rows"):
        load_bytes(saved(numbered), "x.npy")


def test_the_column_numbers_of_pandas_are_refused() -> None:
    rows = unit_rows(2, 128)
    names = ",".join(map(str, range(128)))
    with pytest.raises(InputRefused, match=r"line 1 counts 0, 1, \.\.\.: it numbers the columns") as caught:
        load_bytes(text_of(rows, header=names + "\n"), "x.csv")
    assert caught.value.code == "format.csv_header"
    with pytest.raises(InputRefused, match="line 1, column 1: the first cell is empty, as above the row numbers"):
        load_bytes(text_of(rows, header=f",{names}\n", index=[0, 1]), "x.csv")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.uint8, ">f4", ">i2"])
@pytest.mark.parametrize("scale", [1.0, 24.0, 700.0])
def test_what_models_write_is_not_taken_for_a_table(dtype: str, scale: float) -> None:
    """Any element type and scale, dead components, and whole components that coarse float16 has by chance."""
    for seed in range(12):
        for views, dimension in ((1, 64), (2, 128), (3, 512), (16, 512), (40, 1024)):
            rows = unit_rows(views, dimension, seed) * scale
            rows[:, 5] = 0
            if np.dtype(dtype).kind != "f":
                rows = rows / np.abs(rows).max() * 120
            assert len(load_bytes(saved(rows.astype(dtype)), "x.npy").features) == views
            for places in (3, 8):
                if np.abs(rows).max() < 1:
                    text = "\n".join(",".join(f"{v:.{places}g}" for v in row) for row in rows)
                    assert len(load_bytes(text.encode(), "x.csv").features) == views


REASONS = {
    b"alice,0.1": "line 1, column 1: text stands where a number is expected: a column name or a label",
    b"0.1,0.2,": "line 1, column 3: the line ends with a comma",
    b"0.1,,0.2": "line 1, column 2: the cell is empty",
    b"0.1;0.2": "line 1, column 1: numbers are separated by something else than commas",
    b"0,1;0,2": "line 1, column 2: numbers are separated by something else than commas",
    b"0.1 0.2 0.3": "line 1, column 1: numbers are separated by white space",
    b"0.1\t0.2": "line 1, column 1: numbers are separated by white space",
    b"[0.1,0.2]": "line 1, column 1: a bracket stands before the number",
    b'"0.1","0.2"': "line 1, column 1: the cell is quoted",
    b"0.1,NaN": "line 1, column 2: NaN is no number",
    b"0.1,0.2\r0.3,0.4": "line 1, column 2: line ends are carriage returns alone",
    b"\xff\xfe0\x00,\x00": "csv file is UTF-16 text",
    b"0.1,\xc3\xa9": "line 1 is not plain ASCII text",
    b"0.1," * 20_000: "line 1 has more than 65536 characters",
}


@pytest.mark.parametrize("text", REASONS)
def test_a_csv_is_refused_for_the_true_reason(text: bytes) -> None:
    with pytest.raises(InputRefused) as caught:
        load_bytes(text + b"\n", "x.csv")
    assert caught.value.message == REASONS[text]
    assert caught.value.hint


@pytest.mark.parametrize("max_views", [1, 16, 16_384])
def test_a_file_of_line_ends_is_given_up(max_views: int) -> None:
    with pytest.raises(InputRefused, match="more than 10000 empty lines and comments") as caught:
        load_bytes(b"\n" * 1_000_000, "x.csv", max_views=max_views)
    assert caught.value.code == "format.csv_lines"


CASES = Path(__file__).parents[3] / "shared" / "cases"
FACE = unit_rows(1, 512)[0]
FLAWED = {
    "zero point": (np.clip(np.rint(FACE / np.abs(FACE).max() * 127 + 128), 0, 255).astype(np.uint8), "not_centered"),
    "offset": ((FACE + 1.5 / np.sqrt(512)).astype(np.float32), "not_centered"),
    "relu": (np.maximum(FACE, 0).astype(np.float16), "not_centered"),
    "negative": (-np.abs(FACE), "not_centered"),
    "constant": (np.full(512, 0.5, np.float32), "constant"),
    "constant integers": (np.full(64, 7, np.uint8), "constant"),
    "one number": (np.r_[9 / np.sqrt(512), FACE[1:]], "one_component"),
}
PHRASES = {
    "not_centered": "the vector is not centered, or quantized with a zero point",
    "constant": "the vector is constant: all numbers are the same",
    "one_component": "the vector is made of one number, such as a row number, with the rest next to nothing",
}


@pytest.mark.parametrize("name", FLAWED)
def test_vectors_that_are_no_faces_are_named(name: str) -> None:
    """Int8 models whose zero point was left in scored strangers 0.999999: opencv_zoo 189, PINTO_model_zoo 263."""
    vector, flaw = FLAWED[name]
    text = ",".join(f"{float(v):.9f}" for v in vector)
    files = ((saved(vector), "x.npy"), (_zip("embeddings.npy", saved(vector)), "x.npz"), (text.encode(), "x.csv"))
    for octets, file in files:
        (warning,) = load_bytes(octets, file).warnings
        assert (warning.code, warning.message) == (f"embedding.{flaw}", PHRASES[flaw])


def test_flaws_are_counted_once_a_kind() -> None:
    rows = np.stack([FACE, FACE + 1, FACE - 1, np.full(512, -2.0), -FACE])
    messages = [w.message for w in load_bytes(saved(rows), "x.npy").warnings]
    assert messages == [
        "1 of 5 vectors are constant: all numbers are the same",
        "2 of 5 vectors are not centered, or quantized with a zero point",
    ]
    assert load_bytes(saved(np.stack([FACE, -FACE, unit_rows(1, 512, 9)[0] * 30])), "x.npy").warnings == ()


@pytest.mark.skipif(not CASES.is_dir(), reason="no ../shared/cases beside this checkout")
def test_the_vectors_that_were_enrolled_without_a_word() -> None:
    names = ("e6_alice1.npy", "e6_bob1.npy", "e5_const.npy", "d128.npy")
    found = [[w.code for w in load(CASES / name).warnings] for name in names]
    assert found == [["embedding.not_centered"], ["embedding.not_centered"], ["embedding.constant"], []]
