"""The device: the facade callers use, its files, and how its secure world is started.

What is asked for is loaded then: whoever wants one module of this folder does not wait for all of them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bioguard.device.answers import Enrollment, Identification, RecordInfo, Verification
    from bioguard.device.facade import Device
    from bioguard.device.options import DeviceOptions, parse_clock
    from tee_sim.normal.sandbox_verdict.level import Level
else:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from bioguard.device import answers, facade, options  # noqa: PLC0415 - see above
        from tee_sim.normal.sandbox_verdict import level  # noqa: PLC0415

        homes = {"Device": facade, "DeviceOptions": options, "parse_clock": options, "Level": level}
        return getattr(homes.get(name, answers), name)


__all__ = [
    "Device",
    "DeviceOptions",
    "Enrollment",
    "Identification",
    "Level",
    "RecordInfo",
    "Verification",
    "parse_clock",
]
