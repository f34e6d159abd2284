"""A new device, as a scenario says."""

from dataclasses import replace

from bioguard.device import DeviceOptions
from bioguard.device.settings import DeviceSettings
from bioguard.simulate.scenario.document import ScenarioFile


def options_of(scenario: ScenarioFile, options: DeviceOptions) -> DeviceOptions:
    """Options of the run that makes the device: clock and randomness are the scenario's where it names them."""
    table = scenario.device
    return replace(
        options,
        seed=options.seed if table.seed is None else table.seed,
        clock=options.clock if table.clock_ms is None else table.clock_ms,
    )


def settings_of(scenario: ScenarioFile) -> DeviceSettings:
    """What the device is made as."""
    table = scenario.device
    return DeviceSettings(
        profile=table.profile,
        sensor_table=scenario.sensor_table,
        lockout=table.lockout,
        lockout_cascade=table.lockout_cascade,
        require_pin=table.require_pin,
        for_testing=table.for_testing,
        fmr_inverse=table.fmr_inverse,
        fpir_inverse=table.fpir_inverse,
        uncalibrated=table.uncalibrated,
    )
