"""The table of 1:N searches."""

from collections.abc import Mapping
from typing import Any

from bench.wording import NOT_MEASURABLE, interval, percent
from bioguard.report import Section, Table


def identification(rows: Mapping[str, Any]) -> Section:
    cells = []
    for name, r in rows.items():
        found = r["identification"]
        if found == NOT_MEASURABLE:
            continue
        low, high = found["enrolled_subjects"]
        for fpir, p in found["fnir_at_fpir"].items():
            measured = isinstance(p, dict)
            cells.append(
                (
                    name,
                    str(low) if low == high else f"{low} to {high}",
                    str(found["searches"]),
                    fpir,
                    percent(p["fnir"]) if measured else p,
                    interval(p["interval_95"]) if measured else "",
                    percent(found["hit_rate_by_rank"]["1"]),
                )
            )
    table = Table(
        title="Identification (1:N)",
        columns=("set", "N", "searches", "FPIR", "FNIR", "95 %", "rank 1"),
        rows=tuple(cells),
        numeric=frozenset(range(1, 7)),
        note="Enrolled: first usable sample of each subject. A search counts as missed unless the subject comes first "
        "and above the threshold; ties count against us.",
    )
    return Section(title="Identification", tables=(table,))
