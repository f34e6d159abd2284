"""`bioguard doctor`: what this host really enforces and accelerates."""

import click

from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.evidence import host_checks
from bioguard.exit_codes import ExitCode
from bioguard.report.model import Check, Status, overall


def _lines(check: Check) -> list[str]:
    lines = [f"{check.status.label:<14} {check.title}: {check.summary}"]
    lines += [f"{'':<14}   {detail}" for detail in check.details]
    if check.fix and check.status in (Status.FAIL, Status.WARN, Status.UNKNOWN):
        lines.append(f"{'':<14}   fix: {check.fix}")
    return lines


@click.command()
@pass_state
def doctor(state: CliState) -> Result:
    """Check the host and the device: sandbox layers, compiled kernels, the device's files and its store.

    The device is read and not written: no start is counted. One that is named and not there is UNKNOWN. Exit 3 if a
    check fails or could not run.
    """
    checks = host_checks.run(state.directory, state.options, named=state.named)
    verdict = overall(c.status for c in checks)
    bad = verdict in (Status.FAIL, Status.UNKNOWN)
    return Result(
        outcome=verdict.value.lower(),
        data={
            "checks": [
                {
                    "id": c.id,
                    "title": c.title,
                    "status": c.status.value,
                    "summary": c.summary,
                    "details": list(c.details),
                    "fix": c.fix,
                }
                for c in checks
            ]
        },
        lines=[*(line for c in checks for line in _lines(c)), "", f"{verdict.label}: this is a simulator on this host"],
        exit_code=ExitCode.NO if bad else ExitCode.OK,
    )
