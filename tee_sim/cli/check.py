"""`tee-sim check`: what would go wrong in the locked world, found without starting one."""

from pathlib import Path

import click

from tee_sim.cli.exit_codes import ExitStatus
from tee_sim.cli.findings import findings
from tee_sim.cli.options import PATHS, applications


@click.command()
@PATHS
def check(paths: tuple[Path, ...]) -> None:
    """Look at the manifests of PATH... and the code they name; print each problem with its file, line and a hint.

    Found are: manifests that are none; modules that are not there, or imported and not under code; packages that are
    imported and not under preload; imports and calls that the lock forbids. Ends with 3 if something is found.

    \b
    Example:
      tee-sim check counter
    """
    found = [finding for application in applications(paths) for finding in findings(application)]
    for finding in found:
        click.echo(f"{finding.where}: {finding.what}")
        click.echo(f"  hint: {finding.hint}")
    names = ", ".join(str(path) for path in paths)
    click.echo(f"{names}: {len(found)} problem(s)" if found else f"{names}: nothing found")
    if found:
        click.get_current_context().exit(ExitStatus.NO)
