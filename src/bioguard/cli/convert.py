"""`bioguard convert`: a feature file in another format, with a list of what was lost."""

from dataclasses import asdict
from pathlib import Path

import click

from bioguard.cli.import_options import import_options
from bioguard.cli.output import Result
from bioguard.cli.read_samples import load_file
from bioguard.cli.state import CliState, pass_state
from bioguard.formats import ImportOptions
from bioguard.formats.convert import SUFFIX_TARGETS, Target, convert, other_arrays
from bioguard.user_files import check_output, open_input, write_output


def _target(out: Path, to: str | None) -> Target:
    """The format that is meant. A name that readers take for another format is not given to a file."""
    possible = SUFFIX_TARGETS.get(out.suffix.lower(), () if to is None else (Target(to),))
    if not possible:
        raise click.UsageError(f"what is {out.name} to be? Name it {' '.join(SUFFIX_TARGETS)}, or say --to")
    if to is None:
        return possible[0]
    if to not in possible:
        raise click.UsageError(f"a file named {out.suffix} is {' or '.join(possible)}, not {to}")
    return Target(to)


@click.command(name="convert")
@click.argument("file", metavar="IN", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--to",
    type=click.Choice([target.value for target in Target]),
    help="Format to write.  [default: what the name of OUT says]",
)
@click.option("--view", type=click.IntRange(0), help="Take this view alone, from 0.", metavar="N")
@import_options
@pass_state
def convert_command(
    state: CliState, file: Path, out: Path, to: str | None, view: int | None, options: ImportOptions
) -> Result:
    """Write the minutiae or embeddings of IN into a new file OUT, and say what that loses.

    Minutiae: iso2005 iso2011 ansi2004 ansi2009 ansi2009am1 xyt xyt-m1, all at 500 dpi. Embeddings: npy npz csv.

    \b
    Examples:
      bioguard convert finger.iso finger.xyt
      bioguard convert card.bin index.iso --view 0
      bioguard convert old.iso new.fmr --to ansi2004 --dpi 500
    """
    target = _target(out, to)
    check_output(out, new=True, code="convert.exists")
    loaded = load_file(file, state.output, options)
    made = convert(loaded, target, view=view)
    losses = list(made.losses)
    if made.source == "npz":
        with open_input(file) as archive:
            losses += other_arrays(archive)
    write_output(out, made.octets, new=True)
    return Result(
        outcome="converted",
        data={
            "file": str(file),
            "out": str(out),
            "source": made.source,
            "target": made.target.value,
            "views": made.views,
            "losses": [asdict(loss) for loss in losses],
            "import_warnings": [asdict(warning) for warning in loaded.warnings],
        },
        lines=[
            f"wrote {out}: {made.target.value} from {made.source}, {made.views} view(s)",
            *([loss.line() for loss in losses] or ["nothing was lost"]),
        ],
    )
