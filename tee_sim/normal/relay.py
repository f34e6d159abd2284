"""Answer a program over its pipes (`tee_sim.normal.link`), out of a machine that runs here.

What passes is not written anew where nobody here wants to know what it says: an invocation's frame goes on with the
session's number changed, and its answer as it came (`Machine.pass_on`).
"""

import os
import select
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Self

from tee_sim.normal.link import Link, error_to_plain
from tee_sim.normal.login import identity_of
from tee_sim.normal.machine.machine import Machine
from tee_sim.normal.operation import CancellableOperation
from tee_sim.shared import codec
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import INVOKE_TIMEOUT_MS
from tee_sim.shared.login import ClientIdentity, Login
from tee_sim.shared.wire import (
    HEAD_BYTES,
    REQUESTS,
    CloseSession,
    Message,
    NoFrameError,
    OpenSession,
    framed,
    pack,
    unpack,
)

_LOOK_MS: Final = 200
"""How often it is looked whether the program still runs, in case a child of it has kept the pipe."""
_METHODS: Final = frozenset(map(int, Login))
_DONE: Final = framed(codec.encode([]))
_EIGHT_BYTES: Final = codec.encode(1 << 32)[:1]
_NULL: Final = codec.encode(None)
_NUMBERED: Final = framed(codec.encode([1 << 32]))[:-8]


def _no_head() -> TeeError:
    return TeeError(TeeResult.BAD_FORMAT, "no request of a client", origin=Origin.API)


class _ProgramsOperation(CancellableOperation):
    """One request of the program, which may say meanwhile that it is cancelled.

    Nobody listens but when an application asks: what was said before then is still in the pipe. A program that is gone
    has cancelled, and so has one of which another takes the turn.
    """

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self._number = 0
        self._ended = False

    def of(self, number: int) -> Self:
        """For the request with this number: there is one at a time."""
        self._number, self._ended = number, False
        return self

    def wait(self, timeout_ms: float) -> bool:
        """As `CancellableOperation.wait`."""
        until_s = time.monotonic() + timeout_ms / 1000
        while not self._ended:
            left_ms = max(0.0, (until_s - time.monotonic()) * 1000)
            if not self._link.has_read and not _readable(self._link.read_fd, left_ms):
                return False
            head = self._link.receive()
            word = None if head is None else _decoded(head)
            self._ended = word == [0, self._number] or not _is_cancel(word)
            if head is not None and not _is_cancel(word):
                self._link.put_back(head)
        return True


def _readable(fd: int, timeout_ms: float) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(timeout_ms))


def _decoded(head: bytes) -> object:
    try:
        return codec.decode(head)
    except TeeError:
        return None


def _is_cancel(head: object) -> bool:
    return isinstance(head, list) and [*map(type, head)] == [int, int] and head[0] == 0


