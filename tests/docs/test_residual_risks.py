"""What an audit report leaves open stands in docs/limitations.md in the same words: nothing is only in one of them."""

import re
from pathlib import Path

from bioguard.evidence.run import RESIDUAL

PAGE = Path(__file__).parents[2] / "docs" / "limitations.md"
SECTION = "## What an audit leaves open\n"


def test_the_page_and_the_report_list_the_same_residual_risks() -> None:
    section = PAGE.read_text("utf-8").split(SECTION)[1].split("\n## ")[0]
    listed = [" ".join(item.split()) for item in re.split(r"^- ", section, flags=re.MULTILINE)[1:]]
    assert listed == list(RESIDUAL)
    assert len(listed) >= 7
