"""Steps of an audit that do not need each other, at the same time; what they find, in the order of the register.

A host of two processors waits for one of them most of the time when devices start one after the other.
"""

from collections.abc import Callable, Iterable, Sequence
from threading import Event, Lock, Thread

from bioguard.report.model import Check

Progress = Callable[[str, int, int], None]
ATTEMPTS_TOLD = 100
"""The battery is the longest step: it says how far it is after so many attempts."""


class Findings:
    """Checks as they come in, from whichever thread, and told as they come.

    Args:
        order: ids of all checks there are.
        wanted: whether one of them was asked for; others are left out.
        progress: called with what is done, how many steps are done, how many there are.
    """

    def __init__(self, order: Sequence[str], wanted: Callable[[str], bool], progress: Progress | None) -> None:
        self._order = tuple(name for name in order if wanted(name))
        self._progress = progress
        self._found = dict[str, Check]()
        self._lock = Lock()
        self._stopped = Event()

    def add(self, checks: Iterable[Check]) -> None:
        """Take them one by one, until somebody stops."""
        for check in checks:
            with self._lock:
                if check.id in self._order:
                    self._found[check.id] = check
                    self._tell(f"{check.status.label:<8} {check.id} {check.title}")
            if self._stopped.is_set():
                return

    def attempts(self, done: int, planned: int) -> None:
        """How far the battery is."""
        with self._lock:
            if done % ATTEMPTS_TOLD == 0:
                self._tell(f"{done} of {planned} attempts to get out")

    def _tell(self, what: str) -> None:
        if self._progress is not None:
            self._progress(what, len(self._found), len(self._order))

    def in_order(self) -> list[Check]:
        """All of them."""
        return [self._found[name] for name in self._order if name in self._found]

    def together(self, here: Callable[[], None], *others: Callable[[], None]) -> None:
        """Run one step in this thread and others beside it, until all have ended.

        Raises:
            BaseException: what the step of this thread raised, when the others have stopped after their next check;
                else the first that another one raised.
        """
        failures = list[BaseException]()

        def guarded(step: Callable[[], None]) -> None:
            try:
                step()
            except BaseException as error:  # a thread would print it and be forgotten
                failures.append(error)

        threads = [Thread(target=guarded, args=(step,)) for step in others]
        for thread in threads:
            thread.start()
        try:
            here()
        except BaseException:
            self._stopped.set()
            raise
        finally:
            for thread in threads:
                thread.join()
        if failures:
            raise failures[0]