class Relay:
    """Answers one program, or one after the other that share the pipes.

    Args:
        note: gets what no answer says.
    """

    def __init__(self, machine: Machine, link: Link, note: Callable[[str], None]) -> None:
        self._machine = machine
        self._link = link
        self._note = note
        self._clients = _Clients()
        self._operation = _ProgramsOperation(link)
        self._heads = _Heads()

    def serve(self, ended: Callable[[], bool] = lambda: False) -> None:
        """Answer until the program closes its end, has `ended`, or sends what is no request."""
        link = self._link
        poll = select.poll()
        poll.register(link.read_fd, select.POLLIN)
        while True:
            if not link.has_read and not poll.poll(_LOOK_MS):
                if ended():
                    return
                continue
            try:
                head = link.receive()
                if head is None:
                    return
                answer = self._answer(head)
                if answer:
                    link.send(*answer)
            except BrokenPipeError:
                return
            except NoFrameError as error:
                self._note(f"the program sent what is no request and is answered no more: {error.message}")
                return

    def _answer(self, head: bytes) -> tuple[bytes, ...]:
        """The frames that answer one request, none for a cancellation. Raises NoFrameError: nothing can follow then."""
        same = self._heads.same(head)
        if same is not None:
            return self._asked(*same, None)
        try:
            words = codec.decode(head)
        except TeeError as error:
            return _refused(None, error)
        if _is_cancel(words):
            return ()  # of a request that was answered meanwhile
        match words:
            case []:
                self._machine.kill()
                return (_DONE,)
            case [int(ms)] if _is_time(ms):
                return self._asked(ms, None, _DONE, None)
            case [int(ms), int(number), login] if _is_time(ms) and type(number) is int and number >= 0:
                self._heads.remember(head, ms)
                return self._asked(ms, number, framed(codec.encode([number])), login)
            case [_, int(number), _] if type(number) is int and number >= 0:
                answer = _refused(number, _no_head())
            case _:
                answer = _refused(None, _no_head())
        return () if self._link.receive() is None else answer

    def _asked(self, ms: int, number: int | None, begins: bytes, login: object) -> tuple[bytes, ...]:
        """The answer to a request whose body comes now; `begins` is the frame before one."""
        body = self._link.receive()
        if body is None:
            return ()
        operation = None if number is None else self._operation.of(number)
        answer = None
        try:
            if number is not None:
                self._clients.called(number, self._close)
            if operation is not None and login is None:
                answer = self._machine.pass_on(body, operation, timeout_ms=ms)
            if answer is None:
                answer = self._carried_out(unpack(body, REQUESTS), ms, operation, login)
        except TeeError as error:
            return _refused(number, error)
        return begins, framed(answer)

    def _carried_out(self, message: Message, ms: int, operation: CancellableOperation | None, login: object) -> bytes:
        if isinstance(message, OpenSession) and login is not None:
            message = replace(message, client=_identity(login))
        if operation is None:
            answer = self._machine.exchange(message, timeout_ms=ms)
        else:
            answer = self._machine.exchange_cancellable(message, operation, timeout_ms=ms)
        if operation is not None:
            self._clients.answered(message, answer.session if answer.result is TeeResult.SUCCESS else 0)
        return pack(answer)[HEAD_BYTES:]

    def _close(self, session: int) -> None:
        self._machine.exchange(CloseSession(session=session), timeout_ms=INVOKE_TIMEOUT_MS)


def _is_time(ms: object) -> bool:
    return type(ms) is int and ms > 0


def _identity(login: object) -> ClientIdentity:
    match login:
        case [int(method), int(user), group, bytes(name)] if method in _METHODS and (
            group is None or type(group) is int
        ):
            return identity_of(Login(method), user, group, os.fsdecode(name))
    raise TeeError(TeeResult.BAD_FORMAT, "login: no connection method", origin=Origin.API)


def _refused(number: int | None, error: TeeError) -> tuple[bytes, ...]:
    begins = [] if number is None else [number]
    return (framed(codec.encode([*begins, *error_to_plain(error)])),)


class _Heads:
    """Knows the frame before a request by its bytes, where nothing but the number differs from an earlier one.

    A program gives all its requests one deadline, and their numbers have eight bytes (`tee_sim.normal.link`).
    """

    def __init__(self) -> None:
        self._before = b""
        self._ms = 0

    def remember(self, head: bytes, ms: int) -> None:
        """This one was read."""
        if head[-10:-9] == _EIGHT_BYTES and head[-1:] == _NULL:
            self._before, self._ms = head[:-10], ms

    def same(self, head: bytes) -> tuple[int, int, bytes] | None:
        """Deadline, number, and the frame that its answer begins with; None for one that has to be read."""
        if not self._before or head[:-10] != self._before or head[-10:-9] != _EIGHT_BYTES or head[-1:] != _NULL:
            return None
        number = head[-9:-1]
        return self._ms, int.from_bytes(number, "big"), _NUMBERED + number


class _Clients:
    """Which process has opened which session, to close those of a process that has died, as a kernel's driver does."""

    def __init__(self) -> None:
        self._process = 0
        self._sessions: dict[int, int] = {}

    def called(self, number: int, close: Callable[[int], None]) -> None:
        """A process asks. Another one than before may be the one that took its place."""
        process = number >> 32
        if process == self._process:
            return
        self._process = process
        for session in [s for s, owner in self._sessions.items() if not _lives(owner)]:
            del self._sessions[session]
            try:
                close(session)
            except TeeError:
                continue  # it has ended by itself

    def answered(self, message: Message, session: int) -> None:
        """The process that has asked last was answered. `session`: that it has opened, 0 for none."""
        if isinstance(message, CloseSession):
            self._sessions.pop(message.session, None)
        # One that does not live here is one of another name space, whose end nobody here sees.
        if isinstance(message, OpenSession) and session and _lives(self._process):
            self._sessions[session] = self._process


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
