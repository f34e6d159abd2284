"""Geometry: file pixels to 500 dpi, angles as tangents, warnings instead of guesses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, load_bytes
from bioguard.formats.minutiae import Geometry, Minutia
from bioguard.formats.normalize import to_template
from bioguard.formats.v20 import Iso2005Record, View20
from bioguard.records import FingerprintTemplate


def file(rows: list[tuple[int, int, int]], image: Geometry) -> bytes:
    minutiae = tuple(Minutia(1, x, y, angle, 0) for x, y, angle in rows)
    view = View20(position=0, view_number=0, impression=0, quality=0, minutiae=minutiae)
    return Iso2005Record(equipment=0, image=image, views=(view,)).to_bytes()


def load_one(octets: bytes, **options) -> tuple[FingerprintTemplate, list[str]]:
    result = load_bytes(octets, "x.iso", ImportOptions(**options))
    (template,) = result.features
    assert isinstance(template, FingerprintTemplate)
    return template, [w.code for w in result.warnings]


@pytest.mark.parametrize(
    ("per_cm", "dpi"), [(197, 500), (196, 500), (394, 1000), (393, 1000), (98, 250), (99, 250), (200, 508), (100, 254)]
)
def test_resolution_scales_positions_and_image(per_cm: int, dpi: float) -> None:
    template, warnings = load_one(file([(100, 40, 32)], Geometry(300, 400, per_cm, per_cm)))
    assert warnings == (["geometry.suspect_resolution"] if per_cm == 99 else [])
    assert template.x_px500[0] == pytest.approx(100 * 500 / dpi, abs=1 / 32)
    assert template.y_px500[0] == pytest.approx(40 * 500 / dpi, abs=1 / 32)
    assert template.angle_rad[0] == pytest.approx(np.pi / 4, abs=1e-4)
    assert template.width_px500 == int(np.ceil(300 * 500 / dpi - 1e-9))


def test_anisotropic_angle_is_a_tangent() -> None:
    """45 degrees in an image with twice the vertical resolution is atan(1/2) in the world."""
    template, warnings = load_one(
        file([(100, 100, a) for a in (32, 96, 160, 224, 0, 64)], Geometry(300, 400, 197, 394))
    )
    assert warnings == ["geometry.anisotropic"]
    flat = np.arctan(0.5)
    expected = [flat, np.pi - flat, np.pi + flat, 2 * np.pi - flat, 0, np.pi / 2]
    assert np.allclose(template.angle_rad, expected, atol=1e-4)
    assert template.y_px500[0] == 50
    assert template.height_px500 == 200


@given(
    st.floats(0, 2 * np.pi, exclude_max=True),
    st.floats(150, 1200),
    st.floats(150, 1200),
)
def test_a_short_ridge_keeps_its_direction(angle: float, dpi_x: float, dpi_y: float) -> None:
    """Two points on a ridge, scaled as positions, span the angle that the minutia gets."""
    options = ImportOptions(dpi=(dpi_x, dpi_y))
    x, y = np.array([500.0, 500 + 100 * np.cos(angle)]), np.array([500.0, 500 - 100 * np.sin(angle)])
    two = np.zeros(2, np.int64)
    template, _ = to_template(x, y, np.full(2, angle), two, two, Geometry(1100, 1100, 0, 0), options)
    dx, dy = np.diff(template.x_px500)[0], np.diff(template.y_px500)[0]
    spanned = np.arctan2(-dy, dx)
    assert np.cos(spanned - template.angle_rad[0]) > 1 - 5e-4


def test_undoing_a_resize_that_ignored_the_aspect_ratio() -> None:
    """An image of 640 x 480 at 500 dpi squeezed to 300 x 400: x grows by 640/300, y by 480/400."""
    squeezed = file([(150, 200, 32), (299, 399, 0)], Geometry(300, 400, 197, 197))
    template, warnings = load_one(squeezed, native_size_px=(640, 480))
    assert warnings == []
    assert np.allclose(template.x_px500, [320, 299 * 640 / 300], atol=1 / 16)
    assert np.allclose(template.y_px500, [240, 399 * 1.2], atol=1 / 16)
    assert template.angle_rad[0] == pytest.approx(np.arctan2(1.2, 640 / 300), abs=1e-4)
    assert (template.width_px500, template.height_px500) == (640, 480)
    half, _ = load_one(squeezed, native_size_px=(640, 480), native_dpi=1000)
    assert half.width_px500 == 320


def test_resolution_zero_needs_the_caller() -> None:
    octets = file([(100, 40, 32)], Geometry(300, 400, 197, 0))
    with pytest.raises(InputRefused, match="header has resolution 0") as caught:
        load_one(octets)
    assert caught.value.code == "format.resolution_zero"
    assert caught.value.hint == "state the true resolution: --dpi X[,Y]"
    template, warnings = load_one(octets, dpi=(1000, 500))
    assert (template.x_px500[0], template.y_px500[0], warnings) == (50, 40, [])


def test_beyond_the_image_enlarges_it() -> None:
    octets = file([(100, 40, 0), (310, 40, 0), (20, 405, 0)], Geometry(300, 400, 197, 197))
    assert load_one(file([(299, 399, 0)], Geometry(300, 400, 197, 197)))[1] == []
    assert load_one(file([(300, 0, 0)], Geometry(300, 400, 197, 197)))[1] == ["geometry.beyond_image"]
    assert load_one(file([(0, 400, 0)], Geometry(300, 400, 197, 197)))[1] == ["geometry.beyond_image"]
    result = load_bytes(octets, "x.iso")
    (template,) = result.features
    assert [w.message for w in result.warnings] == [
        "2 minutiae lie beyond the image of 300 x 400 px; the image was enlarged"
    ]
    assert isinstance(template, FingerprintTemplate)
    assert (template.width_px500, template.height_px500) == (311, 406)


def grid(step: int) -> list[tuple[int, int, int]]:
    return [(20 + step * i, 20 + step * j, 0) for i in range(4) for j in range(4)]


@pytest.mark.parametrize(
    ("step", "per_cm", "codes"),
    [
        (20, 197, []),
        (20, 98, []),
        (20, 787, ["geometry.implausible_spacing"]),
        (60, 197, ["geometry.implausible_spacing"]),
        (20, 5000, ["geometry.odd_resolution", "geometry.implausible_spacing"]),
        (20, 97, ["geometry.odd_resolution"]),
    ],
)
def test_spacing_that_no_finger_has(step: int, per_cm: int, codes: list[str]) -> None:
    assert load_one(file(grid(step), Geometry(300, 400, per_cm, per_cm)))[1] == codes


def test_extent_that_no_finger_has() -> None:
    rows = [(30 * i, 30 * i % 500, 0) for i in range(50)]
    assert load_one(file(rows, Geometry(1500, 500, 197, 197)))[1] == ["geometry.implausible_extent"]


def test_quality_codes() -> None:
    from bioguard.formats import parse_minutiae, write_ansi2009
    from bioguard.formats.ansi2009 import Ansi2009Record

    template = FingerprintTemplate.from_minutiae(
        [1, 2, 3], [1, 2, 3], [0, 0, 0], quality=[0, 50, 100], width_px500=9, height_px500=9
    )
    record = parse_minutiae(write_ansi2009(template))
    assert isinstance(record, Ansi2009Record)
    assert [m.quality for m in record.views[0].minutiae] == [254, 50, 100]
    octets = bytearray(record.to_bytes())
    octets[21 + 17 + 5], octets[21 + 17 + 11] = 0, 255
    (again,) = load_bytes(bytes(octets), "x.fmr").features
    assert isinstance(again, FingerprintTemplate)
    assert again.quality.tolist() == [1, 0, 100]


@pytest.mark.parametrize("options", [{"dpi": (0, 500)}, {"dpi": (float("nan"), 500)}, {"native_size_px": (10**6, 1)}])
def test_options_are_checked(options) -> None:
    with pytest.raises(InputRefused, match="import option out of range") as caught:
        ImportOptions(**options)
    assert caught.value.code == "format.options"
    with pytest.raises(InputRefused, match="dpi and native_size_px exclude each other"):
        ImportOptions(dpi=(500, 500), native_size_px=(10, 10))


def test_views_are_named_in_warnings() -> None:
    view = View20(position=1, view_number=0, impression=0, quality=0, minutiae=())
    other = View20(position=2, view_number=3, impression=0, quality=0, minutiae=(Minutia(0, 1, 1, 1, 1),))
    record = Iso2005Record(equipment=0, image=Geometry(10, 10, 197, 197), views=(view, other))
    assert [(w.code, w.message) for w in load_bytes(record.to_bytes(), "x.iso").warnings] == [
        ("header.view_numbers", "views of finger position 2 are not numbered 0, 1, 2, ..."),
        ("data.no_minutiae", "view 0: there are no minutiae"),
    ]
