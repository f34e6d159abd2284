"""`tee-sim trace`: a timeline as lines, all of it or what is asked for."""

from pathlib import Path

import click

from tee_sim.cli.options import note
from tee_sim.normal.machine.errors import MachineError
from tee_sim.normal.timeline_reader import Wanted, printed, read, read_file, timed_lines, torn_bytes


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--row", "rows", multiple=True, metavar="TEXT", help="Only rows with TEXT in their name: TA, disk, RPMB.")
@click.option("--name", "names", multiple=True, metavar="TEXT", help="Only events with TEXT in their name: COMMIT.")
@click.option("--failed", is_flag=True, help="Only refusals, panics and faults.")
@click.option("--slower-than", type=float, metavar="MS", help="Only what lasted longer.")
def trace(file: Path, rows: tuple[str, ...], names: tuple[str, ...], failed: bool, slower_than: float | None) -> None:
    """Print the timeline FILE that TEE_SIM_TRACE wrote: when it began (ms), how long it lasted (ms), row, event.

    \b
    Example:
      TEE_SIM_TRACE=t.json tee-sim invoke counter READ && tee-sim trace --row TA t.json
    """
    try:
        data = read_file(file)
    except OSError as error:
        why = f"{file} cannot be read: {error.strerror}"
        raise MachineError("machine.path", why, hint="write one with: TEE_SIM_TRACE=FILE tee-sim run ...") from error
    lines = timed_lines(read(data))
    if torn_bytes(data):
        note(f"the last line of {file} was not written to its end: {torn_bytes(data)} bytes are left out")
    wanted = Wanted(rows=rows, names=names, failed=failed, slower_than_ms=slower_than)
    for line in printed(wanted.of(lines)):
        click.echo(line)
