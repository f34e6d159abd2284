"""`bioguard match explain`: a drawing of how two fingerprint files compare. No device, no secure world."""

from pathlib import Path

import click
import numpy as np

from bioguard.cli.import_options import import_options
from bioguard.cli.output import Result
from bioguard.cli.read_samples import read_sample
from bioguard.cli.state import CliState, pass_state
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions
from bioguard.match.fingerprint.explain import explain
from bioguard.records import FingerprintTemplate
from bioguard.records.modality import Modality
from bioguard.report.backdrop import Backdrop
from bioguard.report.fingerprint_drawing import align, draw_explanation
from bioguard.user_files import read_input, write_output


def _finger(path: Path, state: CliState, options: ImportOptions) -> FingerprintTemplate:
    sample, _ = read_sample(path, state.output, options)
    if not isinstance(sample, FingerprintTemplate):
        raise InputRefused(
            f"{path}: not a fingerprint", hint="match explain draws minutiae files", code="input.not_a_fingerprint"
        )
    return sample


def _backdrop(
    path: Path | None, sample: FingerprintTemplate, state: CliState, options: ImportOptions
) -> Backdrop | None:
    if path is None:
        return None
    from bioguard.capture.picture_bounds import BOUNDS  # noqa: PLC0415 - as below
    from bioguard.capture.pictures import decode  # noqa: PLC0415 - needs the capture extra
    from bioguard.cli.pictures import picture_dpi  # noqa: PLC0415 - loads a device

    picture = decode(read_input(path, most_bytes=BOUNDS[Modality.FINGERPRINT].max_bytes), picture_dpi(options))
    backdrop = Backdrop(picture.pixels, picture.dpi)
    stated = (int(sample.width_px500), int(sample.height_px500))
    if max(abs(of_picture - said) for of_picture, said in zip(backdrop.size_px500, stated, strict=True)) > 1:
        size = "{} x {}".format(*backdrop.size_px500)
        state.output.note(f"{path}: {size} px at 500 dpi, its minutiae are of {stated[0]} x {stated[1]}")
    return backdrop


@click.group(name="match")
def match_group() -> None:
    """Compare feature files outside the secure world, for developers."""


@match_group.command(name="explain")
@click.argument("a", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("b", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--svg", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Drawing to write.")
@click.option(
    "--picture-a", type=click.Path(path_type=Path, dir_okay=False), help="What the minutiae of A were found in."
)
@click.option(
    "--picture-b", type=click.Path(path_type=Path, dir_okay=False), help="What the minutiae of B were found in."
)
@import_options
@pass_state
def explain_command(
    state: CliState,
    a: Path,
    b: Path,
    svg: Path,
    *,
    picture_a: Path | None,
    picture_b: Path | None,
    options: ImportOptions,
) -> Result:
    """Draw both minutiae sets, the pairs and their agreement. Takes files, never enrolled templates.

    With the pictures that they come from, minutiae are drawn over the ridges. The drawing then holds both: only
    its owner may read it.

    \b
    Examples:
      bioguard match explain a.iso b.iso --svg pairs.svg
      bioguard match explain a.iso b.iso --svg pairs.svg --picture-a a.png --picture-b b.png
    """
    given = [path for path in (a, b, picture_a, picture_b) if path is not None]
    if svg.exists() and any(svg.samefile(path) for path in given if path.exists()):
        raise click.UsageError("--svg names one of the compared files")
    first, second = _finger(a, state, options), _finger(b, state, options)
    explanation = explain(first, second)
    pictures = _backdrop(picture_a, first, state, options), _backdrop(picture_b, second, state, options)
    drawing = draw_explanation(first, second, explanation, names=(str(a), str(b)), pictures=pictures)
    write_output(svg, drawing.encode(), private=pictures != (None, None))
    motion = align(first, second, explanation.pairs, explanation.weights)
    return Result(
        outcome="drawn",
        data={
            "svg": str(svg),
            "minutiae_a": len(first),
            "minutiae_b": len(second),
            "pairs": len(explanation.pairs),
            "turn_degrees": round(float(np.degrees(motion.turn_rad))),
            "fmr_band": explanation.score_fmr_band,
        },
        lines=[
            f"{len(explanation.pairs)} pairs of {len(first)} and {len(second)} minutiae: {explanation.score_fmr_band}",
            f"picture: {svg}",
        ],
    )
