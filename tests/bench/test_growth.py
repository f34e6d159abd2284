"""Growth: slopes, the table and the picture of figures that are known."""

from typing import Any

import pytest

from bench.experiments.timings import BARE, LOOK, SHOWN, draw, series, slopes, table

SIZES = (10, 100, 1000)


def _stored(**exponents: float) -> dict[str, Any]:
    """Figures that grow by a power; there they are four times as large, and end before the last size."""
    rows = []
    for size in SIZES:
        sides = {"here": 1.0} if size == SIZES[-1] else {"here": 1.0, "there": 4.0}
        found = {
            name: {q: {s: {"p50": k * 3 * size ** exponents.get(name, 0.0)} for s, k in sides.items()} | {"ratio": 0.25}
                   for q in ("wall_ms", "cpu_ms")}
            for name in SHOWN
        }  # fmt: skip
        rows.append({"records": size, "filled": {s: {"bytes": 100.0 * size} for s in sides}, "operations": found})
    return {"rows": rows}


def test_a_slope_is_the_exponent() -> None:
    rows = _stored(**{"1:N": 0.5, "list of all": 1.0})["rows"]
    assert slopes(series(rows, "1:N", "here", "cpu_ms")) == pytest.approx((0.5, 0.5))
    assert slopes(series(rows, "list of all", "there", "wall_ms")) == pytest.approx((1.0, 1.0))
    assert slopes(series(rows, "start", "here", "cpu_ms")) == pytest.approx((0.0, 0.0))
    assert slopes(series(rows, "start", "here", "cpu_ms")[:1]) is None
    bent = [(10, 1.0), (100, 1.0), (1000, 10.0)]
    assert slopes(bent) == pytest.approx((0.5, 1.0)), "what is constant hides in the slope of all"


def test_the_table_ends_where_a_side_ends() -> None:
    shown = list(table(_stored()["rows"], "cpu_ms"))
    here, there, ratio = shown[1:4]
    assert here.split() == ["start", "here", "3.00", "3.00", "3.00", "0.00", "0.00"]
    assert there.split() == ["start", "there", "12.00", "12.00", "0.00", "0.00"]
    assert ratio.split() == ["start", "ratio", "0.25", "0.25", "0.25"]
    assert "8.00" in next(line for line in shown if line.startswith("1:N at most")), "twice the search, and 2 ms"


def test_the_picture_has_a_line_for_each_side_and_names_the_slopes() -> None:
    drawn = draw(_stored(**{BARE: 1.0})).svg()
    assert drawn.count("<polyline") == 2 * len(LOOK)
    assert ">1.00<" in drawn
