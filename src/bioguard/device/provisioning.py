"""Make a device what it is: its limits, its configuration and its comparison profiles, sealed once."""

from collections.abc import Sequence

from bioguard.commands.configuration import CONFIGURE, PROVIDE_PROFILE, Configuration, ProvideProfile
from bioguard.commands.status import ReplyStatus
from bioguard.device.asking import Asker
from bioguard.device.calibration import sensor_profile_missing, table_missing
from bioguard.device.rates import init_refused
from bioguard.device.sensors import SensorChoice
from bioguard.errors import InputRefused
from bioguard.records.comparison_profile import ComparisonProfile


def require_limits(*limits: int) -> None:
    """Raises InputRefused for numbers of records that no user may have."""
    if not all(type(limit) is int and 1 <= limit <= 10 for limit in limits):
        raise InputRefused(
            "limits are 1 to 10 records",
            hint="choose 1 to 10 fingers and 1 to 10 faces for a user",
            code="device.limits",
        )


def configure(
    ask: Asker,
    configuration: Configuration,
    profiles: Sequence[ComparisonProfile],
    sensors: Sequence[SensorChoice] = (),
) -> None:
    """Seal them. The profiles go first: the configuration names them, and nothing is taken after it.

    Raises:
        InputRefused: a rate that no device is made with, or a profile without a table of what the device decides on,
            or none of the extractor of a sensor.
    """
    for profile in profiles:
        ask(PROVIDE_PROFILE, ProvideProfile(profile=profile.to_bytes()), about=repr(profile.name))
    answer = ask(CONFIGURE, configuration, expected=(ReplyStatus.RATE_NOT_OFFERED, ReplyStatus.NOT_CALIBRATED))
    if answer.status is ReplyStatus.RATE_NOT_OFFERED:
        raise init_refused(configuration)
    if answer.status is ReplyStatus.NOT_CALIBRATED:
        missing = table_missing(profiles, configuration.profile)
        raise missing if missing is not None else sensor_profile_missing(sensors, profiles)
