"""Objects that are damaged: a result where a function has one, and what those of 1.0 do, which have none."""

import pytest

from tee_sim.gp_api.objects import TYPE_CORRUPTED
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.gp_functions import Function
from tee_sim.shared.ta_properties import PropertyKind, TaProperty
from tests.native.api.native import App, Panicked, Refused, manifest

F, R = Function, TeeResult
KEEPS = TaProperty(name="gpd.ta.doesNotCloseHandleOnCorruptObject", kind=PropertyKind.BOOL, value=b"\1")


def damaged(app: App) -> int:
    handle = app.stored()
    app.store.result = R.CORRUPT_OBJECT
    return handle


def test_the_handle_on_a_corrupt_object_is_closed() -> None:
    app = App()
    handle = damaged(app)
    with pytest.raises(Refused) as caught:
        app.ask(F.GET_OBJECT_INFO1, handle)
    assert caught.value.result is R.CORRUPT_OBJECT
    with pytest.raises(Panicked):
        app.ask(F.CLOSE_OBJECT, handle)


def test_it_stays_open_for_an_application_that_says_so() -> None:
    app = App(of=manifest([KEEPS]))
    assert app.one(F.GET_PROPERTY_AS_BOOL, 0xFFFFFFFF, KEEPS.name.encode()) is True
    handle = damaged(app)
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            app.ask(F.READ_OBJECT_DATA, handle, 1)
        assert caught.value.result is R.CORRUPT_OBJECT
    app.ask(F.CLOSE_OBJECT, handle)


def test_the_functions_of_1_0_say_it_by_a_type_or_do_nothing() -> None:
    app = App()
    assert app.ask(F.GET_OBJECT_INFO, damaged(app)) == [TYPE_CORRUPTED, 0, 0, 0, 0, 0, 0]
    app = App()
    assert app.ask(F.RESTRICT_OBJECT_USAGE, damaged(app), 0) == []
    app = App()
    handle, empty = damaged(app), app.aes(None)
    assert app.ask(F.COPY_OBJECT_ATTRIBUTES, empty, handle) == []
    assert app.ask(F.GET_OBJECT_INFO1, empty)[1] == 0
    app = App()
    handle = app.stored()
    app.store.result = R.STORAGE_NOT_AVAILABLE
    assert app.ask(F.CLOSE_AND_DELETE_PERSISTENT_OBJECT, handle) == []
    with pytest.raises(Panicked):
        app.ask(F.CLOSE_OBJECT, handle)


@pytest.mark.parametrize(
    "function",
    [F.GET_OBJECT_INFO, F.RESTRICT_OBJECT_USAGE, F.COPY_OBJECT_ATTRIBUTES, F.CLOSE_AND_DELETE_PERSISTENT_OBJECT],
)
def test_any_other_result_is_a_panic_of_theirs(function: Function) -> None:
    nothing_done = {R.SUCCESS, R.CORRUPT_OBJECT}
    if function is not F.RESTRICT_OBJECT_USAGE:
        nothing_done |= {R.STORAGE_NOT_AVAILABLE, R.STORAGE_READ_ONLY, R.STORAGE_COUNTER_SPENT}
    for result in set(TeeResult) - nothing_done:
        app = App()
        handle, empty = app.stored(), app.aes(None)
        app.store.result = result
        words = {F.RESTRICT_OBJECT_USAGE: [handle, 0], F.COPY_OBJECT_ATTRIBUTES: [empty, handle]}
        with pytest.raises(Panicked) as caught:
            app.ask(function, *words.get(function, [handle]))
        unwritable = result in (R.STORAGE_READ_ONLY, R.STORAGE_COUNTER_SPENT)
        assert caught.value.code is (R.STORAGE_NOT_AVAILABLE if unwritable else result)
