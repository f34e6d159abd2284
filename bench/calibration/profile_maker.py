"""A comparison profile from data: its tables, and where they come from, as the data say it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.calibration.face_scores import face_scores, vectors_of
from bench.calibration.finger_scores import Block, ScoreMatrix, full_scores, pairs_of, protected_scores_of
from bench.calibration.fingerprint_data import UsableSets
from bench.calibration.impostors import SAME_FINGER_RATE, Impostors
from bench.calibration.rate_points import fitted, too_little
from bench.calibration.tables import SITE_RATE, Same, finger_tables, site_shift, site_views, table_of
from bench.load import FaceRows
from bench.names import counted
from bioguard.errors import InputRefused
from bioguard.records.centering import Flaw, flaw_of
from bioguard.records.comparison_profile import CalibrationData, ComparisonProfile, ScoreTable, SiteShift
from bioguard.records.modality import Modality
from bioguard.records.scores import Basis, Score
from bioguard.simulate.people.faces import FacePopulation, FacePreset

Progress = Callable[[int], None]

FACE_DRAWS = 400
"""Of people: with thousands of them the interval is narrow, and a draw costs 30 ms."""
CENTERED_SHARE = 0.99
"""Of the rows that must look centered for a model to be called so: a stray one says nothing about it."""
MAX_DESCRIPTION = 480
NAMED = 4
SEED = 20240611
FACES = (Score.COSINE, Score.SCALAR)
FINGERS = (Score.LIKELIHOOD_RATIO, Score.PROTECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a profile says of itself that no data say."""

    name: str
    model: str
    made_by: str
    made_on: str


def described(parts: Sequence[str], rest: str) -> str:
    """Names as many as fit, then how many more, then the rest."""
    text = ""
    for at, part in enumerate(parts):
        more = f" and {len(parts) - at} more"
        if len(f"{text}, {part}{more}; {rest}".encode()) > MAX_DESCRIPTION:
            text += more
            break
        text += f", {part}" if text else part
    whole = f"{text}; {rest}" if rest else text
    return "".join(c if c.isprintable() and c.isascii() else "?" for c in whole)[:MAX_DESCRIPTION]


def same_note(same: Same) -> str:
    """Which people were left out as probably one: a few of them by name, and how many more."""
    pairs = ", ".join(f"{one} and {other}" for one, other, _ in same[:NAMED])
    more = f", and {len(same) - NAMED} more" if len(same) > NAMED else ""
    return f"left out as probably one finger: {pairs}{more}" if same else ""


def finger_matrices(
    names: Sequence[str], blocks: Sequence[Block], advance: Progress
) -> tuple[dict[Score, list[ScoreMatrix]], Same]:
    """Scores of both kinds, and people that are probably one by the full comparison."""
    full = full_scores(blocks, advance)
    same = pairs_of(names, full).same_fingers()
    return {Score.LIKELIHOOD_RATIO: full, Score.PROTECTED: protected_scores_of(blocks, advance)}, same


def finger_profile(
    head: Head, data: UsableSets, names: Sequence[str], blocks: Sequence[Block], how: str, advance: Progress,
    least: ComparisonProfile | None = None,
) -> tuple[ComparisonProfile, Same]:  # fmt: skip
    """A profile of fingerprints, and people that were left out.

    Args:
        head: what it is called.
        data, names, blocks: the sets, their people, and what compares them.
        how: how they were scored, for the description.
        advance: takes comparisons done; there are `2 * comparisons_of(blocks)`.
        least: a profile below whose thresholds none may lie.

    Raises:
        InputRefused: `bench.calibration`, too little data.
    """
    if len(names) == 1:
        raise too_little(f"all {data.samples} samples are of one finger", "give fingers of at least ten people")
    matrices, same = finger_matrices(names, blocks, advance)
    if len(same) > max(1, SAME_FINGER_RATE * len(names) * (len(names) - 1) / 2):
        raise too_little(
            f"{len(same)} pairs of {len(names)} fingers score like one; {same_note(same)}",
            "give each finger one name; fingers that nothing tells apart cannot be left out of a table of rates",
        )
    tables: list[ScoreTable] = []
    for score in FINGERS:
        tables += finger_tables(score, names, matrices[score], same, least=least)
    impostors = tables[0].points[0].impostors
    bound = f"no threshold below those of {least.name}" if least is not None else ""
    rest = "; ".join(filter(None, [how, bound, same_note(same)]))
    provenance = CalibrationData(
        description=described([one.name for one in data.sets], rest), sha256=data.sha256, people=len(names),
        samples=data.samples, impostors=impostors,
    )  # fmt: skip
    return ComparisonProfile(
        name=head.name, modality=Modality.FINGERPRINT, model=head.model, data=provenance, made_by=head.made_by,
        made_on=head.made_on, tables=tuple(tables),
    ), same  # fmt: skip


