"""A core with one application of each test's own, and a client that talks to it through packed frames."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from tee_sim.normal.client import Context
from tee_sim.secure.core import Core
from tee_sim.secure.hosting import LocalHosting
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import NO_PARAMS, Params
from tee_sim.shared.ta_api import TaEnv
from tee_sim.shared.wire import HEAD_BYTES, Message, Return, pack, unpack

ONE, TWO, THREE = (UUID(bytes=bytes([i]) * 16) for i in (1, 2, 3))
SHARED = ("single_instance", "multi_session", "keep_alive")


class App:
    """An application whose tests override what they are about."""

    env: TaEnv

    def create(self, env: TaEnv) -> None:
        self.env = env

    def open_session(self, params: Params) -> object:
        return None

    def invoke(self, session: Any, command: int, params: Params) -> Params:
        return params

    def close_session(self, session: Any) -> None: ...

    def destroy(self) -> None: ...


class Wire:
    """`Transport` over a core: every message is packed and read again, as on the pipe."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.killed = 0
        self.sent: list[Message] = []

    def exchange(self, message: Message, *, timeout_ms: int = 0) -> Return:
        self.sent.append(message)
        asked: Any = unpack(pack(message)[HEAD_BYTES:])
        return cast("Return", unpack(pack(self.core.dispatch(asked))[HEAD_BYTES:], {Return}))

    def kill(self) -> int | None:
        self.killed += 1
        return None


def hosted(*apps: Callable[[], App], flags: tuple[str, ...] = SHARED) -> Wire:
    """Host them under ONE, TWO, THREE; each may call the others."""
    uuids = (ONE, TWO, THREE)[: len(apps)]
    manifests = tuple(
        Manifest(
            uuid=uuid.bytes, name=f"t{uuid.bytes[0]}", entry="x:Y", code=(), flags=flags, replies=Replies.FREE,
            calls=tuple(other.bytes for other in uuids if other != uuid),
        )
        for uuid in uuids
    )  # fmt: skip
    makers = dict(zip((uuid.bytes for uuid in uuids), apps, strict=True))
    environment: Any = lambda m, _call: TaEnv(None, None, None, None, bytes(16))  # type: ignore[arg-type]  # noqa: E731
    return Wire(Core(manifests, LocalHosting(lambda m: makers[m.uuid]), environment))


def context_of(*apps: Callable[[], App], flags: tuple[str, ...] = SHARED) -> Context:
    """A client of them."""
    return Context(hosted(*apps, flags=flags))


__all__ = ["NO_PARAMS", "ONE", "SHARED", "THREE", "TWO", "App", "Wire", "context_of", "hosted"]
