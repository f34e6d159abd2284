"""What the core needs of whoever runs applications, and of the store that they write to."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from tee_sim.secure.closed_replies import Layouts, layouts_of
from tee_sim.secure.ledger import Meter
from tee_sim.secure.made.call import Call
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.layouts import Knowledge, KnowsNothing
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.ta_api import TrustedApp


class Hosting(Protocol):
    """Where applications run."""

    def make(self, manifest: Manifest, meter: Meter) -> TrustedApp:
        """Return a new instance, not created yet.

        Args:
            meter: of the requests that it will work on.

        Raises:
            TeeError: TARGET_DEAD of origin COMMS if there is nowhere left to run it; anything else that is raised is
                the application's, which does not load.
        """
        ...

    def has_ended(self, app: TrustedApp) -> bool:
        """Whether what runs this instance has ended by itself."""
        ...

    def layouts(self, app: TrustedApp) -> Layouts:
        """Of the replies that a created instance has declared; none if its replies are free."""
        ...

    def end(self, app: TrustedApp) -> HostEnd:
        """End what runs an instance that is over its budget. Returns the word for it."""
        ...

    def forget(self, app: TrustedApp) -> None:
        """Free what an instance that is not destroyed by itself has left: it refused its creation, or panicked."""
        ...


@dataclass(frozen=True, slots=True)
class LocalHosting:
    """All of them in this process.

    Args:
        load: returns the class a manifest's entry names.
    """

    load: Callable[[Manifest], Callable[[], TrustedApp]]

    def make(self, manifest: Manifest, meter: Meter) -> TrustedApp:
        """As `Hosting.make`. When an application of this process answers is not counted: nothing is between them."""
        return self.load(manifest)()

    def has_ended(self, app: TrustedApp) -> bool:
        """Never: it would have ended this process."""
        return False

    def layouts(self, app: TrustedApp) -> Layouts:
        """As `Hosting.layouts`."""
        return layouts_of(app)

    def end(self, app: TrustedApp) -> HostEnd:
        """As `Hosting.end`: there is only the instance."""
        return HostEnd.BUDGET

    def forget(self, app: TrustedApp) -> None:
        """The collector does."""


class Transactions(Protocol):
    """Where applications store: who has a transaction open, and how to end it without its changes."""

    @property
    def writer(self) -> object | None: ...

    def abandon(self) -> None: ...

    def request(self) -> AbstractContextManager[None]:
        """Surrounds one request of the normal world."""
        ...


@dataclass(frozen=True, slots=True)
class NoTransactions:
    writer: None = None

    def abandon(self) -> None: ...

    def request(self) -> AbstractContextManager[None]:
        return nullcontext()


class RequestWatch(Protocol):
    """Who looks on while a request of the normal world is worked on."""

    def begin(
        self, manifest: Manifest, command: int | None, named: frozenset[bytes], numbers: frozenset[int] = frozenset()
    ) -> None:
        """One to an application begins, with these words and numbers of a byte in it; None opens or closes.

        Raises TeeError of the disk.
        """
        ...

    def knowledge(self, manifest: Manifest, call: Call) -> Knowledge:
        """What is known of the values that an application may answer with in a call."""
        ...

    def end(self, *, timed: bool) -> None:
        """It is answered now. Args: timed: when, was an application's choice."""
        ...


@dataclass(frozen=True, slots=True)
class NoWatch:
    """Nobody."""

    def begin(
        self, manifest: Manifest, command: int | None, named: frozenset[bytes], numbers: frozenset[int] = frozenset()
    ) -> None: ...

    def knowledge(self, manifest: Manifest, call: Call) -> Knowledge:
        """None."""
        return KnowsNothing()

    def end(self, *, timed: bool) -> None: ...
