"""The host: one application's instances, run for the core. After the lock; it ends when the core's pipe closes."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, NoReturn, cast

from tee_sim.secure.blocking_pipe import BlockingPipe
from tee_sim.secure.closed_replies import held_to, layouts_of, use_leisure
from tee_sim.secure.hosts.asked_store import AskedStore
from tee_sim.secure.hosts.environment import AskedTask, environment
from tee_sim.secure.hosts.messages import (
    TO_HOST,
    Ask,
    Close,
    CoreAnswer,
    Create,
    Destroy,
    HostMessage,
    HostRefusal,
    HostReturn,
    Load,
    Open,
    Panicked,
    ReplyLayout,
    Run,
    pack,
    unpack,
)
from tee_sim.secure.hosts.questions import Question
from tee_sim.shared.errors import AnswerError, Origin, TeeError, TeeResult
from tee_sim.shared.layouts import pack_layout
from tee_sim.shared.login import Login
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import Param, Params
from tee_sim.shared.ta_api import Opened, TrustedApp
from tee_sim.shared.task import Task


def load_entry(manifest: Manifest) -> Callable[[], TrustedApp]:
    """Import what the manifest's entry names, held to its replies. Raises whatever the code raises."""
    module, _, name = manifest.entry.partition(":")
    entry = cast("Callable[[], TrustedApp]", getattr(importlib.import_module(module), name))
    return lambda: held_to(manifest, entry())


def _load_ahead(manifest: Manifest) -> None:
    """Execute the modules of an application before it is made, while the core does something else."""
    with suppress(BaseException):  # raised again, and a panic, when it is made
        importlib.import_module(manifest.entry.partition(":")[0])


class _AppInstance:
    """One object of the application, and its sessions."""

    def __init__(self, app: TrustedApp, store: AskedStore, task: AskedTask) -> None:
        self.app = app
        self.store = store
        self.task = task
        self.contexts: dict[int, Any] = {}
        self.ready = False

    @contextmanager
    def entered(self, task: Task) -> Iterator[None]:
        """Surrounds one entry of a client."""
        self.store.at_once = task.client.login is Login.TRUSTED_APP
        with self.task.entered(task):
            yield


class Host:
    """Runs the entry points that the core asks for.

    Args:
        pipe: the way to the core.
        manifest: the application of this host.
        on_panic: called while a panic's exception is handled; for debugging.
        before_answer: called before each answer; likewise.
    """

    def __init__(
        self,
        pipe: BlockingPipe,
        manifest: Manifest,
        on_panic: Callable[[], None] = lambda: None,
        before_answer: Callable[[], None] = lambda: None,
    ) -> None:
        self._pipe = pipe
        self._manifest = manifest
        self._on_panic = on_panic
        self._before_answer = before_answer
        self._instances: dict[int, _AppInstance] = {}
        self._numbers = count(1)

    def serve(self) -> NoReturn:
        """Answer the core, one message after the other, until it ends."""
        while True:
            message = unpack(self._pipe.body(), TO_HOST)
            if isinstance(message, Load):
                _load_ahead(self._manifest)
                continue
            answer = self._answer(message)
            self._before_answer()
            self._pipe.write(answer)
            if isinstance(message, Run):
                self._use_leisure(message.instance)

    def _use_leisure(self, number: int) -> None:
        """Let an instance get ready, once, after its first answer: whoever asked has it and does not wait."""
        instance = self._instances.get(number)
        if instance is not None and not instance.ready:
            instance.ready = True
            with suppress(BaseException):  # what is wrong, the next request meets too
                use_leisure(instance.app)

    def _answer(self, message: Any) -> bytes:
        try:
            result = self._result(message)
            self._end_call(message.instance)
            # What it returned, or was refused with, and cannot be sent is no result either.
            return pack(result)
        except BaseException:
            # SystemExit too: it is the application's, not this process's. What was raised is not passed on: its text
            # could hold a secret.
            self._on_panic()
        with suppress(RuntimeError):
            self._end_call(message.instance)
        self._instances.pop(message.instance, None)
        return pack(Panicked())

    def _end_call(self, instance: int) -> None:
        if instance in self._instances:
            self._instances[instance].store.end_call()

    def _result(self, message: HostMessage) -> HostReturn | HostRefusal:
        try:
            return self._done(message)
        except TeeError as error:
            if error.result is TeeResult.SUCCESS:
                raise ValueError("no result") from error
            # What it was answered itself is another application's, for its eyes only.
            own = () if isinstance(error, AnswerError) else cast("Params | None", error.params) or ()
            return HostRefusal(result=error.result, origin=error.origin, params=own)

    def _done(self, message: HostMessage) -> HostReturn:
        if isinstance(message, Create):
            app = load_entry(self._manifest)()
            store, task = AskedStore(self._ask, self._manifest), AskedTask(self._ask)
            self._instances[message.instance] = _AppInstance(app, store, task)
            app.create(environment(message, self._manifest, self._ask, store, task))
            layouts = layouts_of(app).items()
            return HostReturn(layouts=tuple(ReplyLayout(command=n, layout=pack_layout(of)) for n, of in layouts))
        if isinstance(message, Open):
            instance = self._instances[message.instance]
            with instance.entered(message.task):
                answer = instance.app.open_session(cast("Params", message.params))
            number = next(self._numbers)
            if isinstance(answer, Opened):
                instance.contexts[number] = answer.context
                return HostReturn(context=number, params=answer.params)
            instance.contexts[number] = answer
            return HostReturn(context=number)
        if isinstance(message, Run):
            instance = self._instances[message.instance]
            session = instance.contexts[message.context]
            with instance.entered(message.task):
                return HostReturn(params=instance.app.invoke(session, message.command, cast("Params", message.params)))
        if isinstance(message, Close):
            instance = self._instances[message.instance]
            with instance.entered(message.task):
                instance.app.close_session(instance.contexts.pop(message.context))
            return HostReturn()
        return self._destroy(cast("Destroy", message))

    def _destroy(self, message: Destroy) -> HostReturn:
        instance = self._instances.pop(message.instance, None)
        if instance is not None and not message.panicked:
            instance.app.destroy()
        return HostReturn()

    def _ask(self, question: Question, words: list[object]) -> list[Any]:
        self._pipe.write(pack(Ask(question=question, words=words)))
        answer = cast("CoreAnswer", unpack(self._pipe.body(), {CoreAnswer}))
        if answer.result is not TeeResult.SUCCESS:
            origin, left = cast("tuple[int, list[object]]", answer.value)
            params = tuple(map(Param.from_plain, left)) or None
            raise TeeError(
                answer.result, "the core could not do it", origin=Origin(origin), params=cast("Params | None", params)
            )
        return answer.value
