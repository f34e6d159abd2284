"""What was timed on two sides in turn, as rows: percentiles of all repetitions, ratios of the same turn, and floors."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.latency_sides import Parts

HERE, THERE = "here", "there"
PYTHON, NUMPY, SYNC = "Python starts", "Python imports numpy", "one sync, disk"
FLOORS = {
    "bioguard authenticate": NUMPY,
    "bioguard --help": PYTHON,
    "bioguard --version": PYTHON,
    "bioguard token show": PYTHON,
    "bioguard audit verify": PYTHON,
    "start": NUMPY,
}
"""What the wall time of an operation cannot be below."""
SYNCED = {"1:1 face, disk": "1:1 face", "enroll, disk": "enroll"}
"""Operations on the disk, and the counted one whose syncs are their floor."""

Turn = Mapping[str, Parts]
Row = dict[str, Any]


def operations(turns: Sequence[Turn], counts: Mapping[str, Any]) -> dict[str, Row]:
    """One row for each operation: for each quantity both sides and their ratio; `floor` for the wall time here.

    Args:
        turns: what each side measured in each turn; `there` may be missing.
        counts: of `counted`; for the number of syncs.
    """
    names = turns[0][HERE]
    rows = {name: {q: _quantity(turns, name, q) for q in names[name]} for name in names}
    for name, row in rows.items():
        floor = _floor(name, rows, counts)
        if floor is not None:
            what, ms = floor
            row["floor"] = {"is": what, "ms": ms, "times": row["wall_ms"][HERE]["p50"] / ms}
    return rows


def _quantity(turns: Sequence[Turn], name: str, quantity: str) -> Row:
    there = [turn[side][name][quantity] for turn in turns for side in turn if side == THERE and name in turn[side]]
    here = [turn[HERE][name][quantity] for turn in turns]
    row: Row = {HERE: _percentiles(here)}
    if there:
        ratios = [statistics.median(a) / statistics.median(b) for a, b in zip(here, there, strict=True)]
        row |= {THERE: _percentiles(there), **_ratio(ratios)}
        row["ratio_p95"] = row[HERE]["p95"] / row[THERE]["p95"]
    return row


def _ratio(ratios: Sequence[float]) -> dict[str, float]:
    return {"ratio": statistics.median(ratios), "ratio_least": min(ratios), "ratio_most": max(ratios)}


def _percentiles(parts: Sequence[Sequence[float]]) -> dict[str, float]:
    values = np.concatenate([np.asarray(part) for part in parts])
    return {"p50": float(np.quantile(values, 0.5)), "p95": float(np.quantile(values, 0.95)), "n": len(values)}


def _floor(name: str, rows: Mapping[str, Row], counts: Mapping[str, Any]) -> tuple[str, float] | None:
    python = FLOORS.get(name, "")
    if python in rows:
        return python, rows[python]["wall_ms"][HERE]["p50"]
    syncs = counts.get(SYNCED.get(name, ""), {}).get("syncs", {}).get(HERE)
    if syncs and SYNC in rows:
        return f"{syncs} syncs", syncs * rows[SYNC]["wall_ms"][HERE]["p50"]
    return None


def counted(found: Mapping[str, Mapping[str, Mapping[str, int | None]]]) -> dict[str, Row]:
    """One row for each counted operation: for each count both sides and their ratio, null where it was not counted."""
    rows: dict[str, Row] = {}
    for operation, counts in found[HERE].items():
        for name, here in counts.items():
            there = found.get(THERE, {}).get(operation, {}).get(name)
            sides = {side: (here, there)[side == THERE] for side in found}
            ratio = here / there if here is not None and there else None
            rows.setdefault(operation, {})[name] = sides | ({"ratio": ratio} if THERE in found else {})
    return rows


def lines(rows: Mapping[str, Row], counts: Mapping[str, Row], *, two: bool) -> list[str]:
    """For people: a table of times and one of counts."""
    return [*_times(rows, two), *([""] if rows and counts else []), *_counts(counts, two)]


def _times(rows: Mapping[str, Row], two: bool) -> list[str]:
    if not rows:
        return []
    sides = f"{'p50':>10}{'there':>10}{'ratio':>7}{'  [least, most]':<15}{'p95':>10}{'there':>10}{'ratio':>7}"
    cpu = f"{'cpu':>10}{'there':>10}{'ratio':>7}"
    head = f"{sides}{cpu}" if two else f"{'p50':>10}{'p95':>10}{'cpu':>10}"
    shown = [f"{'ms; memory in KiB':<29}{head}  floor"]
    for name, row in rows.items():
        wall: Row = row["wall_ms"] if "wall_ms" in row else row["pss_kib"]
        cells = _pair(wall, "p50", two) + (_range(wall) if two else "") + _pair(wall, "p95", two, "ratio_p95")
        cells += _pair(row["cpu_ms"], "p50", two) if "cpu_ms" in row else " " * (27 if two else 10)
        floor = row.get("floor")
        note = f"  {floor['times']:.1f} x {floor['is']}" if floor else ""
        shown.append(f"{name:<29}{cells}{note}".rstrip())
    return shown


def _pair(quantity: Row, percentile: str, two: bool, ratio: str = "ratio") -> str:
    cells = f"{quantity[HERE][percentile]:>10.2f}"
    if not two:
        return cells
    if THERE not in quantity:
        return f"{cells}{'':>17}"
    return f"{cells}{quantity[THERE][percentile]:>10.2f}{quantity[ratio]:>7.2f}"


def _range(quantity: Row) -> str:
    return (
        f"  [{quantity['ratio_least']:.2f}, {quantity['ratio_most']:.2f}]".ljust(15) if THERE in quantity else " " * 15
    )


def _counts(counts: Mapping[str, Row], two: bool) -> list[str]:
    if not counts:
        return []
    shown = [f"{'one operation, counted':<45}{'here':>12}" + (f"{'there':>12}{'ratio':>7}" if two else "")]
    for operation, row in counts.items():
        for name, sides in row.items():
            cells = [_count(sides[side]) for side in (HERE, THERE) if side in sides]
            ratio = "" if sides.get("ratio") is None else f"{sides['ratio']:>7.2f}"
            shown.append(f"{operation:<25}{name:<20}" + "".join(f"{cell:>12}" for cell in cells) + ratio)
    return shown


def _count(value: int | None) -> str:
    return "not counted" if value is None else str(value)
