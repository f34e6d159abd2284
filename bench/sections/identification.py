"""The table of 1:N searches."""

from collections.abc import Mapping
from typing import Any

from bench.wording import NOT_MEASURABLE, folded, of, over_people, percent
from bioguard.report import Section, Table


def identification(rows: Mapping[str, Any]) -> Section:
    """A row for each set and FPIR that can be measured, the others in one line."""
    cells, missing, ranks = [], {}, []
    for name, r in rows.items():
        found = r["identification"]
        if found == NOT_MEASURABLE:
            missing[name] = ["all"]
            continue
        low, high = found["enrolled_subjects"]
        enrolled = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        missing[name] = [f"FPIR {fpir}" for fpir, p in found["fnir_at_fpir"].items() if not isinstance(p, dict)]
        ranks.append(
            (name, percent(found["hit_rate_by_rank"]["1"], found["searches"]), enrolled, f"{found['searches']:,}")
        )
        cells += [
            (
                name,
                fpir,
                percent(p["fnir"], p["searches"]),
                over_people(p, "subject_interval"),
                of(p["misses"], p["searches"]),
                enrolled,
            )
            for fpir, p in found["fnir_at_fpir"].items()
            if isinstance(p, dict)
        ]
    rank = Table(
        title="Rank 1, no threshold",
        columns=("set", "found first", "enrolled", "searches"),
        rows=tuple(ranks),
        numeric=frozenset({1, 2, 3}),
    )
    table = Table(
        title="Missed searches (FNIR) at fixed FPIR",
        columns=("set", "FPIR", "FNIR", "95 % over people", "missed", "enrolled"),
        rows=tuple(cells),
        numeric=frozenset(range(1, 6)),
        note=f"{folded(missing)} Enrolled: first usable sample of each subject. A search counts as missed unless the "
        "subject comes first and above the threshold; ties count against us.".strip(),
    )
    return Section(
        title="Identification (1:N)",
        text=() if cells else (table.note,),
        tables=tuple(t for t in (table, rank) if t.rows),
    )
