"""`rates`: whether a label holds, source by source and rung by rung."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from bench.calibration.finger_scores import (
    Block,
    ScoreMatrix,
    full_scores,
    pairs_of,
    protected_scores_of,
    shipped_blocks,
    unseen_blocks,
)
from bench.calibration.fingerprint_data import usable_sets
from bench.calibration.halves import halves
from bench.calibration.impostors import PairScores
from bench.calibration.ladder import COHORTS, all_but, ladder
from bench.calibration.sensors import SENSORS, sensors
from bench.calibration.tables import finger_tables
from bench.console import advancing, note, show, write_json
from bench.environment import environment
from bench.load import read_faces
from bioguard.cli.import_options import import_options
from bioguard.formats import ImportOptions
from bioguard.match.thresholds import builtin_profile
from bioguard.records.comparison_profile import ComparisonProfile
from bioguard.records.modality import Modality
from bioguard.records.scores import Score

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SCORES = {score.word: score for score in (Score.LIKELIHOOD_RATIO, Score.PROTECTED)}
Flags = NDArray[np.bool_]
Source = tuple[str, str, dict[str, list[dict[str, Any]]]]


@click.command()
@click.option("--fingerprints", type=FOLDER, help="Also: folders of <finger>_<impression>.iso.", metavar="DIR")
@click.option("--faces", type=FILE, help="Also: each half of the people by the other's table.", metavar="FILE.npz")
@click.option(
    "--leave-one-database-out",
    is_flag=True,
    help="The product was trained on these: models and tables that have not seen a database are tried on it.",
)
@click.option("--profile", type=FILE, help="Whose tables are tried; the built-in ones if not given.", metavar="PROFILE")
@click.option("--sensor", "names", type=click.Choice([s.name for s in SENSORS]), multiple=True, help="Only this one.")
@click.option("--score", type=click.Choice(list(SCORES)), default="likelihood ratio", show_default=True)
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="rates.json on stdout as well.")
@import_options
def rates(
    fingerprints: Path | None, faces: Path | None, leave_one_database_out: bool, profile: Path | None,
    names: tuple[str, ...], score: str, seed: int, out: Path, as_json: bool, options: ImportOptions,
) -> None:  # fmt: skip
    """Try thresholds on sources they were not made from: rates.json in DIR.

    \b
    Sources are synthetic sensors whose prints resemble each other, and your own sets. Rungs:
      counted  the threshold at which the rate was counted: no safety
      safe     the table of the profile
      claim    the same, best of three views, a third of the rate each: what a device decides by
      site     the safe table, shifted by what 5 fingers with 3 views of the source ask for
      cohort   the safe table or the one of scores held against 5 other fingers, where stricter, as on a device
    A ratio is measured over labeled, with its 95 % interval over fingers.
    """
    if leave_one_database_out and fingerprints is None:
        raise click.UsageError("--leave-one-database-out is about --fingerprints")
    chosen = ComparisonProfile.from_bytes(profile.read_bytes()) if profile else builtin_profile(Modality.FINGERPRINT)
    kind = SCORES[score]
    found: list[Source] = []
    for sensor in sensors(names):
        people, blocks = shipped_blocks(sensor.data(seed))
        found.append((sensor.name, sensor.what, ladder(kind, chosen, people, _scored(kind, blocks), lambda p: p)))
        note(f"{sensor.name}: done")
    if fingerprints is not None:
        found += _own(fingerprints, options, chosen, kind, leave_one_out=leave_one_database_out)
    if faces is not None:
        found += _of_faces(faces)
    data = {
        "command": "rates", "score": score, "seed": seed, "profile": chosen.digest.hex(), "environment": environment(),
        "sources": {name: {"what": what, "rungs": rungs} for name, what, rungs in found},
    }  # fmt: skip
    write_json(out / "rates.json", data)
    show(data, list(_lines(found)), as_json=as_json)


def _scored(score: Score, blocks: Sequence[Block]) -> list[ScoreMatrix]:
    score_all = protected_scores_of if score is Score.PROTECTED else full_scores
    with advancing("comparisons", 1) as advance:
        return score_all(blocks, lambda _: advance(0))


def _own(
    root: Path, options: ImportOptions, profile: ComparisonProfile, score: Score, *, leave_one_out: bool
) -> Iterator[Source]:
    """Every database, each extractor apart, and its comparisons within and across databases."""
    data = usable_sets(root, options, note)
    names, blocks = unseen_blocks(data) if leave_one_out else shipped_blocks(data)
    matrices = _scored(score, blocks)
    # by the full comparison: protected codes tell too little to find one finger in two databases
    same = pairs_of(names, matrices if score is Score.LIKELIHOOD_RATIO else full_scores(blocks, _silent)).same_fingers()
    known = all_but(same)
    for one, other, median in same:
        note(f"{one} and {other} score like one finger (median {median:.2f}) and were left out")
    databases = sorted({one.database for one in data.sets})
    total: list[tuple[str, ComparisonProfile, Flags]] = []
    for database in databases:
        of_it = np.array([one.database == database for one in data.sets])
        tables = profile.tables
        if leave_one_out:
            seen = [m.only(~of_it[m.sets]) for m in matrices]
            tables = tuple(finger_tables(score, names, seen, same, [COHORTS[score]]))
        total.append((database, replace(profile, tables=tables, site=()), of_it))
    for matrix in matrices:
        extractor = data.sets[int(matrix.sets[0])].extractor or "own"
        for database, trial, of_it in total:
            if not of_it[matrix.sets].any():
                continue
            # its samples first: so each comparison with another database is listed under it
            front = matrix.only(np.argsort(~of_it[matrix.sets], kind="stable"))
            for within, where in ((True, "within"), (False, "across")):
                rungs = ladder(score, trial, names, [front], _tried(of_it, known, within=within))
                if rungs:
                    yield f"{extractor}/{database} {where}", "", rungs


def _of_faces(path: Path) -> Iterator[Source]:
    rows = read_faces(path)
    for score in (Score.COSINE, Score.SCALAR):
        with advancing(score.word, len(rows.rows)) as advance:
            for half, rungs in halves(rows, score, advance).items():
                yield f"{path.name}, {score.word}, {half}", "by the table of the other half", rungs


def _silent(_: int) -> None:
    return


def _tried(
    of_it: Flags, known: Callable[[PairScores], PairScores], *, within: bool
) -> Callable[[PairScores], PairScores]:
    """Comparisons of one database: the impostors within it or with others, and all genuine ones."""

    def chosen(pairs: PairScores) -> PairScores:
        return known(pairs.only(of_it[pairs.source] & ((pairs.within == within) | ~pairs.impostor)))

    return chosen


def _lines(found: Sequence[Source]) -> Iterator[str]:
    for name, what, rungs in found:
        yield f"{name}{': ' * bool(what)}{what}"
        for rung, rows in rungs.items():
            cells = []
            for row in rows:
                low, high = row["interval_95"]
                missed = "" if row["fnmr"] is None else f", FNMR {100 * row['fnmr']:.1f} %"
                ratio = f"x{row['ratio']:.2f} [{low:.2f}, {high:.2f}]" if row["measurable"] else "not measurable"
                cells.append(f"{row['rate']:g} {ratio}{missed}")
            yield f"  {rung:8s} {'; '.join(cells)}"
