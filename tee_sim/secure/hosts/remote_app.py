"""The core's side of the hosts: an application behind a private pipe, and the spares of each."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count
from typing import cast

from tee_sim.secure.closed_replies import Layouts
from tee_sim.secure.hosts.invocations import read_host_return, write_run
from tee_sim.secure.hosts.messages import (
    FROM_HOST,
    FROM_HOST_IN_DEBUG,
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
    Run,
    pack,
    unpack,
)
from tee_sim.secure.hosts.native_functions import NativeFunctions
from tee_sim.secure.hosts.native_functions import load as load_functions
from tee_sim.secure.hosts.pipes import HostGoneError, HostPipe
from tee_sim.secure.hosts.questions import Answers, Question
from tee_sim.secure.ledger import Meter, Unmetered
from tee_sim.shared.clock import ClockKind, SinceBoot
from tee_sim.shared.debug_report import DebugReport
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.layouts import parse_layout
from tee_sim.shared.limits import GRACE_TIMEOUT_MS
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import Params
from tee_sim.shared.ta_api import Opened, TaEnv, TrustedApp
from tee_sim.shared.task import Cancellation, CurrentTask, Task
from tee_sim.shared.wire import NoFrameError

_OF_OTHERS = frozenset({Question.OPEN_PEER, Question.INVOKE_PEER, Question.CLOSE_PEER})


class PanicError(Exception):
    """The application panicked, in its own process. Not a result: the core ends the instance for it."""


class RemoteApp:
    """`tee_sim.shared.ta_api.TrustedApp`, run by a host.

    Args:
        pipe: to the host.
        number: of the instance there.
        time_ms: how long the host, and the core for it, may work on one call; without what other applications do.
        on_debug: takes its debug reports; without it a host that sends one is ended.
        functions: makes those of an instance of a native application.

    Attributes:
        layouts: of the replies that it has declared when it was created.
    """

    def __init__(
        self,
        pipe: HostPipe,
        number: int,
        time_ms: int,
        on_debug: Callable[[DebugReport], None] | None = None,
        meter: Meter = Unmetered(),  # noqa: B008  # without state
        functions: Callable[[TaEnv], NativeFunctions] | None = None,
    ) -> None:
        self.pipe = pipe
        self._number = number
        self._time_ms = time_ms
        self._on_debug = on_debug
        self._answers: Answers | None = None
        self._current: Cancellation | None = None
        self._meter = meter
        self._functions = functions
        self._native: NativeFunctions | None = None
        self.layouts: Layouts = {}

    def create(self, env: TaEnv) -> None:
        """As `TrustedApp.create`."""
        self._native = None if self._functions is None else self._functions(env)
        self._answers, self._current = Answers(env, self._native), env.cancellation
        clock, platform = env.clock, env.platform
        on_host_clock = platform.clock is ClockKind.HOST and isinstance(clock, SinceBoot)
        done = self._call(
            Create(
                instance=self._number,
                device_id=env.device_id,
                began_ms=cast("SinceBoot", clock).began_ms if on_host_clock else None,
                verdict=platform.verdict,
                filter_sha256=platform.filter_sha256,
                host_filter_sha256=platform.host_filter_sha256,
                names=tuple(name for name, _ in platform.measurements),
                measurements=tuple(digest for _, digest in platform.measurements),
                processes=platform.processes,
                file_names=tuple(name for name, _ in platform.files),
                file_digests=tuple(digest for _, digest in platform.files),
                clock=platform.clock,
                randomness=platform.randomness,
                sensor_names=tuple(name for name, _ in platform.sensors),
                sensor_measurements=tuple(digest for _, digest in platform.sensors),
                sensor_extractors=tuple(said for _, said in platform.extractors),
            )
        )
        try:
            self.layouts = {declared.command: parse_layout(declared.layout) for declared in done.layouts}
        except TeeError:
            self.pipe.kill(HostEnd.OUT_OF_TURN)

    def open_session(self, params: Params) -> object:
        """As `TrustedApp.open_session`: the host's number for the context."""
        done = self._call(Open(instance=self._number, task=self._task, params=params))
        return Opened(context=done.context, params=cast("Params", done.params)) if done.params else done.context

    def invoke(self, session: int, command: int, params: Params) -> Params:
        """As `TrustedApp.invoke`. The core holds the outputs against what its caller made room for, and its layout."""
        task = self._task
        frame = write_run(self._number, session, task, command, params)
        if frame is None:
            frame = pack(Run(instance=self._number, context=session, task=task, command=command, params=params))
        return cast("Params", self._exchange(frame).params)

    def close_session(self, session: int) -> None:
        """As `TrustedApp.close_session`."""
        self._call(Close(instance=self._number, context=session, task=self._task))

    @property
    def _task(self) -> Task:
        """Of the entry that the core is in."""
        return cast("Task", cast("CurrentTask", self._current).task)

    def destroy(self) -> None:
        """As `TrustedApp.destroy`."""
        try:
            self._call(Destroy(instance=self._number, panicked=False))
        finally:
            self._end()

    def _end(self) -> None:
        if self._native is not None:
            self._native.end()

    def forget(self) -> None:
        """The core ended the instance: its memory is free for the next one."""
        self._end()
        if self.pipe.alive:
            self._call(Destroy(instance=self._number, panicked=True))

    def _call(self, message: HostMessage) -> HostReturn:
        """As `_exchange`."""
        return self._exchange(pack(message))

    def _exchange(self, frame: bytes) -> HostReturn:
        """Send one entry point's call and answer its questions.

        Raises:
            TeeError: the application's result.
            PanicError, HostGoneError: it panicked; its process ended.
        """
        if self.pipe.has_ended():  # or it has said something that nobody has asked for
            raise HostGoneError(self.pipe.end)
        answers = cast("Answers", self._answers)
        left_s = self._time_ms / 1000
        try:
            while True:
                began = time.monotonic()
                self.pipe.write(frame, began + left_s)
                reply = self._read(began + left_s)
                self._meter.heard()
                left_s -= time.monotonic() - began
                if not isinstance(reply, Ask):
                    return _done(reply)
                frame, waited_s = self._timed(answers, reply, left_s)
                left_s -= waited_s
                if self._meter.spent:
                    self.pipe.kill(HostEnd.BUDGET)
                if left_s <= 0:
                    self.pipe.kill(HostEnd.TOO_SLOW)
        finally:
            answers.end_call()

    def _read(self, deadline: float) -> HostMessage:
        kinds = FROM_HOST if self._on_debug is None else FROM_HOST_IN_DEBUG
        try:
            while True:
                body = self.pipe.body(deadline)
                message = read_host_return(body) or unpack(body, kinds)
                if self._on_debug is None or not isinstance(message, DebugReport):
                    return message
                self._on_debug(message)
        except NoFrameError:
            self.pipe.kill(HostEnd.OUT_OF_TURN)

    def _timed(self, answers: Answers, asked: Ask, left_s: float) -> tuple[bytes, float]:
        """The frame that answers, and how much of its own time the application has spent on it.

        What the core does for it is its own: one that asks without end would hold the core until the client's deadline,
        which ends everybody's. What another application does is that one's.
        """
        words = asked.words
        if asked.question == Question.LOOK:  # no longer than it may live
            words = [min(word, int(left_s * 1000) + 1) if type(word) is int else word for word in words]
        began = time.monotonic()
        frame = pack(self._answer(answers, Ask(question=asked.question, words=words)))
        return frame, 0.0 if asked.question in _OF_OTHERS else time.monotonic() - began

    def _answer(self, answers: Answers, asked: Ask) -> CoreAnswer:
        try:
            return CoreAnswer(result=TeeResult.SUCCESS, value=answers.answer(asked.question, asked.words))
        except NoFrameError:
            self.pipe.kill(HostEnd.OUT_OF_TURN)
        except TeeError as error:
            left = [param.to_plain() for param in cast("Params | None", error.params) or ()]
            return CoreAnswer(result=error.result, value=[int(error.origin), left])


