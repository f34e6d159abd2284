"""Two matchers on the same people, on one page."""

from collections.abc import Mapping
from typing import Any

from bench.wording import points
from bioguard.report import Section, Table

WORDS = {"eer": "EER", "fnmr_at_1e-2": "FNMR at FMR 1 %", "fnmr_at_1e-3": "FNMR at FMR 0.1 %"}


def paired(found: Mapping[str, Any], title: str = "Another matcher on the same people", other: str = "") -> Section:
    """By how much each figure is higher with the other one; `found` is what `accuracy.json` holds.

    Args:
        found: the differences.
        title: of the section.
        other: what is compared with what, "b minus a"; without it the file of the other matcher minus this one.
    """
    what = other or f"{found['file']} minus these"
    rows = {**found["sets"], "mean of sets": found["mean_of_sets"]}
    table = Table(
        title=f"{what}, in percentage points",
        columns=("set", "figure", "difference", "95 % over people", "the first of both" if other else "other matcher"),
        rows=tuple(
            (name, WORDS[figure], points(one["difference"]), _ends(one["interval_95"]), _verdict(one["interval_95"]))
            for name, row in rows.items()
            for figure, one in row.items()
        ),
        numeric=frozenset({2, 3}),
        note="The same people are drawn for both, each with its own thresholds. A difference whose interval "
        "holds 0 may be chance.",
    )
    return Section(title=title, tables=(table,))


def _ends(pair: tuple[float | None, float | None]) -> str:
    low, high = pair
    return "-" if low is None or high is None else f"{points(low)} to {points(high)}"


def _verdict(pair: tuple[float | None, float | None]) -> str:
    low, high = pair
    if low is None or high is None or low <= 0 <= high:
        return "no difference shown"
    return "worse" if low > 0 else "better"
