"""Every function that the core works on: each result that it may return, each other one a panic, and its own panics.

What section 6 has is in tests/native/crypto.
"""

from typing import Any

import pytest

from tee_sim.gp_api.service import AREAS
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.gp_functions import Function, FunctionPlace
from tee_sim.shared.wire import NoFrameError
from tests.native.api.mistakes import NOTHING_TO_GET_WRONG, PANICS, next_fails
from tests.native.api.native import App, Panicked, Refused
from tests.native.api.refusals import IN_THE_STORE, MADE_HERE, REFUSALS, F, R

NEVER = frozenset({R.CORRUPT_OBJECT_2, R.STORAGE_NOT_AVAILABLE_2})
"""Of a second kind of storage, which is not here."""


OTHERS_THAN_SECTION_6 = [one for one in F if one.place is FunctionPlace.CORE and not one.section.startswith("6.")]
UNREACHABLE = {(F.BIG_INT_EXP_MOD, R.NOT_SUPPORTED): "every modulus is supported"}


def test_every_row_is_covered() -> None:
    assert {one for one in OTHERS_THAN_SECTION_6 if one not in PANICS} == NOTHING_TO_GET_WRONG
    for one in OTHERS_THAN_SECTION_6:
        from_store = one.allowed if one in IN_THE_STORE or one is F.GET_NEXT_PERSISTENT_OBJECT else frozenset()
        produced = REFUSALS.get(one, {}).keys() | (from_store or frozenset())
        missing = {result for result in (one.allowed or ()) if result not in produced | NEVER}
        assert missing == {result for function, result in UNREACHABLE if function is one}, one.c_name


def test_every_function_of_the_core_has_one_handler() -> None:
    app = App()
    assert set(app.api._handlers) == {one for one in F if one.place is FunctionPlace.CORE}
    per_area = [set(area(app.api.instance)) for area in AREAS]
    assert sum(map(len, per_area)) == len(set().union(*per_area))


def _rows(table: dict[Function, Any]) -> Any:
    return [pytest.param(f, key, id=f"{f.name}-{key}") for f, row in table.items() for key in range(len(row))]


@pytest.mark.parametrize(
    ("function", "result"),
    [pytest.param(f, result, id=f"{f.name}-{result.name}") for f, row in REFUSALS.items() for result in row],
)
def test_a_result_of_its_row(function: Function, result: TeeResult) -> None:
    assert function.may_return(result)
    with pytest.raises(Refused) as caught:
        REFUSALS[function][result](App())
    assert caught.value.result is result


@pytest.mark.parametrize(("function", "index"), _rows(PANICS))
def test_a_mistake_is_a_panic(function: Function, index: int) -> None:
    with pytest.raises(Panicked):
        PANICS[function][index](App())


EVERY_RESULT = [one for one in TeeResult if one is not R.SUCCESS]


@pytest.mark.parametrize("function", IN_THE_STORE, ids=lambda one: one.name)
def test_what_the_store_says_is_returned_only_if_the_row_has_it(function: Function) -> None:
    for result in EVERY_RESULT:
        app = App()
        assert app.stored() == 1
        app.store.result = result
        expected = MADE_HERE.get((function, result), result if function.may_return(result) else None)
        if (function, result) == (F.GET_TA_PERSISTENT_TIME, R.CORRUPT_OBJECT):
            assert expected is R.TIME_NEEDS_RESET
        try:
            IN_THE_STORE[function](app)
        except Refused as refused:
            assert refused.result is expected, (function.c_name, result.name)
        except Panicked as panicked:
            assert expected is None, (function.c_name, result.name)
            assert panicked.code is result
        else:
            pytest.fail(f"{function.c_name} went on in spite of {result.name}")


def test_the_next_object_is_refused_as_its_row_says() -> None:
    for result in (R.CORRUPT_OBJECT, R.STORAGE_NOT_AVAILABLE):
        with pytest.raises(Refused) as caught:
            next_fails(result)(App())
        assert caught.value.result is result


@pytest.mark.parametrize(
    "words",
    [
        [], [b"x"], [0x301], [0x999999], [True], [F.MALLOC.number, 1, 1], [F.GENERATE_RANDOM.number, 4],
        [F.CLOSE_OBJECT.number], [F.CLOSE_OBJECT.number, 1, 1], [F.CLOSE_OBJECT.number, b"1"],
        [F.CLOSE_OBJECT.number, True], [F.CLOSE_OBJECT.number, -1], [F.CLOSE_OBJECT.number, 1 << 64],
        [F.ALLOCATE_TRANSIENT_OBJECT.number, 1 << 32, 1],
        [F.POPULATE_TRANSIENT_OBJECT.number, 1, [[1]]], [F.POPULATE_TRANSIENT_OBJECT.number, 1, [[1, 2]]],
        [F.POPULATE_TRANSIENT_OBJECT.number, 1, [[1, b""]] * 33], [F.POPULATE_TRANSIENT_OBJECT.number, 1, None],
        [F.SEEK_OBJECT_DATA.number, 1, 1 << 63, 0], [F.SEEK_OBJECT_DATA.number, 1, 0, -1],
        [F.OPEN_PERSISTENT_OBJECT.number, 1, None, 1], [F.OPEN_PERSISTENT_OBJECT.number, 1, "id", 1],
        [F.BIG_INT_ADD.number, b"", b"\0"], [F.BIG_INT_ADD.number, b"\0\0", b"\0"],
        [F.BIG_INT_ADD.number, b"\1", b"\0"], [F.BIG_INT_ADD.number, b"\2\1", b"\0"],
        [F.BIG_INT_ADD.number, b"\0\1" + bytes(512), b"\0"],
    ],
)  # fmt: skip
def test_words_that_no_runtime_of_ours_sends_are_no_question(words: list[object]) -> None:
    with pytest.raises(NoFrameError):
        App().api.answer(words)
