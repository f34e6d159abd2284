"""A secure world under attack: the real core and the real store in this process, with everything observed.

It knows every key that is derived for the applications, and none that they make themselves. It never gives one to an
attack; it looks for them in all that comes out, which a test from outside could not do.
"""

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self, cast
from uuid import UUID

from tee_sim.normal.machine.options import PowerCut
from tee_sim.normal.secure_process import StorageHandler
from tee_sim.secure.closed_replies import declared
from tee_sim.secure.hosting import Hosting, LocalHosting
from tee_sim.secure.hosts.pipes import HostGoneError
from tee_sim.secure.hosts.process import load_entry
from tee_sim.secure.hosts.remote_app import PanicError
from tee_sim.secure.made.call import Call
from tee_sim.secure.world import SecureWorld
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.params import NO_PARAMS, Param, Params
from tee_sim.shared.schema import Record
from tee_sim.shared.ta_api import Keys, TaEnv, TrustedApp
from tee_sim.shared.wire import (
    HEAD_BYTES,
    CloseSession,
    Invoke,
    Message,
    OpenSession,
    Provision,
    Return,
    pack,
    unpack,
)
from tee_sim.testing.attacks.disk import Cut, Disk
from tee_sim.testing.attacks.natives import Natives, ObservedNatives
from tee_sim.testing.attacks.outside import Outside, contains, listening
from tee_sim.testing.direct_port import DirectPort

MIN_KEY_BYTES = 16
"""A shorter derived value is a label, and turns up by chance."""

_PROVISION = Provision(
    huk=bytes(range(64, 96)),
    device_id=bytes(range(16)),
    create=True,
    stepped_wall_ms=1_767_225_600_000,
    seed=bytes(range(32)),
    boot_id=bytes(range(16)),
)


class _Keys:
    """The keys of an application, which also go to whoever looks for them."""

    def __init__(self, inner: Keys, found: Callable[[bytes], None]) -> None:
        self._inner = inner
        self._found = found

    def derive(self, label: str, context: bytes = b"", size_bytes: int = 32) -> bytes:
        key = self._inner.derive(label, context, size_bytes)
        self._found(key)
        return key

    def state(self, name: str, *, object_id: bytes, echo: bytes = bytes(8)) -> bytes:
        return self._inner.state(name, object_id=object_id, echo=echo)

    def check(self, name: str, data: bytes) -> bool:
        return self._inner.check(name, data)


class _ObservedWorld(SecureWorld):
    """A secure world whose applications are made by whoever observes them."""

    def __init__(self, storage: StorageHandler, attacked: "AttackedWorld") -> None:
        self._attacked = attacked
        super().__init__(
            _PROVISION,
            DirectPort(storage),
            attacked.manifests,
            on_panic=attacked.note_panic,
            hosting=attacked.hosting(),
        )

    def _environment(self, manifest: Manifest, call: Call) -> TaEnv:
        return self._attacked.environment(super()._environment(manifest, call))


