"""Make a device what it is: its limits, its configuration and its comparison profiles, sealed once."""

from collections.abc import Sequence

from bioguard.commands.configuration import CONFIGURE, PROVIDE_PROFILE, Configuration, ProvideProfile
from bioguard.commands.status import ReplyStatus
from bioguard.device.asking import Asker
from bioguard.device.calibration import sensor_profile_missing, table_missing
from bioguard.device.sensors import SensorChoice
from bioguard.errors import InputRefused
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.sensor_props import SensorProps, flaw_of_table


def require_limits(*limits: int) -> None:
    """Raises InputRefused for numbers of records that no user may have."""
    if not all(type(limit) is int and 1 <= limit <= 10 for limit in limits):
        raise InputRefused(
            "limits are 1 to 10 records",
            hint="choose 1 to 10 fingers and 1 to 10 faces for a user",
            code="device.limits",
        )


def require_table(table: tuple[SensorProps, ...], choices: Sequence[SensorChoice]) -> None:
    """Raises InputRefused for sensors that no device has, and for an engine of a kind that none of them is of."""
    flaw = flaw_of_table(table)
    if flaw:
        raise InputRefused(
            f"no device has these sensors: {flaw}", hint="correct the table of sensors", code="device.sensor_table"
        )
    lonely = [choice.modality.word for choice in choices if choice.modality not in {props.kind for props in table}]
    if lonely:
        raise InputRefused(
            f"an engine is of a kind that no sensor of the table is of: {', '.join(lonely)}",
            hint="leave the engine out, or name a sensor of its kind in the table",
            code="device.sensor_table",
        )


def configure(
    ask: Asker,
    configuration: Configuration,
    profiles: Sequence[ComparisonProfile],
    sensors: Sequence[SensorChoice] = (),
) -> None:
    """Seal them. The profiles go first: the configuration names them, and nothing is taken after it.

    Raises:
        InputRefused: a profile without a table of what the device decides on, or none of the extractor of a sensor.
    """
    for profile in profiles:
        ask(PROVIDE_PROFILE, ProvideProfile(profile=profile.to_bytes()), about=repr(profile.name))
    answer = ask(CONFIGURE, configuration, expected=(ReplyStatus.NOT_CALIBRATED,))
    if answer.status is ReplyStatus.NOT_CALIBRATED:
        missing = table_missing(profiles, configuration.profile)
        raise missing if missing is not None else sensor_profile_missing(sensors, profiles)
