"""Lists of scores as text: which format it is, and its rows."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from bench.metrics.comparisons import Scored
from bench.metrics.pair_lists import PairList
from bench.names import subject_of
from bench.score_pairs import PairsRead, counted_failures, refused, score_of
from bench.tables import heading, lines_of, rows_of

CODE = "bench.scores"
ALIASES: Mapping[str, tuple[str, ...]] = {
    "probe": ("probe", "probe_template_id", "probe_key"),
    "reference": ("reference", "bio_ref_template_id", "bio_ref_reference_id"),
    "probe_subject": ("probe_subject", "probe_subject_id"),
    "reference_subject": ("reference_subject", "bio_ref_subject_id"),
    "score": ("score",),
    "label": ("label",),
    "set": ("set",),
    "genuine": ("genuine",),
    "impostor": ("impostor",),
}
"""Names of columns: ours, and those of the score files in CSV of bob.bio.base."""
HEADED: Mapping[str, tuple[str, ...]] = {
    "pairs": ("probe", "reference", "score"),
    "labels": ("label", "score"),
    "columns": ("genuine", "impostor"),
}
BARE: Mapping[str, int] = {"pairs": 3, "labels": 2, "four-column": 4, "five-column": 5}
"""Cells of a row in files whose first line is a row already."""
FORMATS = (*HEADED, "four-column", "five-column")
GENUINE = frozenset({"genuine", "mated", "mate", "match", "same", "true", "1", "1.0", "client", "target"})
IMPOSTOR = frozenset({
    "impostor", "imposter", "non-mated", "nonmated", "non-mate", "nonmate", "non-match", "nonmatch", "different",
    "false", "0", "0.0", "nontarget", "non-target",
})  # fmt: skip
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|[-+]?inf|nan", re.IGNORECASE)


def format_of(path: Path, named: str | None = None) -> tuple[str, bool]:
    """The format of a file, and whether its first line names the columns.

    Args:
        named: what the user says it is.

    Raises:
        InputRefused: `bench.scores`: it may be two formats, or none is known by its first line.
    """
    cells = heading(path, CODE)
    columns = set(_columns(cells))
    found = [name for name, needed in HEADED.items() if columns.issuperset(needed)]
    if named in found:
        return str(named), True
    bare = bool(cells) and not found and _NUMBER.fullmatch(cells[-1]) is not None
    if named is not None:
        return named, named in HEADED and not (bare and named in BARE)
    if len(found) > 1:
        raise refused(f"{path} may be {' or '.join(found)} by its columns", f"say which: --format {found[0]}")
    if found:
        return found[0], True
    wide = len([cell for cell in cells if cell])
    if bare and wide in (4, 5):
        return ("four-column" if wide == 4 else "five-column"), False
    if bare and wide == 3:
        raise refused(
            f"{path} has no columns that are named; the first line reads {' '.join(cells)[:60]!r}",
            "write probe,reference,score above it, or say that it is so: --format pairs",
        )
    return "pairs", True


def read_list(path: Path, *, distance: bool, named: str | None = None) -> list[Scored]:
    """All sets of a file.

    Raises:
        InputRefused: `bench.scores`, with the line.
    """
    name, headed = format_of(path, named)
    return _READERS[name](path, headed, distance)


def _columns(cells: list[str]) -> list[str]:
    """Our names of columns, whatever the case of theirs."""
    ours = {theirs: name for name, all_of in ALIASES.items() for theirs in all_of}
    return [ours.get(cell.lower(), cell) for cell in cells]


def _rows(path: Path, name: str, headed: bool) -> Iterator[tuple[int, Mapping[str, str]]]:
    if not headed:
        for line, cells in lines_of(path, BARE[name], CODE):
            yield line, dict(zip(HEADED[name], cells, strict=True))
        return
    cells = heading(path, CODE)
    theirs = {ours: cell for ours, cell in zip(_columns(cells), cells, strict=True) if ours not in cells} | {
        cell: cell for cell in cells
    }
    for line, row in rows_of(path, [theirs.get(n, n) for n in HEADED[name]], CODE):
        yield line, {ours: row[cell] for ours, cell in theirs.items()}


def _pairs(path: Path, headed: bool, distance: bool) -> list[Scored]:
    sets: dict[str, PairsRead] = {}
    for line, row in _rows(path, "pairs", headed):
        probe, reference = row["probe"], row["reference"]
        subjects = row.get("probe_subject", subject_of(probe)), row.get("reference_subject", subject_of(reference))
        score = score_of(f"{path} line {line}", row["score"], distance=distance)
        name = row.get("set") or path.stem
        sets.setdefault(name, PairsRead(path, name)).add(line, (probe, reference), subjects, score)
    return [one.scored(distance=distance) for one in sets.values()]


def _four_column(path: Path, headed: bool, distance: bool) -> list[Scored]:
    return _claims(path, "four-column", distance, lambda c: (c[0], f"enrolled {c[0]}", c[1], c[2]))


def _five_column(path: Path, headed: bool, distance: bool) -> list[Scored]:
    return _claims(path, "five-column", distance, lambda c: (c[0], f"enrolled {c[1]}", c[2], c[3]))


def _claims(
    path: Path, name: str, distance: bool, parts: Callable[[list[str]], tuple[str, str, str, str]]
) -> list[Scored]:
    """Files of bob and BEAT: whose template was claimed, who it really was, and his file.

    A template is a sample of its own: `enrolled <name>`.
    """
    sets: dict[str, PairsRead] = {}
    for line, cells in lines_of(path, BARE[name], CODE):
        claimed, template, real, file = parts(cells)
        score = score_of(f"{path} line {line}", cells[-1], distance=distance)
        sets.setdefault(path.stem, PairsRead(path, path.stem)).add(line, (file, template), (real, claimed), score)
    return [one.scored(distance=distance) for one in sets.values()]


def _labels(path: Path, headed: bool, distance: bool) -> list[Scored]:
    sets: dict[str, _Anonymous] = {}
    for line, row in _rows(path, "labels", headed):
        label = row["label"].strip().lower()
        if label not in GENUINE | IMPOSTOR:
            raise refused(
                f"{path} line {line}: the label reads {row['label'][:20]!r}", "write genuine or impostor, or 1 or 0"
            )
        score = score_of(f"{path} line {line}", row["score"], distance=distance)
        sets.setdefault(row.get("set") or path.stem, _Anonymous()).add(line, label in GENUINE, score)
    return [one.scored(name, distance=distance) for name, one in sets.items()]


def _two_columns(path: Path, headed: bool, distance: bool) -> list[Scored]:
    sets: dict[str, _Anonymous] = {}
    for line, row in _rows(path, "columns", headed):
        for column in ("genuine", "impostor"):
            if row[column].strip():  # one column may be longer
                score = score_of(f"{path} line {line}", row[column], distance=distance)
                sets.setdefault(row.get("set") or path.stem, _Anonymous()).add(line, column == "genuine", score)
    return [one.scored(name, distance=distance) for name, one in sets.items()]


class _Anonymous:
    """Scores of which only the kind is known."""

    def __init__(self) -> None:
        self._lines: list[int] = []
        self._genuine: list[bool] = []
        self._scores: list[float] = []

    def add(self, line: int, genuine: bool, score: float) -> None:
        self._lines.append(line)
        self._genuine.append(genuine)
        self._scores.append(score)

    def scored(self, name: str, *, distance: bool) -> PairList:
        scores, genuine = np.array(self._scores), np.array(self._genuine)
        failed = np.isnan(scores)
        values = np.where(failed, -np.inf, -scores if distance else scores).astype(np.float32)
        remarks = (
            f"{int(genuine.sum())} genuine and {int((~genuine).sum())} impostor comparisons; nobody is named: no "
            f"interval over people, no rates of identification",
            *counted_failures(np.array(self._lines), failed),
        )
        probe = np.zeros(scores.size, np.int64)
        return PairList(
            name, values, probe, np.where(genuine, 0, 1).astype(np.int64), np.arange(2), (), anonymous=True,
            remarks=remarks,
        )  # fmt: skip


_READERS: Mapping[str, Callable[[Path, bool, bool], list[Scored]]] = {
    "pairs": _pairs,
    "labels": _labels,
    "columns": _two_columns,
    "four-column": _four_column,
    "five-column": _five_column,
}
