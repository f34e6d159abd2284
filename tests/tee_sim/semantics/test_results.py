"""What an application answers: any 32-bit result, and its outputs with a refusal too."""

import copy
import pickle
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tee_sim.normal.client import Context
from tee_sim.shared.errors import AnswerError, Origin, TeeError, TeeResult
from tee_sim.shared.limits import MAX_PARAM_BYTES
from tee_sim.shared.params import NO_PARAMS, Param, Params, ParamType, fill, replaced, short_buffer
from tee_sim.shared.schema import Record, UpTo, max_bits
from tee_sim.shared.ta_api import Command, CommandApp, TaEnv
from tee_sim.shared.wire import Return
from tests.tee_sim.semantics.hosted import ONE, TWO, App, context_of, hosted

OWN = 0xC0DE_0001
INOUT = Param(kind=ParamType.VALUE_INOUT, a=1, b=2)
ROOM: Params = (Param.value(5), INOUT, Param.output(8), Param(kind=ParamType.MEMREF_INOUT, buffer=b"in", size_bytes=2))


class Raising(App):
    """Raises what it is told, with the parameters of a function."""

    result: int = OWN
    left: Any = None

    def invoke(self, session: object, command: int, params: Params) -> Params:
        raise TeeError(self.result, "no", origin=Origin.TRUSTED_APP, params=self.left(params) if self.left else None)


def refusal(result: int, left: Any = None, given: Params = ROOM) -> TeeError:
    context = context_of(type("One", (Raising,), {"result": result, "left": staticmethod(left) if left else None}))
    with pytest.raises(TeeError) as caught:
        context.open_session(ONE).invoke(1, given)
    return caught.value


@pytest.mark.parametrize("result", [1, OWN, 0x8000_0000, 0xFFFF_FFFF])
def test_a_result_that_nobody_here_has_named_travels_and_prints_as_digits(result: int) -> None:
    error = refusal(result)
    assert (error.result, error.origin) == (result, Origin.TRUSTED_APP)
    assert str(error) == f"command 1 was refused (0x{result:08x}, origin TRUSTED_APP)"


def test_a_result_that_is_named_has_its_name() -> None:
    error = refusal(0xFFFF_0007)
    assert error.result is TeeResult.BAD_STATE
    assert str(error) == "command 1 was refused (BAD_STATE, origin TRUSTED_APP)"


@pytest.mark.parametrize("result", [0, -1, 1 << 32])
def test_no_result_on_the_way_of_an_error_is_a_panic(result: int) -> None:
    error = refusal(result)
    assert (error.result, error.origin) == (TeeResult.TARGET_DEAD, Origin.TEE)


@given(st.integers(0, 0xFFFF_FFFF))
def test_every_number_is_one_result(number: int) -> None:
    result = TeeResult(number)
    assert result == number
    assert TeeResult(number) == result
    assert hash(TeeResult(number)) == hash(result)
    assert copy.deepcopy(result) == pickle.loads(pickle.dumps(result)) == number
    answer = Return(result=result, origin=Origin.TRUSTED_APP)
    assert Return.from_bytes(answer.to_bytes()) == answer


