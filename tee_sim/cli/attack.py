"""`tee-sim attack`: the attacks that any application must withstand, played against those of PATH."""

from contextlib import ExitStack
from pathlib import Path

import click

from tee_sim.cli.exit_codes import ExitStatus
from tee_sim.cli.named_commands import importable
from tee_sim.cli.options import applications
from tee_sim.normal.machine.errors import MachineError
from tee_sim.testing.attacks.bench import ATTACKS, Finding, Verdict, play, select


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--only", "prefixes", multiple=True, metavar="PREFIX", help="Play attacks whose names begin so.")
@click.option("--list", "listing", is_flag=True, help="List the attacks and play none.")
def attack(paths: tuple[Path, ...], prefixes: tuple[str, ...], listing: bool) -> None:
    """Play every attack that needs no more than a manifest against the applications of PATH...; exit 3 if one works.

    They run in this process, without a lock, over a store in memory: only give it code you would run.

    \b
    Example:
      tee-sim attack counter --only any.key --only any.power-cut
    """
    try:
        chosen = select(ATTACKS, prefixes)
    except LookupError as error:
        raise click.UsageError(str(error)) from None
    if listing:
        for one in chosen:
            click.echo(f"{one.name:<24}{one.title}")
        return
    if not paths:
        raise click.UsageError("Missing argument 'PATH...'.")
    attacked = applications(paths)
    with ExitStack() as stack:
        for application in attacked:
            stack.enter_context(importable(application))
        findings = list(play([application.manifest for application in attacked], chosen))
    for finding in findings:
        if finding.verdict is not Verdict.HELD:
            click.echo(f"{finding.verdict.value:<8}{finding.attack.name}: {finding.detail}")
    for application in attacked:
        click.echo(f"attacked {application.manifest.name}: {application.path}")
    _end(findings)


def _end(findings: list[Finding]) -> None:
    found = [finding for finding in findings if finding.verdict is Verdict.FOUND]
    unknown = [finding for finding in findings if finding.verdict is Verdict.UNKNOWN]
    click.echo(f"{len(findings)} of {len(ATTACKS)} attacks played, {len(found)} worked, {len(unknown)} unknown")
    if found:
        click.get_current_context().exit(ExitStatus.NO)
    if unknown:
        raise MachineError(
            "attack.unknown",
            f"{unknown[0].attack.name} could not be played: {unknown[0].detail}",
            hint="let the application start and take a session first; look: tee-sim invoke PATH COMMAND --debug",
        )
