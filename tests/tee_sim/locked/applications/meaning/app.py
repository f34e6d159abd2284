"""Refuses with outputs, calls another one of its kind, and answers over its bounds: each behind two pipes."""

from typing import Any
from uuid import UUID

from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.params import NO_PARAMS, Param, Params, fill, replaced
from tee_sim.shared.ta_api import Opened, TaEnv

OWN = 0xC0DE_0042
REFUSE, FILL, RELAY, RELAY_RAW, WHO, OVER_OPEN, OVER_COMMITTED, COUNT, IS_CANCELLED, RELAY_CANCELLED = range(10)
OTHER = UUID(bytes=bytes(15) + b"\2")


class Meaning:
    """Parameter 0 is an output of bytes, 1 an output number."""

    def create(self, env: TaEnv) -> None:
        self.env = env

    def open_session(self, params: Params) -> object:
        if params[0].is_null:
            raise TeeError(OWN, "no", params=replaced(params, 0, params[0].needing(600 << 10)))
        return Opened(context=None, params=replaced(params, 1, Param.number(7))) if params[1].is_output else None

    def invoke(self, session: Any, command: int, params: Params) -> Params:
        if command == REFUSE:
            raise TeeError(OWN, "no", params=fill(replaced(params, 1, Param.number(5)), 0, b"left"))
        if command == FILL:
            return fill(params, 0, bytes(100))
        if command == WHO:
            return fill(params, 0, str(self.env.client.identity).encode())
        if command in (OVER_OPEN, OVER_COMMITTED):
            return self._over(command, params)
        if command == COUNT:
            return replaced(params, 1, Param.number(len(list(self.env.store.headers()))))
        if command == IS_CANCELLED:
            self.env.cancellation.unmask()
            return replaced(params, 1, Param.number(int(self.env.cancellation.requested())))
        return self._relay(command, params)

    def _over(self, command: int, params: Params) -> Params:
        transaction = self.env.store.transaction()
        transaction.__enter__().put(b"%d" % command, b"x", kind="x")
        if command == OVER_COMMITTED:
            transaction.__exit__(None, None, None)
        return replaced(params, 0, Param(kind=params[0].kind, buffer=bytes(65), size_bytes=65))

    def _relay(self, command: int, params: Params) -> Params:
        if command == RELAY_CANCELLED:
            self.env.cancellation.unmask()
            command = IS_CANCELLED
        asked = {RELAY: REFUSE, RELAY_RAW: REFUSE, IS_CANCELLED: IS_CANCELLED}.get(command, WHO)
        with self.env.peers.open_session(OTHER, replaced(NO_PARAMS, 1, Param.number(0))) as peer:
            assert peer.outputs[1].as_number() == 7
            try:
                return peer.invoke(asked, params)
            except TeeError as error:
                if command == RELAY_RAW:
                    raise
                assert error.result == OWN != TeeResult.SUCCESS
                assert error.params is not None
                return fill(replaced(params, 1, Param.number(error.params[1].b)), 0, error.params[0].buffer)

    def close_session(self, session: Any) -> None:
        """gpd.client.identity is there to the last."""
        assert str(self.env.client.identity)

    def destroy(self) -> None: ...
