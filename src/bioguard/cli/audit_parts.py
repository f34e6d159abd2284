"""`bioguard audit egress` and `bioguard audit leaks`: the two heaviest checks of the evidence, alone."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from bioguard.cli.output import Output, Result
from bioguard.cli.state import CliState, pass_state
from bioguard.evidence import escape_battery as battery
from bioguard.evidence import leak_scan as scanner
from bioguard.evidence.escape_battery import ATTEMPTS, LEVELS, LOCKED, SHORT_LEVELS, EgressReport, Outcome
from bioguard.exit_codes import ExitCode
from bioguard.user_files import check_output, read_input, write_output

MAX_SCANNED_BYTES = 1 << 30
"""Of one file: it is looked through in memory."""

_PROGRESS_STEP = 100


def _counter(output: Output) -> Callable[[int, int], None]:
    def report(done: int, planned: int) -> None:
        if sys.stderr.isatty() and (done % _PROGRESS_STEP == 0 or done == planned):
            output.note(f"{done} of {planned} attempts")

    return report


def _judge(report: EgressReport) -> tuple[str, ExitCode]:
    """The answer: yes only if a locked level ran, the battery could fail, and only residuals got out."""
    locked = [level for level in LOCKED if level in report.levels and level not in report.unavailable]
    if not locked or not report.escaped("0"):
        return "unknown", ExitCode.NO
    escaped = any(report.unexpected(level) for level in locked)
    return ("escaped", ExitCode.NO) if escaped else ("contained", ExitCode.OK)


@click.command()
@click.option("--full", is_flag=True, help="Every layer set; about a minute instead of half of one.")
@click.option(
    "--matrix", type=click.Path(path_type=Path, dir_okay=False), help="Write the matrix to FILE.", metavar="FILE"
)
@pass_state
def egress(state: CliState, full: bool, matrix: Path | None) -> Result:
    """Try every known way out of the secure world, with and without its layers.

    Each attempt runs in a fresh unprivileged process; a witness outside decides. Exit 3 if anything but the named
    residuals gets out, or if the battery could not show that it can fail.

    \b
    Examples:
      bioguard audit egress
      bioguard audit egress --full --matrix matrix.txt
    """
    if matrix is not None:
        check_output(matrix)
    levels = tuple(LEVELS) if full else SHORT_LEVELS
    report = battery.run(levels, progress=_counter(state.output))
    if matrix is not None:
        write_output(matrix, battery.matrix(report).encode("ascii"))
    outcome, code = _judge(report)
    return Result(outcome=outcome, data=report.to_record(), lines=_egress_lines(report, outcome), exit_code=code)


def _egress_lines(report: EgressReport, outcome: str) -> list[str]:
    lines = [f"{len(report.cells)} attempts, {report.seconds:.0f} s"]
    for level in report.levels:
        if level in report.unavailable:
            lines.append(f"  {level:<4} UNKNOWN: this host refused it ({report.unavailable[level]})")
            continue
        counts = ", ".join(f"{report.count(level, o)} {o.label}" for o in Outcome if report.count(level, o))
        lines.append(f"  {level:<4} {counts}  ({LEVELS[level]})")
    for level in LOCKED:
        for name in report.unexpected(level):
            lines.append(f"ESCAPED at {level}: {name}: {ATTEMPTS[name].about}")
    if nothing := report.proving_nothing():
        lines.append(f"proves nothing here: {', '.join(nothing)} (how the command was started leaves nothing to see)")
    residuals = [name for name in report.cells if ATTEMPTS[name].residual]
    lines.append(f"residuals, closed by no layer: {', '.join(residuals)} (docs/sandbox.md section 6 bounds them)")
    if report.observed_packets is None:
        lines.append("packets at the observer: UNKNOWN, this host gives no network namespace")
    else:
        control, locked = report.observed_packets
        lines.append(f"packets at the observer: {locked} with the lock, {control} in the positive control")
    return [*lines, outcome]


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path, dir_okay=False))
@pass_state
def leaks(state: CliState, files: tuple[Path, ...]) -> Result:
    """Let a temporary device live with canary people, then look for them in everything it left.

    FILES are scanned as well; the global --seed names the canaries, so an earlier run's can be looked for. The scanner
    first proves itself on planted leaks. Exit 3 if a canary is found, or if the scanner could not prove itself.

    \b
    Examples:
      bioguard audit leaks
      bioguard audit leaks --seed 7 backup.tar
    """
    seed = state.options.seed_bytes
    report = scanner.run(
        seed=int.from_bytes(seed[:4], "big") if seed else None,
        sources=((str(path), read_input(path, most_bytes=MAX_SCANNED_BYTES)) for path in files),
    )
    found, planted = report.mutation_score
    outcome = {True: "clean", False: "leaked", None: "unknown"}[report.clean]
    lines = [
        f"scanner: {found} of {planted} planted leaks found; canaries going in: "
        f"{'seen' if report.live_control else 'NOT SEEN'}",
        f"scanned: {len(report.sources)} sources, {sum(size for _, size in report.sources)} bytes",
    ]
    lines += [f"  missed {s.kind}: {', '.join(s.missed)}" for s in report.scores if s.missed]
    lines += [
        f"LEAK in {f.source} at {f.offset}: {f.form}, {f.length} bytes (stage {f.stage})" for f in report.findings
    ]
    if report.memory_residue is None:
        lines.append("memory after erasure: UNKNOWN, only root may read it")
    else:
        runs, size = report.memory_residue
        lines.append(f"memory after erasure: {runs} copies, {size} bytes that Python cannot wipe (docs/limitations.md)")
    return Result(
        outcome=outcome,
        data=report.to_record(),
        lines=[*lines, outcome],
        exit_code=ExitCode.OK if report.clean else ExitCode.NO,
    )
