"""What an application with closed replies may answer is held by the core: one whose process is taken over is ended."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tee_sim.normal.client import Context
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.manifest import Replies
from tee_sim.shared.params import Param, Params, ParamType, operation
from tests.tee_sim.locked.applications.turned.app import ASK, BYTES, LATE, LONG, REFUSAL, SHORT, TURN, Number
from tests.tee_sim.locked.conftest import World, manifest

TURNED = replace(manifest(9, "turned"), replies=Replies.CLOSED)
VALUE: Params = (Param.none(), Param.output(64), Param(kind=ParamType.VALUE_OUTPUT), Param.none())


def asked(how: int) -> Params:
    return operation(Param.memref(Number(value=how).to_bytes()), Param.output(64))


def dead(call: Callable[[], object]) -> None:
    with pytest.raises(TeeError) as caught:
        call()
    assert (caught.value.result, caught.value.origin) == (TeeResult.TARGET_DEAD, Origin.TEE)


@pytest.mark.parametrize(
    ("command", "params"),
    [(1, asked(LONG)), (7, asked(LATE)), (1, VALUE), (1, asked(REFUSAL)), (1, asked(BYTES))],
    ids=["longer than declared", "never declared", "another output", "with a refusal", "no record"],
)
def test_one_that_is_taken_over_answers_no_more_than_before(world: World, command: int, params: Params) -> None:
    context = Context(world(TURNED))
    session = context.open_session(TURNED.ta_uuid)
    assert session.call(ASK, Number(value=7)) == Number(value=7)
    session.call(TURN, Number(value=0))
    assert session.invoke(1, asked(SHORT))[1].buffer == Number(value=5).to_bytes(), "control: as it likes"
    dead(lambda: session.invoke(command, params))
    dead(lambda: session.invoke(1, asked(SHORT)))


def test_outputs_of_a_session_are_not_answered_either(world: World) -> None:
    context = Context(world(TURNED))
    context.open_session(TURNED.ta_uuid).call(TURN, Number(value=0))
    dead(lambda: context.open_session(TURNED.ta_uuid, operation(Param.output(64))))
