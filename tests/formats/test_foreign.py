"""Programs of others read our files, and their files are read or refused as docs/formats/foreign.md says."""

import runpy
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOREIGN = runpy.run_path(str(HERE / "foreign.py"))
ROWS = FOREIGN["ROWS"]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats" / "foreign.md"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.package}: {row.what}")
def test_a_row_of_the_page(row) -> None:
    found = row.play()
    if found.startswith("not run"):
        pytest.skip(f"{row.package}: {found}")
    assert found == row.expected


def test_the_page_has_every_row_as_it_was_played() -> None:
    text = PAGE.read_text("utf-8")
    assert [f"{row.package}: {row.what}" for row in ROWS if f"| {row.what} | {row.expected} |" not in text] == []
    assert text.count("\n| ") == len(ROWS) + 1


def test_a_reader_that_is_absent_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing passes by default: a row that could not run is no match with what is expected."""
    monkeypatch.setenv("BIOGUARD_FOREIGN_LOADER", f"{sys.executable} -S -c 'import sys; sys.exit(77)'")
    assert [row.play() for row in ROWS if not row.play().startswith("not run")] == []


def test_three_programs_of_others_read_what_we_write() -> None:
    readers = {row.package for row in ROWS if "reads our" in row.what and row.expected.startswith("all ")}
    assert len(readers) >= 3
