"""Keys of one application: those that it is given, and those that the core uses for it."""

from collections.abc import Callable

from tee_sim.secure.made.boot_statements import BootStatements
from tee_sim.secure.made.call import Call
from tee_sim.secure.made.digests import PEPPER_LABEL
from tee_sim.secure.made.store import KnownObjects
from tee_sim.secure.made.words import NONE, split
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.manifest import Manifest

Derive = Callable[[str, bytes, int], bytes]
"""(label, context, size in bytes) -> a key of this application."""


@dataclass(frozen=True, slots=True)
class AppKeys:
    """`tee_sim.shared.ta_api.Keys` of one application.

    Args:
        derivation: its own keys.
        boot: the keys of this boot.
        objects: its own objects: others' are not there for it.
    """

    derivation: Derive
    manifest: Manifest
    boot: BootStatements
    objects: KnownObjects
    call: Call

    def derive(self, label: str, context: bytes = b"", size_bytes: int = 32) -> bytes:
        """As `Keys.derive`."""
        if label == PEPPER_LABEL:
            raise TeeError(TeeResult.ACCESS_DENIED, "the key of digests is the core's")
        return self.derivation(label, context, size_bytes)

    def pepper(self) -> bytes:
        """The key of its digests, 32 bytes. Not for the application."""
        return self.derivation(PEPPER_LABEL, b"", 32)

    def state(self, name: str, *, object_id: bytes, echo: bytes = NONE) -> bytes:
        """As `Keys.state`. Raises NotMadeError for an echo of what is not in the request, or an object without ids."""
        # 1. Only what the manifest says, which is measured.
        layout = next((one for one in self.manifest.statements if one.key == name), None)
        if layout is None:
            raise TeeError(TeeResult.ACCESS_DENIED, "the manifest has no statement under this key")
        # 2. About an object of this application that has all of these ids: an application that may leave one out could
        #    state something about nobody.
        ids = self.objects.header(object_id).ids
        if len(ids) != layout.ids_bytes or NONE in split(ids):
            self.call.refuse("a statement about an object without its ids")
        #    Nor one whose ids are its name: a client may have chosen that.
        if object_id.endswith(ids):
            self.call.refuse("a statement about an object that its ids name")
        # 3. The choice is counted with all objects: which of them have ids is the application's own doing.
        self.call.stated_about(object_id, len(self.objects))
        # 4. The time of the request and not of this question: until then an application could wait.
        stated = self.boot.make(layout, echo=self.call.echo(echo), ids=ids, time_ms=self.call.time_ms)
        self.call.made_statement(name, stated)
        return stated

    def check(self, name: str, data: bytes) -> bool:
        """As `Keys.check`."""
        if name not in self.manifest.shared_keys:
            raise TeeError(TeeResult.ACCESS_DENIED, "the manifest does not name this key under shared_keys")
        ids = self.boot.ids_in(name, data)
        self.call.checked(ids or ())
        return ids is not None
