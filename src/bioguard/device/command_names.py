"""Names of our applications' commands: on the timeline (`TEE_SIM_TRACE`), and where a fault is meant for one."""

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


def _names(module: ModuleType) -> list[tuple[int, str]]:
    found = vars(module).items()
    return [(value.number, name.lower().replace("_", "-")) for name, value in found if isinstance(value, Command)]


COMMANDS: dict[str, tuple[UUID, int]] = {
    name: (uuid, number) for uuid, modules in _TABLES.items() for module in modules for number, name in _names(module)
}
"""Application and number of each command, by its name."""


def name_commands() -> None:
    """Name them all; for nothing but how a timeline reads."""
    if current() is None:
        return
    for uuid in _TABLES:
        named = {number: name.replace("-", " ") for name, (owner, number) in COMMANDS.items() if owner == uuid}
        events.name_commands(uuid, named)
