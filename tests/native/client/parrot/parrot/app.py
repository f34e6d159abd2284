"""An application for the tests of libteec: each command is one thing that can come back."""

from typing import Any

from tee_sim.shared.errors import Origin, TeeError
from tee_sim.shared.params import Param, Params, fill, replaced, short_buffer
from tee_sim.shared.ta_api import Opened, TaEnv

SAY, FILL, NEED, REFUSE, WAIT, PANIC, SEE, COUNT, LOOK, WRITE = range(1, 11)
KIND = "count"


class Parrot:
    """Parameter 0 says how much, or what."""

    def create(self, env: TaEnv) -> None:
        self.env = env
        self.calls = 0

    def open_session(self, params: Params) -> object:
        """An output of it gets the identity of the client; a value refuses the session with its number."""
        if params[0].is_output:
            return Opened(context=None, params=fill(params, 0, str(self.env.client.identity).encode()))
        if params[0].a:
            raise TeeError(params[0].a, "as it was told", origin=Origin.TRUSTED_APP)
        return None

    def invoke(self, session: Any, command: int, params: Params) -> Params:
        self.calls += 1
        first = params[0]
        if command == FILL:  # each output memory reference with so many bytes of its place
            for index in range(1, 4):
                if params[index].is_output:
                    params = fill(params, index, bytes([index]) * first.a)
        elif command == NEED:
            raise short_buffer(params, 1, first.a)
        elif command == REFUSE:  # with outputs
            left = fill(params, 1, b"left")
            raise TeeError(first.a, "as it was told", origin=Origin.TRUSTED_APP, params=left)
        elif command in (WAIT, LOOK):
            self.env.cancellation.unmask()
            if command == LOOK:
                return replaced(params, 1, Param.number(int(self.env.cancellation.requested())))
            self.env.cancellation.wait(first.a)
        elif command == PANIC:
            raise ZeroDivisionError
        elif command == SEE:  # kinds, sizes and nulls of the parameters
            seen = " ".join(f"{int(p.kind)}:{p.size_bytes}:{int(p.is_null)}:{p.buffer[:4].hex()}" for p in params[:3])
            return fill(params, 3, seen.encode())
        elif command == COUNT:
            return replaced(params, 0, Param.number(self.calls))
        elif command == WRITE:
            with self.env.store.transaction() as transaction:
                transaction.put(b"n", first.a.to_bytes(4, "big"), kind=KIND)
        return params

    def close_session(self, session: Any) -> None: ...

    def destroy(self) -> None: ...
