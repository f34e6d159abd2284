"""What goes into an application and what comes out of it, held against each other.

Pure: whoever runs an application asks here whether what it left is an answer. What is none is a panic, so these
functions raise ValueError for it, and TeeError for mistakes of the caller.
"""

from dataclasses import replace
from typing import cast

from tee_sim.shared.errors import AnswerError, Origin, Outputs, TeeError, TeeResult
from tee_sim.shared.limits import MAX_ANSWER_BYTES
from tee_sim.shared.login import ClientIdentity, Login
from tee_sim.shared.params import Param, Params
from tee_sim.shared.ta_api import Opened
from tee_sim.shared.wire import OpenSession

_NOTHING = Param.none()


def four(params: tuple[Param, ...]) -> Params:
    """The parameters of an operation. Raises TeeError for another number, or outputs that no answer could hold."""
    if len(params) != 4:
        raise TeeError(TeeResult.BAD_PARAMETERS, "an operation has four parameters")
    room_bytes = 0
    for param in params:
        param.check_room()
        room_bytes += param.size_bytes if param.is_output else 0
    if room_bytes > MAX_ANSWER_BYTES:
        raise TeeError(TeeResult.BAD_PARAMETERS, f"outputs are larger than {MAX_ANSWER_BYTES} bytes together")
    return (params[0], params[1], params[2], params[3])


def made(params: Params) -> Params:
    """Parameters that an application made: nothing has checked them on their way."""
    for param in params:
        if type(param) is not Param:
            raise TeeError(TeeResult.BAD_PARAMETERS, "an operation has four parameters")
        param.check()
    return four(params)


def client_of(message: OpenSession) -> ClientIdentity:
    """The identity that the normal world states. It speaks for its own clients and for no application."""
    client = message.client
    if client.login in (Login.TRUSTED_APP, Login.REE_KERNEL):
        raise TeeError(TeeResult.ACCESS_DENIED, "a login that the normal world has no client for")
    if client.login is Login.PUBLIC and any(client.uuid):
        raise TeeError(TeeResult.BAD_PARAMETERS, "a public client has no identity")
    return client


def opened(given: Params, answer: object) -> Opened:
    """What an application answers to the opening of a session. Raises as `outputs`."""
    if isinstance(answer, Opened):
        return replace(answer, params=outputs(given, answer.params))
    left = tuple(p if p.is_output else Param.none() for p in given)
    return Opened(context=answer, params=cast("Params", left))


def outputs(given: Params, left: Params, *, refused: bool = False) -> Params:
    """What an application answers with: the outputs, of the same kinds, and no more than there was room for.

    The length of an output is that of its bytes. Another one says something only where it says what is needed, or that
    the output is as it was given.

    Args:
        refused: it is no SUCCESS: a length above the room says what would be needed, and comes without a byte.

    Raises:
        ValueError: it is something else.
    """
    for before, after in zip(given, left, strict=True):
        if after is _NOTHING and before is _NOTHING:
            continue
        if type(after) is not Param or after.kind is not before.kind:
            raise ValueError("a parameter of another kind")
        says_length = not after.buffer and after.size_bytes not in (0, before.size_bytes)
        if after.is_output and (len(after.buffer) > before.size_bytes or (says_length and not refused)):
            raise ValueError("an output parameter of another size")
        try:
            after.check()
        except TeeError as error:
            raise ValueError("an output parameter outside its bounds") from error
    return (_left(left[0]), _left(left[1]), _left(left[2]), _left(left[3]))


def _left(param: Param) -> Param:
    if not param.is_output:
        return _NOTHING
    size_bytes = len(param.buffer)
    return replace(param, size_bytes=size_bytes) if size_bytes not in (0, param.size_bytes) else param


def result_of(error: TeeError, given: Params | None) -> TeeError:
    """The result of an application. The layers between it and its caller are not its to speak for.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(error.result, TeeResult) or error.result == TeeResult.SUCCESS:
        raise ValueError("no result") from error
    # An answer that it was given itself holds another application's outputs, for its eyes only.
    own = None if given is None or isinstance(error, AnswerError) else error.params
    left: Outputs | None = None if own is None or given is None else outputs(given, cast("Params", own), refused=True)
    origin = error.origin if error.origin in (Origin.TEE, Origin.TRUSTED_APP) else Origin.TRUSTED_APP
    return TeeError(error.result, error.message, origin=origin, params=left)
