"""What the handlers of all areas share: the instance that asks, its environment, its objects."""

from tee_sim.gp_api.property_sets import keeps_corrupt
from tee_sim.gp_objects.enumerators import Enumerators
from tee_sim.gp_objects.handles import OpenObjects
from tee_sim.gp_objects.objects import GpObjects
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.ta_api import TaEnv


class Instance:
    """One instance of a native application, for as long as it lives.

    Args:
        env: its environment.
        manifest: what was read from its file.
        shared: what the instances of this application have open.
    """

    def __init__(self, env: TaEnv, manifest: Manifest, shared: OpenObjects | None = None) -> None:
        self.env = env
        self.manifest = manifest
        self.objects = GpObjects(env.store, env.rng, shared, keeps_corrupt=keeps_corrupt(manifest))
        self.enumerators = Enumerators(env.store)
