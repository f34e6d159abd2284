"""The normal world's API: Context, Session, invoke (GlobalPlatform TEE Client API 1.0, in Python).

    with Context(transport) as context:
        with context.open_session(uuid) as session:
            reply = session.call(COMMAND, COMMAND.request(...))

An argument that cannot be sent is refused here, with its name, origin API: nothing was sent, and everybody else's
sessions go on. `call` decodes the reply strictly into the command's declared type. A reply that does not fit is an
integrity failure: the secure world is killed, because something in it speaks outside its contract.

Does not promise: that a call which failed had no effect. After TARGET_DEAD it may have been carried out in part, or in
whole and only its answer was lost.
"""

from typing import Protocol, Self, TypeVar, cast, runtime_checkable
from uuid import UUID

from tee_sim.normal.captured import Captured
from tee_sim.normal.login import client_identity
from tee_sim.normal.operation import CancellableOperation
from tee_sim.normal.reply_timing import ReplyQuantizer
from tee_sim.shared.clock import Moment
from tee_sim.shared.errors import AnswerError, Origin, TeeError, TeeResult
from tee_sim.shared.host_end import NO_HOST_LEFT, HostEnd
from tee_sim.shared.limits import INVOKE_TIMEOUT_MS, MAX_ANSWER_BYTES, MAX_PARAM_BYTES
from tee_sim.shared.login import Login
from tee_sim.shared.params import NO_PARAMS, Param, Params
from tee_sim.shared.params import operation as four
from tee_sim.shared.schema import MisfitError, Record, is_closed
from tee_sim.shared.ta_api import Command
from tee_sim.shared.wire import AdvanceClock, CloseSession, Invoke, Message, OpenSession, ReadClock, RenewKeys, Return

Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)


class Transport(Protocol):
    """A secure world to talk to: a process, or one in this process for tests."""

    def exchange(self, message: Message, *, timeout_ms: int = ...) -> Return: ...

    def kill(self) -> int | None: ...


@runtime_checkable
class CancellableTransport(Transport, Protocol):
    """One that can also be asked, meanwhile, whether an operation was cancelled."""

    def exchange_cancellable(
        self, message: Message, operation: CancellableOperation, *, timeout_ms: int = ...
    ) -> Return: ...


@runtime_checkable
class CapturingTransport(Transport, Protocol):
    """One whose secure world has sensors."""

    def capture(self, sensor: str, picture: bytes, *, timeout_ms: int = ...) -> Captured: ...


class OverBudgetError(TeeError):
    """TARGET_DEAD: a request would have let out more than its manifest allows, and was answered by ending whoever was
    asked.

    Args:
        what: was asked.
        bits: as the core has counted it.
    """

    def __init__(self, what: str, bits: int) -> None:
        super().__init__(
            TeeResult.TARGET_DEAD,
            f"the trusted application's process ended ({HostEnd.BUDGET.words}): {what} came to {bits} bits and may "
            "have been carried out in part",
            hint="do not use this build of it until somebody has looked: an honest one stays within its budget",
        )
        self.bits = bits


_PANICKED = "the trusted application panicked, then or before"


def _check(answer: Return, what: str) -> Return:
    if answer.result is TeeResult.TARGET_DEAD:
        if answer.origin is Origin.COMMS:
            raise TeeError(answer.result, f"{NO_HOST_LEFT}: {what} was not carried out", origin=answer.origin)
        if answer.host_end is HostEnd.BUDGET:
            raise OverBudgetError(what, answer.bits)
        ended = answer.host_end is not HostEnd.NONE
        why = f"the trusted application's process ended ({answer.host_end.words})" if ended else _PANICKED
        raise TeeError(
            answer.result,
            f"{why}: {what} may have been carried out in part",
            origin=answer.origin,
            hint="what it had stored stays; open another session",
        )
    if answer.result is not TeeResult.SUCCESS:
        raise AnswerError(answer.result, f"{what} was refused", origin=answer.origin, params=_left(answer))
    return answer


def _left(answer: Return) -> Params | None:
    """The parameters of an answer, if it has any: `Context.exchange` has looked how many."""
    if not answer.params:
        return None
    first, second, third, fourth = answer.params
    return (first, second, third, fourth)


