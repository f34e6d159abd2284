"""docs/formats/serve-2.md and serve2.cddl say what the tables say. `BIOGUARD_UPDATE_DOCS=1 pytest` rewrites them."""

import os
import re
from pathlib import Path

import pytest

from bioguard.serve.v2.events import EVENTS, EventKind
from bioguard.serve.v2.table import BY_NAME, BY_NUMBER, METHODS
from tests.serve.v2 import cddl_writer, page_tables

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "formats" / "serve-2.md"
CDDL = ROOT / "src" / "bioguard" / "serve" / "v2" / "serve2.cddl"


@pytest.mark.parametrize("name", page_tables.BLOCKS)
def test_generated_block_is_current(name: str) -> None:
    text = PAGE.read_text("utf-8")
    pattern = re.compile(rf"(<!-- generated: {name} -->\n)(.*?)(<!-- end -->)", re.DOTALL)
    fresh = pattern.sub(lambda m: m[1] + page_tables.BLOCKS[name]() + m[3], text)
    assert pattern.search(text)
    if os.environ.get("BIOGUARD_UPDATE_DOCS"):
        PAGE.write_text(fresh, "utf-8")
    assert PAGE.read_text("utf-8") == fresh


def test_the_cddl_file_is_current() -> None:
    if os.environ.get("BIOGUARD_UPDATE_DOCS"):
        CDDL.write_text(cddl_writer.schema(), "utf-8")
    assert CDDL.read_text("utf-8") == cddl_writer.schema()


def test_numbers_and_names_are_used_once_and_in_order() -> None:
    assert len(BY_NUMBER) == len(BY_NAME) == len(METHODS)
    assert [m.number for m in METHODS] == sorted(BY_NUMBER)
    assert list(EVENTS) == list(EventKind)
