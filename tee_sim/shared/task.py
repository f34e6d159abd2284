"""What an entry point may know of the operation that it runs for: whose it is, and whether it was cancelled.

A record goes in with each entry (`Task`), and one question goes out, if the application asks: so it is the same whether
the application lives with the core or in a process of its own.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.limits import MAX_WAIT_MS
from tee_sim.shared.login import ClientIdentity
from tee_sim.shared.schema import Record
from tee_sim.shared.surrounds import Surrounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Record):
    """One entry into an application.

    Attributes:
        client: who opened the session.
        cancellable: whether whoever asked can cancel; if not, nobody is asked.
    """

    client: ClientIdentity
    cancellable: bool = False


class Client(Protocol):
    """Properties of the current client (TEE_PROPSET_CURRENT_CLIENT)."""

    @property
    def identity(self) -> ClientIdentity:
        """gpd.client.identity. Raises TeeError ITEM_NOT_FOUND in `create` and `destroy`, which no client enters."""
        ...


class Cancellation(Protocol):
    """TEE Internal Core API 1.3.1, section 4.10. Masked when an entry point begins: whoever wants it, unmasks it."""

    def requested(self) -> bool:
        """TEE_GetCancellationFlag: whether the client has cancelled; False while masked."""
        ...

    def mask(self) -> bool:
        """TEE_MaskCancellation. Returns whether it was masked."""
        ...

    def unmask(self) -> bool:
        """TEE_UnmaskCancellation. Returns whether it was masked."""
        ...

    def wait(self, timeout_ms: int) -> None:
        """TEE_Wait. Raises TeeError CANCEL if the client cancels meanwhile, or has, and it is not masked."""
        ...


Ask = Callable[[int], bool]
"""Wait for so many milliseconds, at most MAX_WAIT_MS, or until the client cancels; return whether it has."""


def never(_timeout_ms: int) -> bool:
    """`Ask` where nobody can cancel."""
    return False


class LimitedAsk:
    """`Ask`, with the timeouts that applications gave to their calls of others: what is over is cancelled.

    Args:
        ask: about the client's wish.

    Attributes:
        client_can: whether the client of the current request can cancel.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.client_can = False
        self._limits: list[tuple[float, bool]] = []

    @contextmanager
    def within(self, timeout_ms: int, *, inherits: bool) -> Iterator[None]:
        """Surrounds a call of another application.

        Args:
            inherits: whether what cancels the caller cancels this call too.
        """
        self._limits.append((time.monotonic() + timeout_ms / 1000, inherits))
        try:
            yield
        finally:
            self._limits.pop()

    def __call__(self, timeout_ms: int) -> bool:
        end, asks = math.inf, self.client_can
        for limit, inherits in reversed(self._limits):
            end = min(end, limit)
            if not inherits:
                asks = False
                break
        part_ms = min(timeout_ms, max(0, math.ceil((end - time.monotonic()) * 1000))) if self._limits else timeout_ms
        if asks:
            return self._ask(part_ms) or time.monotonic() >= end
        time.sleep(part_ms / 1000)
        return time.monotonic() >= end


class Looking(ABC):
    """`Cancellation` of whoever can look: the core does, and a process of an application asks the core to."""

    @abstractmethod
    def look(self, timeout_ms: int) -> bool | None:
        """Wait at most that long, at most MAX_WAIT_MS; whether it is cancelled, None if nobody would say."""

    def requested(self) -> bool:
        return self.look(0) is True

    def wait(self, timeout_ms: int) -> None:
        if not timeout_ms >= 0:
            raise ValueError("a wait of less than nothing")
        left_ms = timeout_ms
        while True:
            part_ms = min(left_ms, MAX_WAIT_MS)
            seen = self.look(part_ms)
            if seen is None:
                time.sleep(left_ms / 1000)
                return
            if seen:
                raise TeeError(TeeResult.CANCEL, "the client has cancelled", origin=Origin.TRUSTED_APP)
            left_ms -= part_ms
            if left_ms == 0:
                return


class CurrentTask(Looking):
    """`Client` and `Cancellation` of one instance, where the core is. No two entries of an instance overlap."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._task: Task | None = None
        self._masked = True
        self._limits_call = False

    def entered(self, task: Task | None) -> Surrounds[None]:
        """Surrounds one entry."""
        self._task, self._masked = task, True
        return Surrounds(None, self._leave)

    def _leave(self) -> None:
        self._task = None

    @property
    def task(self) -> Task | None:
        """Of the current entry; None for one that no client enters."""
        return self._task

    @property
    def listens(self) -> bool:
        """Whether a cancellation would be noticed; what is called from here is cancelled with it, or not."""
        return self._task is not None and self._task.cancellable and not self._masked

    @property
    def callee_listens(self) -> bool:
        """Whether what is called from here may be cancelled: with this one, or by the timeout that it was given."""
        return self.listens or self._limits_call

    @contextmanager
    def limited(self, timeout_ms: int | None) -> Iterator[None]:
        """Surrounds a call of another application: `cancellationRequestTimeout`; None for none."""
        if timeout_ms is None or not isinstance(self._ask, LimitedAsk):
            yield
            return
        self._limits_call = True
        try:
            with self._ask.within(timeout_ms, inherits=self.listens):
                yield
        finally:
            self._limits_call = False

    @property
    def identity(self) -> ClientIdentity:
        return identity_of(self._task)

    def look(self, timeout_ms: int) -> bool | None:
        return self._ask(timeout_ms) if self.listens else None

    def mask(self) -> bool:
        return self.set_mask(True)

    def unmask(self) -> bool:
        return self.set_mask(False)

    def set_mask(self, masked: bool) -> bool:
        """Returns whether it was masked."""
        before, self._masked = self._masked, masked
        return before


def identity_of(task: Task | None) -> ClientIdentity:
    """`Client.identity`."""
    if task is None:
        raise TeeError(TeeResult.ITEM_NOT_FOUND, "no client has called", origin=Origin.TEE)
    return task.client


NOBODY = CurrentTask(never)
"""Of an application that runs without a core."""