def _unsendable(what: str) -> TeeError:
    return TeeError(TeeResult.BAD_PARAMETERS, what, origin=Origin.API, hint="nothing was sent")


def _checked(message: Invoke | OpenSession) -> Message:
    """The message, if it can be sent and answered. Raises TeeError BAD_PARAMETERS that names what is wrong."""
    params = message.params
    if not isinstance(params, tuple) or len(params) != 4 or not all(isinstance(p, Param) for p in params):
        raise _unsendable("an operation has four parameters")
    for index, param in enumerate(params):
        try:
            param.check_request()
        except MisfitError as error:
            raise _unsendable(f"parameter {index}, {error.why}") from None
    if sum(len(p.buffer) for p in params) > MAX_ANSWER_BYTES:
        raise _unsendable(f"the parameters are larger than {MAX_ANSWER_BYTES} bytes together")
    if sum(p.size_bytes for p in params if p.is_output) > MAX_ANSWER_BYTES:
        raise _unsendable(f"the outputs are larger than {MAX_ANSWER_BYTES} bytes together")
    try:
        message.check()
    except MisfitError as error:
        raise _unsendable(error.why) from None
    return message


def _only_length(error: TeeError) -> bool:
    """Whether a refused command left nothing but, with SHORT_BUFFER, the length of its reply."""
    needed = cast("Params", error.params)[1].size_bytes
    return error.result is TeeResult.SHORT_BUFFER and error.params == four(None, Param.output(needed))


class Session:
    """An open session with one TA.

    Attributes:
        outputs: the four parameters as the TA left them when it opened the session.
    """

    def __init__(self, context: "Context", number: int, outputs: Params = NO_PARAMS) -> None:
        self._context = context
        self._number = number
        self.outputs = outputs

    def invoke(
        self,
        command: int,
        params: Params,
        *,
        timeout_ms: int = INVOKE_TIMEOUT_MS,
        operation: CancellableOperation | None = None,
    ) -> Params:
        """TEEC_InvokeCommand. Returns the four parameters as the TA left them.

        Args:
            operation: to cancel it while it runs.

        Raises:
            TeeError: the TA's or TEE's result, with its origin and, in `params`, the parameters as the TA left them
                (SHORT_BUFFER: the length needed in `size_bytes`); BAD_PARAMETERS of origin API for what cannot be sent.
        """
        cancellable = operation is not None
        message = _checked(Invoke(session=self._number, command=command, params=params, cancellable=cancellable))
        left = _left(_check(self._context.exchange(message, timeout_ms, operation), f"command {command}"))
        if left is None:
            raise self._context.violated("an answer without four parameters")
        return left

    def call(
        self,
        command: Command[Q, A],
        request: Q,
        *,
        timeout_ms: int = INVOKE_TIMEOUT_MS,
        grid: ReplyQuantizer | None = None,
    ) -> A:
        """Send a command's request record and return its reply record, on the release grid if there is one.

        Raises:
            TeeError: as `invoke`; SECURITY (and the secure world is killed) for a reply that does not fit its type.
        """
        if command.reply not in self._context.closed_replies:
            if not is_closed(command.reply):
                raise _unsendable(f"{command.reply.__name__} is not a closed type: a reply holds no free bytes or text")
            self._context.closed_replies.add(command.reply)
        if type(request) is not command.request:
            raise _unsendable(f"a {type(request).__name__} is no {command.request.__name__}")
        try:
            data = request.to_bytes()
        except MisfitError as error:
            raise _unsendable(f"{command.request.__name__}.{error.why}") from None
        params = four(Param.memref(data), Param.output(MAX_PARAM_BYTES))
        started_s = grid.now_s() if grid else 0.0
        try:
            out = self.invoke(command.number, params, timeout_ms=timeout_ms)
        except TeeError as error:
            if error.params is not None and not _only_length(error):
                raise self._context.violated("more with a refusal than how much room is needed") from None
            raise
        if grid is not None:
            grid.hold(started_s)
        if out != four(None, Param.output(len(out[1].buffer)).filled(out[1].buffer)):
            raise self._context.violated(f"more with a {command.reply.__name__} than that")
        try:
            return command.reply.from_bytes(out[1].buffer)
        except TeeError:
            raise self._context.violated(f"a reply that is not a {command.reply.__name__}") from None

    def close(self) -> None:
        """TEEC_CloseSession."""
        self._context.exchange(CloseSession(session=self._number), INVOKE_TIMEOUT_MS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, *exc: object) -> None:
        if exc_type is None:
            self.close()


