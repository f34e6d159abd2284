"""Keys behind the lock: generated without another system call, kept over a death, protected by their usage."""

import pytest

from tee_sim.normal.client import Context
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.params import NO_PARAMS, Param, Params
from tests.tee_sim.locked.applications.keying.app import KINDS, LOOK, MAKE, STEAL
from tests.tee_sim.locked.conftest import World, manifest

APP = manifest(1, "keying", preload=("tee_sim", "cryptography"))


def test_keys_are_made_stored_and_protected_behind_the_lock(world: World) -> None:
    context = Context(world(APP))
    for number, (kind, size_bits, _, _) in enumerate(KINDS):
        params: Params = (Param.value(number), Param.number(0), *NO_PARAMS[:2])
        session = context.open_session(APP.ta_uuid)
        session.invoke(MAKE, params)
        with pytest.raises(TeeError) as caught:
            session.invoke(STEAL, params)
        assert caught.value.result is TeeResult.TARGET_DEAD, "a panic: the usage does not say extractable"
        left = context.open_session(APP.ta_uuid).invoke(LOOK, params)[1]
        assert (left.a, left.b) == (kind, size_bits)
