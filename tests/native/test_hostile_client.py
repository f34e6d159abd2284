"""What a client may send to an application in C: every mixture of kinds, and sizes that are not those of the bytes."""

from collections.abc import Iterator
from itertools import product

import pytest

from tee_sim.normal.client import Session
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.params import Param, ParamType
from tests.native.builds import EXAMPLES, Builds
from tests.native.conftest import machine_of

READ, LIST = 1, 7
NONE = Param.none()


@pytest.fixture(scope="module")
def session(builds: Builds) -> Iterator[Session]:
    with machine_of(builds.ta(EXAMPLES / "safe/ta")) as tee, tee.session() as session:
        yield session


def result(session: Session, command: int, *params: Param) -> TeeResult:
    try:
        session.invoke(command, (*params, NONE, NONE, NONE, NONE)[:4])  # type: ignore[arg-type]
    except TeeError as error:
        return error.result
    return TeeResult.SUCCESS


@pytest.mark.parametrize("says", [0, 3, 5, 4096])
def test_an_input_is_as_long_as_its_bytes_whatever_its_size_says(session: Session, says: int) -> None:
    name = Param(kind=ParamType.MEMREF_INPUT, buffer=b"1234", size_bytes=says)
    assert result(session, READ, name, Param.output(8)) == TeeResult.ITEM_NOT_FOUND


@pytest.mark.parametrize("kind", [ParamType.MEMREF_INOUT, ParamType.MEMREF_OUTPUT])
@pytest.mark.parametrize("says", [0, 3, 4096])
def test_a_room_is_what_its_size_says_whatever_bytes_came(session: Session, kind: ParamType, says: int) -> None:
    param = Param(kind=kind, buffer=b"1234", size_bytes=says)
    wanted = TeeResult.SUCCESS if kind is ParamType.MEMREF_OUTPUT else TeeResult.BAD_PARAMETERS
    assert result(session, LIST, param) == wanted


def test_no_mixture_of_kinds_ends_it(session: Session) -> None:
    found = {
        result(session, READ, Param(kind=first), Param(kind=second)) for first, second in product(ParamType, repeat=2)
    }
    assert found == {TeeResult.BAD_PARAMETERS}
