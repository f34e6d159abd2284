"""Error rates of groups of people under the thresholds of all."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.wording import interval, of, percent
from bioguard.report import Section, Table


def groups(found: Sequence[Mapping[str, Any]]) -> Section:
    """A row for each value of each column of the subjects' file and each threshold."""
    table = Table(
        title="Groups, thresholds of all",
        columns=("group", "FMR of all", "FNMR", "95 %", "FMR", "95 %", "people", "errors", "false matches"),
        rows=tuple(
            (
                f"{r['column']}: {r['value']}",
                target,
                percent(p["fnmr"], r["genuine"]),
                interval(p["fnmr_interval_95"]),
                percent(p["fmr"], r["impostor"]),
                interval(p["fmr_interval_95"]),
                f"{r['people']:,}",
                of(p["false_non_matches"], r["genuine"]),
                of(p["false_matches"], r["impostor"]),
            )
            for r in found
            for target, p in r["at_fmr"].items()
        ),
        numeric=frozenset(range(1, 9)),
        note="Impostors of a group are its own people. Intervals: Clopper-Pearson, which takes pairs as independent: a "
        "group of few people can differ by chance far more.",
    )
    return Section(title="Groups of people", tables=(table,))
