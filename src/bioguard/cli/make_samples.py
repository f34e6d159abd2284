"""`bioguard samples`: feature files and pictures of synthetic people, to try the other commands with."""

from pathlib import Path

import click
import numpy as np

from bioguard.cli.output import Result
from bioguard.cli.state import CliState, pass_state
from bioguard.device.fuses import FUSE_FILE
from bioguard.errors import InputRefused
from bioguard.formats import write_iso2005
from bioguard.report.png import write_png
from bioguard.simulate.people import FingerPictures, face_views, finger_impressions

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")
POPULATION = 1
COUNT = 5
"""Three to enroll and two to try."""
RIGHT_INDEX = 2
DPI = 500


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--people", type=click.IntRange(1, len(NAMES)), default=2, show_default=True, help="How many people.")
@click.option("--pictures", is_flag=True, help="Also a picture of each touch (.png, 500 dpi).")
@click.option("--truth", is_flag=True, help="Also the minutiae that each picture was grown from (-truth.iso).")
@pass_state
def samples(state: CliState, directory: Path, people: int, *, pictures: bool, truth: bool) -> Result:
    """Write five touches (.iso) and five face views (.npy) of each synthetic person into a new DIRECTORY.

    The global --seed makes other people. A picture and the feature file of its name show one touch.

    \b
    Examples:
      bioguard samples ./samples
      bioguard samples ./samples --pictures
    """
    if directory.exists():
        raise InputRefused(f"{directory} is there already", hint="name a new directory", code="samples.exists")
    directory.mkdir(parents=True)
    chosen = state.options.seed_bytes
    seed = POPULATION if chosen is None else int.from_bytes(chosen[:4], "big")
    written: list[str] = []
    grown = FingerPictures(seed)

    def write(file: str, data: bytes) -> None:
        (directory / file).write_bytes(data)
        written.append(file)

    for person, name in enumerate(NAMES[:people]):
        touches = finger_impressions(seed, person=person, finger=RIGHT_INDEX, count=COUNT)
        views = face_views(seed, person=person, count=COUNT)
        for number, (touch, view) in enumerate(zip(touches, views, strict=True), 1):
            write(f"{name}-touch{number}.iso", write_iso2005(touch))
            np.save(directory / f"{name}-face{number}.npy", view.vector)
            written.append(f"{name}-face{number}.npy")
            address = person, RIGHT_INDEX, number - 1
            if pictures:
                write(f"{name}-touch{number}.png", write_png(grown.picture(*address), DPI))
            if truth:
                write(f"{name}-touch{number}-truth.iso", write_iso2005(grown.truth(*address)))
    return Result(
        outcome="written",
        data={"directory": str(directory), "files": written},
        lines=[f"wrote {len(written)} files of {people} synthetic people into {directory}"],
        next_step="bioguard user add alice" if (state.directory / FUSE_FILE).exists() else "bioguard device init",
    )
