"""An application with closed replies that turns: from one request on it has its own process in its hands."""

from dataclasses import dataclass
from typing import Annotated, Any

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.params import Param, Params, operation
from tee_sim.shared.schema import Record, UpTo
from tee_sim.shared.ta_api import Command, CommandApp, Opened, TaEnv


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Record):
    value: Annotated[int, UpTo(1000)]


ASK, TURN = Command(1, Number, Number), Command(2, Number, Number)
LONG, LATE, VALUE, REFUSAL, SHORT, BYTES = range(6)
"""How it answers afterwards."""
FREE = bytes(range(64))


class Turned(CommandApp):
    """Answers with numbers, until it is turned."""

    turned = False

    def create(self, env: TaEnv) -> None:
        self.handle(ASK, lambda _session, request: request)
        self.handle(TURN, self._turn)

    def _turn(self, _session: Any, request: Number) -> Number:
        Turned.turned = True
        Turned.invoke = Turned.answer  # type: ignore[method-assign]
        return request

    def open_session(self, params: Params) -> object:
        return Opened(context=None, params=operation(params[0].filled(FREE))) if self.turned else None

    def answer(self, _session: Any, command: int, params: Params) -> Params:
        """Whatever the request says."""
        how = params[0].buffer[-1] if params[0].buffer else VALUE
        if how == LONG:
            return operation(params[0], params[1].filled(FREE))
        if how in (LATE, SHORT):
            return operation(params[0], params[1].filled(Number(value=5).to_bytes()))
        if how == BYTES:
            return operation(params[0], params[1].filled(FREE[:2]))
        if how == REFUSAL:
            raise TeeError(TeeResult.NO_DATA, "", params=operation(params[0], params[1].filled(FREE)))
        return (params[0], params[1], Param(kind=params[2].kind, a=7, b=8), params[3])
