"""A moment of the fuzzer (tests/formats/fuzz.py runs it for long), and unstructured bytes from hypothesis."""

import runpy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioguard.errors import InputRefused
from bioguard.formats import load_bytes

FUZZ = runpy.run_path(str(Path(__file__).with_name("fuzz.py")))


def test_fifteen_hundred_mutations() -> None:
    counts = FUZZ["run"](inputs=1500, seed=20)
    assert counts["inputs"] == 1500
    assert 0 < counts["accepted"] < counts["inputs"]


def test_what_a_file_says_reaches_no_terminal_as_it_is() -> None:
    """Found by the fuzzer: an element type is text of the file, and may be an escape sequence."""
    header = b"{'descr': '<\x1b[31m\nf4', 'fortran_order': False, 'shape': (64,), }".ljust(118)
    octets = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(256)
    with pytest.raises(InputRefused) as caught:
        load_bytes(octets, "x.npy")
    assert caught.value.code == "format.npy_dtype"
    assert caught.value.message == "npy element type '<?[31m?f4' is not read"


@pytest.mark.parametrize("suffix", [".iso", ".xyt", ".npy", ".npz", ".csv", ".bin"])
@given(
    head=st.sampled_from([b"", b"FMR\0 20\0", b"FMR\x00030\0", b"FMR\x00035\0", b"\x93NUMPY\1\0", b"PK\3\4"]),
    tail=st.binary(max_size=200),
)
@settings(max_examples=60)
def test_any_bytes(suffix: str, head: bytes, tail: bytes) -> None:
    try:
        result = load_bytes(head + tail, "x" + suffix)
    except InputRefused as error:
        assert error.hint
    else:
        assert result.features


@given(st.text("0123456789eE+-., \t\r\n#nainf", max_size=300))
@settings(max_examples=200)
def test_any_text(text: str) -> None:
    for suffix in (".csv", ".xyt"):
        try:
            assert load_bytes(text.encode(), "x" + suffix).features
        except InputRefused as error:
            assert error.code.startswith(("format.", "input."))
