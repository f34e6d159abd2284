"""What several enrollments and the quality of a sample do."""

from collections.abc import Mapping
from typing import Any

from bench.wording import percent
from bioguard.report import Section, Table


def effects(head: Mapping[str, Any]) -> Section:
    several = head["several_enrollments"]
    views = Table(
        title="Several views enrolled, best score counts",
        columns=("views", "FNMR", "errors", "FMR", "false matches"),
        rows=tuple(
            (
                str(r["views"]),
                percent(r["fnmr"]),
                f"{r['false_non_matches']} / {r['genuine']}",
                percent(r["fmr"]),
                f"{r['false_matches']} / {r['impostor']}",
            )
            for r in several["views"]
        ),
        numeric=frozenset(range(5)),
        note="Threshold: FMR 1 % of one comparison. Probes are the samples after the fifth of each subject.",
    )
    users = Table(
        title="Users with several subjects (fingers, faces) enrolled",
        columns=("enrolled", "FMR of a user", "false matches", "1 - (1 - FMR)^k"),
        rows=tuple(
            (str(r["enrolled"]), percent(r["fmr"]), f"{r['false_matches']} / {r['trials']}", percent(r["independent"]))
            for r in several["subjects_per_user"]
        ),
        numeric=frozenset(range(4)),
    )
    quality = head["quality"]
    quarters = Table(
        title=f"Error by quality ({quality['kind']} of the poorer sample)",
        columns=("from", "to", "FNMR at FMR 1 %", "errors"),
        rows=tuple(
            (f"{r['from']:g}", f"{r['to']:g}", percent(r["fnmr"]), f"{r['false_non_matches']} / {r['genuine']}")
            for r in quality["quarters"]
        ),
        numeric=frozenset(range(4)),
    )
    return Section(title="Enrollment and quality", tables=(views, users, *([quarters] if quality["quarters"] else [])))