def face_profile(
    head: Head, rows: FaceRows, source: str, sha256: bytes | None, advance: Progress, *, drawn: bool = False
) -> ComparisonProfile:
    """A profile of faces.

    Args:
        head: what it is called.
        rows: embeddings and people.
        source: name of the file or population.
        sha256: of the file.
        advance: takes rows done, twice as many as there are.
        drawn: the people do not exist.

    Raises:
        InputRefused: `bench.calibration`, too little data.
    """
    tables = []
    impostors = 0
    for score in FACES:
        scores = face_scores(vectors_of(rows.rows, score), rows.subjects, advance)
        fit = fitted(scores.impostors, draws=FACE_DRAWS)
        tables.append(table_of(score, fit, basis=Basis.SYNTHETIC if drawn else Basis.MEASURED))
        impostors = scores.impostors.comparisons
    people = int(rows.subjects.max()) + 1
    provenance = CalibrationData(
        description=described([source], counted(people, len(rows.rows))), sha256=sha256,
        people=0 if drawn else people, samples=0 if drawn else len(rows.rows), impostors=0 if drawn else impostors,
    )  # fmt: skip
    return ComparisonProfile(
        name=head.name, modality=Modality.FACE, model=head.model, dimension=rows.rows.shape[1],
        centered=looks_centered(rows), data=provenance, made_by=head.made_by, made_on=head.made_on,
        tables=tuple(tables),
    )  # fmt: skip


def looks_centered(rows: FaceRows) -> bool:
    """Whether embeddings lie around the origin, by what a device would say of each."""
    flaws = [flaw_of(row) for row in rows.rows]
    return sum(flaw is not Flaw.NOT_CENTERED for flaw in flaws) >= CENTERED_SHARE * len(flaws)


def finger_site(
    base: ComparisonProfile, data: UsableSets, names: Sequence[str], blocks: Sequence[Block], advance: Progress
) -> list[SiteShift]:
    """What a site's fingers add to a profile, score by score. Raises InputRefused `bench.calibration`, too little."""
    numbers = {name: at for at, name in enumerate(names)}
    people, views = site_views(np.array([numbers[name] for set_names in data.people for name in set_names]))
    matrices, same = finger_matrices(names, blocks, advance)
    for one, other, _ in same:
        raise too_little(
            f"{one} and {other} score like one finger",
            "give each finger one name; if these are two, no shift makes up for what made them alike",
        )
    return [
        SiteShift.of(
            table.score,
            site_shift(table, Impostors.of(pairs_of(names, matrices[table.score]))),
            quantile=1 - SITE_RATE, subjects=people, views=views, data_sha256=data.sha256,
        )
        for table in base.tables
        if not table.cohort
    ]  # fmt: skip


def face_site(base: ComparisonProfile, rows: FaceRows, sha256: bytes, advance: Progress) -> list[SiteShift]:
    """The same for faces."""
    people, views = site_views(rows.subjects)
    if rows.rows.shape[1] != base.dimension:
        raise InputRefused(
            f"embeddings of {rows.rows.shape[1]} numbers, and {base.name!r} is of a model of {base.dimension}",
            hint="give the profile of the same model",
            code="bench.calibration",
        )
    shifts = []
    for table in (table for table in base.tables if not table.cohort):
        scores = face_scores(vectors_of(rows.rows, table.score), rows.subjects, advance)
        shift = site_shift(table, scores.impostors)
        shifts.append(
            SiteShift.of(table.score, shift, quantile=1 - SITE_RATE, subjects=people, views=views, data_sha256=sha256)
        )
    return shifts


def drawn_faces(preset: FacePreset, people: int) -> FaceRows:
    """One view each of people who do not exist."""
    rows = FacePopulation(preset, SEED).embeddings(0, people, 0)
    numbers = np.arange(people)
    return FaceRows(rows, numbers, numbers)
