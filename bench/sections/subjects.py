"""Who causes the errors."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.wording import percent
from bioguard.report import Section, Table

FIRST = 3
"""Lambs and wolves that are compared: where the first few are the same people, two tables would say nothing more."""
COLUMNS = ("subject", "FNMR", "taken for", "takes others", "samples", "mean genuine score", "set")


def subjects(head: Mapping[str, Any]) -> Section:
    """Goats, lambs and wolves; the last two are one table if the score decides alike in both directions."""
    found = head["subjects"]
    lambs, wolves = ({(r["set"], r["subject"]) for r in found[kind][:FIRST]} for kind in ("lambs", "wolves"))
    kinds = [("goats", "Goats: hard to recognize")]
    sides = ""
    if found["symmetric"] or lambs == wolves:
        kinds.append(("lambs", "Lambs and wolves: match others"))
        sides = (
            "The score decides alike whichever sample is the reference"
            if found["symmetric"]
            else "The score is nearly the same whichever sample is the reference"
        ) + ": who is taken for (lambs) and who takes others in (wolves) are the same people."
    else:
        kinds += [("lambs", "Lambs: others match their references"), ("wolves", "Wolves: match others' references")]
    spread = [
        f"The worst tenth of the subjects causes {percent(share, 1000)} of the {words}."
        for key, words in (("false_non_matches", "false non-matches"), ("false_matches", "false matches"))
        if (share := found[f"share_of_{key}_by_worst_tenth"]) is not None
    ]
    tables = tuple(_table(title, found[kind]) for kind, title in kinds if found[kind])
    none = "" if tables else "No subject is missed or taken for another one."
    return Section(
        title="Subjects", text=(" ".join(filter(None, ["At FMR 1 %.", none, *spread, sides])),), tables=tables
    )


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    return Table(
        title=title,
        columns=COLUMNS,
        rows=tuple(
            (
                r["subject"],
                percent(r["fnmr"], r["genuine"]),
                percent(r["as_reference"]),
                percent(r["as_probe"]),
                f"{r['samples']:,}",
                "-" if r["mean_genuine_score"] is None else f"{r['mean_genuine_score']:.3g}",
                r["set"],
            )
            for r in rows
        ),
        numeric=frozenset(range(1, 6)),
        note="Taken for: impostor comparisons against this subject's references that match. Takes others: impostor "
        "attempts of this subject that match. People with one sample are left out.",
    )
