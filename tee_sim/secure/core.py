"""The core of the secure world: sessions, instances, parameters, panics. No IO: messages in, messages out.

Promises: a TA that panics ends only its own instance; every answer has a result and an origin; a session can be used
only by the client that opened it, the normal world or another instance.
A panic is whatever an application does outside its contract: it raises what is no result, ends "the process", answers
with more than its caller made room for, leaves a transaction open, or hands over as the core's own what the core has
not made (`tee_sim.secure.made`). What it committed before that stays.
Does not promise: isolation of TAs from each other in memory; that is for whoever makes them (`Hosting`): a process each
on a device, one interpreter in tests.

One thread: a call from TA to TA runs inside the caller's. An application on the call stack waits for an answer, so a
call that leads back to it would wait for itself: BUSY.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field, replace
from functools import partial
from typing import Any, cast
from uuid import UUID

from tee_sim.secure.answers import client_of, four, made, opened, outputs, result_of
from tee_sim.secure.closed_replies import DeclaredReplies
from tee_sim.secure.hosting import Hosting, NoTransactions, NoWatch, RequestWatch, Transactions
from tee_sim.secure.hosts.pipes import HostGoneError
from tee_sim.secure.knowledge import free_bits, named_in
from tee_sim.secure.ledger import ANSWERED_BITS, ENDED_BITS, REFUSED_BITS, Ledger, Way
from tee_sim.secure.made.call import Call
from tee_sim.secure.peers import ManifestPeers
from tee_sim.secure.session import SessionEvent, State, step
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import Origin, TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.layouts import Knowledge, KnowsNothing
from tee_sim.shared.limits import MAX_PEER_CALLS, MAX_PEER_SESSIONS, MAX_SESSIONS
from tee_sim.shared.login import ClientIdentity, Login
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import NO_PARAMS, Params
from tee_sim.shared.ta_api import Opened, TaEnv, TrustedApp
from tee_sim.shared.task import Ask, CurrentTask, LimitedAsk, Task, never
from tee_sim.shared.wire import MAX_COUNTED_BITS, CloseSession, Invoke, OpenSession, Return


@dataclass(slots=True)
class _Holder:
    """Who opens sessions: the normal world, or one instance."""

    limit: int
    numbers: set[int] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class _Instance:
    manifest: Manifest
    app: TrustedApp
    task: CurrentTask
    call: Call
    knowledge: Knowledge = KnowsNothing()  # frozen
    replies: DeclaredReplies | None = None
    live: bool = True
    sessions: set[int] = field(default_factory=set)
    holder: _Holder = field(default_factory=lambda: _Holder(MAX_PEER_SESSIONS))


@dataclass(slots=True)
class _Session:
    instance: _Instance
    client: ClientIdentity
    context: Any = None
    state: State = State.CLOSED

    def move(self, event: SessionEvent) -> None:
        self.state = step(self.state, event)


@dataclass(frozen=True, slots=True)
class _Route:
    """`tee_sim.secure.peers.Route` of one instance."""

    core: "Core"
    instance: _Instance

    def open(self, uuid: bytes, params: Params) -> tuple[int, Params]:
        self.core._count_peer_call()
        me = ClientIdentity(login=Login.TRUSTED_APP, uuid=self.instance.manifest.uuid)
        task = Task(client=me, cancellable=self.instance.task.callee_listens)
        number, left = self.core._open(self.instance.holder, uuid, made(params), task)
        self.instance.call.received(left)
        return number, left

    def invoke(self, number: int, command: int, params: Params) -> Params:
        self.core._count_peer_call()
        listens = self.instance.task.callee_listens
        left = self.core._invoke(self.instance.holder, number, command, made(params), cancellable=listens)
        self.instance.call.received(left)
        return left

    def close(self, number: int) -> None:
        self.core._release(self.instance.holder, number)


class Core:
    """Session table and dispatch.

    Args:
        manifests: the TAs this secure world hosts.
        hosting: where they run.
        environment: makes the environment of one TA, with the record of its calls; its `peers` are the core's.
        on_panic: called with the application's name while a panic's exception is handled; for debugging.
        transactions: of the store that the environments give.
        ask: asks the normal world whether a cancellable request was cancelled.
        boot_ms: time since boot, read once for each request.
        ledger: counts what each request of the normal world lets out.
        watch: looks on while they are worked on.
    """

    def __init__(
        self,
        manifests: tuple[Manifest, ...],
        hosting: Hosting,
        environment: Callable[[Manifest, Call], TaEnv],
        on_panic: Callable[[str], None] = lambda _: None,
        transactions: Transactions = NoTransactions(),  # noqa: B008  # frozen
        ask: Ask = never,
        boot_ms: Callable[[], int] = lambda: 0,
        ledger: Ledger | None = None,
        watch: RequestWatch = NoWatch(),  # noqa: B008  # frozen
    ) -> None:
        self._manifests = {m.uuid: m for m in manifests}
        self._hosting = hosting
        self._environment = environment
        self._on_panic = on_panic
        self._transactions = transactions
        self._ask = LimitedAsk(ask)
        self._boot_ms = boot_ms
        self._request_ms = 0
        self._peer_calls = 0
        self._ledger = ledger or Ledger()
        self._watch = watch
        self._asked: _Instance | None = None
        self._kept: dict[bytes, _Instance] = {}
        self._sessions: dict[int, _Session] = {}
        self._next_session = 1
        self._client = _Holder(MAX_SESSIONS)
        self._stack: list[bytes] = []
        self._host_end = HostEnd.NONE
        self._released: list[int] = []

    def dispatch(self, message: OpenSession | Invoke | CloseSession) -> Return:
        """Answer one request of the normal world. Never raises: whatever goes wrong is a Return."""
        self._host_end = HostEnd.NONE
        self._request_ms = self._boot_ms()
        self._asked = None
        self._peer_calls = 0
        manifest = self._manifest_of(message)
        command = message.command if isinstance(message, Invoke) else None
        start = isinstance(message, OpenSession) and message.uuid not in self._kept
        limit = manifest.limit_bits(command, start=start) if manifest else math.inf
        untimed = manifest is not None and manifest.replies is Replies.FREE and limit == math.inf
        with self._ledger.request(limit, untimed=untimed) as account, self._transactions.request():
            refused = None if manifest is None else self._begin(manifest, command, message)
            answer = self._within(refused or self._dispatch(message), message)
        return Return(result=answer.result, origin=answer.origin, session=answer.session, params=answer.params,
                      host_end=self._host_end, bits=min(math.ceil(account.total), MAX_COUNTED_BITS))  # fmt: skip

    def _begin(
        self, manifest: Manifest, command: int | None, message: OpenSession | Invoke | CloseSession
    ) -> Return | None:
        """Have the store ready for a request; a Return if it is not to be carried out."""
        try:
            # A request to an application in C is no CBOR of ours.
            params = () if isinstance(message, CloseSession) or manifest.native else message.params
            self._watch.begin(manifest, command, *named_in(params))
        except TeeError as error:
            named = manifest.kinds_of(command) or manifest.commits_of(command)
            if named and error.result in (TeeResult.CORRUPT_OBJECT, TeeResult.OUT_OF_MEMORY):
                return Return(result=error.result, origin=Origin.TEE)
            # Anything else of a disk that does not answer: whoever needs the rows hears it.
        return None

    def _manifest_of(self, message: OpenSession | Invoke | CloseSession) -> Manifest | None:
        if isinstance(message, OpenSession):
            return self._manifests.get(message.uuid)
        own = message.session in self._client.numbers
        return self._sessions[message.session].instance.manifest if own else None

    def _within(self, answer: Return, message: OpenSession | Invoke | CloseSession) -> Return:
        """The answer, if it may leave: with it the account is complete. Otherwise whoever was asked is ended."""
        dead = answer.result is TeeResult.TARGET_DEAD
        words = ANSWERED_BITS if answer.result is TeeResult.SUCCESS else max(REFUSED_BITS, dead * ENDED_BITS)
        self._ledger.charge(Way.RESULT, words)
        self._watch.end(timed=self._ledger.timed())
        if not self._ledger.spent:
            return answer
        if self._asked is not None:
            self._host_end = self._hosting.end(self._asked.app)
            if self._asked.live:
                self._on_panic(self._asked.manifest.name)
                self._panic(self._asked)
        if isinstance(message, OpenSession) and answer.result is TeeResult.SUCCESS:
            self._close(self._client, answer.session)  # nobody is told its number
        self._close_released()
        return Return(result=TeeResult.TARGET_DEAD, origin=Origin.TEE)

    def _dispatch(self, message: OpenSession | Invoke | CloseSession) -> Return:
        try:
            if isinstance(message, OpenSession):
                task = Task(client=client_of(message), cancellable=message.cancellable)
                self._ask.client_can = message.cancellable
                number, out = self._open(self._client, message.uuid, four(message.params), task)
                left = () if out == NO_PARAMS else out
                return Return(result=TeeResult.SUCCESS, origin=Origin.TRUSTED_APP, session=number, params=left)
            if isinstance(message, Invoke):
                given, cancellable = four(message.params), message.cancellable
                self._ask.client_can = cancellable
                out = self._invoke(self._client, message.session, message.command, given, cancellable=cancellable)
                return Return(result=TeeResult.SUCCESS, origin=Origin.TRUSTED_APP, session=message.session, params=out)
            self._close(self._client, message.session)
            return Return(result=TeeResult.SUCCESS, origin=Origin.TEE)
        except TeeError as error:
            return Return(result=error.result, origin=error.origin, params=cast("Params | None", error.params) or ())
        finally:
            self._close_released()

    def _open(self, holder: _Holder, uuid: bytes, params: Params, task: Task) -> tuple[int, Params]:
        # 1. Is it hosted? TEEC_OpenSession: TEEC_ERROR_ITEM_NOT_FOUND.
        manifest = self._manifests.get(uuid)
        if manifest is None:
            raise TeeError(TeeResult.ITEM_NOT_FOUND, f"no trusted application {UUID(bytes=uuid)}")
        # 2. Room in the table, before an instance is made: a caller who opens sessions without end is refused, and the
        #    others' sessions go on.
        if len(holder.numbers) >= holder.limit:
            raise TeeError(TeeResult.OUT_OF_MEMORY, f"{holder.limit} sessions are open")
        # 3. Not from within its own call: one thread, it would wait for itself.
        self._refuse_loop(uuid)
        # 4. The instance, by the flags of the manifest: gpd.ta.singleInstance, multiSession, instanceKeepAlive.
        instance = self._instance_for(manifest)
        number, self._next_session = self._next_session, self._next_session + 1
        # 5. The application may refuse. The session has a number only if it did not.
        session = _Session(instance, task.client)
        self._asked = instance if holder is self._client else self._asked

        def enter() -> Opened:
            answer = instance.app.open_session(params)
            return opened(params, answer if instance.replies is None else instance.replies.opened(answer))

        answer: Opened = self._guard(instance, enter, params, task)
        session.context = answer.context
        session.move(SessionEvent.OPENED)
        instance.sessions.add(number)
        holder.numbers.add(number)
        self._sessions[number] = session
        return number, answer.params

    def _count_peer_call(self) -> None:
        self._peer_calls += 1
        if self._peer_calls > MAX_PEER_CALLS:
            raise TeeError(TeeResult.BUSY, f"{MAX_PEER_CALLS} calls from application to application in one request")

    def _refuse_loop(self, uuid: bytes) -> None:
        if uuid in self._stack:
            raise TeeError(TeeResult.BUSY, "the trusted application waits for this very call")

    def _instance_for(self, manifest: Manifest) -> _Instance:
        kept = self._kept.get(manifest.uuid)
        if kept is not None and self._hosting.has_ended(kept.app):
            self._panic(kept)
            kept = None
        if kept is not None:
            if kept.sessions and "multi_session" not in manifest.flags:
                raise TeeError(TeeResult.BUSY, "single-session trusted application is in use")
            return kept
        try:
            app = self._hosting.make(manifest, self._ledger)
            instance = _Instance(manifest, app, CurrentTask(self._ask), Call(partial(self._ledger.charge, Way.CHOICE)))
        except (KeyboardInterrupt, TeeError):
            raise
        except BaseException:
            self._on_panic(manifest.name)
            raise TeeError(TeeResult.TARGET_DEAD, "the trusted application does not load") from None
        self._asked = self._asked if self._stack else instance
        if manifest.replies is Replies.CLOSED:
            instance.replies = DeclaredReplies(manifest.entry, {})
        # A native application finds itself, in use as it is: what asked would wait for itself.
        itself = (manifest.uuid,) if manifest.native else ()
        peers = ManifestPeers((*manifest.calls, *itself), _Route(self, instance))
        task = instance.task
        instance.knowledge = self._watch.knowledge(manifest, instance.call)
        try:
            environment = replace(
                self._environment(manifest, instance.call), peers=peers, client=task, cancellation=task
            )
            self._guard(instance, lambda: instance.app.create(environment))
            if instance.replies is not None:
                instance.replies = replace(instance.replies, layouts=self._hosting.layouts(instance.app))
        except TeeError as error:
            self._end(instance)
            if error.result is not TeeResult.TARGET_DEAD:
                self._hosting.forget(instance.app)
            raise
        if "single_instance" in manifest.flags:
            self._kept[manifest.uuid] = instance
        return instance

    def _invoke(
        self, holder: _Holder, number: int, command: int, params: Params, *, cancellable: bool = False
    ) -> Params:
        # 1. A session of this holder: a number that is another's is no session, and the answer does not say which.
        session = self._session(holder, number)
        instance = session.instance
        # 2. Not while it is on the call stack.
        self._refuse_loop(instance.manifest.uuid)
        # 3. Not after a panic: after TEE_Panic every call on a session of the instance is TEE_ERROR_TARGET_DEAD.
        session.move(SessionEvent.INVOKE)
        # 4. Run it guarded; then its outputs are held against what its caller made room for. One more byte is a panic.
        task = Task(client=session.client, cancellable=cancellable)
        self._asked = instance if holder is self._client else self._asked

        def enter() -> Params:
            answer = instance.app.invoke(session.context, command, params)
            bits = free_bits(answer)
            if instance.replies is not None:
                bits = instance.replies.answered(command, answer, instance.knowledge)
            left = outputs(params, answer)
            if holder is self._client:
                self._ledger.charge(Way.REPLY, bits)
            return left

        try:
            out: Params = self._guard(instance, enter, params, task, command)
        finally:
            if session.state is State.BUSY:
                session.move(SessionEvent.RETURN)
        return out

    def _close(self, holder: _Holder, number: int) -> None:
        self._session(holder, number)
        holder.numbers.discard(number)
        self._close_session(number)

    def _close_session(self, number: int) -> None:
        session = self._sessions.pop(number)
        panicked = session.state is State.PANICKED
        session.move(SessionEvent.CLOSE)
        instance = session.instance
        instance.sessions.discard(number)
        if not panicked:
            task = Task(client=session.client)
            self._guard(instance, lambda: instance.app.close_session(session.context), task=task)
            if not instance.sessions and "keep_alive" not in instance.manifest.flags:
                self._kept.pop(instance.manifest.uuid, None)
                try:
                    self._guard(instance, instance.app.destroy)
                finally:
                    self._end(instance)

    def _release(self, holder: _Holder, number: int) -> None:
        """Close an instance's session. TEE_CloseTASession returns nothing: it is gone for the holder in any case."""
        self._session(holder, number)
        holder.numbers.discard(number)
        self._released.append(number)
        self._close_released()

    def _close_released(self) -> None:
        """Close them at the targets, except those on the call stack: their turn comes when it has unwound."""
        while ready := [n for n in self._released if self._sessions[n].instance.manifest.uuid not in self._stack]:
            self._released.remove(ready[0])
            with suppress(TeeError):
                self._close_session(ready[0])

    def _session(self, holder: _Holder, number: int) -> _Session:
        if number not in holder.numbers:
            raise TeeError(TeeResult.BAD_PARAMETERS, "no such session")
        return self._sessions[number]

    def _guard(
        self,
        instance: _Instance,
        call: Callable[[], Any],
        given: Params | None = None,
        task: Task | None = None,
        command: int | None = None,
    ) -> Any:
        """Run TA code. A TeeError is its result; anything else is a panic and kills the instance.

        Args:
            given: the parameters of the operation; a refusal may change its outputs.
            task: what the application may know of the operation.
            command: that is invoked; None for another entry point.
        """
        self._stack.append(instance.manifest.uuid)
        try:
            with instance.task.entered(task), instance.call.entered(given, self._request_ms):
                answer = self._run(instance, call, given, command)
                if instance.call.broken:
                    raise RuntimeError("it handed over what the core has not made")
        except KeyboardInterrupt:  # a developer's, whose own process the secure world is in
            raise
        except BaseException as error:
            # SystemExit too: an application must not end the process and with it the others. What was raised is not
            # passed on: its text could hold a secret.
            if isinstance(error, HostGoneError):
                self._host_end = error.end
            self._on_panic(instance.manifest.name)
            self._panic(instance)
            raise TeeError(TeeResult.TARGET_DEAD, "the trusted application panicked") from None
        finally:
            self._stack.pop()
        if isinstance(answer, TeeError):
            raise answer
        return answer

    def _run(self, instance: _Instance, call: Callable[[], Any], given: Params | None, command: int | None) -> Any:
        """Run TA code; a TeeError is returned. Raises what is a panic."""
        before = self._transactions.writer
        try:
            answer: Any = call()
        except TeeError as error:
            answer = error
        except BaseException:
            self._abandon(before)  # and no other words for the panic that it is already
            raise
        if self._abandon(before):
            raise RuntimeError("a transaction was left open")
        if not isinstance(answer, TeeError):
            return answer
        refusal = answer if instance.replies is None else instance.replies.refused(answer, command, given)
        return result_of(refusal, given)

    def _abandon(self, before: object) -> bool:
        """End a transaction that was begun since; a caller's, further up the stack, stays."""
        left = self._transactions.writer not in (None, before)
        if left:
            self._transactions.abandon()
        return left

    def _panic(self, instance: _Instance) -> None:
        if self._kept.get(instance.manifest.uuid) is instance:
            del self._kept[instance.manifest.uuid]
        for number in instance.sessions:
            self._sessions[number].move(SessionEvent.PANIC)
        self._end(instance)
        self._hosting.forget(instance.app)

    def _end(self, instance: _Instance) -> None:
        """An instance is gone: nobody holds its sessions with others any more."""
        instance.live = False
        self._released += instance.holder.numbers
        instance.holder.numbers.clear()