class Context:
    """TEEC_Context: a connection to one secure world."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.closed_replies: set[type[Record]] = set()
        """Types of replies that were looked at and are closed."""

    def open_session(
        self,
        uuid: UUID,
        params: Params = NO_PARAMS,
        *,
        login: Login = Login.PUBLIC,
        group: int | None = None,
        application: str | None = None,
        operation: CancellableOperation | None = None,
    ) -> Session:
        """TEEC_OpenSession.

        Args:
            login, group, application: connection method and its data, of `tee_sim.normal.login.client_identity`.
            operation: to cancel it while it runs.

        Raises:
            TeeError: ITEM_NOT_FOUND for an unknown TA, BUSY, OUT_OF_MEMORY for a session too many, or the TA's own
                refusal, with the parameters as it left them; BAD_PARAMETERS as `invoke`; ACCESS_DENIED of origin API
                for a login that this process may not have.
        """
        client = client_identity(login, group=group, application=application)
        cancellable = operation is not None
        message = _checked(OpenSession(uuid=uuid.bytes, params=params, client=client, cancellable=cancellable))
        answer = _check(self.exchange(message, INVOKE_TIMEOUT_MS, operation), "the session")
        return Session(self, answer.session, _left(answer) or NO_PARAMS)

    def capture(self, sensor: str, picture: bytes, *, timeout_ms: int = INVOKE_TIMEOUT_MS) -> Captured:
        """Have a sensor read a picture. An application takes what it has read, by the id that comes back.

        Raises:
            TeeError: as `tee_sim.normal.secure_process.SecureProcess.capture`.
        """
        if not isinstance(self._transport, CapturingTransport):
            raise _unsendable("capture: this way to the secure world leads to no sensor")
        return self._transport.capture(sensor, picture, timeout_ms=timeout_ms)

    def renew_keys(self, *, timeout_ms: int) -> None:
        """Give every stored object a new key. Call again after an interruption: it goes on where it was.

        Raises:
            TeeError: what the store says.
        """
        _check(self.exchange(RenewKeys(), timeout_ms), "the renewal of the keys")

    def time(self) -> Moment:
        """The device's wall and boot time."""
        return self._moment(_check(self.exchange(ReadClock(), INVOKE_TIMEOUT_MS), "the time"))

    def advance_clock(self, ms: int) -> Moment:
        """Move a stepped clock forward, for good; return the time it shows then.

        Raises:
            TeeError: ACCESS_DENIED on a device with the host's clock; BAD_PARAMETERS past the last year that fits.
        """
        return self._moment(_check(self.exchange(AdvanceClock(ms=ms), INVOKE_TIMEOUT_MS), "the step of the clock"))

    def _moment(self, answer: Return) -> Moment:
        try:
            wall, boot, *_ = answer.params
            return Moment.from_bytes(Moment(wall_ms=wall.as_number(), boot_ms=boot.as_number()).to_bytes())
        except (TeeError, ValueError):
            raise self.violated("a time that is none") from None

    def exchange(self, message: Message, timeout_ms: int, operation: CancellableOperation | None = None) -> Return:
        """One request, one answer, with four parameters or none."""
        if operation is None:
            answer = self._transport.exchange(message, timeout_ms=timeout_ms)
        elif isinstance(self._transport, CancellableTransport):
            operation.begin()
            answer = self._transport.exchange_cancellable(message, operation, timeout_ms=timeout_ms)
        else:
            raise _unsendable("operation: this way to the secure world cannot cancel")
        if len(answer.params) not in (0, 4):
            raise self.violated("an answer without four parameters")
        return answer

    def violated(self, what: str) -> TeeError:
        """Kill the secure world and return the error to raise."""
        self._transport.kill()
        return TeeError(
            TeeResult.SECURITY,
            f"the secure world sent {what}; it was killed",
            origin=Origin.API,
            hint="this build of the trusted application breaks its contract: do not use it",
        )
