"""Answer a program over its pipes (`tee_sim.normal.link`), out of a machine that runs here.

What passes is not written anew where nobody here wants to know what it says: an invocation's frame goes on with the
session's number changed, and its answer as it came (`Machine.pass_on`).
"""

import os
import select
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from tee_sim.normal.link import Link, error_to_plain
from tee_sim.normal.login import identity_of
from tee_sim.normal.machine.machine import Machine
from tee_sim.normal.machine.options import PassingProcess
from tee_sim.normal.operation import CancellableOperation
from tee_sim.normal.quick_relay import Quick, QuickState
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
        kit: of what passes on in C; None for nothing.
    """

    def __init__(self, machine: Machine, link: Link, note: Callable[[str], None], kit: Path | None = None) -> None:
        self._machine = machine
        self._link = link
        self._note = note
        self._clients = _Clients()
        self._operation = _ProgramsOperation(link)
        self._heads = _Heads()
        self._quick = None if kit is None else Quick(kit, link.read_fd, link.write_fd, _LOOK_MS)

    def serve(self, ended: Callable[[], bool] = lambda: False) -> None:
        """Answer until the program closes its end, has `ended`, or sends what is no request."""
        link = self._link
        while True:
            try:
                if not link.has_read:
                    came = self._passes_on()
                    came = _readable(link.read_fd, _LOOK_MS) if came is None else came
                    if not came and ended():
                        return
                    if not came:
                        continue
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

    def _passes_on(self) -> bool | None:
        """Pass on what can be, until something has to be read, or the program has ended: True. False: nothing came for
        a while. None: nobody passes on now."""
        while (ready := self._ready()) is not None:
            quick, process = ready
            state = quick.serve()
            while state is QuickState.LOOK and quick.working:  # a signal came
                state = quick.serve()
            if state is QuickState.REQUEST:
                self._link.take(quick.taken_request())
            if state is not QuickState.ANSWER:
                return state is not QuickState.LOOK
            self._link.send(*self._passed(quick, process))
            if self._link.has_read:  # by a wait for a cancellation
                return True
        return None

    def _ready(self) -> tuple[Quick, PassingProcess] | None:
        """Who passes on, told what may be."""
        passing = None if self._quick is None or not self._heads.before else self._machine.passing()
        if self._quick is None or passing is None:
            return None
        process, numbers = passing
        self._quick.begin(process.pipes, numbers, self._heads.before, self._heads.ms, self._clients.process)
        return self._quick, process

    def _passed(self, quick: Quick, process: PassingProcess) -> tuple[bytes, ...]:
        """The frames that answer a request which was passed on and has to be read now."""
        number, heard = quick.number, quick.taken_answer()
        try:
            answer = self._machine.pass_on_from(process, heard, self._operation.of(number), quick.deadline_s)
        except TeeError as error:
            return _refused(number, error)
        return _NUMBERED + number.to_bytes(8, "big"), framed(answer)

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
        self.before = b""
        self.ms = 0

    def remember(self, head: bytes, ms: int) -> None:
        """This one was read."""
        if head[-10:-9] == _EIGHT_BYTES and head[-1:] == _NULL:
            self.before, self.ms = head[:-10], ms

    def same(self, head: bytes) -> tuple[int, int, bytes] | None:
        """Deadline, number, and the frame that its answer begins with; None for one that has to be read."""
        if not self.before or head[:-10] != self.before or head[-10:-9] != _EIGHT_BYTES or head[-1:] != _NULL:
            return None
        number = head[-9:-1]
        return self.ms, int.from_bytes(number, "big"), _NUMBERED + number


class _Clients:
    """Which process has opened which session, to close those of a process that has died, as a kernel's driver does."""

    def __init__(self) -> None:
        self.process = 0
        self._sessions: dict[int, int] = {}

    def called(self, number: int, close: Callable[[int], None]) -> None:
        """A process asks. Another one than before may be the one that took its place."""
        process = number >> 32
        if process == self.process:
            return
        self.process = process
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
        if isinstance(message, OpenSession) and session and _lives(self.process):
            self._sessions[session] = self.process


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
