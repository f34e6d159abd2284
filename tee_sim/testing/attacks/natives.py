"""Native applications under attack: in processes of their own, with what they print and which keys they have made."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tee_sim.gp_api.service import NativeApi
from tee_sim.gp_objects.key_types import Attribute
from tee_sim.secure.hosting import Hosting
from tee_sim.secure.hosts.pipes import HostGoneError
from tee_sim.secure.native.unlocked import UnlockedCode, UnlockedHosting
from tee_sim.shared.debug_report import DebugKind, DebugReport
from tee_sim.shared.gp_functions import Function
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.native_run import NativeRun
from tee_sim.shared.params import Params
from tee_sim.shared.ta_api import TaEnv
from tee_sim.testing.attacks.outside import Outside

_MOST_BYTES = 1024
_SECRETS = (Attribute.SECRET_VALUE, Attribute.ECC_PRIVATE_VALUE, Attribute.RSA_PRIVATE_EXPONENT)
_MADE = {Function.GENERATE_KEY.number, Function.POPULATE_TRANSIENT_OBJECT.number}

Found = Callable[[bytes], None]


@dataclass(slots=True)
class Natives:
    """Where native applications are, and what was found out about them.

    Attributes:
        kit: the folder that `tee-sim dev-kit` prints.
        folders: of each native application, by UUID.
        shapes: what commands take, by UUID: `tee_sim.testing.attacks.shapes` finds it out once.
    """

    kit: Path
    folders: Mapping[bytes, Path]
    shapes: dict[bytes, list[tuple[int, Params]]] = field(default_factory=dict)


class _SeenApi:
    """The core's side of an instance, which also tells whoever looks for them the keys that it makes."""

    def __init__(self, env: TaEnv, manifest: Manifest, found: Found) -> None:
        self._inner = NativeApi(env, manifest)
        self._found = found

    def answer(self, words: list[object]) -> list[object]:
        """As `NativeApi.answer`. A new key may be read, whatever the application forbids later."""
        answer = self._inner.answer(words)
        if words and words[0] in _MADE and answer[:2] == [0, 0]:
            for secret in _SECRETS:
                number = Function.GET_OBJECT_BUFFER_ATTRIBUTE.number
                said = self._inner.answer([number, words[1], int(secret), _MOST_BYTES])
                if said[:2] == [0, 0] and isinstance(said[2], bytes):
                    self._found(said[2])
        return answer

    def end(self) -> None:
        """As `NativeApi.end`."""
        self._inner.end()


class ObservedNatives:
    """The processes of native applications in one attacked world.

    Args:
        manifests: of all applications.
        natives: where they are.
        outside: where what they print goes.
        found: takes each key that they make.
    """

    def __init__(self, manifests: Sequence[Manifest], natives: Natives, outside: Outside, found: Found) -> None:
        self._manifests = [manifest for manifest in manifests if manifest.native]
        self._natives = natives
        self._outside = outside
        self._found = found
        self._hosts: UnlockedHosting | None = None
        self._last = ""

    def start(self, here: Hosting) -> Hosting:
        """The processes for a secure world that starts, applications in Python `here`; those of the one before end."""
        self.close()
        code = UnlockedCode(NativeRun(kit=os.fsencode(self._natives.kit)))
        for manifest in self._manifests:
            code.add(manifest, os.fsencode(self._natives.folders[manifest.uuid]))
        self._hosts = UnlockedHosting(here, code, self._manifests, self._note, self._seen)
        return self._hosts

    def _seen(self, env: TaEnv, manifest: Manifest) -> _SeenApi:
        return _SeenApi(env, manifest, self._found)

    def _note(self, report: DebugReport) -> None:
        self._outside.text.write(f"{report.text}\n")
        if report.kind is not DebugKind.OUTPUT:
            self._last = " ".join(word for word in (report.what, report.text) if word)
            self._last += f" in {report.frames[-1].function}" if report.frames else ""

    def last_end(self, error: Exception) -> str:
        """What the end of an instance was, in words."""
        last, self._last = self._last, ""
        return last or (error.end.words if isinstance(error, HostGoneError) else "panic")

    def close(self) -> None:
        """End them all."""
        if self._hosts is not None:
            self._hosts.end_all()
        self._hosts = None
