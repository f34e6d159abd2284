"""Holds an application whose manifest says `replies = "closed"` to that, in the process that runs it.

Promises: it loads only as a `CommandApp` that keeps the base's `invoke`, and only if every reply record it declares is
closed; afterwards it answers only what it had declared, no longer than the declared record can be.
Does not promise: anything about hostile code, which shares this process. What such code sends is for the static checks,
the lock and the budgets.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from tee_sim.shared.errors import TeeError
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import Params
from tee_sim.shared.schema import is_closed, max_bytes
from tee_sim.shared.ta_api import Command, CommandApp, Opened, TaEnv, TrustedApp


class OpenReplyError(Exception):
    """An application with closed replies that could answer with free bytes. It does not load."""


def held_to(manifest: Manifest, app: TrustedApp) -> TrustedApp:
    """The application, held to the replies that its manifest names.

    Raises:
        OpenReplyError: it answers in a way that declares nothing.
    """
    return _ClosedApp(manifest.entry, app) if manifest.replies is Replies.CLOSED else app


def _own_invoke(app: CommandApp) -> bool:
    """Whether another class than the base's own decides what is answered."""
    return any("invoke" in vars(kind) for kind in type(app).__mro__ if kind is not CommandApp) or "invoke" in vars(app)


def declared(app: TrustedApp) -> Mapping[int, Command[Any, Any]]:
    """The commands that a created application has declared; none if it declares nothing."""
    own = app.app if isinstance(app, _ClosedApp) else app
    return {n: command for n, (command, _) in own.handlers.items()} if isinstance(own, CommandApp) else {}


class _ClosedApp:
    def __init__(self, entry: str, app: TrustedApp) -> None:
        if not isinstance(app, CommandApp) or _own_invoke(app):
            raise OpenReplyError(
                f"{entry} is no CommandApp that keeps its invoke, so nothing declares what it answers; "
                'declare commands, or write replies = "free" in its manifest'
            )
        self._entry = entry
        self.app = app
        self._bounds: dict[int, int] = {}

    def create(self, env: TaEnv) -> None:
        self.app.create(env)
        for number, (command, _) in self.app.handlers.items():
            if command.number != number:
                raise OpenReplyError(f"command {command.number} of {self._entry} is declared as {number}")
            if not is_closed(command.reply):
                raise OpenReplyError(
                    f"command {number} of {self._entry}: {command.reply.__name__} can hold free bytes or text; bound "
                    'every field (Fixed, UpTo, an enumeration), or write replies = "free" in the manifest'
                )
            self._bounds[number] = max_bytes(command.reply)

    def open_session(self, params: Params) -> object:
        opened = self._refusing_bare(lambda: self.app.open_session(params))
        if isinstance(opened, Opened):
            raise OpenReplyError(f"{self._entry} fills outputs of a session, which nothing declares")
        return opened

    def invoke(self, session: Any, command: int, params: Params) -> Params:
        out: Params = self._refusing_bare(lambda: self.app.invoke(session, command, params))
        if command not in self._bounds:
            raise OpenReplyError(f"command {command} of {self._entry} was declared after it was loaded")
        if len(out[1].buffer) > self._bounds[command]:
            raise OpenReplyError(f"command {command} of {self._entry} answers with more than its record can hold")
        return out

    def _refusing_bare(self, call: Callable[[], Any]) -> Any:
        """Let a refusal through that says how much room is needed, and none that answers."""
        try:
            return call()
        except TeeError as error:
            left = cast("Params | None", error.params) or ()
            if any(p.is_output and (p.buffer or p.a or p.b) for p in left):
                raise OpenReplyError(f"{self._entry} fills outputs with a refusal, which nothing declares") from None
            raise

    def close_session(self, session: Any) -> None:
        self.app.close_session(session)

    def destroy(self) -> None:
        self.app.destroy()
