"""The page of the evidence names every check that an audit can make, and none besides."""

import re
from pathlib import Path

from bioguard.evidence.run import EVERY_CHECK

PAGE = Path(__file__).parents[2] / "docs" / "evidence.md"


def named() -> list[str]:
    """Ids of the table of families: single ones, and ranges as `001 to 008`."""
    ids = []
    for family, numbers in re.findall(r"^\| (BG-[A-Z]+) \| ([0-9, to]+) \|", PAGE.read_text("utf-8"), re.MULTILINE):
        for part in numbers.split(", "):
            first, _, last = part.partition(" to ")
            ids += [f"{family}-{number:03d}" for number in range(int(first), int(last or first) + 1)]
    return ids


def test_the_page_names_every_check_once() -> None:
    assert sorted(named()) == sorted(EVERY_CHECK)
