"""Every command, in the order of their help."""

from collections.abc import Sequence

import click

from bench.commands.accuracy import accuracy, scores
from bench.commands.baseline import baseline
from bench.commands.calibrate import calibrate
from bench.commands.campaign import campaign
from bench.commands.channels import channels
from bench.commands.compare import compare_command
from bench.commands.coverage import coverage_command
from bench.commands.enrollment import enrollment
from bench.commands.latency import latency
from bench.commands.protection import protection
from bench.commands.rates import rates
from bench.commands.realism import realism
from bench.commands.speed import speed

COMMANDS: Sequence[click.Command] = (
    scores,
    accuracy,
    calibrate,
    rates,
    speed,
    protection,
    compare_command,
    campaign,
    realism,
    enrollment,
    coverage_command,
    baseline,
    latency,
    channels,
)
