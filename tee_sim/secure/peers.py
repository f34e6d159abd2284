"""One trusted application as the client of another (GlobalPlatform TEE Internal Core API 1.3.1, section 4.9).

An application can only name a destination that its manifest names, and only use sessions that it opened itself.
Routing, the call stack and panics are the core's (`tee_sim.secure.core`).
"""

from typing import Protocol, Self, TypeVar
from uuid import UUID

from tee_sim.shared.errors import AnswerError, TeeError, TeeResult
from tee_sim.shared.limits import MAX_PARAM_BYTES
from tee_sim.shared.params import NO_PARAMS, Param, Params, operation
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command

Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)


class Route(Protocol):
    """What the core does for one calling instance."""

    def open(self, uuid: bytes, params: Params) -> tuple[int, Params]: ...

    def invoke(self, number: int, command: int, params: Params) -> Params: ...

    def close(self, number: int) -> None: ...


def _received(error: TeeError) -> AnswerError:
    """The same result as the caller's own to read: it is no result of the caller."""
    return AnswerError(error.result, error.message, origin=error.origin, params=error.params)


class _PeerSession:
    """`tee_sim.shared.ta_api.PeerSession`."""

    def __init__(self, route: Route, number: int, outputs: Params) -> None:
        self._route = route
        self._number = number
        self.outputs = outputs

    def invoke(self, command: int, params: Params) -> Params:
        try:
            return self._route.invoke(self._number, command, params)
        except TeeError as error:
            raise _received(error) from None

    def call(self, command: Command[Q, A], request: Q) -> A:
        given = operation(Param.memref(request.to_bytes()), Param.output(MAX_PARAM_BYTES))
        out = self.invoke(command.number, given)
        return command.reply.from_bytes(out[1].buffer)

    def close(self) -> None:
        self._route.close(self._number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class ManifestPeers:
    """`tee_sim.shared.ta_api.Peers` of one instance.

    Args:
        allowed: identities that its manifest names in `calls`.
        route: the way through the core.
    """

    def __init__(self, allowed: tuple[bytes, ...], route: Route) -> None:
        self._allowed = allowed
        self._route = route

    def open_session(self, uuid: UUID, params: Params = NO_PARAMS) -> _PeerSession:
        # Asked before the core looks it up: what is hosted here is nobody's business who may not call it.
        if uuid.bytes not in self._allowed:
            raise TeeError(TeeResult.ACCESS_DENIED, "the manifest does not name this application in `calls`")
        try:
            number, outputs = self._route.open(uuid.bytes, params)
        except TeeError as error:
            raise _received(error) from None
        return _PeerSession(self._route, number, outputs)
