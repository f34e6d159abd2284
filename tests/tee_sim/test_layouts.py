"""Layouts: what a core without an application's classes makes of its replies."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from math import log2
from typing import Annotated

import pytest

from tee_sim.shared import codec
from tee_sim.shared.errors import TeeError
from tee_sim.shared.layouts import (
    MAX_NESTING,
    KnowsNothing,
    layout_of,
    max_reply_bytes,
    pack_layout,
    parse_layout,
    reply_bits,
)
from tee_sim.shared.schema import (
    AtMost,
    Commitment,
    Fixed,
    Items,
    MisfitError,
    ObjectId,
    Record,
    Stated,
    UpTo,
    is_closed,
    max_bytes,
)


class Color(IntEnum):
    RED = -1
    BLUE = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner(Record):
    flag: bool
    color: Color


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Record):
    number: Annotated[int, UpTo(255)]
    digest: Annotated[bytes, Fixed(4)] | None = None
    inner: Inner | None = None
    many: Annotated[tuple[Inner, ...], Items(3)] = ()
    colors: Annotated[tuple[Color, ...], Items(2)] = ()
    small: Annotated[tuple[int, ...], Items(2, UpTo(3))] = ()
    which: Annotated[bytes, ObjectId(4, b"R")] | None = None
    kept: Annotated[bytes, Commitment(2)] | None = None
    said: Annotated[bytes, Stated(3, "key")] | None = None


class Knows(KnowsNothing):
    def object_bits(self, prefix: bytes, value: bytes) -> float:
        if prefix + value != b"Rabcd":
            raise MisfitError("no object")
        return 5.0

    def commitment_bits(self, value: bytes) -> float:
        return 0.5

    def statement_bits(self, key: str, value: bytes) -> float:
        assert key == "key"
        return 0.0


LAYOUT = layout_of(Reply)
FULL = Reply(
    number=1, digest=b"1234", inner=Inner(flag=True, color=Color.RED), many=(Inner(flag=False, color=Color.BLUE),),
    colors=(Color.RED,), small=(3,), which=b"abcd", kept=b"xy", said=b"abc",
)  # fmt: skip


def bits(reply: Record) -> float:
    return reply_bits(LAYOUT, codec.decode(reply.to_bytes()), Knows())


def test_a_layout_travels() -> None:
    assert parse_layout(pack_layout(LAYOUT)) == LAYOUT
    assert max_reply_bytes(LAYOUT) == max_bytes(Reply)


def test_a_reply_costs_what_is_in_it() -> None:
    empty = 8 + 5 + log2(4) + log2(3) + log2(3)
    assert bits(Reply(number=0)) == pytest.approx(empty)
    assert bits(FULL) == pytest.approx(empty + 32 + 2 + 2 + 1 + 2 + 5 + 0.5)


WRONG: list[Callable[[list[object]], object]] = [
    lambda p: p[:-1],
    lambda p: [256, *p[1:]],
    lambda p: [True, *p[1:]],
    lambda p: [None, *p[1:]],
    lambda p: [p[0], b"12345", *p[2:]],
    lambda p: [*p[:2], [True, 3], *p[3:]],
    lambda p: [*p[:2], [1, -1], *p[3:]],
    lambda p: [*p[:3], [[True, -1]] * 4, *p[4:]],
    lambda p: [*p[:4], [b"free bytes"], *p[5:]],
    lambda p: [*p[:5], [4], *p[6:]],
    lambda p: [*p[:6], b"dcba", *p[7:]],
    lambda p: [*p[:7], b"xyz", *p[8:]],
    lambda p: {"a": 1},
]


@pytest.mark.parametrize("change", WRONG)
def test_what_does_not_fit_is_no_reply(change: Callable[[list[object]], object]) -> None:
    plain = codec.decode(FULL.to_bytes())
    assert isinstance(plain, list)
    with pytest.raises(MisfitError):
        reply_bits(LAYOUT, change(plain), Knows())


def test_without_a_core_no_value_is_one_of_its_own() -> None:
    with pytest.raises(MisfitError):
        reply_bits(LAYOUT, codec.decode(FULL.to_bytes()), KnowsNothing())


HOSTILE = [
    [[99, False, 0, b"", [], codec.encode([])]],
    [[2, False, -1, b"", [], codec.encode([])]],
    [[4, False, 0, b"", [], codec.encode([])]],
    [[4, False, 1 << 30, b"", [], codec.encode([])]],
    [[3, False, 0, b"", [], codec.encode([])]],
    [[3, False, 0, b"", [2, 1], codec.encode([])]],
    [[3, False, 0, b"", [1, 1], codec.encode([])]],
    [[1, False, 7, b"", [], codec.encode([])]],
    [[9, False, 2, b"", [], codec.encode([])]],
    [[1, 0, 0, b"", [], codec.encode([])]],
    [[1, False, 0, b"", [], b"\xff"]],
    [1],
    [[1, False, 0, b"", [], codec.encode([])]] * 65,
    7,
]


@pytest.mark.parametrize("plain", HOSTILE)
def test_a_hostile_layout_is_none(plain: object) -> None:
    with pytest.raises(TeeError):
        parse_layout(codec.encode(plain))


def test_layouts_are_no_deeper_than_they_may_be() -> None:
    data = codec.encode([])
    for _ in range(MAX_NESTING):
        data = codec.encode([[8, False, 0, b"", [], data]])
    parse_layout(data)
    with pytest.raises(TeeError):
        parse_layout(codec.encode([[8, False, 0, b"", [], data]]))


def test_a_record_with_free_bytes_or_items_without_a_bound_has_no_layout() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Free(Record):
        data: Annotated[bytes, AtMost(4)]

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Unbounded(Record):
        data: Annotated[tuple[bytes, ...], Items(4)]

    for record in (Free, Unbounded):
        assert not is_closed(record)
        with pytest.raises(TypeError, match="is not closed"):
            layout_of(record)
