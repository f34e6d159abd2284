"""Closed records: strict types, bounds, and the count of what a reply can carry."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.schema import (
    AnyItems,
    AtMost,
    Fixed,
    Items,
    MisfitError,
    Record,
    RecordField,
    Text,
    UpTo,
    _reader,
    _writer,
    is_closed,
    max_bits,
    max_bytes,
    record_fields,
)


class Color(IntEnum):
    RED = 1
    BLUE = 2
    GREEN = 3
    BLACK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner(Record):
    mark: Annotated[bytes, Fixed(2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Record):
    flag: bool
    color: Color
    number: Annotated[int, UpTo(255)]
    ident: Annotated[bytes, Fixed(4)] | None
    inner: Inner
    many: Annotated[tuple[Inner, ...], Items(3)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Colors(Record):
    colors: Annotated[tuple[Color, ...], Items(3)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(Record):
    blob: Annotated[bytes, AtMost(8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenOpen(Record):
    parts: Annotated[tuple[Open, ...], Items(2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AsItCame(Record):
    items: Annotated[list[object], AnyItems()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words(Record):
    names: Annotated[tuple[str, ...], Items(2, Text(4))]


INNERS = st.binary(min_size=2, max_size=2).map(lambda b: Inner(mark=b))
CLOSED = st.builds(
    Closed,
    flag=st.booleans(),
    color=st.sampled_from(Color),
    number=st.integers(0, 255),
    ident=st.none() | st.binary(min_size=4, max_size=4),
    inner=INNERS,
    many=st.lists(INNERS, max_size=3).map(tuple),
)
GOOD = [True, 1, 7, None, [b"ab"], []]


@given(CLOSED)
def test_round_trip(record: Closed) -> None:
    assert Closed.from_bytes(record.to_bytes()) == record


@given(CLOSED)
def test_no_record_is_longer_than_its_type_says(record: Closed) -> None:
    assert len(record.to_bytes()) <= max_bytes(Closed)


def test_the_longest_lengths() -> None:
    longest = Closed(
        flag=True, color=Color.BLACK, number=255, ident=b"1234", inner=Inner(mark=b"ab"), many=(Inner(mark=b"ab"),) * 3
    )
    assert (len(longest.to_bytes()), max_bytes(Closed)) == (27, 9 + 9 + 9 + 9 + 13 + 20 + 9 + 3 * 20)
    assert max_bytes(Open) == 9 + 9 + 8
    assert max_bytes(Words) == 9 + 9 + 2 * (9 + 4)
    assert max_bytes(Colors) == 9 + 9 + 3 * 9


def test_layout_is_an_array_in_field_order() -> None:
    record = Closed(flag=True, color=Color.RED, number=7, ident=None, inner=Inner(mark=b"ab"))
    assert codec.decode(record.to_bytes()) == GOOD


WRONG = {
    "one field short": GOOD[:-1],
    "one field more": [*GOOD, 1],
    "a number for a flag": [1, *GOOD[1:]],
    "a flag for a number": [True, 1, True, *GOOD[3:]],
    "a flag for an enum": [True, True, *GOOD[2:]],
    "unknown enum value": [True, 9, *GOOD[2:]],
    "number too large": [True, 1, 256, *GOOD[3:]],
    "negative number": [True, 1, -1, *GOOD[3:]],
    "three bytes for four": [True, 1, 7, b"abc", *GOOD[4:]],
    "missing field": [None, *GOOD[1:]],
    "inner is no list": [*GOOD[:4], b"ab", []],
    "four items for three": [*GOOD[:5], [[b"ab"]] * 4],
    "item of the wrong size": [*GOOD[:5], [[b"abc"]]],
    "a map": {1: 2},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused(name: str) -> None:
    with pytest.raises(TeeError, match="record does not fit its type") as caught:
        Closed.from_bytes(codec.encode(WRONG[name]))
    assert caught.value.result is TeeResult.BAD_FORMAT


def test_lists_of_enum_members() -> None:
    record = Colors(colors=(Color.RED, Color.BLACK))
    assert codec.decode(record.to_bytes()) == [[1, 4]]
    assert Colors.from_bytes(record.to_bytes()) == record
    assert is_closed(Colors)
    assert max_bits(Colors) == 2 + 3 * 2
    for bad in ([[5]], [[True]], [[1, 1, 1, 1]]):
        with pytest.raises(TeeError, match="record does not fit its type"):
            Colors.from_bytes(codec.encode(bad))


def test_writing_checks_too() -> None:
    good: dict[str, Any] = {"flag": True, "color": Color.RED, "number": 1, "ident": None, "inner": Inner(mark=b"ab")}
    Closed(**good).check()
    for field, value, why in (
        ("number", 256, "number: expected an integer from 0 to 255"),
        ("number", True, "number: expected an integer from 0 to 255"),
        ("number", "1", "number has the wrong type"),
        ("ident", b"abc", "ident: expected 4 bytes"),
        ("ident", "abcd", "ident has the wrong type"),
        ("flag", 1, "flag has the wrong type"),
        ("flag", None, "flag is missing"),
        ("color", 1, "color has the wrong type"),
        ("inner", b"ab", "inner has the wrong type"),
        ("inner", Inner(mark=b"abc"), "mark: expected 2 bytes"),
        ("many", [Inner(mark=b"ab")], "many has the wrong type"),
        ("many", (b"ab",), "many holds an item of the wrong type"),
        ("many", (Inner(mark=b"ab"),) * 4, "many: expected at most 3 items"),
    ):
        record = Closed(**good | {field: value})
        for write in (record.check, record.to_bytes):
            with pytest.raises(MisfitError) as caught:
                write()
            assert caught.value.why == why


def test_bits_are_counted() -> None:
    inner = 16.0
    assert max_bits(Inner) == inner
    assert max_bits(Closed) == 1 + 2 + 8 + (1 + 32) + inner + (2 + 3 * inner)
    assert max_bits(Open) > 64


def test_free_bytes_and_text_are_not_closed_at_any_depth() -> None:
    assert is_closed(Closed)
    assert not is_closed(Open)
    assert not is_closed(HiddenOpen)
    assert not is_closed(Words)
    assert not is_closed(AsItCame)


def test_unbounded_fields_are_a_programming_error() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Loose(Record):
        blob: bytes

    with pytest.raises(TypeError, match="blob: bytes needs a bound"):
        Loose(blob=b"").to_bytes()


def test_a_list_as_it_came_is_a_list_and_has_no_longest_form() -> None:
    record = AsItCame(items=[1, [b"a"], None])
    assert AsItCame.from_bytes(record.to_bytes()) == record
    assert record.to_plain() == [[1, [b"a"], None]]
    for wrong in (None, b"", {}, 1):
        with pytest.raises(MisfitError, match="items"):
            AsItCame.from_plain([wrong])
    with pytest.raises(MisfitError, match="items has the wrong type"):
        AsItCame(items=()).to_plain()  # type: ignore[arg-type]
    assert max_bits(AsItCame) == float("inf")
    with pytest.raises(TypeError, match="no longest form"):
        max_bytes(AsItCame)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds(Record):
    """A field of each kind that has a short way, beside those that have none."""

    result: Annotated[TeeResult, UpTo(0x8000_0001)]
    color: Color | None
    some: Annotated[Color, UpTo(2)]
    inner: Inner | None
    many: Annotated[tuple[Inner, ...], Items(1)]
    colors: Annotated[tuple[Color, ...], Items(2)] | None
    number: Annotated[int, UpTo(30)]
    exact: Annotated[bytes, Fixed(2)]
    room: Annotated[bytes, AtMost(2)] | None
    flag: bool | None
    text: Annotated[str, Text(2)]


FIELDS = (*record_fields(Kinds), *record_fields(AsItCame), *record_fields(Closed))
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 40) | st.just(0x8000_0002) | st.binary(max_size=4)
    | st.text("aé", max_size=3) | st.sampled_from(Color) | st.sampled_from([TeeResult.SUCCESS, TeeResult(7)]),
    lambda inner: st.lists(inner, max_size=2),
)  # fmt: skip
VALUES = PLAIN | INNERS | st.lists(INNERS | st.sampled_from(Color), max_size=3).map(tuple)


EDGES: list[Any] = [
    None, True, False, -1, 0, 1, 2, 3, 30, 31, 255, 256, 0x8000_0001, 0x8000_0002, 1.0, "", "ab", "abc", "é",
    *(bytes(size) for size in range(6)), bytearray(2), *Color, TeeResult.SUCCESS, Inner(mark=b"ab"), Words(names=()),
]  # fmt: skip
"""At and beside the bounds of FIELDS; a few examples in a hundred would not hit each pair."""
EDGES += [[], (), [[b"ab"]], *([edge] * count for edge in EDGES for count in (1, 2))]
EDGES += [tuple(edge) for edge in EDGES if isinstance(edge, list)]


def outcome(way: Any, value: Any) -> tuple[str, type[Any], Any]:
    try:
        done = way(value)
    except MisfitError as error:
        return "misfit", str, error.why
    except TeeError as error:
        return "refused", str, error.message
    except ValueError:  # a color that is none: the results, of which alone a bound stands here, have no such number
        return "refused", str, ""
    return "done", type(done), done


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_the_short_ways_are_the_long_ones_at_every_bound(field: RecordField) -> None:
    for short, long in ((_reader(field), field.from_plain), (_writer(field), field.to_plain)):
        assert [outcome(short, edge) for edge in EDGES] == [outcome(long, edge) for edge in EDGES]


@given(st.sampled_from(FIELDS), PLAIN)
def test_the_short_way_of_reading_a_field_is_the_long_one(field: RecordField, raw: Any) -> None:
    assert outcome(_reader(field), raw) == outcome(field.from_plain, raw)


@given(st.sampled_from(FIELDS), VALUES)
def test_the_short_way_of_writing_a_field_is_the_long_one(field: RecordField, value: Any) -> None:
    assert outcome(_writer(field), value) == outcome(field.to_plain, value)
