"""`python -m bench`: measure matching the way a quality lab would sign it."""

import sys

import click

from bench.commands.accuracy import accuracy, scores
from bench.commands.baseline import baseline
from bench.commands.campaign import campaign
from bench.commands.channels import channels
from bench.commands.compare import compare_command
from bench.commands.enrollment import enrollment
from bench.commands.latency import latency
from bench.commands.protection import protection
from bench.commands.realism import realism
from bench.commands.speed import speed
from bioguard.errors import BioguardError
from bioguard.printable import printable


@click.group()
def cli() -> None:
    """Accuracy, speed, protection and regressions of bioguard. Metrics and layouts: docs/benchmarks.md."""


for command in (
    scores,
    accuracy,
    speed,
    protection,
    compare_command,
    campaign,
    realism,
    enrollment,
    baseline,
    latency,
    channels,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; refusals end as in `bioguard`: one line, one hint, the exit code of their kind."""
    try:
        cli(prog_name="python -m bench")
    except BioguardError as error:
        click.echo(printable(f"bench: error[{error.code}]: {error.message}"), err=True)
        if error.hint:
            click.echo(printable(f"hint: {error.hint}"), err=True)
        sys.exit(int(error.exit_code))


if __name__ == "__main__":
    main()
