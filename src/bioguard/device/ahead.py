"""Start the process of a device's secure world before what opens the device is loaded.

    ahead.start(directory, caches=True)
    ...                     # `Device.open` takes it, if it wants one like this
    ahead.discard()         # for the case that nobody did

It is told which applications to load, how to lock, and where code lies that an earlier start of this device has
compiled. That is no secret; what is, comes from `bioguard.device.launch` once the lock was judged.
"""

from contextlib import suppress
from pathlib import Path

from bioguard.errors import BioguardError
from tee_sim.normal.child import child_environment, discard_ahead, start_ahead, tell_ahead

KERNEL_VARIABLE = "BIOGUARD_KERNEL"
"""`bioguard.match.kernels.ENVIRONMENT_VARIABLE`, which is not loaded for its name."""


def start(directory: Path, *, caches: bool) -> None:
    """Start it, then load what it is told, and tell it.

    Args:
        directory: of the device that will be opened.
        caches: as `bioguard.device.DeviceOptions` has it then.
    """
    start_ahead(child_environment((KERNEL_VARIABLE,)))
    from bioguard.device.applications import boot_message  # noqa: PLC0415 - the process starts meanwhile
    from bioguard.device.fuses import Fuses  # noqa: PLC0415
    from tee_sim.normal.machine.start_caches import StartCaches  # noqa: PLC0415
    from tee_sim.shared.wire import pack  # noqa: PLC0415

    with suppress(BioguardError):  # `Device.open` meets it too, and says it where it belongs
        boot = boot_message(attests=not caches)
        tell_ahead(pack(StartCaches(directory, Fuses.read(directory)).code(boot) if caches else boot))


discard = discard_ahead
