"""The queue of one session: operations run one by one, in order, and each ends with exactly one terminal callback.

* five wait at most; a sixth is refused;
* a refusal of the backend ends the operation with onError; the backend's death ends the session without a word, as the
  death of a HAL does;
* time stands still inside a call, but for what a script or a latency model says that it takes.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from bioguard.errors import BioguardError, NotPermitted
from bioguard.hal import callbacks as cb
from bioguard.hal.aidl_codes import ErrorCode, code_names
from bioguard.hal.backend import BackendDied, SensorBackend
from bioguard.hal.callbacks import Callback, OperationError, is_terminal
from bioguard.hal.operation_errors import error_of, is_of_the_sample
from bioguard.hal.session import CANCELLABLE, SessionEvent, SessionState, WrongState, step
from bioguard.records.locks import Lock
from bioguard.timeline_events import watch_session

QUEUE_DEPTH = 5
"""Depth of the reference HAL's worker queue."""


class QueueFull(NotPermitted):
    """Five operations wait already. The reference HAL drops the sixth silently; we say so."""

    code = "session.queue_full"


class SessionDead(NotPermitted):
    """The secure world ended while the session was open."""

    code = "session.dead"


def session_dead() -> SessionDead:
    """The refusal of every call of a dead session."""
    return SessionDead("the session ended with the secure world", hint="create a session again")


class Operations:
    """What runs, what waits, and what is told.

    Attributes:
        state: where the session is.
    """

    def __init__(self, backend: SensorBackend, notify: Callable[[Callback], None]) -> None:
        self._backend = backend
        self._kind = backend.facts.kind
        self._notify = notify
        self._queue: deque[tuple[int, SessionEvent, Callable[[], None]]] = deque()
        self._numbers = 0
        self._current = 0
        self._dead = False
        self._told_locked = self._told_timed = False
        self.state = step(SessionState.CLOSED, SessionEvent.CREATE)
        lane = f"{self._kind.name.lower()} {backend.facts.sensor_id}"
        self._timeline = watch_session(lane, code_names(self._kind))

    def _ended(self, state: SessionState, *, canceled: bool) -> None:
        """The operation of this state has ended."""

    def _cleared(self) -> None:
        """A lockout has ended."""

    def _sensor_locked(self) -> bool:
        """Whether the sensor itself says that it is locked, whatever is counted."""
        return False

    def require_open(self, event: SessionEvent | None = None) -> None:
        """Refuse calls of a session that is over.

        Raises:
            SessionDead, WrongState
        """
        if self._dead:
            raise session_dead()
        if self.state is SessionState.CLOSED:
            name = event.value if event else "this"
            raise WrongState(f"{name} is not allowed while closed", hint="create a session again")

    def _submit(self, event: SessionEvent, run: Callable[[], None]) -> int:
        self.require_open(event)
        if len(self._queue) >= QUEUE_DEPTH:
            raise QueueFull(
                f"{QUEUE_DEPTH} operations are waiting", hint="wait for the last callback of the running one"
            )
        self._numbers += 1
        self._queue.append((self._numbers, event, run))
        return self._numbers

    def _answer(self, event: SessionEvent, answer: Callable[[], Callback]) -> int:
        return self._submit(event, lambda: self._end(answer()))

    def pump(self) -> None:
        """Run queued operations until one waits for a person or the queue is empty."""
        while self._queue and self.state is SessionState.IDLING:
            self._current, event, run = self._queue.popleft()
            self._move(event)
            with self._refusals():
                run()

    @contextmanager
    def _refusals(self, *, of_samples: bool = False) -> Iterator[None]:
        """Refusals end the operation; `of_samples`: those of what was presented go to the caller, and it waits on."""
        try:
            yield
        except BackendDied:
            self.backend_died()
            raise
        except BioguardError as refusal:
            if of_samples and is_of_the_sample(refusal):
                raise
            self._end(error_of(refusal))

    def _say(self, callbacks: Iterable[Callback]) -> None:
        for callback in callbacks:
            if is_terminal(callback, self._kind):
                self._end(callback)
                return
            self._tell(callback)

    def _tell(self, callback: Callback) -> None:
        """The one place where the client is told something."""
        if isinstance(callback, cb.LockoutTimed | cb.LockoutPermanent):
            self._told_locked, self._told_timed = True, isinstance(callback, cb.LockoutTimed)
        elif isinstance(callback, cb.LockoutCleared):
            self._told_locked = False
            self._cleared()
        self._timeline.callback(callback)
        self._notify(callback)

    def _move(self, event: SessionEvent) -> SessionState:
        """The one place where the state changes; returns the one before. Raises WrongState."""
        before, self.state = self.state, step(self.state, event)
        self._timeline.state(self.state.name, self._current)
        return before

    def _end(self, callback: Callback, event: SessionEvent = SessionEvent.FINISH) -> None:
        self._ended(self._move(event), canceled=event is SessionEvent.CANCEL)
        self._tell(callback)

    def tick(self) -> None:
        """Let time be noticed: a lockout that was told and is over is told once."""
        if not self.awaits_end_of_lock or self._sensor_locked():
            return
        try:
            status = self._backend.lock_status()
        except BioguardError:  # whoever asks next is told
            return
        if status.lock is Lock.NONE:
            self._tell(cb.LockoutCleared())

    @property
    def awaits_end_of_lock(self) -> bool:
        """Whether a lockout was told and not yet its end."""
        return self._told_locked and self.state is not SessionState.CLOSED

    @property
    def awaits_time(self) -> bool:
        """Whether time alone can end the lockout that was told last: a permanent one it does not."""
        return self.awaits_end_of_lock and self._told_timed

    def cancel(self, number: int | None = None) -> None:
        """Cancel an operation by its number (default: the running one), started or still queued. One that is over is
        no error: its last callback and this call may have crossed. Nor is one that AIDL gives no ICancellationSignal
        for, which runs all the same."""
        self.require_open(SessionEvent.CANCEL)
        for entry in self._queue:
            if entry[0] == number and step(SessionState.IDLING, entry[1]) in CANCELLABLE:
                self._queue.remove(entry)
                self._tell(OperationError(ErrorCode.CANCELED))
                return
        if self.state in CANCELLABLE and number in (None, self._current):
            self._end(OperationError(ErrorCode.CANCELED), SessionEvent.CANCEL)

    def close(self) -> None:
        """End the session.

        Raises:
            WrongState: an operation runs or waits.
        """
        self.require_open(SessionEvent.CLOSE)
        if self._queue:
            raise WrongState("close is not allowed while operations wait", hint="wait for their last callbacks")
        self._move(SessionEvent.CLOSE)
        self._tell(cb.SessionClosed())

    def client_died(self) -> None:
        """The client is gone: drop everything and close. Safe to call twice."""
        if self.state is not SessionState.CLOSED:
            self._drop(SessionEvent.CLIENT_DIED)
            self._tell(cb.SessionClosed())

    def backend_died(self) -> None:
        """The secure world is gone: no callback can come any more, as from a dead HAL. Safe to call twice."""
        if self.state is not SessionState.CLOSED:
            self._drop(SessionEvent.HAL_DIED)
            self._timeline.died()
            self._dead = True

    def _drop(self, event: SessionEvent) -> None:
        self._queue.clear()
        self._ended(self._move(event), canceled=True)
