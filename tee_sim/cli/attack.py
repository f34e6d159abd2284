"""`tee-sim attack`: the attacks that any application must withstand, played against those of PATH."""

import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from tee_sim.cli.exit_codes import ExitStatus
from tee_sim.cli.named_commands import importable
from tee_sim.cli.options import applications
from tee_sim.normal.dev_kit import kit_folder
from tee_sim.normal.machine.applications import Application
from tee_sim.normal.machine.errors import MachineError
from tee_sim.testing.attacks.bench import ATTACKS, Finding, Verdict, play, select
from tee_sim.testing.attacks.natives import Natives


@click.command()
@click.argument("paths", nargs=-1, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--only", "prefixes", multiple=True, metavar="PREFIX", help="Play attacks whose names begin so.")
@click.option("--list", "listing", is_flag=True, help="List the attacks and play none.")
def attack(paths: tuple[Path, ...], prefixes: tuple[str, ...], listing: bool) -> None:
    """Play every attack that needs no more than a manifest against the applications of PATH...; exit 3 if one works.

    They run without a lock, over a store in memory: only give it code you would run.

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
        natives = _natives(attacked)
        findings = _apart(lambda: list(play([application.manifest for application in attacked], chosen, natives)))
    for finding in findings:
        if finding.verdict is not Verdict.HELD:
            click.echo(f"{finding.verdict.value:<8}{finding.attack.name}: {finding.detail}")
    for application in attacked:
        click.echo(f"attacked {application.manifest.name}: {application.path}")
    _end(findings)


def _natives(attacked: Sequence[Application]) -> Natives | None:
    """Where the applications in C among them are. Raises MachineError: their runtime cannot be built."""
    folders = {one.manifest.uuid: one.path.parent for one in attacked if one.manifest.native}
    return Natives(kit_folder(), folders) if folders else None


def _apart(work: Callable[[], list[Finding]]) -> list[Finding]:
    """Play in another process: an application that ends it, with 0 or with a signal, has not held.

    Raises:
        MachineError: it ended before everything was played.
    """
    read_fd, write_fd = os.pipe()
    child = os.fork()
    if not child:
        status = ExitStatus.UNEXPECTED
        try:
            os.close(read_fd)
            said = json.dumps([[finding.attack.name, finding.verdict.value, finding.detail] for finding in work()])
            with os.fdopen(write_fd, "w") as pipe:
                pipe.write(said)
            status = ExitStatus.OK
        except KeyboardInterrupt:
            pass  # whoever waits has heard it too
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(write_fd)
    with os.fdopen(read_fd, "rb") as pipe:
        data = pipe.read()
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended or not data:
        raise MachineError(
            "attack.unknown",
            f"the process that was attacked ended with {ended} before all was played",
            hint="look for what ends it (os._exit, os.kill, os.exec*, a fault in C): run: tee-sim check PATH",
        )
    by_name = {one.name: one for one in ATTACKS}
    return [Finding(by_name[name], Verdict(verdict), detail) for name, verdict, detail in json.loads(data)]


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
