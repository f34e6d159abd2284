"""What is attacked: trusted applications by their manifests, in a secure world that the bench owns.

The bench knows the token key of each boot. It never gives it to an attack; it looks for it in everything that comes out
(replies, prints, log records), which a black-box test could not do.
"""

import hmac
import importlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar, cast
from uuid import UUID

from bioguard.evidence.attack.memory import Disk, MemoryStore
from tee_sim.normal.client import Context, Session
from tee_sim.secure.core import Core
from tee_sim.secure.hosting import Hosting, LocalHosting
from tee_sim.secure.made.boot_statements import BootStatements
from tee_sim.secure.made.call import Call
from tee_sim.secure.made.environment import made_environment
from tee_sim.shared.clock import FakeClock
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.manifest import Manifest, Replies
from tee_sim.shared.params import NO_PARAMS, Param, Params
from tee_sim.shared.rng import OsRng, Rng
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Command, TaEnv, TrustedApp
from tee_sim.shared.wire import CloseSession, Invoke, Message, OpenSession, Return
from tee_sim.testing.attacks.outside import Outside, listening

Q = TypeVar("Q", bound=Record)
A = TypeVar("A", bound=Record)
OUTPUT_ROOM_BYTES = 65_536
MIN_KEY_BYTES = 16
"""A shorter derived value is a label, and turns up by chance."""


class _Transport:
    def __init__(self, target: "Target") -> None:
        self._target = target

    def exchange(self, message: Message, *, timeout_ms: int = 0) -> Return:
        return self._target.exchange(message)

    def kill(self) -> int | None:
        return None


class Target:
    """Trusted applications under attack.

    Args:
        manifests: of the applications, ours or others'. Their code must be importable.
        rng: all randomness of the applications, salts too.
        hosting: makes where they run, anew at each start; None for this process.
    """

    def __init__(
        self, manifests: Sequence[Manifest], rng: Rng | None = None, hosting: Callable[[], Hosting] | None = None
    ) -> None:
        self._hosting = hosting or (lambda: LocalHosting(_load))
        self.manifests = tuple(manifests)
        self.clock = FakeClock()
        self.disk = Disk()
        self.outside = Outside()
        self._rng = rng or OsRng()
        self._root = self._rng.bytes(32)
        self._device_id = self._rng.bytes(16)
        self._derived: set[bytes] = set()
        self.reboot()

    def reboot(self) -> None:
        """A new boot: new token keys, and the boot clock starts again."""
        self.clock = FakeClock(wall_ms=self.clock.wall_ms() + 60_000, boot_ms=60_000)
        names = sorted({name for m in self.manifests for name in m.key_names})
        self._boot = {name: self._rng.bytes(32) for name in names}
        self.restart()

    def restart(self) -> None:
        """The applications die and start again within the same boot."""
        self.disk.cut_after = None
        # As if nothing held them to their replies: what an application would send is what is looked for.
        unheld = tuple(
            replace(manifest, replies=Replies.FREE, budget_bits=None, start_bits=None, budgets=(), writes=(), reads=())
            for manifest in self.manifests
        )
        self._core = Core(unheld, self._hosting(), self._environment, boot_ms=self.clock.boot_ms)
        self._sessions: dict[UUID, Session] = {}
        self._context = Context(_Transport(self))

    def _environment(self, manifest: Manifest, call: Call) -> TaEnv:
        return made_environment(
            manifest,
            call,
            objects=self._objects(manifest),
            derive=partial(self._derive, manifest.uuid),
            boot=BootStatements.of(self.manifests, self._boot),
            clock=self.clock,
            rng=self._rng,
            system_rng=self._rng,
            device_id=self._device_id,
        )

    def _objects(self, manifest: Manifest) -> MemoryStore:
        return MemoryStore(self.disk, manifest.uuid)

    def _derive(self, application: bytes, label: str, context: bytes, size_bytes: int) -> bytes:
        parts = b"\0".join((application, label.encode(), context))
        key = hmac.digest(self._root, parts, "sha512")[:size_bytes]
        if size_bytes >= MIN_KEY_BYTES:
            self._derived.add(key)
        return key

    def exchange(self, message: Message) -> Return:
        """One message, with everything that comes out kept."""
        if not isinstance(message, OpenSession | Invoke | CloseSession):
            raise TypeError("the bench only opens, invokes and closes")
        with listening(self.outside.text):
            answer = self._core.dispatch(message)
        for param in answer.params:
            self.outside.replies += param.buffer
        return answer

    def session(self, uuid: UUID, *, fresh: bool = False, params: Params = NO_PARAMS) -> Session:
        """A session with one application; a fresh one may be asked for with parameters."""
        if fresh:
            return self._context.open_session(uuid, params)
        if uuid not in self._sessions:
            self._sessions[uuid] = self._context.open_session(uuid)
        return self._sessions[uuid]

    def forget(self, uuid: UUID) -> None:
        """The next call to this application opens a session."""
        self._sessions.pop(uuid, None)

    def call(self, uuid: UUID, command: Command[Q, A], request: Q) -> A:
        """A well-formed call."""
        return self.session(uuid).call(command, request)

    def raw(self, uuid: UUID, command: int, request: bytes) -> tuple[TeeResult, bytes]:
        """Any bytes to any command number; a dead application is started again."""
        params = (Param.memref(request), Param.output(OUTPUT_ROOM_BYTES), Param.none(), Param.none())
        return self.invoke(uuid, command, params)

    def invoke(self, uuid: UUID, command: int, params: Params) -> tuple[TeeResult, bytes]:
        """Any parameters to any command number."""
        try:
            out = self.session(uuid).invoke(command, params)
        except TeeError as error:
            if error.result is TeeResult.TARGET_DEAD:
                self._sessions.pop(uuid, None)
            return error.result, b""
        return TeeResult.SUCCESS, b"".join(p.buffer for p in out)

    def leaked_key(self) -> str | None:
        """Where a key of this boot, or one that an application derived, has shown up outside, if anywhere."""
        secrets = (*self._boot.values(), *self._derived)
        return next((where for key in secrets if (where := self.outside.holds(key))), None)

    def is_genuine(self, token: bytes) -> bool:
        """Whether these 69 bytes carry a MAC of this boot's token key."""
        body, mac = token[:37], token[37:]
        return any(hmac.compare_digest(hmac.digest(k, body, "sha256"), mac) for k in self._boot.values())


def _load(manifest: Manifest) -> type[TrustedApp]:
    module, _, name = manifest.entry.partition(":")
    return cast("type[TrustedApp]", getattr(importlib.import_module(module), name))
