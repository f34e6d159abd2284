"""Times: of the boot, of the normal world, and the persistent one."""

import pytest

from tee_sim.shared.errors import TeeResult
from tee_sim.shared.gp_functions import Function
from tests.native.api.native import App, Refused

F = Function


def test_the_system_time_is_that_of_the_boot_and_the_other_one_the_wall_clock() -> None:
    app = App()
    assert app.ask(F.GET_SYSTEM_TIME) == [60, 0]
    assert app.ask(F.GET_REE_TIME) == [1_767_225_600, 0]
    app.clock.advance(1_234)
    assert (app.ask(F.GET_SYSTEM_TIME), app.ask(F.GET_REE_TIME)) == ([61, 234], [1_767_225_601, 234])
    app.clock.set_wall_ms(5)
    assert (app.ask(F.GET_SYSTEM_TIME), app.ask(F.GET_REE_TIME)) == ([61, 234], [0, 5])


def test_the_persistent_time_goes_on_over_a_reboot_and_is_this_application_s() -> None:
    app = App()
    app.ask(F.SET_TA_PERSISTENT_TIME, 1_000, 500)
    app.clock.advance(700)
    assert app.ask(F.GET_TA_PERSISTENT_TIME) == [1_001, 200]
    app = app.restarted()
    app.clock.advance(60_000)
    assert app.ask(F.GET_TA_PERSISTENT_TIME) == [1_061, 200]
    app.ask(F.SET_TA_PERSISTENT_TIME, 0, 0)
    assert app.ask(F.GET_TA_PERSISTENT_TIME) == [0, 0]


def test_a_clock_that_was_set_back_and_a_damaged_record_need_a_reset() -> None:
    app = App()
    app.ask(F.SET_TA_PERSISTENT_TIME, 7, 9)
    app.clock.set_wall_ms(app.clock.wall_ms() - 1)
    for result, words in ((None, [7, 9]), (TeeResult.CORRUPT_OBJECT, [0, 0])):
        app.store.result = result
        with pytest.raises(Refused) as caught:
            app.ask(F.GET_TA_PERSISTENT_TIME)
        assert (caught.value.result, caught.value.outputs) == (TeeResult.TIME_NEEDS_RESET, words)
    app.store.result = None
    app.ask(F.SET_TA_PERSISTENT_TIME, 8, 0)
    assert app.ask(F.GET_TA_PERSISTENT_TIME) == [8, 0]


def test_a_time_of_more_than_32_bits_is_cut_and_said_so() -> None:
    app = App()
    app.ask(F.SET_TA_PERSISTENT_TIME, 0xFFFF_FFFF, 999)
    assert app.ask(F.GET_TA_PERSISTENT_TIME) == [0xFFFF_FFFF, 999]
    app.clock.advance(2)
    with pytest.raises(Refused) as caught:
        app.ask(F.GET_TA_PERSISTENT_TIME)
    assert (caught.value.result, caught.value.outputs) == (TeeResult.OVERFLOW, [0, 1])


def test_the_record_of_the_time_is_no_object_that_is_listed() -> None:
    app = App()
    app.ask(F.SET_TA_PERSISTENT_TIME, 1, 0)
    number = app.one(F.ALLOCATE_PERSISTENT_OBJECT_ENUMERATOR)
    with pytest.raises(Refused) as caught:
        app.ask(F.START_PERSISTENT_OBJECT_ENUMERATOR, number, 1)
    assert caught.value.result is TeeResult.ITEM_NOT_FOUND
