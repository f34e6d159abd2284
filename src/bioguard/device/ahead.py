"""Start the process of a device's secure world before what opens the device is loaded.

    ahead.start()
    ...                     # `Device.open` takes it, if it wants one like this
    ahead.discard()         # for the case that nobody did

It is told what every device's is told: which applications to load, and how to lock. That is no secret and names no
device; what is, comes from `bioguard.device.launch` once the lock was judged.
"""

from contextlib import suppress

from bioguard.errors import BioguardError
from tee_sim.normal.child import child_environment, discard_ahead, start_ahead, tell_ahead

KERNEL_VARIABLE = "BIOGUARD_KERNEL"
"""`bioguard.match.kernels.ENVIRONMENT_VARIABLE`, which is not loaded for its name."""


def environment() -> dict[str, str]:
    """What a device's secure world is started with."""
    return child_environment((KERNEL_VARIABLE,))


def start() -> None:
    """Start it, then load what it is told, and tell it."""
    start_ahead(environment())
    from bioguard.device.applications import boot_message  # noqa: PLC0415 - the process starts meanwhile
    from tee_sim.shared.wire import pack  # noqa: PLC0415

    with suppress(BioguardError):  # `Device.open` meets it too, and says it where it belongs
        tell_ahead(pack(boot_message()))


discard = discard_ahead
