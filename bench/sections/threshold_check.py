"""The table that a lab signs: what labelled thresholds do on these data."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bench.wording import NOT_MEASURABLE, folded, of, percent, times
from bioguard.report import Section, Table

FIRST = ("set", "label", "holds", "measured / label", "95 % over people", "false matches")
MISSES = ("FNMR", "FNMR errors")
LAST = ("basis", "threshold")
SAYS: Mapping[Any, str] = {True: "yes", False: "NO", NOT_MEASURABLE: NOT_MEASURABLE}


def threshold_check(
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    profile: Mapping[str, Any] | None,
    left_out: Sequence[Sequence[str]],
    crossed: Collection[str] = (),
) -> Section:
    """A row for each threshold of each set, pooled, and sensor against sensor; red where the label does not hold.

    Args:
        rows: by what they are of.
        profile: whose thresholds they are.
        left_out: pairs of subjects that are probably one person.
        crossed: which rows are of comparisons across sets, with or without those within.
    """
    across = {name: rows[name] for name in rows if name in crossed and not any(row["genuine"] for row in rows[name])}
    within = {name: of_one for name, of_one in rows.items() if name not in across}
    tables = [_table("Threshold check", within, misses=True)] if within else []
    tables += [_table("Sensor against sensor", across, misses=False)] if across else []
    text = [_profile(profile)] if profile else []
    text += [f"{a} and {b} are probably one person, and are left out across." for a, b in left_out]
    failing = {name: [row["label"] for row in of_one if row["holds"] is False] for name, of_one in rows.items()}
    failed = [f"{name} at {', '.join(labels)}" for name, labels in failing.items() if labels]
    verdict = f"These labels do not hold: {'; '.join(failed)}." if failed else "No label lies below its interval."
    return Section(title="Threshold check", text=(verdict, *text), tables=tuple(tables))


def _table(title: str, rows: Mapping[str, Sequence[Mapping[str, Any]]], *, misses: bool) -> Table:
    flat = [(name, row) for name, of_one in rows.items() for row in of_one if not _silent(row)]
    columns = (*FIRST, *MISSES * misses, *LAST)
    return Table(
        title=title,
        columns=columns,
        rows=tuple(_cells(name, row, misses=misses) for name, row in flat),
        numeric=frozenset(i for i, name in enumerate(columns) if name not in ("set", "label", "holds", "basis")),
        failing=frozenset(i for i, (_, row) in enumerate(flat) if row["holds"] is False),
        note=folded({name: [r["label"] for r in of_one if _silent(r)] for name, of_one in rows.items()})
        + " A label does not hold where it lies below the 95 % interval of what was measured. Not measurable: fewer "
        "than 3/label impostor comparisons, and none too many. Without false matches the upper end is the rule of 3 "
        "over pairs of people. The intervals draw people again; no interval knows another sensor.",
    )


def _cells(name: str, row: Mapping[str, Any], *, misses: bool) -> tuple[str, ...]:
    missed = (percent(row["fnmr"], row["genuine"]), of(row["false_non_matches"], row["genuine"]))
    return (
        name,
        row["label"],
        SAYS[row["holds"]],
        times(row["ratio"]),
        _ends(row["interval_95"]),
        of(row["false_matches"], row["impostors"]),
        *missed * misses,
        row["basis"],
        f"{row['threshold']:.4g}",
    )


def _silent(row: Mapping[str, Any]) -> bool:
    """Too few comparisons, and no false match among them: one line says so for all."""
    return row["holds"] == NOT_MEASURABLE and not row["false_matches"]


def _profile(profile: Mapping[str, Any]) -> str:
    site = "".join(f", shifted by {one['shift']:g} for the site ({one['score']})" for one in profile["site"])
    return f"Comparison profile {profile['name']} of {profile['model']}{site}, SHA-256 {profile['sha256']}."


def _ends(pair: Sequence[float] | str) -> str:
    return pair if isinstance(pair, str) else f"{times(pair[0]).removesuffix(' x')} to {times(pair[1])}"
