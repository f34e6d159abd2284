"""`bioguard samples`: feature files of synthetic people, to try the other commands with."""

from pathlib import Path

import click
import numpy as np

from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.device.fuses import FUSE_FILE
from bioguard.errors import InputRefused
from bioguard.formats import write_iso2005
from bioguard.simulate.people import face_views, finger_impressions

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")
POPULATION = 1
COUNT = 5
"""Three to enroll and two to try."""


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--people", type=click.IntRange(1, len(NAMES)), default=2, show_default=True, help="How many people.")
@pass_state
def samples(state: CliState, directory: Path, people: int) -> Result:
    """Write five touches (.iso) and five face views (.npy) of each synthetic person into a new DIRECTORY.

    The global --seed makes other people.

    \b
    Example:
      bioguard samples ./samples
    """
    if directory.exists():
        raise InputRefused(f"{directory} is there already", hint="name a new directory", code="samples.exists")
    directory.mkdir(parents=True)
    chosen = state.options.seed_bytes
    seed = POPULATION if chosen is None else int.from_bytes(chosen[:4], "big")
    written = []
    for person, name in enumerate(NAMES[:people]):
        touches = finger_impressions(seed, person=person, count=COUNT)
        views = face_views(seed, person=person, count=COUNT)
        for number, (touch, view) in enumerate(zip(touches, views, strict=True), 1):
            (directory / f"{name}-touch{number}.iso").write_bytes(write_iso2005(touch))
            np.save(directory / f"{name}-face{number}.npy", view.vector)
            written += [f"{name}-touch{number}.iso", f"{name}-face{number}.npy"]
    return Result(
        outcome="written",
        data={"directory": str(directory), "files": written},
        lines=[f"wrote {len(written)} files of {people} synthetic people into {directory}"],
        next_step="bioguard user add alice" if (state.directory / FUSE_FILE).exists() else "bioguard device init",
    )
