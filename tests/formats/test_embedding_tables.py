"""Tables around embeddings as the field writes them: several columns that are no feature, and files that are none."""

import io
import pickle
import zipfile
from collections.abc import Mapping

import numpy as np
import pytest

from bioguard.errors import InputRefused
from bioguard.formats import load_bytes
from tests.formats.test_embeddings import saved

NUMBERS = np.random.default_rng(14).normal(size=(3, 512))


def text(*rows: object) -> bytes:
    """CSV of cells that are text already and numbers."""
    return "".join(
        ",".join(cell if isinstance(cell, str) else repr(float(cell)) for cell in row) + "\n" for row in rows
    ).encode("ascii")


def zipped(members: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def refused(octets: bytes, name: str) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        load_bytes(octets, name)
    return caught.value


@pytest.mark.parametrize("scale", [1.0, 1 / 512**0.5, 20.0])
@pytest.mark.parametrize(
    ("front", "back", "column"),
    [(("7", "3"), (), 1), (("0", "0"), (), 1), (("2",), ("3",), 1), ((), ("3", "7"), 513), (("4", "0", "1"), (), 1)],
)
def test_several_columns_of_a_table_are_no_features(
    front: tuple[str, ...], back: tuple[str, ...], column: int, scale: float
) -> None:
    error = refused(text((*front, *(NUMBERS[0] * scale), *back)), "x.csv")
    assert error.code == "input.foreign_column"
    assert f"column {column} of the embeddings" in error.message


def test_a_label_between_the_numbers_is_no_feature() -> None:
    error = refused(text((*NUMBERS[0][:200], "3", *NUMBERS[0][200:])), "x.csv")
    assert error.message.startswith("column 201 of the embeddings is written as whole numbers")


def test_a_zero_between_the_numbers_adds_nothing() -> None:
    assert load_bytes(text((*NUMBERS[0][:200], "0", *NUMBERS[0][200:])), "x.csv").warnings == ()


@pytest.mark.parametrize("dimension", [64, 128, 512, 1023])
@pytest.mark.parametrize("dtype", ["<f4", ">f8"])
@pytest.mark.parametrize(("at", "column"), [(0, 1), (-1, None)])
def test_one_row_is_enough_for_a_row_number_in_an_array(
    dimension: int, dtype: str, at: int, column: int | None
) -> None:
    row = np.random.default_rng(dimension).normal(size=dimension)
    octets = saved(np.insert(row, 0 if at == 0 else dimension, 2).astype(dtype))
    assert f"column {column or dimension + 1} of" in refused(octets, "x.npy").message


def test_a_row_number_written_as_a_decimal_is_no_feature() -> None:
    assert refused(text(("2.0", *NUMBERS[0])), "x.csv").code == "input.foreign_column"


ROUNDED = {
    "four decimals": lambda rows: np.round(rows, 4),
    "float16": lambda rows: rows.astype("<f2"),
    "bytes without a zero point": lambda rows: np.round(rows * 30).astype("i1"),
    "divided by the largest": lambda rows: (rows / np.abs(rows).max(axis=1, keepdims=True)).astype("<f4"),
}


@pytest.mark.parametrize("name", ROUNDED)
@pytest.mark.parametrize("views", [1, 3])
def test_numbers_that_are_whole_now_and_then_are_no_table(name: str, views: int) -> None:
    rows = NUMBERS[:views].copy()
    rows[0, 0] = 4.0 if name == "divided by the largest" else 1.0
    assert len(load_bytes(saved(ROUNDED[name](rows)), "x.npy").features) == views


@pytest.mark.filterwarnings("error")
def test_the_largest_numbers_of_float64_are_judged_without_a_warning() -> None:
    rows = NUMBERS / np.abs(NUMBERS).max() * 1e305
    rows[0, 0] = np.finfo(np.float64).max / 64
    assert len(load_bytes(saved(rows), "x.npy").features) == 3


@pytest.mark.parametrize("first", [-1, 0, 1, 2, 5])
def test_column_numbers_are_told_wherever_they_begin(first: int) -> None:
    error = refused(text([str(first + i) for i in range(512)], NUMBERS[0]), "x.csv")
    assert error.code == "format.csv_header"
    assert f"line 1 counts {first}, {first + 1}, ..." in error.message


NO_EMBEDDINGS = {
    "a folder of text": (zipped({"a.csv": b"1,2"}), "a.zip", "a ZIP archive without a NumPy array: 'a.csv'"),
    "a spreadsheet": (zipped({"xl/workbook.xml": b"<x/>", "y": b""}), "a.npz", "a ZIP archive without a NumPy array"),
    "an empty archive": (zipped({}), "a.npz", "the archive is empty"),
    "two arrays": (saved(NUMBERS[0]) * 2, "a.npy", "npy shape (512,) needs 4096 bytes of elements, file has 8320"),
    "nothing": (b"", "a.npy", "the file is empty"),
    "bfloat16": (saved(NUMBERS[0]).replace(b"'<f8'", b"'bfloat16'"), "a.npy", "npy element type 'bfloat16' is not"),
    "many digits": (("0." + "1" * 60 + ",0.2").encode(), "a.csv", "line 1, column 1: the number has too many digits"),
}


@pytest.mark.parametrize("name", NO_EMBEDDINGS)
def test_what_is_no_embedding_is_refused_for_the_true_reason(name: str) -> None:
    octets, file, message = NO_EMBEDDINGS[name]
    assert refused(octets, file).message.startswith(message)


def test_a_second_array_is_not_called_damage() -> None:
    assert "such as a second one" in refused(saved(NUMBERS[0]) * 2, "a.npy").hint
    assert "ends too early" in refused(saved(NUMBERS[0])[:-8], "a.npy").hint


def test_one_number_a_line_is_told_to_be_one_row() -> None:
    assert "belong into one row" in refused(text(*([n] for n in NUMBERS[0])), "a.csv").hint


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ["a.pkl", "a.npy", "a.bin"])
def test_a_pickle_is_named_whatever_its_protocol(protocol: int, name: str) -> None:
    error = refused(pickle.dumps(NUMBERS[0], protocol), name)
    assert error.message == "this is a Python pickle, which is never opened"
