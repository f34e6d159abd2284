"""Pictures of the documentation are small plain files, made by commands of the repository."""

import json
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.experiments import det_picture, timings
from tee_sim.shared.sandbox.syscalls import secure_world_rules

ROOT = Path(__file__).parents[2]
PICTURES = sorted((ROOT / "docs" / "images").iterdir())
KNOWN = {"svg", "title", "desc", "style", "defs", "marker", "rect", "line", "path", "polyline", "circle", "text"}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_it_is_shapes_and_text_with_a_description(picture: Path) -> None:
    text = picture.read_text("utf-8")
    assert picture.suffix == ".svg"
    assert len(text) < 40_000
    assert re.search(r"data:|href|url\((?!#)|<script|@import", text) is None
    tree = ElementTree.fromstring(text)
    assert {element.tag.rpartition("}")[2] for element in tree.iter()} <= KNOWN
    for part in ("title", "desc"):
        assert tree.findtext("{http://www.w3.org/2000/svg}" + part)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_page_shows_it(picture: Path) -> None:
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    assert any(f"images/{picture.name})" in page.read_text("utf-8") for page in pages)


def test_the_worlds_count_the_system_calls_that_the_filter_lets_through() -> None:
    text = (ROOT / "docs/images/worlds.svg").read_text("utf-8")
    assert f"{len(secure_world_rules(3, 4))} system calls" in text


def test_the_det_curve_is_drawn_from_the_stored_points() -> None:
    stored = json.loads((ROOT / det_picture.STORED).read_text("utf-8"))
    assert det_picture.draw(stored).svg() == (ROOT / "docs/images/det.svg").read_text("utf-8")
    for points in stored["curves"].values():
        assert all(a[0] <= b[0] and a[1] >= b[1] for a, b in pairwise(points)), "a DET curve falls"


def test_growth_is_drawn_from_the_stored_figures() -> None:
    stored = json.loads((ROOT / timings.STORED).read_text("utf-8"))
    assert timings.draw(stored).svg() == (ROOT / timings.PICTURE).read_text("utf-8")
