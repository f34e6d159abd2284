"""Entry points, parameters, instances and panics of a native application, each rule by its value."""

import re
from pathlib import Path

import pytest

from tee_sim.secure.hosts.messages import HostRefusal, HostReturn, Panicked
from tee_sim.shared.errors import Origin, TeeResult
from tee_sim.shared.limits import MAX_PARAM_BYTES
from tee_sim.shared.params import NO_PARAMS, Param, Params, ParamType
from tests.native.host.bare import Bare

HEADER = (Path(__file__).parents[1] / "tas" / "rough" / "rough.h").read_text()
DO = {name: int(number) for name, number in re.findall(r"^    ([A-Z_]+) = (\d+)", HEADER, re.MULTILINE)}
NONE = Param.none()


def four(*params: Param) -> Params:
    first, second, third, fourth = (*params, *(NONE,) * (4 - len(params)))
    return first, second, third, fourth


def inout(a: int = 0, b: int = 0) -> Param:
    return Param(kind=ParamType.VALUE_INOUT, a=a, b=b)


def shared(data: bytes, size_bytes: int | None = None) -> Param:
    size = len(data) if size_bytes is None else size_bytes
    return Param(kind=ParamType.MEMREF_INOUT, buffer=data, size_bytes=size)


OUT = Param(kind=ParamType.VALUE_OUTPUT)


@pytest.fixture(params=["13", "11"])
def ta(request: pytest.FixtureRequest, rough: Path, rough_11: Path) -> Path:
    """For each version of the API."""
    return rough if request.param == "13" else rough_11


@pytest.fixture
def host(runtime: Path, ta: Path) -> Bare:
    return Bare(runtime, ta).started()


def returned(message: object) -> Params:
    assert isinstance(message, HostReturn), message
    first, second, third, fourth = message.params
    return first, second, third, fourth


def counted(message: object) -> tuple[int, int, int]:
    first, second, *_ = returned(message)
    return first.a, first.b, second.a


def test_constructors_run_before_the_entry_point_and_globals_keep_between_calls(host: Bare) -> None:
    with host:
        assert counted(host.invoke(DO["COUNT"], four(OUT, OUT))) == (1, 41, 40)
        assert counted(host.invoke(DO["COUNT"], four(OUT, OUT))) == (2, 41, 41)


def test_each_instance_has_globals_of_its_own(host: Bare) -> None:
    with host:
        for _ in range(3):
            host.invoke(DO["COUNT"], four(OUT, OUT))
        assert host.create(2) == HostReturn()
        assert host.open(2) == HostReturn(context=2, params=NO_PARAMS)
        assert counted(host.invoke(DO["COUNT"], four(OUT, OUT), instance=2, context=2)) == (1, 41, 40)
        assert counted(host.invoke(DO["COUNT"], four(OUT, OUT))) == (4, 41, 43)
        assert counted(host.invoke(DO["COUNT"], four(OUT, OUT), instance=2, context=2)) == (2, 41, 41)
        assert host.close_session(2, 2) == HostReturn()
        assert host.destroy(2) == HostReturn()
        assert host.create(3) == HostReturn()
        host.open(3)
        assert counted(host.invoke(DO["COUNT"], four(OUT, OUT), instance=3, context=3)) == (1, 41, 40)


@pytest.mark.parametrize("what", ["PANIC", "ASSERT", "ABORT"])
def test_a_panic_ends_the_instance_alone(host: Bare, what: str) -> None:
    with host:
        host.create(2)
        host.open(2)
        host.invoke(DO["COUNT"], four(OUT, OUT), instance=2, context=2)
        host.invoke(DO["COUNT"], four(OUT, OUT))
        assert host.invoke(DO[what], four(Param.value(7))) == Panicked()
        assert host.destroy(1, panicked=True) == HostReturn()
        assert host.create(3) == HostReturn()
        assert host.open(3) == HostReturn(context=3, params=NO_PARAMS)
        assert counted(host.invoke(DO["COUNT"], four(OUT, OUT), instance=3, context=3)) == (1, 41, 40)
        assert counted(host.invoke(DO["COUNT"], four(OUT, OUT), instance=2, context=2)) == (2, 41, 41)


def test_a_panic_while_a_session_is_closed_or_the_instance_destroyed(host: Bare) -> None:
    with host:
        host.invoke(DO["ARM"], four(Param.value(1)))
        assert host.close_session(1, 1) == Panicked()
        host.create(2)
        host.open(2)
        host.invoke(DO["ARM"], four(Param.value(2)), instance=2, context=2)
        assert host.close_session(2, 2) == HostReturn()
        assert host.destroy(2) == Panicked()
        assert host.destroy(2, panicked=True) == HostReturn()
        host.create(3)
        assert host.open(3) == HostReturn(context=3, params=NO_PARAMS)


@pytest.mark.parametrize("result", [1, 0x1234, 0xFFFF0006, 0xFFFFFFFF, 0x7FFFFFFF])
def test_any_result_comes_back_as_the_applications_own(host: Bare, result: int) -> None:
    with host:
        answer = host.invoke(DO["RESULT"], four(Param.value(result)))
        assert isinstance(answer, HostRefusal)
        assert (int(answer.result), answer.origin) == (result, Origin.TRUSTED_APP)


