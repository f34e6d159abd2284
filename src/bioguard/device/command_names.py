"""Give the timeline (`TEE_SIM_TRACE`) the names of our applications' commands."""

from types import ModuleType
from uuid import UUID

from bioguard.commands import biometric, configuration, gatekeeper, keystore, policy, sensor
from tee_sim.normal import events
from tee_sim.normal.timeline import current
from tee_sim.shared.ta_api import Command

_TABLES: dict[UUID, tuple[ModuleType, ...]] = {
    biometric.BIOMETRIC_UUID: (biometric, configuration, policy, sensor),
    gatekeeper.GATEKEEPER_UUID: (gatekeeper,),
    keystore.KEYSTORE_UUID: (keystore,),
}


def name_commands() -> None:
    """Name them all; for nothing but how a timeline reads."""
    if current() is None:
        return
    for uuid, modules in _TABLES.items():
        events.name_commands(uuid, {number: name for module in modules for number, name in _names(module)})


def _names(module: ModuleType) -> list[tuple[int, str]]:
    found = vars(module).items()
    return [(value.number, name.lower().replace("_", " ")) for name, value in found if isinstance(value, Command)]
