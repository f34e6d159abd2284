"""`bioguard device init --scenario`: a device as a file says, if no option says it again."""

from collections.abc import Callable, Collection
from pathlib import Path

import click

from bioguard.device.options import DeviceOptions
from bioguard.device.settings import DeviceSettings
from bioguard.simulate.faults.scenario import Scenario
from bioguard.simulate.scenario.document import read_scenario
from bioguard.simulate.scenario.new_device import options_of, settings_of


def of_scenario(
    path: Path, options: DeviceOptions, given: Collection[str]
) -> tuple[DeviceOptions, DeviceSettings, Callable[[Path], None]]:
    """Options and settings of the device, and what is to be done with its directory once it is made.

    Args:
        options: of this run.
        given: options of `device init` that say what a scenario says, and stand on the command line.

    Raises:
        click.UsageError: there is one, or `--seed` or `--clock`.
        InputRefused: the file is no scenario.
    """
    twice = [*given, *(["--seed"] if options.seed is not None else []), *(["--clock"] if options.clock else [])]
    if twice:
        raise click.UsageError(f"the scenario says what the device is: leave out {', '.join(twice)}")
    file = read_scenario(path)
    return options_of(file, options), settings_of(file), Scenario.of(file).save
