"""The device: the facade callers use, its files, and how its secure world is started."""

from bioguard.device.answers import Enrollment, Identification, RecordInfo, Verification
from bioguard.device.facade import Device
from bioguard.device.options import DeviceOptions, parse_clock
from tee_sim.normal.sandbox_verdict.verdict import Level

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
