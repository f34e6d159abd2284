"""Resolutions that are often wrong, more minutiae than a template holds, and the conventions of xyt."""

import os
from pathlib import Path

import numpy as np
import pytest

from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, load_bytes, write_xyt
from bioguard.formats.minutiae import Geometry, Minutia
from bioguard.formats.v20 import Iso2005Record, View20
from bioguard.records import FingerprintTemplate

CASES = Path(os.environ.get("BIOGUARD_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")).parent / "cases"
LENIENT = ImportOptions(lenient=True)


def refused(octets: bytes, options: ImportOptions | None = None, name: str = "x.fmr") -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        load_bytes(octets, name, options)
    return caught.value


# Resolution.


def finger(count: int = 30, step: int = 22) -> tuple[Minutia, ...]:
    return tuple(Minutia(1, 20 + i % 6 * step, 20 + i // 6 * step, i * 7 % 256, 50) for i in range(count))


def with_resolution(per_cm: int, step: int) -> bytes:
    view = View20(position=0, view_number=0, impression=0, quality=0, minutiae=finger(step=step))
    return Iso2005Record(equipment=0, image=Geometry(300, 400, per_cm, per_cm), views=(view,)).to_bytes()


@pytest.mark.parametrize(
    ("per_cm", "step", "stated", "meant", "likelier"),
    [
        (99, 22, 250, 500, 500),
        (99, 10, 250, 500, 250),
        (500, 22, 1270, 500, 500),
        (1000, 40, 2540, 1000, 1000),
        (20, 22, 51, 500, 500),
    ],
)
def test_a_resolution_that_is_often_wrong_is_explained(
    per_cm: int, step: int, stated: int, meant: int, likelier: int
) -> None:
    warnings = load_bytes(with_resolution(per_cm, step), "x.iso").warnings
    (found,) = (w for w in warnings if w.code == "geometry.suspect_resolution")
    assert f"header has {per_cm} px/cm, which is {stated} dpi" in found.message
    assert found.message.endswith(f"{likelier} is likelier. State it: --dpi {meant}, or --dpi {stated}")
    for dpi in (stated, meant):
        options = ImportOptions(dpi=(dpi, dpi))
        found = load_bytes(with_resolution(per_cm, step), "x.iso", options).warnings
        assert "geometry.suspect_resolution" not in [w.code for w in found]


def test_an_image_too_large_for_a_finger_names_the_option() -> None:
    error = refused(with_resolution(10, 22), name="x.iso")
    message = "the image is 5906 x 7875 pixels at 500 dpi, at most 4095 are read"
    assert (error.code, error.message) == ("input.image_size", message)
    assert error.hint == "if the resolution in the file is wrong, state the true one: --dpi X[,Y]"


# More minutiae than a template holds.


def xyt(rows: list[tuple[int, int, int, int]]) -> bytes:
    return "".join("{} {} {} {}\n".format(*row) for row in rows).encode()


def test_the_best_255_stay_in_file_order() -> None:
    """Quality first, then distance to the center, then file order."""
    rows = [(100 + i % 20 * 10, 100 + i // 20 * 10, 200 + i % 100, 50) for i in range(300)]
    rows[7], rows[299] = (100, 100, 350, 90), (290, 240, 351, 10)
    template, warnings = one_xyt(xyt(rows))
    assert warnings == ["geometry.assumed_500_dpi", "data.too_many_minutiae"]
    assert len(template) == 255
    angles = np.rint(np.degrees(template.angle_rad)).astype(int)
    assert 350 - 180 in angles  # in a corner, but of the best quality
    assert 351 - 180 not in angles
    center = np.mean([row[:2] for row in rows], axis=0)
    distance = [float(np.hypot(*(np.array(row[:2]) - center))) for row in rows]
    order = sorted(range(300), key=lambda i: (-rows[i][3], distance[i], i))[:255]
    kept = [rows[i] for i in sorted(order)]
    assert angles.tolist() == [(row[2] + 180) % 360 for row in kept]
    assert len(one_xyt(xyt(kept))[0]) == 255


def one_xyt(octets: bytes, options: ImportOptions | None = None) -> tuple[FingerprintTemplate, list[str]]:
    result = load_bytes(octets, "x.xyt", options)
    (template,) = result.features
    assert isinstance(template, FingerprintTemplate)
    return template, [w.code for w in result.warnings]


# xyt.


def test_m1_that_nobody_stated() -> None:
    rows = [(20 + i % 5 * 20, 20 + i // 5 * 20, i * 13 % 180, 50) for i in range(20)]
    error = refused(xyt(rows), name="x.xyt")
    assert (error.code, error.message) == (
        "format.xyt_convention",
        "all 20 angles are below 180, as in ANSI/M1 and not in NIST's own convention",
    )
    assert error.hint == "--xyt-m1 reads it as M1, --lenient as NIST's own"
    m1, warnings = one_xyt(xyt(rows), ImportOptions(xyt_m1=True))
    assert warnings == ["geometry.assumed_500_dpi"]
    nist, warnings = one_xyt(xyt(rows), LENIENT)
    assert warnings == ["data.xyt_convention", "geometry.assumed_500_dpi"]
    assert m1 != nist
    assert one_xyt(xyt(rows[:19]))[1] == ["geometry.assumed_500_dpi"]
    assert one_xyt(xyt([*rows, (5, 5, 180, 1)]))[1] == ["geometry.assumed_500_dpi"]


def test_the_m1_case() -> None:
    if not CASES.is_dir():
        pytest.skip("the small inputs are not beside the checkout")
    octets = (CASES / "m1_1.xyt").read_bytes()
    assert refused(octets, name="m1_1.xyt").code == "format.xyt_convention"
    assert len(one_xyt(octets, ImportOptions(xyt_m1=True))[0]) == 56


def test_rows_are_written_as_nist_has_them() -> None:
    template = FingerprintTemplate.from_minutiae([5, 6], [0, 99], [0, 1], width_px500=50, height_px500=100)
    assert write_xyt(template) == b"5 100 180 0\n6 1 237 0\n"
    assert write_xyt(template, m1=True) == b"5 0 0 0\n6 99 29 0\n"


def test_text_has_no_image_that_a_native_size_says_anything_about() -> None:
    error = refused(b"10 20 300 40\n", ImportOptions(native_size_px=(300, 400)), name="x.xyt")
    assert (error.code, error.hint) == ("format.options", "state the true resolution: --dpi X[,Y]")


def test_rows_count_from_the_bottom_as_nist_has_them() -> None:
    """mindtct writes image height - row: 1 is the bottom row, so two rows apart stay two rows apart."""
    template, _ = one_xyt(b"10 1 30 90\n11 400 270 0\n")
    assert (template.y_px500.tolist(), template.height_px500) == ([399, 0], 400)
    template, _ = one_xyt(b"10 0 30 90\n11 400 270 0\n")
    assert (template.y_px500.tolist(), template.height_px500) == ([400, 0], 401)
    assert one_xyt(b"10 0 30 90\n")[0].height_px500 == 1


def test_more_columns_are_left_out_and_said() -> None:
    plain, _ = one_xyt(b"10 20 30 90\n11 200 270 0\n")
    result = load_bytes(b"10 20 30 90 1 2\n11 200 270 0 0\n", "x.xyt")
    assert result.features == (plain,)
    assert result.warnings[0].message == "2 lines have more than four columns, which were not read"
    typed = load_bytes(b"10 20 30 90 E\n11 200 270 0 B\n", "x.xyt")
    assert typed.features == (plain,)
    assert "take ISO/IEC 19794-2 files from it instead" in typed.warnings[0].message
    for line in (b"10 20 30 E\n", b"10 20 30 90 \xff\n", b"10 20 30 90 " + b"1 " * 17 + b"\n"):
        assert refused(line, name="x.xyt").code in ("format.xyt_line", "format.xyt_text")


def test_a_byte_order_mark_before_xyt_text_is_not_read() -> None:
    lines = b"10 20 200 50\r\n30 40 10 60\r\n"
    assert load_bytes(b"\xef\xbb\xbf" + lines, "x.xyt").features == load_bytes(lines, "x.xyt").features
