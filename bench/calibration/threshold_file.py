"""Write the tables of the comparison profiles that the product ships, `src/bioguard/match/profiles/`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bioguard.records.comparison_profile import SUFFIX, CalibrationData, ComparisonProfile, ScoreTable

FOLDER: Final = Path(__file__).resolve().parents[2] / "src/bioguard/match/profiles"


def write_tables(path: Path, tables: Sequence[ScoreTable], data: CalibrationData) -> None:
    """Replace tables and data of a profile; what it is of stays."""
    profile = ComparisonProfile.from_bytes(path.read_bytes())
    made_on = datetime.now(UTC).date().isoformat()
    path.write_bytes(replace(profile, tables=tuple(tables), data=data, made_on=made_on).to_bytes())


def path_of(folder: Path, name: str) -> Path:
    """The file of a built-in profile."""
    return folder / f"{name}{SUFFIX}"
