"""Tests of the sensor and of the application that takes what it reads: `pytest`, and `pytest --tee=locked`."""

import pytest
from light.commands import JUDGE, Judge
from light.sensor import DARK, GOOD, NO_PICTURE

from tee_sim.shared.errors import TeeError

DAY, NIGHT, NOTHING = bytes([200]) * 4096, bytes([40]) * 4096, bytes(4096)


def test_the_application_takes_what_was_read_and_the_client_sees_a_code(tee):
    captured = [tee.capture("light", picture) for picture in (DAY, NIGHT, NOTHING, DAY[:-1])]
    assert [one.acquired for one in captured] == [GOOD, GOOD, DARK, NO_PICTURE]
    ids = [one.capture_id for one in captured[:2]]
    assert [tee.session().call(JUDGE, Judge(capture_id=one)).is_day for one in ids] == [True, False]
    with pytest.raises(TeeError, match="ITEM_NOT_FOUND"):
        tee.session().call(JUDGE, Judge(capture_id=ids[0]))
