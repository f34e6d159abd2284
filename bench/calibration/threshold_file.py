"""Write the threshold tables that the product ships, `src/bioguard/match/thresholds.json`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from bioguard.match.thresholds import ThresholdPoint, ThresholdTable

PATH: Final = Path(__file__).resolve().parents[2] / "src/bioguard/match/thresholds.json"
_DECIMALS = 4
"""Of thresholds: far below the interval of any of them."""


def text_of(tables: Sequence[ThresholdTable]) -> str:
    """Return the JSON text of these tables, one point a line."""
    return '{"tables": [' + ", ".join(map(_table, tables)) + "\n]}\n"


def write_tables(path: Path, fitted: Sequence[ThresholdTable]) -> None:
    """Replace the tables of the fitted scores; those of other scores stay."""
    scores = {table.score for table in fitted}
    kept = []
    if path.exists():
        kept = [ThresholdTable.from_json(table) for table in json.loads(path.read_text("utf-8"))["tables"]]
    everything = [*(table for table in kept if table.score not in scores), *fitted]
    path.write_text(text_of(sorted(everything, key=lambda t: (t.score, t.model))), encoding="utf-8")


def _table(table: ThresholdTable) -> str:
    head = {"model": table.model, "dimension": table.dimension, "score": table.score, "data_set": table.data_set}
    lines = (f"  {json.dumps(name)}: {json.dumps(value)},\n" for name, value in head.items())
    points = ",\n".join(f"    {json.dumps(_point(point))}" for point in table.points)
    return "{\n" + "".join(lines) + f'  "points": [\n{points}\n  ]\n' + "}"


def _point(point: ThresholdPoint) -> dict[str, Any]:
    values = {name: value for name, value in asdict(point).items() if value is not None}
    return {name: round(v, _DECIMALS) if name in ("threshold", "low", "high") else v for name, v in values.items()}