class AttackedWorld:
    """Trusted applications under attack.

    Args:
        manifests: of the applications. Their code must be importable.
        disk: what they find; nothing, if it is not given.
        cut: when the power fails.
        natives: where the native ones among them are found; None if none is.

    Attributes:
        panics: what each panic was and where, in order.
        outside: what came out.
    """

    def __init__(
        self,
        manifests: Sequence[Manifest],
        disk: Disk | None = None,
        cut: Cut | None = None,
        natives: Natives | None = None,
    ) -> None:
        self.manifests = tuple(manifests)
        self.natives = natives
        self.disk = disk or Disk()
        self.outside = Outside()
        self.panics: list[str] = []
        self._keys = {_PROVISION.huk}
        self._apps: dict[bytes, TrustedApp] = {}
        self._native: ObservedNatives | None = None
        if natives is not None:
            self._native = ObservedNatives(self.manifests, natives, self.outside, self._found)
        self.restart(cut)

    def again(self, disk: Disk, cut: Cut | None = None) -> "AttackedWorld":
        """The same applications over another disk."""
        return AttackedWorld(self.manifests, disk, cut, self.natives)

    def end(self) -> None:
        """End what runs native applications. Nothing can be asked afterwards."""
        if self._native is not None:
            self._native.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    # -- what the secure world asks ----------------------------------------------------------------------------------

    def hosting(self) -> Hosting:
        """Where they run: in this process, native ones in processes of their own."""
        here = LocalHosting(self.load)
        return here if self._native is None else self._native.start(here)

    def load(self, manifest: Manifest) -> Callable[[], TrustedApp]:
        """`LocalHosting`'s: what makes an instance, which is remembered."""
        entry = load_entry(manifest)

        def made() -> TrustedApp:
            self._apps[manifest.uuid] = app = entry()
            return app

        return made

    def environment(self, given: TaEnv) -> TaEnv:
        """The environment of an application, observed."""
        return replace(given, keys=_Keys(given.keys, self._found))

    def _found(self, key: bytes) -> None:
        if len(key) >= MIN_KEY_BYTES:
            self._keys.add(key)

    def note_panic(self, _name: str) -> None:
        """`SecureWorld`'s, while the exception of a panic is handled. A power cut is none."""
        error = sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1]
        if error is None or self.disk.dead:
            return
        if isinstance(error, (PanicError, HostGoneError)):
            self.panics.append("" if self._native is None else self._native.last_end(error))
            return
        last = traceback.extract_tb(error.__traceback__)[-1]
        self.panics.append(f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}")

    # -- power -------------------------------------------------------------------------------------------------------

    def restart(self, cut: Cut | None = None) -> None:
        """The secure world starts again within the same boot. The power will fail at `cut`.

        Raises:
            TeeError: the store does not open.
            PowerCut: already while it starts.
        """
        self._sessions: dict[UUID, int] = {}
        self._world = _ObservedWorld(self.disk.power_on(cut), self)

    # -- what attackers do -------------------------------------------------------------------------------------------

    def deliver(self, body: bytes) -> bytes:
        """Any bytes as the body of a frame; the body of its answer.

        Raises:
            NoFrameError: it is no frame, which would have ended a process.
            PowerCut: the power failed meanwhile.
        """
        with listening(self.outside.text):
            frame = self._world.answer(body)
        if self.disk.dead:
            raise PowerCut("at a write")
        answer = frame[HEAD_BYTES:]
        self.outside.replies += answer
        return answer

    def exchange(self, message: Message) -> Return:
        """One well-formed message."""
        return cast("Return", unpack(self.deliver(pack(message)[HEAD_BYTES:]), {Return}))

    def open(self, uuid: UUID, params: Params = NO_PARAMS) -> Return:
        """Open a session; its number is in the answer."""
        return self.exchange(OpenSession(uuid=uuid.bytes, params=params))

    def close(self, number: int) -> Return:
        """Close a session."""
        return self.exchange(CloseSession(session=number))

    def session(self, uuid: UUID) -> int:
        """The number of a session that is open, opened if need be. Raises TeeError: it is refused."""
        if uuid not in self._sessions:
            answer = self.open(uuid)
            if answer.result != TeeResult.SUCCESS:
                raise TeeError(answer.result, "no session", origin=answer.origin)
            self._sessions[uuid] = answer.session
        return self._sessions[uuid]

    def invoke(self, uuid: UUID, command: int, params: Params) -> Return:
        """Any parameters to any command number; a dead application is started again."""
        answer = self.exchange(Invoke(session=self.session(uuid), command=command, params=params))
        if answer.result == TeeResult.TARGET_DEAD:
            self.close(self._sessions.pop(uuid))  # a dead session keeps its place until it is closed
        return answer

    def raw(self, uuid: UUID, command: int, request: bytes, room_bytes: int = 65_536) -> Return:
        """Any bytes where a request record belongs."""
        return self.invoke(uuid, command, request_params(request, room_bytes))

    # -- what is known of the applications ---------------------------------------------------------------------------

    def declared(self, manifest: Manifest) -> Mapping[int, type[Record]]:
        """The commands that an application has declared, with the type of each request; none if it declares nothing."""
        app = self._apps.get(manifest.uuid)
        return {} if app is None else {number: command.request for number, command in declared(app).items()}

    def leaked_key(self) -> str | None:
        """Where a key of an application has shown up in what came out, if anywhere."""
        return next((where for key in self._keys if (where := self.outside.holds(key))), None)

    def stored_key(self) -> bool:
        """Whether a key of an application was ever on the disk in clear."""
        return any(contains(bytes(self.disk.held), key) for key in self._keys)


def request_params(request: bytes, room_bytes: int = 65_536) -> Params:
    """The parameters of a command that takes one record and gives one."""
    return (Param.memref(request), Param.output(room_bytes), Param.none(), Param.none())
