"""`bioguard trace`: what a timeline says, in the terminal and on a page."""

from pathlib import Path

import click

from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.errors import InputRefused
from bioguard.user_files import check_output, write_output
from tee_sim.normal.timeline_reader import (
    Event,
    TimedLine,
    Wanted,
    arrows,
    printed,
    read,
    read_file,
    timed_lines,
    torn_bytes,
)
from tee_sim.shared.errors import TeeError

_HINT = "write one with: bioguard --trace FILE COMMAND"


@click.group()
def trace() -> None:
    """Print or draw a timeline that `--trace FILE` wrote (docs/debugging.md)."""


def _events(state: CliState, file: Path) -> tuple[list[Event], int]:
    """The events of a file, and how many bytes of its end are left out; they are noted.

    Raises:
        InputRefused: it cannot be read, or is none.
    """
    try:
        data = read_file(file)
        events = read(data)
    except OSError as error:
        raise InputRefused(f"{file} cannot be read: {error.strerror}", hint=_HINT, code="trace.unreadable") from error
    except TeeError as error:
        raise InputRefused(f"{file}: {error.message}", hint=_HINT, code="trace.damaged") from error
    torn = torn_bytes(data)
    if torn:
        state.output.note(f"the last line of {file} was not written to its end: {torn} bytes are left out")
    return events, torn


def _json(line: TimedLine) -> dict[str, object]:
    return {
        "at_us": line.at_us,
        "lasted_us": line.lasted_us,
        "unended": line.unended,
        "process": line.process,
        "lane": line.row,
        "depth": line.depth,
        "name": line.name,
        "failed": line.failed,
        "args": line.args,
    }


@trace.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--lane", "lanes", multiple=True, metavar="TEXT", help="Only lanes with TEXT in their name: TA, disk.")
@click.option("--name", "names", multiple=True, metavar="TEXT", help="Only events with TEXT in their name: onError.")
@click.option("--failed", is_flag=True, help="Only refusals, panics and faults.")
@click.option("--slower-than", type=float, metavar="MS", help="Only what lasted longer.")
@pass_state
def show(
    state: CliState,
    file: Path,
    lanes: tuple[str, ...],
    names: tuple[str, ...],
    failed: bool,
    slower_than: float | None,
) -> Result:
    """Print FILE: when each event began (ms), how long it lasted (ms), its lane, and below what it was asked.

    \b
    Example:
      bioguard --trace phone.json user list
      bioguard trace show phone.json --lane caller --lane TA
    """
    events, torn = _events(state, file)
    wanted = Wanted(rows=lanes, names=names, failed=failed, slower_than_ms=slower_than)
    shown = wanted.of(timed_lines(events))
    return Result(
        outcome="shown",
        data={"events": [_json(line) for line in shown], "left_out_bytes": torn},
        lines=printed(shown),
    )


@trace.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="PAGE", help="Write it to this new file."
)
@pass_state
def html(state: CliState, file: Path, out: Path) -> Result:
    """Draw FILE on one page that needs nothing else: lanes over a time axis, and a list of every event.

    \b
    Example:
      bioguard --trace phone.json user list
      bioguard trace html phone.json --out phone.html
    """
    from bioguard.report.timeline_page import render_timeline  # noqa: PLC0415 - `show` needs no template

    if out.exists() and file.exists() and out.samefile(file):
        raise click.UsageError("--out names the timeline itself")
    check_output(out)
    events, torn = _events(state, file)
    lines = timed_lines(events)
    page = render_timeline(lines, arrows(events), name=file.name, left_out_bytes=torn)
    write_output(out, page.encode("utf-8"), private=True)  # as the timeline is: times and sizes say what was done
    return Result(
        outcome="written",
        data={"out": str(out), "events": len(lines), "left_out_bytes": torn},
        lines=[f"drew {len(lines)} events in {out}"],
    )
