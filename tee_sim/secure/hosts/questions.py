"""What an application may ask the core for, and the core's answers: `TaEnv`, word by word.

Every question is answered from the environment of the one application that asked: there is no way to name another's.
The words are the host's, which is hostile by assumption: each question states their number, types and bounds, and what
does not fit ends the host.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from enum import IntEnum, unique
from itertools import count
from typing import Any, Final, cast
from uuid import UUID

from tee_sim.secure.hosts.native_functions import NativeFunctions
from tee_sim.secure.made.call import NotMadeError
from tee_sim.shared.errors import AnswerError, Origin, TeeError, TeeResult
from tee_sim.shared.limits import MAX_PEER_SESSIONS, MAX_WAIT_MS
from tee_sim.shared.object_header import ID_BYTES
from tee_sim.shared.params import Param, Params
from tee_sim.shared.reserve import Reserve
from tee_sim.shared.sensor_api import CAPTURE_ID_BYTES
from tee_sim.shared.ta_api import ObjectInfo, PeerSession, TaEnv, Transaction
from tee_sim.shared.task import CurrentTask
from tee_sim.shared.wire import NoFrameError

MAX_CURSORS: Final = 16
"""Walks through the store that one call may have open at once."""
MAX_FETCH: Final = 16
"""Objects of one FETCH."""
MAX_RANDOM_BYTES: Final = 64 << 10
MAX_KEY_BYTES: Final = 255 * 32
"""What HKDF-SHA-256 gives at most (RFC 5869, section 2.3)."""
BATCH_BYTES: Final = 192 << 10
"""An answer holds this and one more object, which is at most `MAX_BODY_BYTES`: under a frame."""
_BATCH_ITEMS: Final = 512
TIMEOUT_INFINITE: Final = 0xFFFFFFFF
"""TEE_TIMEOUT_INFINITE."""
MAX_NAME_CHARS: Final = 32
"""Of a key of a boot."""


@unique
class Question(IntEnum):
    """All of them. The number travels."""

    GET = 1
    FETCH = 2
    HEADERS = 3
    LOAD = 4
    NEXT = 5
    LEAVE_WALK = 6
    STATE = 7
    BEGIN = 8
    PUT = 9
    ERASE = 10
    COMMIT = 11
    ROLL_BACK = 12
    TRANSACT = 13
    DERIVE = 14
    MAKE_STATEMENT = 15
    TIME = 16
    RANDOM = 17
    OPEN_PEER = 18
    INVOKE_PEER = 19
    CLOSE_PEER = 20
    MASK = 21
    LOOK = 22
    CHECK_STATEMENT = 23
    MAKE_DIGEST = 24
    CHECK_DIGEST = 25
    TAKE_CAPTURE = 26
    NATIVE = 27


class Answers:
    """The core's side of one instance.

    Args:
        env: its environment; the only things that its questions are about.
        native: its functions, if it is a native application; another has no such questions.
    """

    def __init__(self, env: TaEnv, native: NativeFunctions | None = None) -> None:
        self._env = env
        self._native = native
        self._peers: dict[int, PeerSession] = {}
        self._numbers = count(1)
        self._walks: dict[int, Iterator[list[object]]] = {}
        self._transaction: tuple[ExitStack, Transaction] | None = None
        self._left: tuple[ExitStack, Transaction] | None = None
        self._table: dict[Question, Callable[[list[object]], list[object]]] = {
            Question.GET: self._get,
            Question.FETCH: self._fetch,
            Question.HEADERS: self._headers,
            Question.LOAD: self._load,
            Question.NEXT: self._next,
            Question.LEAVE_WALK: self._leave_walk,
            Question.STATE: self._state,
            Question.BEGIN: self._begin,
            Question.PUT: self._put,
            Question.ERASE: self._erase,
            Question.COMMIT: self._commit,
            Question.ROLL_BACK: self._roll_back,
            Question.TRANSACT: self._transact,
            Question.DERIVE: self._derive,
            Question.MAKE_STATEMENT: self._make_statement,
            Question.CHECK_STATEMENT: self._check_statement,
            Question.MAKE_DIGEST: self._make_digest,
            Question.CHECK_DIGEST: self._check_digest,
            Question.TIME: self._time,
            Question.RANDOM: self._random,
            Question.OPEN_PEER: self._open_peer,
            Question.INVOKE_PEER: self._invoke_peer,
            Question.CLOSE_PEER: self._close_peer,
            Question.MASK: self._mask,
            Question.LOOK: self._look,
            Question.TAKE_CAPTURE: self._take_capture,
            Question.NATIVE: self._ask_native,
        }

    def answer(self, question: int, words: list[object]) -> list[object]:
        """Answer one question.

        Raises:
            TeeError: the result of what was asked for.
            NoFrameError: it is no question, its words do not fit, or they hold what the core has not made.
        """
        if question not in Question.__members__.values():
            raise NoFrameError("no such question")
        try:
            return self._table[Question(question)](words)
        except NotMadeError as error:
            raise NoFrameError(str(error)) from None

    def end_call(self) -> None:
        """The call of the core that these questions belong to is over: nothing half done is kept for the next."""
        self._walks.clear()
        # Not dropped: the core finds the store's writer busy, ends the transaction and calls it a panic.
        self._left, self._transaction = self._transaction, None

    # Store

    def _get(self, words: list[object]) -> list[object]:
        match words:
            case [bytes(object_id)]:
                stored = self._env.store.get(object_id)
                return [*_info(stored.header), stored.body]
        raise _misfit(Question.GET)

    def _fetch(self, words: list[object]) -> list[object]:
        """Answers each object, an empty array for none, or null: ask for it by itself."""
        if not 0 < len(words) <= MAX_FETCH or not all(isinstance(word, bytes) for word in words):
            raise _misfit(Question.FETCH)
        object_ids = cast("list[bytes]", words)
        self._env.store.fetch(object_ids)
        found: list[object] = []
        size = 0
        for object_id in object_ids:
            one = self._fetched(object_id) if size < BATCH_BYTES else None
            size += len(cast("bytes", one[-1])) if one else 0
            found.append(one)
        return found

    def _fetched(self, object_id: bytes) -> list[object] | None:
        try:
            stored = self._env.store.find(object_id)
        except TeeError:
            return None  # damaged: whoever asks for this one hears it
        return [] if stored is None else [*_info(stored.header), stored.body]

    def _headers(self, words: list[object]) -> list[object]:
        if words:
            raise _misfit(Question.HEADERS)
        return self._walk(_info(header) for header in self._env.store.headers())

    def _load(self, words: list[object]) -> list[object]:
        match words:
            case [str() | None as kind]:
                stored = self._env.store.load(kind=kind)
                return self._walk([*_info(one.header), one.body] for one in stored)
        raise _misfit(Question.LOAD)

    def _walk(self, items: Iterator[list[object]]) -> list[object]:
        if len(self._walks) >= MAX_CURSORS:
            raise TeeError(TeeResult.OUT_OF_MEMORY, f"{MAX_CURSORS} walks through the store are open")
        number = next(self._numbers)
        self._walks[number] = items
        return self._next([number])

    def _next(self, words: list[object]) -> list[object]:
        """Answers [number, items], number 0 after the last."""
        match words:
            case [int(number)] if number in self._walks:
                batch: list[list[object]] = []
                size = 0
                for item in self._walks[number]:
                    batch.append(item)
                    size += sum(len(word) for word in item if isinstance(word, bytes))
                    if size >= BATCH_BYTES or len(batch) >= _BATCH_ITEMS:
                        return [number, batch]
                del self._walks[number]
                return [0, batch]
        raise _misfit(Question.NEXT)

    def _leave_walk(self, words: list[object]) -> list[object]:
        match words:
            case [int(number)]:
                self._walks.pop(number, None)
                return []
        raise _misfit(Question.LEAVE_WALK)

    def _state(self, words: list[object]) -> list[object]:
        if words:
            raise _misfit(Question.STATE)
        return list(self._env.store.state())

    # Transactions

    def _begin(self, words: list[object]) -> list[object]:
        match words:
            case [int(reserve)] if reserve in Reserve.__members__.values():
                stack = ExitStack()
                manager: AbstractContextManager[Transaction] = self._env.store.transaction(Reserve(reserve))
                self._transaction = stack, stack.enter_context(manager)
                return []
        raise _misfit(Question.BEGIN)

    def _open(self) -> tuple[ExitStack, Transaction]:
        if self._transaction is None:
            raise TeeError(TeeResult.BAD_STATE, "no transaction is open")
        return self._transaction

    def _put(self, words: list[object]) -> list[object]:
        match words:
            case [bytes(object_id), bytes(body), str(kind), bytes(owner), bytes(commitment), bytes(ids)]:
                _, transaction = self._open()
                transaction.put(object_id, body, kind=kind, owner=owner, commitment=commitment, ids=ids)
                return []
        raise _misfit(Question.PUT)

    def _erase(self, words: list[object]) -> list[object]:
        match words:
            case [bytes(object_id)]:
                _, transaction = self._open()
                transaction.erase(object_id)
                return []
        raise _misfit(Question.ERASE)

    def _commit(self, words: list[object]) -> list[object]:
        if words:
            raise _misfit(Question.COMMIT)
        stack, _ = self._open()
        self._transaction = None
        stack.close()
        return []

    def _roll_back(self, words: list[object]) -> list[object]:
        if words:
            raise _misfit(Question.ROLL_BACK)
        if self._transaction is not None:
            stack, _ = self._transaction
            self._transaction = None
            undo = _UndoError()
            with suppress(_UndoError):
                stack.__exit__(_UndoError, undo, None)
        return []

    def _transact(self, words: list[object]) -> list[object]:
        """A whole transaction of puts. Answers their version."""
        match words:
            case [int(reserve), list(puts)] if reserve in Reserve.__members__.values():
                if self._transaction is not None:
                    raise TeeError(TeeResult.BAD_STATE, "a transaction is open")
                with self._env.store.transaction(Reserve(reserve)) as transaction:
                    for put in puts:
                        match put:
                            case [bytes(object_id), bytes(body), str(kind), bytes(owner), bytes(digest), bytes(ids)]:
                                transaction.put(object_id, body, kind=kind, owner=owner, commitment=digest, ids=ids)
                            case _:
                                raise _misfit(Question.TRANSACT)
                return [self._env.store.state()[0]]
        raise _misfit(Question.TRANSACT)

    # Keys, time, randomness

    def _derive(self, words: list[object]) -> list[object]:
        match words:
            case [str(label), bytes(context), int(size_bytes)] if (
                label.isascii() and len(label) <= 64 and len(context) <= 1024 and 0 < size_bytes <= MAX_KEY_BYTES
            ):
                return [self._env.keys.derive(label, context, size_bytes)]
        raise _misfit(Question.DERIVE)

    def _make_statement(self, words: list[object]) -> list[object]:
        match words:
            case [str(name), bytes(object_id), bytes(echo)] if len(name) <= MAX_NAME_CHARS and len(echo) == ID_BYTES:
                return [self._env.keys.state(name, object_id=object_id, echo=echo)]
        raise _misfit(Question.MAKE_STATEMENT)

    def _check_statement(self, words: list[object]) -> list[object]:
        match words:
            case [str(name), bytes(data)] if len(name) <= MAX_NAME_CHARS:
                return [self._env.keys.check(name, data)]
        raise _misfit(Question.CHECK_STATEMENT)

    def _make_digest(self, words: list[object]) -> list[object]:
        match words:
            case [bytes(message)]:
                return list(self._env.digests.make(message))
        raise _misfit(Question.MAKE_DIGEST)

    def _check_digest(self, words: list[object]) -> list[object]:
        match words:
            case [bytes(salt), bytes(message), bytes(digest)]:
                return [self._env.digests.check(salt, message, digest)]
        raise _misfit(Question.CHECK_DIGEST)

    def _time(self, words: list[object]) -> list[object]:
        if words:
            raise _misfit(Question.TIME)
        return [self._env.clock.wall_ms(), self._env.clock.boot_ms()]

    def _random(self, words: list[object]) -> list[object]:
        match words:
            case [int(size_bytes), bool(of_system)] if 0 < size_bytes <= MAX_RANDOM_BYTES:
                return [(self._env.system_rng if of_system else self._env.rng).bytes(size_bytes)]
        raise _misfit(Question.RANDOM)

    def _take_capture(self, words: list[object]) -> list[object]:
        match words:
            case [bytes(capture_id), bool(keep)] if len(capture_id) == CAPTURE_ID_BYTES:
                taken = self._env.captures.take(capture_id, keep=keep)
                return [taken.sensor, taken.extractor, taken.quality, taken.payload]
        raise _misfit(Question.TAKE_CAPTURE)

    # Native applications

    def _ask_native(self, words: list[object]) -> list[object]:
        if self._native is None:
            raise _misfit(Question.NATIVE)
        return self._native.answer(words)

    # Other applications

    def _open_peer(self, words: list[object]) -> list[object]:
        match words:
            case [bytes(uuid), list(params), *timeout] if len(uuid) == 16 and self._is_timeout(timeout):
                if len(self._peers) >= MAX_PEER_SESSIONS:
                    raise TeeError(TeeResult.OUT_OF_MEMORY, f"{MAX_PEER_SESSIONS} sessions are open")
                number = next(self._numbers)
                with self._limited(timeout):
                    session = self._peers[number] = self._peer(UUID(bytes=uuid), _params(params))
                return [number, [param.to_plain() for param in session.outputs]]
        raise _misfit(Question.OPEN_PEER)

    def _is_timeout(self, words: list[object]) -> bool:
        """Of a native application, milliseconds; of another, none."""
        match words:
            case []:
                return self._native is None
            case [timeout_ms] if type(timeout_ms) is int:
                return self._native is not None and 0 <= timeout_ms <= TIMEOUT_INFINITE
        return False

    def _limited(self, words: list[object]) -> AbstractContextManager[None]:
        endless = not words or words[0] == TIMEOUT_INFINITE
        return nullcontext() if endless else self._task().limited(cast("int", words[0]))

    def _peer(self, uuid: UUID, params: Params) -> PeerSession:
        try:
            return self._env.peers.open_session(uuid, params)
        except AnswerError:
            raise
        except TeeError as error:
            if self._native is None or error.result is not TeeResult.ACCESS_DENIED:
                raise
            # Whoever may call every application of its machine knows which there are.
            raise TeeError(TeeResult.ITEM_NOT_FOUND, "no such application") from None

    def _known_peer(self, number: int) -> PeerSession | None:
        """A session; None for a number that is none, which is the host's mistake and not the application's.

        Raises:
            TeeError: that of a native application: handles are its own to keep. Its runtime makes a panic of it.
        """
        if number not in self._peers and self._native is not None:
            raise TeeError(TeeResult.BAD_PARAMETERS, "no such session", origin=Origin.API)
        return self._peers.get(number)

    def _invoke_peer(self, words: list[object]) -> list[object]:
        match words:
            case [int(number), int(command), list(params), *timeout] if (
                0 <= command < 1 << 32
                and self._is_timeout(timeout)
                and (session := self._known_peer(number)) is not None
            ):
                with self._limited(timeout):
                    left = session.invoke(command, _params(params))
                return [param.to_plain() for param in left]
        raise _misfit(Question.INVOKE_PEER)

    def _close_peer(self, words: list[object]) -> list[object]:
        match words:
            case [int(number)] if (session := self._known_peer(number)) is not None:
                del self._peers[number]
                session.close()
                return []
        raise _misfit(Question.CLOSE_PEER)

    # Cancellation

    def _mask(self, words: list[object]) -> list[object]:
        match words:
            case [bool(masked)]:
                return [self._task().set_mask(masked)]
        raise _misfit(Question.MASK)

    def _look(self, words: list[object]) -> list[object]:
        """Answers [whether it was cancelled, or null if nobody would say]."""
        match words:
            case [int(timeout_ms)] if 0 <= timeout_ms <= MAX_WAIT_MS:
                return [self._task().look(timeout_ms)]
        raise _misfit(Question.LOOK)

    def _task(self) -> CurrentTask:
        return cast("CurrentTask", self._env.cancellation)  # the core's own


class _UndoError(Exception):
    """Ends a transaction without its changes."""


def _info(header: ObjectInfo) -> list[object]:
    return [header.object_id, header.version, header.kind, header.owner, header.commitment, header.ids]


def _params(plain: list[Any]) -> Params:
    if len(plain) != 4:
        raise NoFrameError("an operation has four parameters")
    first, second, third, fourth = (Param.from_plain(one) for one in plain)
    return first, second, third, fourth


def _misfit(question: Question) -> NoFrameError:
    return NoFrameError(f"words of {question.name} that do not fit")
