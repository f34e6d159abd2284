"""What the pages say of functions and keys is what is there."""

import re
from pathlib import Path

from tee_sim.gp_objects.key_types import ObjectType
from tee_sim.shared.gp_functions import Function
from tests.native.api.function_table import table

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_of_functions_has_the_table() -> None:
    page = (DOCS / "gp-api.md").read_text("utf-8")
    assert table() in page, "python -m tests.native.api.function_table"
    assert len(re.findall(r"^\| (?:1\.0, )?\d\.\d+\.\d+ \| TEE_", page, re.MULTILINE)) == len(Function)


def test_the_page_of_objects_names_every_type_of_key_once() -> None:
    keys = (DOCS / "gp-objects.md").read_text("utf-8").split("## Keys")[1].split("Every other type")[0]
    named = [name for line in keys.splitlines() if line.startswith("| ") for name in line.split("|")[1].split(",")]
    assert sorted(name.strip() for name in named if name.strip() != "type") == sorted(ObjectType.__members__)
