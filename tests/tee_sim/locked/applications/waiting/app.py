"""Waits for a cancellation, and says who asked."""

from typing import Any

from tee_sim.shared.params import Param, Params, fill, replaced
from tee_sim.shared.ta_api import Opened, TaEnv

WAIT, LOOK, WAIT_MASKED = 1, 2, 3


class Waiting:
    """Parameter 0: milliseconds."""

    def create(self, env: TaEnv) -> None:
        self.env = env

    def open_session(self, params: Params) -> object:
        if params[0].is_output:
            return Opened(context=None, params=fill(params, 0, str(self.env.client.identity).encode()))
        return None

    def invoke(self, session: Any, command: int, params: Params) -> Params:
        before = command == WAIT_MASKED or self.env.cancellation.unmask()
        assert before, "masked when it begins"
        if command == LOOK:
            return replaced(params, 1, Param.number(int(self.env.cancellation.requested())))
        self.env.cancellation.wait(params[0].a)
        return params

    def close_session(self, session: Any) -> None: ...

    def destroy(self) -> None: ...
