"""What an application may have stated or put of what it was given."""

from hypothesis import given
from hypothesis import strategies as st

from tee_sim.secure.made.words import NONE, split, words_of
from tee_sim.shared.params import NO_PARAMS, Param, ParamType, operation
from tests.tee_sim.made.kit import request

A, B, C, D = (bytes([n]) * 8 for n in (1, 2, 3, 4))


def test_numbers_and_short_strings_are_words_at_any_depth() -> None:
    found = words_of(request(7, 1 << 63, A, [B + C, [[D]], {300: b"8 bytes!"}], True, None, "text", -1))
    assert found == {
        (7).to_bytes(8, "little"), bytes(7) + b"\x80", A, B, C, D, b"8 bytes!", (300).to_bytes(8, "little"),
    }  # fmt: skip


def test_of_a_long_string_nothing_is_a_word_and_of_none_its_middle() -> None:
    assert words_of(request(A + B + C + D + A, bytes(range(69)), b"1234567", b"123456789", A + b"x")) == frozenset()
    assert B[:4] + C[:4] not in words_of(request(B + C))


def test_values_and_bytes_that_are_no_record() -> None:
    assert words_of(operation(Param.value(a=1, b=2))) == {(1 << 32 | 2).to_bytes(8, "little")}
    assert words_of(operation(Param.memref(b"\xff" * 8))) == {b"\xff" * 8}
    assert words_of(operation(Param.memref(b"\xff" * 40))) == frozenset()
    inout = Param(kind=ParamType.MEMREF_INOUT, buffer=A, size_bytes=8)
    assert words_of(operation(inout)) == {A}
    assert words_of(NO_PARAMS) == words_of(request()) == frozenset()


def test_zeros_are_no_word() -> None:
    assert words_of(request(0, NONE, NONE + A)) == {A}


@given(st.binary(max_size=60))
def test_a_string_is_split_whole_or_not_at_all(data: bytes) -> None:
    words = split(data)
    assert b"".join(words) == data if len(data) in (0, 8, 16, 24, 32) else words == ()


@given(st.binary(max_size=80))
def test_any_bytes_are_words_or_none(data: bytes) -> None:
    assert all(len(word) == 8 for word in words_of(operation(Param.memref(data))))
