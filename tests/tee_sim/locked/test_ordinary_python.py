"""Ordinary Python in a locked application ends nobody; what ends an application ends that one only."""

import pytest

from tee_sim.normal.client import Context, Session
from tee_sim.normal.secure_process import SecureProcess
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.params import Param, Params, ParamType
from tests.tee_sim.locked.applications.ordinary.app import (
    ANSWERS,
    FIRST_LATE,
    FOREIGN,
    LATE,
    LEAVE_OPEN,
    ORDINARY,
    PANICS,
    STORE,
)
from tests.tee_sim.locked.conftest import World, manifest

ONE, OTHER = manifest(1, "ordinary"), manifest(2, "ordinary")
PARAMS: Params = (Param(kind=ParamType.VALUE_OUTPUT), Param.output(64), Param.none(), Param.none())


@pytest.fixture(scope="module")
def process(world: World) -> SecureProcess:
    """Two applications."""
    return world(ONE, OTHER)


@pytest.fixture(scope="module")
def bystander(process: SecureProcess) -> Session:
    """A session that stays open with the second one."""
    return Context(process).open_session(OTHER.ta_uuid)


def asked(session: Session) -> int:
    return session.invoke(0, PARAMS)[0].a


@pytest.mark.parametrize("number", range(len(ORDINARY)))
def test_what_prints_goes_nowhere(process: SecureProcess, bystander: Session, number: int) -> None:
    before = asked(bystander)
    assert bystander.invoke(number, PARAMS)[0].a == before + 1
    assert asked(bystander) == before + 2
    assert process.alive


@pytest.mark.parametrize(
    "command",
    [
        *(100 + i for i in range(len(PANICS))),
        *(200 + i for i in range(len(ANSWERS))),
        *(FIRST_LATE + i for i in range(len(LATE))),
        LEAVE_OPEN,
    ],
)
def test_a_panic_is_of_one_application(process: SecureProcess, bystander: Session, command: int) -> None:
    before = asked(bystander)
    context = Context(process)
    session = context.open_session(ONE.ta_uuid)
    with pytest.raises(TeeError, match="the trusted application panicked") as caught:
        session.invoke(command, PARAMS)
    assert (caught.value.result, caught.value.origin) == (TeeResult.TARGET_DEAD, Origin.TEE)
    with pytest.raises(TeeError):
        session.invoke(0, PARAMS)
    session.close()
    assert asked(bystander) == before + 1
    with context.open_session(ONE.ta_uuid) as again:
        assert again.invoke(STORE, PARAMS)[0].a == 1


def test_an_application_speaks_for_itself_only(process: SecureProcess) -> None:
    with Context(process).open_session(ONE.ta_uuid) as session:
        with pytest.raises(TeeError) as caught:
            session.invoke(FOREIGN, PARAMS)
        assert caught.value.origin is Origin.TRUSTED_APP
        assert asked(session) > 1


def test_parts_of_numpy_that_the_manifest_names_are_there(world: World) -> None:
    named = manifest(3, "ordinary", preload=("tee_sim", "numpy", "numpy.random", "numpy.fft"))
    with Context(world(named)).open_session(named.ta_uuid) as session:
        for number in range(len(LATE)):
            assert session.invoke(FIRST_LATE + number, PARAMS)[0].a == number + 1
