"""The small bombs of tests/formats/embeddings_memory.py; the whole table is a command."""

import runpy
from pathlib import Path

import pytest

MEMORY = runpy.run_path(str(Path(__file__).with_name("embeddings_memory.py")))


@pytest.mark.parametrize("name", MEMORY["QUICK"])
def test_a_file_costs_little_memory(name: str, tmp_path: Path) -> None:
    over, end = MEMORY["measure"](name, tmp_path)
    assert over < 8 << 20, end
    assert end in {
        "format.too_large",
        "format.npz_damaged",
        "format.too_many_views",
        "format.csv_lines",
        "format.csv_columns",
        "format.no_views",
    }
