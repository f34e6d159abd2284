"""A panic ends the instance: TARGET_DEAD, from the TEE, for the call and for every later one."""

from uuid import UUID

import pytest

from tee_sim.normal.client import Context, Session
from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.supplicant.service import Service
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import Param
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium
from tee_sim.testing.in_process import InProcessTee
from tests.tee_sim.gp.panic_app import READ, READ_HANDLE, WRITE

TA = UUID(int=77)
EMPTY = (Param.value(99), Param.output(16), Param.none(), Param.none())


def dead(session: Session, command: int) -> None:
    with pytest.raises(TeeError) as caught:
        session.invoke(command, EMPTY)
    assert (caught.value.result, caught.value.origin) == (TeeResult.TARGET_DEAD, Origin.TEE)


def test_a_bad_handle_kills_the_instance_and_a_new_session_finds_the_data(capfd: pytest.CaptureFixture[str]) -> None:
    manifest = Manifest(
        uuid=TA.bytes, name="p", entry="tests.tee_sim.gp.panic_app:PanicApp", code=(), replies=Replies.FREE,
        flags=("single_instance", "multi_session"),
    )  # fmt: skip
    service = Service(MemoryBlobs(), RpmbDevice(MemoryMedium()))
    context = Context(InProcessTee([manifest], service))
    session, other = context.open_session(TA), context.open_session(TA)
    session.invoke(WRITE, EMPTY)
    assert session.invoke(READ, EMPTY)[1].buffer == b"kept"
    dead(session, READ_HANDLE)
    assert "panic 0xb01 in TEE_ReadObjectData: BAD_PARAMETERS" in capfd.readouterr().err
    dead(session, READ)
    dead(other, READ)
    assert context.open_session(TA).invoke(READ, EMPTY)[1].buffer == b"kept"
