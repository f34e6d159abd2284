"""The core of the secure world: sessions, instances, parameters, panics. No IO: messages in, messages out.

What it promises: a TA that panics takes only its own instance with it; every answer has a result and an origin.
What it does not: TAs run in one interpreter and are not isolated from each other in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tee_sim.errors import Origin, TeeError, TeeResult
from tee_sim.limits import MAX_SESSIONS
from tee_sim.manifest import Manifest
from tee_sim.params import Param, Params
from tee_sim.session import Event, State, step
from tee_sim.ta_api import TaEnv, TrustedApp
from tee_sim.wire import CloseSession, Invoke, OpenSession, Return

__all__ = ["Core"]


@dataclass(slots=True, eq=False)
class _Instance:
    manifest: Manifest
    app: TrustedApp
    sessions: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Session:
    instance: _Instance
    context: Any
    state: State = State.CLOSED

    def move(self, event: Event) -> None:
        self.state = step(self.state, event)


class Core:
    """Session table and dispatch.

    Args:
        manifests: the TAs this secure world hosts.
        load: returns the class a manifest's entry names.
        environment: makes the environment of one TA.
        on_panic: called while a panic's exception is handled; for debugging without a lock.
    """

    def __init__(
        self,
        manifests: tuple[Manifest, ...],
        load: Callable[[Manifest], Callable[[], TrustedApp]],
        environment: Callable[[Manifest], TaEnv],
        on_panic: Callable[[], None] = lambda: None,
    ) -> None:
        self._manifests = {m.uuid: m for m in manifests}
        self._load = load
        self._environment = environment
        self._on_panic = on_panic
        self._kept: dict[bytes, _Instance] = {}
        self._sessions: dict[int, _Session] = {}
        self._next_session = 1

    def dispatch(self, message: OpenSession | Invoke | CloseSession) -> Return:
        """Answer one request. Never raises: whatever goes wrong is a Return."""
        try:
            if isinstance(message, OpenSession):
                return self._open(message.uuid, _four(message.params))
            if isinstance(message, Invoke):
                return self._invoke(message.session, message.command, _four(message.params))
            return self._close(message.session)
        except TeeError as error:
            return Return(result=error.result, origin=error.origin)

    def _open(self, uuid: bytes, params: Params) -> Return:
        manifest = self._manifests.get(uuid)
        if manifest is None:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, f"no trusted application {UUID(bytes=uuid)}")
        if len(self._sessions) >= MAX_SESSIONS:
            raise TeeError(TeeResult.OUT_OF_MEMORY, f"{MAX_SESSIONS} sessions are open")
        instance = self._instance_for(manifest)
        number = self._next_session
        session = _Session(instance, None)
        session.context = self._guard(instance, lambda: instance.app.open_session(params))
        session.move(Event.OPENED)
        self._next_session += 1
        instance.sessions.add(number)
        self._sessions[number] = session
        return Return(result=TeeResult.SUCCESS, origin=Origin.TRUSTED_APP, session=number)

    def _instance_for(self, manifest: Manifest) -> _Instance:
        kept = self._kept.get(manifest.uuid)
        if kept is not None:
            if kept.sessions and "multi_session" not in manifest.flags:
                raise TeeError(TeeResult.BUSY, "single-session trusted application is in use")
            return kept
        try:
            instance = _Instance(manifest, self._load(manifest)())
        except Exception:
            self._on_panic()
            raise TeeError(TeeResult.TARGET_DEAD, "the trusted application does not load") from None
        self._guard(instance, lambda: instance.app.create(self._environment(manifest)))
        if "single_instance" in manifest.flags:
            self._kept[manifest.uuid] = instance
        return instance

    def _invoke(self, number: int, command: int, params: Params) -> Return:
        session = self._session(number)
        session.move(Event.INVOKE)
        instance = session.instance
        try:
            out = self._guard(instance, lambda: instance.app.invoke(session.context, command, params))
        finally:
            if session.state is State.BUSY:
                session.move(Event.RETURN)
        return Return(
            result=TeeResult.SUCCESS,
            origin=Origin.TRUSTED_APP,
            session=number,
            params=tuple(p if p.is_output else Param.none() for p in out),
        )

    def _close(self, number: int) -> Return:
        session = self._session(number)
        panicked = session.state is State.PANICKED
        session.move(Event.CLOSE)
        del self._sessions[number]
        instance = session.instance
        instance.sessions.discard(number)
        if not panicked:
            self._guard(instance, lambda: instance.app.close_session(session.context))
            if not instance.sessions and "keep_alive" not in instance.manifest.flags:
                self._kept.pop(instance.manifest.uuid, None)
                self._guard(instance, instance.app.destroy)
        return Return(result=TeeResult.SUCCESS, origin=Origin.TEE)

    def _session(self, number: int) -> _Session:
        session = self._sessions.get(number)
        if session is None:
            raise TeeError(TeeResult.BAD_PARAMETERS, "no such session")
        return session

    def _guard(self, instance: _Instance, call: Callable[[], Any]) -> Any:
        """Run TA code. A TeeError is its result; anything else is a panic and kills the instance."""
        try:
            return call()
        except TeeError:
            raise
        except Exception:
            self._on_panic()
            self._panic(instance)
            raise TeeError(TeeResult.TARGET_DEAD, "the trusted application panicked") from None

    def _panic(self, instance: _Instance) -> None:
        if self._kept.get(instance.manifest.uuid) is instance:
            del self._kept[instance.manifest.uuid]
        for number in instance.sessions:
            self._sessions[number].move(Event.PANIC)


def _four(params: tuple[Param, ...]) -> Params:
    if len(params) != 4:
        raise TeeError(TeeResult.BAD_PARAMETERS, "an operation has four parameters")
    return (params[0], params[1], params[2], params[3])
