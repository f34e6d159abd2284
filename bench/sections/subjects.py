"""Who causes the errors."""

from collections.abc import Mapping
from typing import Any

from bench.wording import percent
from bioguard.report import Section, Table


def subjects(head: Mapping[str, Any]) -> Section:
    found = head["subjects"]
    tables = [
        Table(
            title=title,
            columns=("set", "subject", "FNMR", "matched as reference", "matched as probe", "mean genuine score"),
            rows=tuple(
                (
                    r["set"],
                    r["subject"],
                    percent(r["fnmr"]),
                    percent(r["as_reference"]),
                    percent(r["as_probe"]),
                    "-" if r["mean_genuine_score"] is None else f"{r['mean_genuine_score']:.3f}",
                )
                for r in found[kind]
            ),
            numeric=frozenset(range(2, 6)),
        )
        for kind, title in (
            ("goats", "Goats: hard to recognize"),
            ("lambs", "Lambs: easy to match as"),
            ("wolves", "Wolves: match others"),
        )
    ]
    text = (
        f"At FMR 1 %. The worst tenth of the subjects causes "
        f"{percent(found['share_of_false_non_matches_by_worst_tenth'])} of the false non-matches and "
        f"{percent(found['share_of_false_matches_by_worst_tenth'])} of the false matches.",
    )
    return Section(title="Subjects", text=text, tables=tuple(tables))
