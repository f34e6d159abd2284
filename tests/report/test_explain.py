"""The picture of a comparison: what it contains, that it is self-contained, and the alignment under it."""

import re
from base64 import b64decode
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioguard.capture.pictures import decode
from bioguard.records import FingerprintTemplate
from bioguard.report.backdrop import Backdrop
from bioguard.report.fingerprint_drawing import WIDTH, align, draw_explanation

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Pairs:
    pairs: np.ndarray
    weights: np.ndarray
    score_fmr_band: str = "rarer than 1 in 10 000 impostors"


def finger(n: int, seed: int = 3) -> FingerprintTemplate:
    rng = np.random.default_rng(seed)
    return FingerprintTemplate.from_minutiae(
        100 + rng.random(n) * 200, 100 + rng.random(n) * 250, rng.random(n) * 6, width_px500=420, height_px500=460
    )


def moved(t: FingerprintTemplate, turn: float, dx: float, dy: float) -> FingerprintTemplate:
    """Turn about (200, 220), counter-clockwise as seen, then shift."""
    c, s = np.cos(turn), np.sin(turn)
    x, y = t.x_px500 - 200.0, t.y_px500 - 220.0
    return FingerprintTemplate.from_minutiae(
        c * x + s * y + 600 + dx, -s * x + c * y + 600 + dy, t.angle_rad + turn, width_px500=1300, height_px500=1300
    )


def paired(n: int) -> Pairs:
    return Pairs(np.stack([np.arange(n)] * 2, axis=1), np.linspace(0.6, 0.1, n))


@given(st.floats(-3.1, 3.1), st.floats(-50, 50), st.floats(-50, 50))
@settings(max_examples=60)
def test_alignment_undoes_a_rigid_motion(turn: float, dx: float, dy: float) -> None:
    a = finger(20)
    b = moved(a, turn, dx, dy)
    motion = align(a, b, paired(20).pairs, paired(20).weights)
    assert abs((motion.turn_rad + turn + np.pi) % (2 * np.pi) - np.pi) < 1e-3
    x, y = motion.apply(b.x_px500.astype(np.float64), b.y_px500.astype(np.float64))
    assert np.hypot(x - a.x_px500, y - a.y_px500).max() < 0.15


def test_one_pair_is_aligned_by_its_direction() -> None:
    a = FingerprintTemplate.from_minutiae([50], [60], [1.0], width_px500=200, height_px500=200)
    b = FingerprintTemplate.from_minutiae([90], [20], [0.25], width_px500=200, height_px500=200)
    motion = align(a, b, np.array([[0, 0]]), np.array([0.5]))
    assert motion.turn_rad == pytest.approx(0.75, abs=1e-3)
    assert [float(v[0]) for v in motion.apply(np.array([90.0]), np.array([20.0]))] == pytest.approx([50, 60])


def elements(svg: str, name: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(SVG + name))


def test_content() -> None:
    a, b = finger(20), moved(finger(20), 0.35, 4, 7)
    svg = draw_explanation(a, b, paired(12), names=("left.iso", "right.iso"))
    assert svg == draw_explanation(a, b, paired(12), names=("left.iso", "right.iso"))
    discs, squares = elements(svg, "circle"), [r for r in elements(svg, "rect") if r.get("class") != "bg"]
    assert len(discs) == len(squares) == 1 + 2 * 20
    assert sum("lone" in (d.get("class") or "") for d in discs) == 2 * 8
    lines = [line for line in elements(svg, "line") if line.get("class") == "pair"]
    assert len(lines) == 12
    assert float(lines[0].get("stroke-width") or 0) == 10.0
    assert float(lines[-1].get("stroke-width") or 0) == pytest.approx(3.2, abs=0.05)
    texts = [t.text for t in elements(svg, "text")]
    assert texts[:6] == [
        "Fingerprint comparison",
        "rarer than 1 in 10 000 impostors",
        "12 pairs of 20 minutiae in A and 20 in B",
        "B is turned by -20 degrees to lie on A",
        texts[4],
        "A: left.iso",
    ]
    assert re.fullmatch(r"half of the pairs then lie within 0\.0[01] mm", texts[4] or "")
    assert sorted(t for t in texts if t and t.isdecimal()) == sorted([str(k) for k in range(1, 13)] * 2)


