"""Figures in words, alike on every page: no more digits than the counts bear, thousands in groups."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

NOT_MEASURABLE = "not measurable"
NOT_STATED = "not stated"
"""People and samples of scores that only say whether they are genuine, and groups nobody named."""
RULE_OF_3 = "rule of 3 over people"
"""What an interval rests on where nobody erred."""
PERCENT = " %"
DIGITS = 3
"""Significant digits of a rate, however many comparisons there are."""


def percent(rate: float | str | None, trials: int | None = None) -> str:
    """A rate for people; what could not be measured says so.

    Args:
        rate: a share, or words instead of it.
        trials: what it was counted over: one of 280 is 0.36 %, so a second decimal would say nothing.
    """
    if rate is None:
        return "-"
    if isinstance(rate, str):
        return rate
    most = 12 if trials is None else max(0, math.ceil(math.log10(max(trials, 1) / 100)))
    return f"{_number(100 * rate, DIGITS, most)}{PERCENT}"


def interval(pair: Sequence[float | None] | str) -> str:
    """Both ends of an interval of a rate, two digits each."""
    if isinstance(pair, str):
        return pair
    low, high = pair
    return "-" if low is None or high is None else f"{_number(100 * low, 2)} to {_number(100 * high, 2)}{PERCENT}"


def over_people(found: Mapping[str, Any], name: str, *, brief: bool = False) -> str:
    """An interval over people in words, `<name>_95` with `<name>_basis`; without errors the draws have nothing to say.

    Args:
        found: the figures of a set, or of a point.
        name: `eer_interval` or `subject_interval`.
        brief: for a column of the terminal.
    """
    ends = found[f"{name}_95"]
    if found[f"{name}_basis"] != RULE_OF_3:
        return interval(ends)
    low, high = ends
    none, bound = ("0 errors", f"at most {_number(100 * high, 2)}") if not low else (
        "errors only", f"at least {_number(100 * low, 2)}"
    )  # fmt: skip
    if brief:
        return f"{none}: {bound.replace('at most', '<=').replace('at least', '>=')}{PERCENT}"
    return f"{none}; the bootstrap says nothing; {RULE_OF_3}: {bound}{PERCENT}"


def _number(value: float, digits: int, most: int = 12) -> str:
    """So many significant digits, but not more than `most` decimals, and never an exponent."""
    if not value:
        return "0"
    wanted = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{min(wanted, most)}f}"
    return text.rstrip("0").rstrip(".") if wanted > most and "." in text else text


def points(difference: float) -> str:
    """A difference of two rates in percentage points, with its sign."""
    return f"{100 * difference:+.2f}"


def times(ratio: float | str) -> str:
    """A ratio, two digits."""
    return ratio if isinstance(ratio, str) else f"{_number(ratio, 2)} x" if ratio < 100 else f"{ratio:,.0f} x"


def of(count: int, total: int) -> str:
    """So many of so many."""
    return f"{count:,} / {total:,}"


def part(found: Mapping[str, Any] | str, name: str) -> Any:
    """A figure of a point that may be "not measurable" as a whole."""
    return found if isinstance(found, str) else found[name]


def folded(missing: Mapping[str, Sequence[str]]) -> str:
    """What is not measurable in which sets, in one line: sets that lack the same are named together."""
    together: dict[tuple[str, ...], list[str]] = {}
    for name, what in missing.items():
        if what:
            together.setdefault(tuple(what), []).append(name)
    parts = [f"{', '.join(what)} in {_sets(names, len(missing))}" for what, names in together.items()]
    return f"Not measurable: {'; '.join(parts)}." if parts else ""


def _sets(names: Sequence[str], total: int) -> str:
    if len(names) == total > 1:
        return f"all {total} rows"
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} of {total} rows ({names[0]}, {names[1]}, ...)"
