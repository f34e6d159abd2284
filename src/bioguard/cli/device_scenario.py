"""`bioguard device init --scenario`: what a scenario says of a device, as its settings and options."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
from click.core import ParameterSource

from bioguard.device.options import DeviceOptions
from bioguard.device.settings import DeviceSettings
from bioguard.simulate.scenario.document import read_scenario


def of_scenario(path: Path, options: DeviceOptions, names: Sequence[str]) -> tuple[DeviceOptions, DeviceSettings]:
    """The options and settings of a device that a scenario describes.

    Args:
        options: of this run; seed and clock of the file take their place.
        names: of the parameters that say what a scenario says.

    Raises:
        click.UsageError: one of them was given, or `--seed` or `--clock`.
        InputRefused: the file is no scenario.
    """
    context = click.get_current_context()
    given = [name for name in names if context.get_parameter_source(name) is not ParameterSource.DEFAULT]
    options_given = [f"--{name.replace('_', '-')}" for name in given]
    options_given += [f"--{name}" for name in ("seed", "clock") if getattr(options, name) is not None]
    if options_given:
        raise click.UsageError(f"the scenario says what the device is: leave out {', '.join(options_given)}")
    scenario = read_scenario(path)
    made = scenario.device
    settings = DeviceSettings(
        profile=made.profile,
        sensor_table=scenario.sensor_table,
        lockout=made.lockout,
        lockout_cascade=made.lockout_cascade,
        require_pin=made.require_pin,
        for_testing=made.for_testing,
        fmr_inverse=made.fmr_inverse,
        fpir_inverse=made.fpir_inverse,
        uncalibrated=made.uncalibrated,
    )
    return replace(options, seed=made.seed, clock=made.clock_ms), settings