def test_strongest_pair_is_number_1_in_any_order() -> None:
    a, b = finger(10), moved(finger(10), 0.1, 0, 0)
    straight = paired(10)
    shuffle = np.random.default_rng(1).permutation(10)
    mixed = Pairs(straight.pairs[shuffle], straight.weights[shuffle])
    assert draw_explanation(a, b, mixed) == draw_explanation(a, b, straight)


def test_self_contained_and_inside_its_frame() -> None:
    a, b = finger(30), finger(30, seed=9)
    svg = draw_explanation(a, b, paired(30), names=("<script>alert(1)</script>&\"'", "x" * 200))
    root = ElementTree.fromstring(svg)
    assert not [e for e in root.iter() if e.tag.removeprefix(SVG) not in
                {"svg", "title", "desc", "style", "rect", "circle", "line", "text"}]  # fmt: skip
    assert not re.search(r"href|url\(|@import|<script|\bon\w+=|xlink|<!", svg)
    assert svg.count("http") == 1
    assert "prefers-color-scheme:dark" in svg
    width, height = (float(v) for v in (root.get("viewBox") or "").split()[2:])
    assert width == WIDTH
    for mark in root.iter(SVG + "circle"):
        assert 3 < float(mark.get("cx") or 0) < width - 3
        assert 3 < float(mark.get("cy") or 0) < height - 3
    assert max(len(t.text or "") for t in root.iter(SVG + "text")) <= 54


@pytest.mark.parametrize("n", [0, 1])
def test_no_pairs_and_no_minutiae(n: int) -> None:
    none = Pairs(np.zeros((0, 2), np.int64), np.zeros(0))
    svg = draw_explanation(finger(n), finger(5), none)
    assert "0 pairs of" in svg
    assert "half of the pairs" not in svg
    assert "nan" not in svg.lower().replace("dominant", "")
    ElementTree.fromstring(svg)


def test_all_on_one_point() -> None:
    t = FingerprintTemplate.from_minutiae([9] * 5, [9] * 5, [0, 1, 2, 3, 4], width_px500=20, height_px500=20)
    svg = draw_explanation(t, t, paired(5))
    assert "nan" not in svg
    assert "inf" not in svg


def test_a_file_name_that_is_no_text() -> None:
    svg = draw_explanation(finger(3), finger(3), paired(3), names=("bad\x07\udcff.iso", "b"))
    assert r"A: bad\x07\udcff.iso" in [t.text for t in elements(svg, "text")]
    svg.encode("utf-8")


@pytest.mark.parametrize("dpi", [500, 1000])
def test_each_minutia_lies_on_its_own_pixel(dpi: int) -> None:
    """The picture is black but for a white dot where the first minutia is; seen through the drawing they are one."""
    a = finger(20)
    k = dpi // 500
    pixels = np.zeros((460 * k, 420 * k), np.uint8)
    x, y = round(float(a.x_px500[0])) * k, round(float(a.y_px500[0])) * k
    pixels[y - k : y + k + 1, x - k : x + k + 1] = 255
    svg = draw_explanation(a, moved(a, 0.3, 4, 7), paired(20), pictures=(Backdrop(pixels, dpi), None))
    images = elements(svg, "image")
    assert len(images) == 2, "B laid on A, and A alone"
    assert not re.search(r"url\(|@import|<script|\bon\w+=|xlink|<!", svg)
    numbered = elements(svg, "g")[-1]
    discs = [(float(c.get("cx") or 0), float(c.get("cy") or 0)) for c in numbered.iter(SVG + "circle")]
    place = {name: float(images[1].get(name) or 0) for name in ("x", "y", "width", "height")}
    shown = decode(b64decode((images[1].get("href") or "").removeprefix("data:image/png;base64,")), None).pixels
    rows, columns = np.nonzero(shown)
    seen_x = place["x"] + (columns.mean() + 0.5) / shown.shape[1] * place["width"]
    seen_y = place["y"] + (rows.mean() + 0.5) / shown.shape[0] * place["height"]
    assert min(np.hypot(cx - seen_x, cy - seen_y) for cx, cy in discs) < 1.5
    dark = draw_explanation(a, a, paired(20), pictures=(None, Backdrop(pixels[:64], dpi)))
    assert not elements(dark, "image"), "no minutia of B lies in that strip"
