"""docs/formats/serve-2.md and serve2.cddl say what the tables say. `BIOGUARD_UPDATE_DOCS=1 pytest` rewrites them."""

import os
import re
from pathlib import Path

import pytest

from bioguard.serve.v2.events import EVENTS, EventKind
from bioguard.serve.v2.table import BY_NAME, BY_NUMBER, METHODS
from tee_sim.shared import codec
from tests.serve.v2 import cddl_writer, example, page_tables

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


def test_the_example_is_a_conversation(tmp_path: Path) -> None:
    """What is random differs from run to run: the frames on the page are those of this conversation in form."""
    if os.environ.get("BIOGUARD_UPDATE_DOCS") == "example":
        block = "\n".join(example.lines(tmp_path / "device"))
        head, begin, rest = PAGE.read_text("utf-8").partition("<!-- example: begin -->\n")
        PAGE.write_text(f"{head}{begin}```\n{block}\n```\n{rest[rest.index('<!-- example: end -->') :]}", "utf-8")
    seen = example.shown(PAGE.read_text("utf-8"))
    for arrow, octets, size, words in seen:
        length = int.from_bytes(octets[:4], "little")
        assert (len(octets), length) == ((size and example.SHOWN_BYTES) or length + 4, (size or len(octets)) - 4)
        if size is None:
            assert example.what_it_is(arrow, codec.decode(octets[4:])) == words
    assert sum(arrow == ">" for arrow, *_ in seen) == 18
    assert [words for *_, words in seen if "AUTHENTICATION" in words or "refusal" in words] == [
        "event AUTHENTICATION_FAILED of session 1",
        "event AUTHENTICATION_SUCCEEDED of session 1",
        "refusal session.unknown, id 17",
    ]
