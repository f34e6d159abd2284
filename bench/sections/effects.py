"""What several enrollments and the quality of a sample do."""

from collections.abc import Mapping
from typing import Any

from bench.wording import of, percent
from bioguard.report import Section, Table


def effects(head: Mapping[str, Any]) -> Section:
    """Several views, several subjects of one user, and quarters of a quality; a table without rows is left out."""
    tables = (_views(head), _users(head), _quarters(head["quality"]))
    return Section(title="Enrollment and quality", tables=tuple(table for table in tables if table.rows))


def _views(head: Mapping[str, Any]) -> Table:
    return Table(
        title="Several views enrolled, best score counts",
        columns=("views", "FNMR", "FMR", "errors", "false matches"),
        rows=tuple(
            (
                str(r["views"]),
                percent(r["fnmr"], r["genuine"]),
                percent(r["fmr"], r["impostor"]),
                of(r["false_non_matches"], r["genuine"]),
                of(r["false_matches"], r["impostor"]),
            )
            for r in head["several_enrollments"]["views"]
        ),
        numeric=frozenset(range(1, 5)),
        note="Threshold: FMR 1 % of one comparison. Probes are the samples after the fifth of each subject.",
    )


def _users(head: Mapping[str, Any]) -> Table:
    return Table(
        title="Users with several subjects (fingers, faces) enrolled",
        columns=("enrolled", "FMR of a user", "1 - (1 - FMR)^k", "false matches"),
        rows=tuple(
            (
                str(r["enrolled"]),
                percent(r["fmr"], r["trials"]),
                percent(r["independent"], r["trials"]),
                of(r["false_matches"], r["trials"]),
            )
            for r in head["several_enrollments"]["subjects_per_user"]
        ),
        numeric=frozenset(range(1, 4)),
    )


def _quarters(quality: Mapping[str, Any]) -> Table:
    return Table(
        title=f"Error by quality ({quality['kind']} of the poorer sample)",
        columns=("from", "to", "FNMR at FMR 1 %", "errors"),
        rows=tuple(
            (
                f"{r['from']:g}",
                f"{r['to']:g}",
                percent(r["fnmr"], r["genuine"]),
                of(r["false_non_matches"], r["genuine"]),
            )
            for r in quality["quarters"]
        ),
        numeric=frozenset(range(1, 4)),
    )