@pytest.mark.parametrize("number", [-1, 1 << 32, 1.0, "1", None])
def test_what_is_no_number_of_32_bits_is_no_result(number: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid TeeResult"):
        TeeResult(number)
    with pytest.raises(TeeError, match="record does not fit its type: result"):
        Return.from_plain([number, 4, 0, [], 0, 0])


def test_numbers_without_a_name_are_not_kept() -> None:
    before = len(TeeResult)
    assert TeeResult(OWN) is not TeeResult(OWN)
    assert len(TeeResult) == before
    assert OWN not in TeeResult.__members__.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded(Record):
    result: Annotated[TeeResult, UpTo(0xFFFF_FFFF)]
    origin: Origin


def test_an_enumeration_with_a_bound_carries_the_bits_of_its_bound() -> None:
    assert max_bits(Coded) == 32 + 2


def test_outputs_come_back_with_a_refusal() -> None:
    def left(params: Params) -> Params:
        answer = replaced(params, 1, Param(kind=ParamType.VALUE_INOUT, a=7, b=8))
        return fill(fill(answer, 2, b"partial"), 3, b"x")

    error = refusal(OWN, left)
    assert isinstance(error, AnswerError)
    params = error.params
    assert params is not None
    assert params[0] == Param.none(), "an input is not echoed"
    assert (params[1].a, params[1].b) == (7, 8)
    assert (params[2].buffer, params[2].size_bytes) == (b"partial", 7)
    assert (params[3].buffer, params[3].size_bytes) == (b"x", 1)


def test_a_refusal_that_changes_nothing_has_no_parameters() -> None:
    assert refusal(OWN).params is None


@pytest.mark.parametrize("needed", [9, 8 << 10, MAX_PARAM_BYTES + 1, 0xFFFF_FFFF])
def test_short_buffer_says_what_is_needed_even_where_nobody_can_give_it(needed: int) -> None:
    error = refusal(TeeResult.SHORT_BUFFER, lambda params: replaced(params, 2, params[2].needing(needed)))
    assert error.result is TeeResult.SHORT_BUFFER
    assert error.params is not None
    assert (error.params[2].size_bytes, error.params[2].buffer) == (needed, b"")


BEYOND = {
    "more than there was room for": lambda p: replaced(p, 2, Param(kind=p[2].kind, buffer=bytes(9), size_bytes=9)),
    "a length of 33 bits": lambda p: replaced(p, 2, Param(kind=p[2].kind, size_bytes=1 << 32)),
    "another kind": lambda p: replaced(p, 2, Param.number(1)),
    "three parameters": lambda p: p[:3],
    "no parameters": lambda p: (1, 2, 3, 4),
    "a number of 33 bits": lambda p: replaced(p, 1, Param(kind=p[1].kind, a=1 << 32)),
}


@pytest.mark.parametrize("left", BEYOND.values(), ids=BEYOND)
def test_outputs_of_a_refusal_are_held_against_the_room_as_any_others(left: Any) -> None:
    assert refusal(OWN, left).result is TeeResult.TARGET_DEAD


def test_a_length_above_the_room_with_success_is_a_panic() -> None:
    class Long(App):
        def invoke(self, session: object, command: int, params: Params) -> Params:
            return replaced(params, 2, params[2].needing(9))

    with pytest.raises(TeeError) as caught:
        context_of(Long).open_session(ONE).invoke(1, ROOM)
    assert caught.value.result is TeeResult.TARGET_DEAD


@pytest.mark.parametrize("size_bytes", [0, 1, 5, 9, 0xFFFF_FFFF])
def test_the_length_of_bytes_is_theirs_and_says_nothing_else(size_bytes: int) -> None:
    class Sizing(App):
        def invoke(self, session: object, command: int, params: Params) -> Params:
            left = replaced(params, 2, Param(kind=params[2].kind, buffer=b"x", size_bytes=size_bytes))
            if command == 2:
                raise TeeError(OWN, "no", params=left)
            return left if command == 1 else replaced(params, 2, params[2].needing(size_bytes))

    session = context_of(Sizing).open_session(ONE)
    assert session.invoke(1, ROOM)[2] == Param(kind=ParamType.MEMREF_OUTPUT, buffer=b"x", size_bytes=1)
    with pytest.raises(TeeError) as caught:
        session.invoke(2, ROOM)
    assert caught.value.params is not None
    assert caught.value.params[2].size_bytes == 1
    if size_bytes == 0:
        assert session.invoke(3, ROOM)[2].size_bytes == 0
    else:
        with pytest.raises(TeeError) as caught:
            session.invoke(3, ROOM)
        assert caught.value.result is TeeResult.TARGET_DEAD, "a length without bytes"


def test_fill_says_how_much_room_was_needed() -> None:
    assert fill(ROOM, 2, b"12345678")[2].buffer == b"12345678"
    with pytest.raises(TeeError, match=r"^output needs 9 bytes \(SHORT_BUFFER, origin TRUSTED_APP\)$") as caught:
        fill(ROOM, 2, b"123456789")
    assert caught.value.params is not None
    assert [p.size_bytes for p in caught.value.params] == [0, 0, 9, 2]
    with pytest.raises(TeeError, match="parameter is not an output buffer"):
        fill(ROOM, 0, b"")
    with pytest.raises(TeeError, match="parameter is not an output buffer"):
        short_buffer(ROOM, 1, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Small(Record):
    number: Annotated[int, UpTo(9)]


ASK = Command(1, Small, Small)


class Commands(CommandApp):
    """Answers, or refuses with free bytes."""

    def create(self, env: TaEnv) -> None:
        self.handle(ASK, self._answer)

    def _answer(self, _session: object, request: Small) -> Small:
        if request.number == 9:
            raise TeeError(
                OWN, "no", params=(Param.memref(b""), *fill((ROOM[2],) * 4, 0, b"secret")[:1], *NO_PARAMS[:2])
            )
        return request


def test_a_command_asks_for_the_room_of_its_longest_reply() -> None:
    session = context_of(Commands).open_session(ONE)  # type: ignore[arg-type]
    params = (Param.memref(Small(number=1).to_bytes()), Param.output(3), *NO_PARAMS[:2])
    with pytest.raises(TeeError) as caught:
        session.invoke(1, params)
    assert caught.value.result is TeeResult.SHORT_BUFFER
    assert caught.value.params is not None
    needed = caught.value.params[1].size_bytes
    assert needed == 18
    assert session.invoke(1, replaced(params, 1, Param.output(needed)))[1].buffer == Small(number=1).to_bytes()


def test_a_typed_call_takes_no_bytes_with_a_refusal() -> None:
    wire = hosted(Commands)  # type: ignore[arg-type]
    context = Context(wire)
    session = context.open_session(ONE)
    assert session.call(ASK, Small(number=3)) == Small(number=3)
    with pytest.raises(TeeError, match="the secure world sent more with a refusal than how much room is needed; it"):
        session.call(ASK, Small(number=9))
    assert wire.killed == 1


class Asking(App):
    """Asks TWO and lets its refusal pass, or reads it."""

    def invoke(self, session: object, command: int, params: Params) -> Params:
        with self.env.peers.open_session(TWO) as peer:
            try:
                return peer.invoke(1, params)
            except TeeError as error:
                assert error.params is not None
                if command == 1:
                    raise
                return fill(params, 2, error.params[2].buffer)


def test_a_refusal_of_another_application_is_for_the_caller_s_eyes() -> None:
    def left(params: Params) -> Params:
        return fill(params, 2, b"peer's")

    two = type("Two", (Raising,), {"left": staticmethod(left)})
    session = context_of(Asking, two).open_session(ONE)
    with pytest.raises(TeeError) as caught:
        session.invoke(1, ROOM)
    assert (caught.value.result, caught.value.params) == (OWN, None), "handed on without a word of its outputs"
    assert session.invoke(2, ROOM)[2].buffer == b"peer's", "what it reads itself it may answer with"


def test_parameters_that_an_application_makes_for_another_are_checked() -> None:
    seen: list[str] = []

    class Careless(App):
        def invoke(self, session: object, command: int, params: Params) -> Params:
            with self.env.peers.open_session(TWO) as peer:
                for bad in ((Param.output(MAX_PARAM_BYTES + 1), *NO_PARAMS[1:]), NO_PARAMS[:3], (1, 2, 3, 4)):
                    try:
                        peer.invoke(1, bad)  # type: ignore[arg-type]
                    except TeeError as error:
                        seen.append(str(error))
            return params

    context_of(Careless, App).open_session(ONE).invoke(1, NO_PARAMS)
    assert seen == [
        "record does not fit its type: size_bytes: expected an integer from 0 to 524288 (BAD_FORMAT, origin TEE)",
        "an operation has four parameters (BAD_PARAMETERS, origin TEE)",
        "an operation has four parameters (BAD_PARAMETERS, origin TEE)",
    ]


def test_an_answer_of_two_parameters_is_a_breach() -> None:
    class Two:
        killed = 0

        def exchange(self, message: object, *, timeout_ms: int = 0) -> Return:
            return Return(result=TeeResult.BAD_STATE, origin=Origin.TEE, params=NO_PARAMS[:2])

        def kill(self) -> int | None:
            self.killed += 1
            return None

    two = Two()
    with pytest.raises(TeeError, match="the secure world sent an answer without four parameters; it was killed"):
        Context(two).open_session(ONE)
    assert two.killed == 1
