"""Holds an application whose manifest says `replies = "closed"` to that.

Promises: it loads only as a `CommandApp` that keeps the base's `invoke`, and only if every reply record it declares is
closed; afterwards nothing leaves it but one output of a command that it had declared when it was created, decoded by
the layout that it declared then, or one of the named results. The first half is looked at where the application runs.
The second is held in the core, which has none of its classes: code that is taken over later can answer no more than it
could before.
Does not promise: that what fits is what was meant. Code that is hostile from the start declares what it likes; what it
sends is counted, and bounded by the budget of its manifest (`tee_sim.secure.ledger`).
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from tee_sim.shared import codec
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import AnswerError, TeeError, TeeResult
from tee_sim.shared.layouts import Knowledge, Layout, layout_of, max_reply_bytes, reply_bits
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import Params, short_buffer
from tee_sim.shared.schema import is_closed
from tee_sim.shared.ta_api import REQUEST_TYPES, Command, CommandApp, Opened, TaEnv, TrustedApp

Layouts = Mapping[int, Layout]
"""Of each command's reply."""
_NAMED: Final = frozenset(TeeResult) - {TeeResult.SUCCESS}


class OpenReplyError(Exception):
    """An application with closed replies that could answer, or did answer, with what it has not declared. It ends."""


@dataclass(frozen=True, slots=True)
class DeclaredReplies:
    """What an application may answer with.

    Attributes:
        of: the application, as errors call it.
        layouts: of the reply of each command that it declared.
    """

    of: str
    layouts: Layouts

    def opened(self, answer: object) -> object:
        """What a session was opened with, if nothing was answered. Raises OpenReplyError."""
        if isinstance(answer, Opened):
            raise OpenReplyError(f"{self.of} fills outputs of a session, which nothing declares")
        return answer

    def answered(self, command: int, left: Params, knowledge: Knowledge) -> float:
        """What an answer says, in bits. Raises OpenReplyError for one that its layout does not describe."""
        layout = self.layouts.get(command)
        if layout is None:
            raise OpenReplyError(f"command {command} of {self.of} was declared after it was loaded")
        if tuple(p.kind for p in left) != REQUEST_TYPES:
            raise OpenReplyError(f"command {command} of {self.of} answers in more than its record")
        data = left[1].buffer
        if len(data) > max_reply_bytes(layout):
            raise OpenReplyError(f"command {command} of {self.of} answers with more than its record can hold")
        try:
            plain = codec.decode(data)  # one value has one form: another would say something more
            knowledge.begin()
            return reply_bits(layout, plain, knowledge)
        except TeeError as error:
            why = f"command {command} of {self.of} answers with what is not its record: {error.message}"
            raise OpenReplyError(why) from None

    def refused(self, error: TeeError, command: int | None, given: Params | None) -> TeeError:
        """A refusal, with no more than its name: a named result, and with SHORT_BUFFER the length that is declared.

        Args:
            command: that was invoked, if one was.
            given: its parameters.

        Raises:
            OpenReplyError: it says anything else.
        """
        if error.result not in _NAMED:
            raise OpenReplyError(f"{self.of} refuses with a result of its own, which nothing declares")
        layout = self.layouts.get(command) if command is not None else None
        # What it was answered itself is another application's, and stays here (`tee_sim.secure.answers.result_of`).
        left = () if isinstance(error, AnswerError) else cast("Params | None", error.params) or ()
        outputs = [p for p in left if p.is_output and (p.buffer or p.a or p.b)]
        if outputs:
            raise OpenReplyError(f"{self.of} fills outputs with a refusal, which nothing declares")
        typed = given is not None and tuple(p.kind for p in given) == REQUEST_TYPES
        if error.result is TeeResult.SHORT_BUFFER and layout is not None and typed:
            short = short_buffer(cast("Params", given), 1, max_reply_bytes(layout))
            return TeeError(short.result, error.message, origin=error.origin, params=short.params)
        return TeeError(error.result, error.message, origin=error.origin)


def held_to(manifest: Manifest, app: TrustedApp) -> TrustedApp:
    """The application, held to the replies that its manifest names.

    Raises:
        OpenReplyError: it answers in a way that declares nothing.
    """
    return _ClosedApp(manifest.entry, app) if manifest.replies is Replies.CLOSED else app


def layouts_of(app: TrustedApp) -> Layouts:
    """What a created application has declared; nothing if its replies are free."""
    return cast("Layouts", getattr(app, "layouts", {}))


def declared(app: TrustedApp) -> Mapping[int, Command[Any, Any]]:
    """The commands that a created application has declared; none if it declares nothing."""
    own = app.app if isinstance(app, _ClosedApp) else app
    return {n: command for n, (command, _) in own.handlers.items()} if isinstance(own, CommandApp) else {}


def use_leisure(app: TrustedApp) -> None:
    """As `CommandApp.at_leisure`, of one that has it."""
    own = app.app if isinstance(app, _ClosedApp) else app
    if isinstance(own, CommandApp):
        own.at_leisure()


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
        self.entry = entry
        self.layouts: Layouts = {}

    def create(self, env: TaEnv) -> None:
        self.app.create(env)
        for number, (command, _) in self.app.handlers.items():
            if command.number != number:
                raise OpenReplyError(f"command {command.number} of {self.entry} is declared as {number}")
            if not is_closed(command.reply):
                raise OpenReplyError(
                    f"command {number} of {self.entry}: {command.reply.__name__} can hold free bytes or text; bound "
                    'every field (Fixed, UpTo, an enumeration), or write replies = "free" in the manifest'
                )
        self.layouts = {n: layout_of(command.reply) for n, (command, _) in self.app.handlers.items()}

    def open_session(self, params: Params) -> object:
        return self.app.open_session(params)

    def invoke(self, session: Any, command: int, params: Params) -> Params:
        return self.app.invoke(session, command, params)

    def close_session(self, session: Any) -> None:
        self.app.close_session(session)

    def destroy(self) -> None:
        self.app.destroy()