def test_opening_hands_out_values_and_refuses_with_them(host: Bare) -> None:
    with host:
        assert returned(host.open(1, four(inout(0))))[0] == inout(0, 0x1001)
        answer = host.open(1, four(inout(0xABC, 5)))
        assert isinstance(answer, HostRefusal)
        assert int(answer.result) == 0xABC
        assert answer.params[0] == inout(0xABC, 0x1001)
        assert host.open(1, four(inout(0, 1))) == Panicked()


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 4096, MAX_PARAM_BYTES])
def test_bytes_go_in_and_out(host: Bare, size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    with host:
        answer = host.invoke(DO["ECHO"], four(Param.memref(data[:size]), Param.output(size)))
        assert returned(answer)[1] == Param.output(size).filled(data[:size])


def test_short_buffer_says_the_size_and_nothing_else(host: Bare) -> None:
    with host:
        for room in (Param.output(3), Param.null(ParamType.MEMREF_OUTPUT), Param.output(0)):
            answer = host.invoke(DO["ECHO"], four(Param.memref(b"twelve bytes"), room))
            assert isinstance(answer, HostRefusal)
            assert answer.result is TeeResult.SHORT_BUFFER
            assert answer.params[1] == Param(kind=ParamType.MEMREF_OUTPUT, size_bytes=12)


def test_null_is_not_the_same_as_no_bytes(host: Bare) -> None:
    with host:
        nulls = {
            (Param.null(), Param.null(ParamType.MEMREF_OUTPUT)): 3,
            (Param.memref(b""), Param.null(ParamType.MEMREF_OUTPUT)): 2,
            (Param.memref(b""), Param.output(0)): 0,
            (Param.null(), Param.output(5)): 1 | 5 << 20,
            (Param.memref(b"abc"), Param.output(5)): 3 << 8 | 5 << 20,
        }
        for given, seen in nulls.items():
            assert returned(host.invoke(DO["TYPES"], four(*given, NONE, OUT)))[3].b == seen


def test_types_arrive_as_they_were_given(host: Bare) -> None:
    with host:
        for kind in (ParamType.MEMREF_INPUT, ParamType.MEMREF_INOUT, ParamType.MEMREF_OUTPUT):
            given = four(Param(kind=kind, size_bytes=0), Param.value(1), inout(), OUT)
            assert returned(host.invoke(DO["TYPES"], given))[3].a == int(kind) | 1 << 4 | 3 << 8 | 2 << 12


def test_what_is_written_into_inputs_does_not_come_back(host: Bare) -> None:
    with host:
        answer = host.invoke(DO["WRITE_INPUT"], four(Param.memref(b"an input"), Param.value(5, 6)))
        left = returned(answer)
        assert left[0] == Param(kind=ParamType.MEMREF_INPUT)
        assert left[1] == Param(kind=ParamType.VALUE_INPUT)
        assert returned(host.invoke(DO["WRITE_INPUT"], four(shared(b"an input"))))[0] == shared(b"\xee", 1)


@pytest.mark.parametrize(("result", "size"), [(0, 9), (0, 0xFFFFFFFF), (0, 1 << 20)])
def test_a_size_above_the_room_is_a_panic_unless_refused(host: Bare, result: int, size: int) -> None:
    with host:
        assert host.invoke(DO["SAY_SIZE"], four(Param.output(8), Param.value(result, size))) == Panicked()


def test_refusals_hand_out_what_was_written_and_the_size_needed(host: Bare) -> None:
    with host:
        answer = host.invoke(DO["SAY_SIZE"], four(shared(b"abcdefgh"), Param.value(0x77, 3)))
        assert isinstance(answer, HostRefusal)
        assert answer.params[0] == shared(b"abc", 3)
        answer = host.invoke(DO["SAY_SIZE"], four(shared(b"abcdefgh"), Param.value(0xFFFF0010, 1 << 20)))
        assert isinstance(answer, HostRefusal)
        assert answer.params[0] == Param(kind=ParamType.MEMREF_INOUT, size_bytes=1 << 20)


def test_another_buffer_than_the_given_one_does_not_come_back(host: Bare) -> None:
    with host:
        assert returned(host.invoke(DO["MOVE_BUFFER"], four(shared(b"its own"))))[0] == shared(b"its own")


def test_a_short_overrun_of_a_parameter_hits_nobody_and_a_longer_one_ends_the_process(host: Bare) -> None:
    with host:
        assert returned(host.invoke(DO["OVERRUN"], four(Param.output(3), Param.value(13))))[0].buffer == b"\xee" * 3
        assert returned(host.invoke(DO["ECHO"], four(Param.memref(b"x"), Param.output(64))))[1].buffer == b"x"
        assert host.invoke(DO["OVERRUN"], four(Param.output(3), Param.value(14))) is None
        assert host.ended == -11


def test_outputs_hold_nothing_of_earlier_calls(host: Bare) -> None:
    with host:
        host.invoke(DO["ECHO"], four(Param.memref(b"s" * 100), Param.output(100)))
        answer = host.invoke(DO["SAY_SIZE"], four(Param.output(100), Param.value(0, 100)))
        assert returned(answer)[0].buffer == bytes(100)