def _done(reply: HostMessage) -> HostReturn:
    if isinstance(reply, HostReturn):
        return reply
    if isinstance(reply, HostRefusal):
        left = cast("Params", reply.params) if reply.params else None
        raise TeeError(reply.result, "the trusted application refused", origin=reply.origin, params=left)
    assert isinstance(reply, Panicked)  # noqa: S101 - all that is left of FROM_HOST
    raise PanicError


class Hosts:
    """The hosts of every application: which of them runs, and which stand ready.

    Args:
        pipes: for each manifest, its processes.
        time_ms: of a manifest: what one call may take.
        on_debug: as `RemoteApp`.
    """

    def __init__(
        self,
        pipes: Sequence[tuple[Manifest, Sequence[HostPipe]]],
        time_ms: Callable[[Manifest], int],
        on_debug: Callable[[DebugReport], None] | None = None,
    ) -> None:
        self._ready = {manifest.uuid: list(processes) for manifest, processes in pipes}
        self._time_ms = time_ms
        self._on_debug = on_debug
        self._numbers = count(1)
        self._functions = load_functions(manifest for manifest, _ in pipes)

    def make(self, manifest: Manifest, meter: Meter) -> TrustedApp:
        """An application whose process runs. Raises TeeError TARGET_DEAD, origin COMMS, when all of them have ended."""
        ready = self._ready[manifest.uuid]
        while ready and ready[0].has_ended():
            del ready[0]
        if not ready:
            raise TeeError(TeeResult.TARGET_DEAD, "no process of the application is left", origin=Origin.COMMS)
        make = self._functions if manifest.native else None
        functions = None if make is None else partial(make, manifest=manifest)
        return RemoteApp(
            ready[0], next(self._numbers), self._time_ms(manifest), self._named(manifest), meter, functions
        )

    def load_ahead(self, uuid: bytes) -> None:
        """Have the process of an application execute its modules meanwhile. What becomes of that is seen later."""
        for host in self._ready.get(uuid, [])[:1]:
            with suppress(HostGoneError):
                host.write(pack(Load()), time.monotonic() + GRACE_TIMEOUT_MS / 1000)

    def _named(self, manifest: Manifest) -> Callable[[DebugReport], None] | None:
        """Passes reports on in the application's name: one may not speak in another's."""
        on_debug = self._on_debug
        if on_debug is None:
            return None
        return lambda said: on_debug(replace(said, application=manifest.name))

    def has_ended(self, app: TrustedApp) -> bool:
        """Whether the process of an instance has ended."""
        return cast("RemoteApp", app).pipe.has_ended()

    def layouts(self, app: TrustedApp) -> Layouts:
        """Of the replies of a created application."""
        return cast("RemoteApp", app).layouts

    def end(self, app: TrustedApp) -> HostEnd:
        """End the process of an application that is over its budget. Returns the word for it."""
        with suppress(HostGoneError):
            cast("RemoteApp", app).pipe.kill(HostEnd.BUDGET)
        return HostEnd.BUDGET

    def forget(self, app: TrustedApp) -> None:
        """An instance panicked: its process keeps nothing of it."""
        with suppress(TeeError, PanicError, HostGoneError):
            cast("RemoteApp", app).forget()
