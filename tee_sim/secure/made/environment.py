"""The environment of an application, of parts that do what they are told and a record of what it may use."""

from tee_sim.secure.made.boot_statements import BootStatements
from tee_sim.secure.made.call import Call
from tee_sim.secure.made.digests import AppDigests
from tee_sim.secure.made.keys import AppKeys, Derive
from tee_sim.secure.made.store import KnownObjects, MadeStore
from tee_sim.shared.clock import Clock
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.rng import Rng
from tee_sim.shared.sensor_api import Captures, NoCaptures
from tee_sim.shared.ta_api import Platform, TaEnv


@dataclass(frozen=True, slots=True)
class _NotedRng:
    """`tee_sim.shared.rng.Rng` whose short draws are ids that the application may use in this call."""

    inner: Rng
    call: Call

    def bytes(self, n: int) -> bytes:
        """As `Rng.bytes`."""
        drawn = self.inner.bytes(n)
        self.call.drew(drawn)
        return drawn


def made_environment(
    manifest: Manifest,
    call: Call,
    *,
    objects: KnownObjects,
    derive: Derive,
    boot: BootStatements,
    clock: Clock,
    rng: Rng,
    system_rng: Rng,
    device_id: bytes,
    platform: Platform = Platform(),  # noqa: B008  # frozen
    captures: Captures = NoCaptures(),  # noqa: B008  # frozen
) -> TaEnv:
    """What the core gives an application; its peers, client and cancellation are the core's own.

    Args:
        objects: of this application.
        derive: its own keys.
        boot: keys and layouts of the statements of this boot.
        captures: what sensors have read for it.
    """
    keys = AppKeys(derive, manifest, boot, objects, call)
    return TaEnv(
        store=MadeStore(objects, call),
        keys=keys,
        clock=clock,
        rng=_NotedRng(rng, call),
        system_rng=system_rng,
        device_id=device_id,
        platform=platform,
        digests=AppDigests(manifest.digest, keys.pepper, system_rng, call),
        captures=captures,
    )
