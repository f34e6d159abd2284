"""`python -m bench.experiments.route` runs, and what it counts is what docs/architecture.md says of this layout."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
STEADY = {
    "types": "types of ours that hold the sample in the clear",
    "transactions": "durable commits",
    "rpmb_writes": "writes of the RPMB",
}
"""What a change of the route has to change on the page; calls and files move with every commit, and are dated there."""


@pytest.fixture(scope="module")
def counted() -> dict[str, dict[str, int]]:
    command = [sys.executable, "-m", "bench.experiments.route", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, dict[str, int]] = json.loads(done.stdout)["this"]
    return found


@pytest.mark.parametrize(("count", "row"), STEADY.items())
def test_the_page_has_the_figures_of_now(counted: dict[str, dict[str, int]], count: str, row: str) -> None:
    said = re.search(rf"^\| {row} \| \d+ \| (\d+) \| \d+ \| (\d+) \|$", PAGE, re.MULTILINE)
    assert said is not None
    assert (counted["enroll"][count], counted["authenticate"][count]) == (int(said[1]), int(said[2]))


def test_both_operations_pass_through_the_codec(counted: dict[str, dict[str, int]]) -> None:
    assert all(counted[operation][count] > 0 for operation in counted for count in ("decodes", "encodes", "calls"))
