"""`--on-sensor N`: which sensor of the device's sealed table a sample is for."""

import click

from bioguard.commands.configuration import Configuration

on_sensor_option = click.option(
    "--on-sensor",
    type=click.IntRange(min=0),
    metavar="N",
    help="Id of a sensor of the device (`device status`).  [default: the first of the sample's kind]",
)


def several_of_a_kind(device: Configuration) -> bool:
    """Whether the kind of a record does not say which sensor it is of."""
    return len({props.kind for props in device.sensor_table}) < len(device.sensor_table)


def on_words(device: Configuration, sensor: int) -> str:
    """For people, at the end of a line: on which sensor, where the kind does not say it."""
    return f" on sensor {sensor}" if several_of_a_kind(device) else ""
