"""Holds an application whose manifest says `replies = "closed"` to that.

Promises: it loads only as a `CommandApp` that keeps the base's `invoke`, and only if every reply record it declares is
closed; afterwards nothing leaves it but one output of a command that it had declared when it was created, no longer
than the declared record can be. The first half is looked at where the application runs. The second is held in the core,
out of what was declared then: code that is taken over later can answer no more than it could before.
Does not promise: that what fits is what was meant. Code that is hostile from the start declares what it likes; what it
sends is for the static checks, the lock and the budgets.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from tee_sim.shared.errors import TeeError
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import Params
from tee_sim.shared.schema import is_closed, max_bytes
from tee_sim.shared.ta_api import REQUEST_TYPES, Command, CommandApp, Opened, TaEnv, TrustedApp

T = TypeVar("T")


class OpenReplyError(Exception):
    """An application with closed replies that could answer, or did answer, with free bytes. It ends by it."""


@dataclass(frozen=True, slots=True)
class ReplyBounds:
    """What an application may answer with.

    Attributes:
        of: the application, as errors call it.
        sizes_bytes: the longest reply of each command that it declared.
    """

    of: str
    sizes_bytes: Mapping[int, int]

    def opened(self, call: Callable[[], T]) -> T:
        """A session that was opened, if nothing was answered. Raises OpenReplyError."""
        answer = self._refusing(call)
        if isinstance(answer, Opened):
            raise OpenReplyError(f"{self.of} fills outputs of a session, which nothing declares")
        return answer

    def answered(self, command: int, call: Callable[[], Params]) -> Params:
        """An answer within its bounds. Raises OpenReplyError."""
        out = self._refusing(call)
        if command not in self.sizes_bytes:
            raise OpenReplyError(f"command {command} of {self.of} was declared after it was loaded")
        if tuple(p.kind for p in out) != REQUEST_TYPES:
            raise OpenReplyError(f"command {command} of {self.of} answers in more than its record")
        if len(out[1].buffer) > self.sizes_bytes[command]:
            raise OpenReplyError(f"command {command} of {self.of} answers with more than its record can hold")
        return out

    def _refusing(self, call: Callable[[], T]) -> T:
        """Let a refusal through that says how much room is needed, and none that answers."""
        try:
            return call()
        except TeeError as error:
            left = cast("Params | None", error.params) or ()
            if any(p.is_output and (p.buffer or p.a or p.b) for p in left):
                raise OpenReplyError(f"{self.of} fills outputs with a refusal, which nothing declares") from None
            raise


def held_to(manifest: Manifest, app: TrustedApp) -> TrustedApp:
    """The application, held to the replies that its manifest names.

    Raises:
        OpenReplyError: it answers in a way that declares nothing.
    """
    return _ClosedApp(manifest.entry, app) if manifest.replies is Replies.CLOSED else app


def bounds_of(app: TrustedApp) -> ReplyBounds | None:
    """What a created application is held to; None if its replies are free."""
    return app.bounds if isinstance(app, _ClosedApp) else None


def declared(app: TrustedApp) -> Mapping[int, Command[Any, Any]]:
    """The commands that a created application has declared; none if it declares nothing."""
    own = app.app if isinstance(app, _ClosedApp) else app
    return {n: command for n, (command, _) in own.handlers.items()} if isinstance(own, CommandApp) else {}


def _own_invoke(app: CommandApp) -> bool:
    """Whether another class than the base's own decides what is answered."""
    return any("invoke" in vars(kind) for kind in type(app).__mro__ if kind is not CommandApp) or "invoke" in vars(app)


class _ClosedApp:
    def __init__(self, entry: str, app: TrustedApp) -> None:
        if not isinstance(app, CommandApp) or _own_invoke(app):
            raise OpenReplyError(
                f"{entry} is no CommandApp that keeps its invoke, so nothing declares what it answers; "
                'declare commands, or write replies = "free" in its manifest'
            )
        self.app = app
        self.bounds = ReplyBounds(entry, {})

    def create(self, env: TaEnv) -> None:
        self.app.create(env)
        entry = self.bounds.of
        for number, (command, _) in self.app.handlers.items():
            if command.number != number:
                raise OpenReplyError(f"command {command.number} of {entry} is declared as {number}")
            if not is_closed(command.reply):
                raise OpenReplyError(
                    f"command {number} of {entry}: {command.reply.__name__} can hold free bytes or text; bound "
                    'every field (Fixed, UpTo, an enumeration), or write replies = "free" in the manifest'
                )
        self.bounds = ReplyBounds(entry, {n: max_bytes(command.reply) for n, (command, _) in self.app.handlers.items()})

    def open_session(self, params: Params) -> object:
        return self.bounds.opened(lambda: self.app.open_session(params))

    def invoke(self, session: Any, command: int, params: Params) -> Params:
        return self.bounds.answered(command, lambda: self.app.invoke(session, command, params))

    def close_session(self, session: Any) -> None:
        self.app.close_session(session)

    def destroy(self) -> None:
        self.app.destroy()
