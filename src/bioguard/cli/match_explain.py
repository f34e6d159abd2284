"""`bioguard match explain`: a picture of how two fingerprint files compare. No device, no secure world."""

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
from bioguard.report.fingerprint_drawing import align, draw_explanation
from bioguard.user_files import write_output


def _finger(path: Path, state: CliState, options: ImportOptions) -> FingerprintTemplate:
    sample, _ = read_sample(path, state.output, options)
    if not isinstance(sample, FingerprintTemplate):
        raise InputRefused(
            f"{path}: not a fingerprint", hint="match explain draws minutiae files", code="input.not_a_fingerprint"
        )
    return sample


@click.group(name="match")
def match_group() -> None:
    """Compare feature files outside the secure world, for developers."""


@match_group.command(name="explain")
@click.argument("a", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("b", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--svg", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Picture to write.")
@import_options
@pass_state
def explain_command(state: CliState, a: Path, b: Path, svg: Path, options: ImportOptions) -> Result:
    """Draw both minutiae sets, the pairs and their agreement. Takes files, never enrolled templates.

    \b
    Example:
      bioguard match explain a.iso b.iso --svg pairs.svg
    """
    if svg.exists() and any(svg.samefile(path) for path in (a, b) if path.exists()):
        raise click.UsageError("--svg names one of the compared files")
    first, second = _finger(a, state, options), _finger(b, state, options)
    explanation = explain(first, second)
    picture = draw_explanation(first, second, explanation, names=(str(a), str(b)))
    write_output(svg, picture.encode())
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
