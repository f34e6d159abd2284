"""Conversions say what they lose, truly: every loss is found again by a second look at both files."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from bioguard.cli.__main__ import run as main
from bioguard.errors import InputRefused
from bioguard.formats import (
    ImportOptions,
    load,
    load_bytes,
    parse_minutiae,
    write_ansi2009,
    write_iso2005,
    write_iso2011,
)
from bioguard.formats.ansi2009 import Ansi2009Record, Ansi2009View
from bioguard.formats.convert import RECORDS, SUFFIX_TARGETS, TEXTS, Conversion, Target, convert
from bioguard.formats.extended import ExtendedBlock, ExtendedData, LengthRule
from bioguard.formats.iso2011 import Iso2011Record, Iso2011View, QualityBlock
from bioguard.formats.minutiae import Geometry, Minutia, MinutiaeFormat
from bioguard.formats.v20 import Iso2005Record, View20
from bioguard.formats.write import ViewToWrite, encode_record
from bioguard.records import FingerprintTemplate
from bioguard.simulate.people import finger_impressions
from tests.formats.test_envelopes import cbeff

MINUTIAE = tuple(Minutia(1 + i % 2, 20 + i % 6 * 30, 30 + i // 6 * 40, i * 17 % 180, 10 + i) for i in range(24))
IMAGE = Geometry(300, 400, 197, 197)
EXTENDED = ExtendedData.of([ExtendedBlock(1, b"\x00\x01\x02\x03")], LengthRule.WHOLE_BLOCK)


def loss(made: Conversion) -> dict[tuple[str, str], tuple[int, int]]:
    return {(x.kind, x.field): (x.count, x.of) for x in made.losses}


def turned(octets: bytes, target: Target, **options) -> Conversion:
    return convert(load_bytes(octets, "x.fmr", ImportOptions(**options)), target)


@pytest.mark.parametrize(("first", "second"), list(product([*RECORDS, *TEXTS], repeat=2)))
def test_from_every_format_to_every_other(first: Target, second: Target) -> None:
    """There and back through whole degrees: nothing is lost twice, and the finger stays the same."""
    start = load_bytes(write_iso2005(finger_impressions(3, person=1, count=1)[0], position=7), "x.iso")
    one = convert(start, first)
    options = ImportOptions(xyt_m1=first is Target.XYT_M1)
    read = load_bytes(one.octets, "x.xyt" if first in TEXTS else "x.fmr", options)
    two = convert(read, second)
    again = load_bytes(
        two.octets, "x.xyt" if second in TEXTS else "x.fmr", ImportOptions(xyt_m1=second is Target.XYT_M1)
    )
    assert (one.target, two.target, two.views) == (first, second, 1)
    a, b = start.features[0], again.features[0]
    assert isinstance(a, FingerprintTemplate)
    assert isinstance(b, FingerprintTemplate)
    shift = np.stack([b.x_px500 - a.x_px500, b.y_px500 - a.y_px500])
    assert np.ptp(shift, axis=1).max() == 0
    turn = (b.angle_rad.astype(float) - a.angle_rad + np.pi) % (2 * np.pi) - np.pi
    assert np.degrees(np.abs(turn)).max() < 2.0
    if first in RECORDS and second in RECORDS:
        assert set(loss(two)) <= {("rounded", "angle")}
        assert again.positions == (7,)
        assert np.array_equal(a.kind, b.kind)
    assert np.array_equal(np.maximum(a.quality, 1), np.maximum(b.quality, 1))


def test_a_round_trip_of_the_same_units_loses_nothing() -> None:
    octets = write_iso2005(finger_impressions(3, person=1, count=3), position=7)
    made = turned(octets, Target.ISO_2011)
    assert (made.source, made.views, made.losses) == ("iso19794-2:2005", 3, ())
    back = turned(made.octets, Target.ISO_2005)
    assert (back.octets, back.losses) == (octets, ())


def full_2011() -> bytes:
    """A view in which every field says something."""
    view = Iso2011View(
        capture_date=bytes.fromhex("07e6010203040501f4"), technology=3, vendor=0x33, device=9,
        qualities=(QualityBlock(77, 15, 1),), position=13, view_number=4, impression=24, image=IMAGE,
        minutiae=MINUTIAE, ending_type=1, extended=EXTENDED,
    )  # fmt: skip
    return Iso2011Record(certified=False, views=(view,)).to_bytes()


def test_every_field_that_a_target_lacks_is_named() -> None:
    made = turned(full_2011(), Target.ISO_2005)
    assert loss(made) == {
        ("lost", "capture_date"): (1, 1),
        ("lost", "device_technology"): (1, 1),
        ("lost", "device_vendor"): (1, 1),
        ("lost", "device_type"): (1, 1),
        ("lost", "quality_source"): (1, 1),
        ("lost", "finger_position"): (1, 1),
        ("lost", "impression_type"): (1, 1),
        ("lost", "ridge_ending_type"): (1, 1),
        ("lost", "extended_data"): (1, 1),
        ("changed", "view_number"): (1, 1),
    }
    assert parse_minutiae(made.octets).views[0].quality == 77
    same = turned(full_2011(), Target.ANSI_2009_AM1)
    assert ("lost", "finger_position") not in loss(same)
    view = parse_minutiae(same.octets).views[0]
    assert (view.position, view.impression, view.quality) == (13, 24, 77)


@pytest.mark.parametrize(
    ("impression", "target", "kept"),
    [(28, Target.ISO_2005, 0), (20, Target.ISO_2011, 29), (10, Target.ISO_2011, 29), (8, Target.ISO_2005, 8)],
)
def test_an_impression_the_target_lacks_becomes_unknown(impression: int, target: Target, kept: int) -> None:
    view = Ansi2009View(
        position=2, view_number=0, impression=impression, quality=0, quality_vendor=1, quality_algorithm=2,
        image=IMAGE, minutiae=MINUTIAE,
    )  # fmt: skip
    record = Ansi2009Record(
        format=MinutiaeFormat.ANSI_2009, owner=7, product=8, compliance=0x80, scanner=9, views=(view,)
    )
    made = turned(record.to_bytes(), target)
    assert parse_minutiae(made.octets).views[0].impression == kept
    assert (impression != kept) == any(field == "impression_type" for _, field in loss(made))
    assert {("lost", n) for n in ("product_owner", "product_type", "compliance", "scanner_id")} <= set(loss(made))
    ansi = parse_minutiae(turned(record.to_bytes(), Target.ANSI_2004).octets)
    assert (ansi.owner, ansi.product) == (7, 8)


def test_another_resolution_is_a_change_and_rounds_positions() -> None:
    minutiae = tuple(Minutia(1, 2 * m.x + 1, 2 * m.y + 1, m.angle, 0) for m in MINUTIAE)
    view = View20(position=0, view_number=0, impression=0, quality=0, minutiae=minutiae)
    record = Iso2005Record(equipment=0x8005, image=Geometry(600, 800, 394, 394), views=(view,))
    made = turned(record.to_bytes(), Target.ISO_2005)
    assert loss(made) == {
        ("lost", "capture_equipment"): (1, 1),
        ("changed", "image_size"): (1, 1),
        ("changed", "resolution"): (1, 1),
        ("rounded", "position"): (24, 24),
    }
    (position,) = (x for x in made.losses if x.field == "position")
    assert position.largest == pytest.approx(np.hypot(0.5, 0.5), abs=0.01)
    assert position.line() == "rounded: position of 24 of 24 minutiae, by at most 0.71 pixels at 500 dpi"


def test_more_views_than_text_holds() -> None:
    loaded = load_bytes(write_iso2011(finger_impressions(3, person=1, count=2)), "x.fmr")
    with pytest.raises(InputRefused, match="2 views do not fit into one xyt file") as caught:
        convert(loaded, Target.XYT)
    assert caught.value.code == "convert.one_view"
    made = convert(loaded, Target.XYT, view=1)
    assert loss(made)["lost", "view"] == (1, 2)
    assert loss(made)["lost", "minutia_type"][1] == len(loaded.features[1])  # type: ignore[arg-type]
    with pytest.raises(InputRefused, match="there is no view 2, the file has 2"):
        convert(loaded, Target.XYT, view=2)


@pytest.mark.parametrize("target", [Target.NPY, Target.NPZ, Target.CSV])
def test_embeddings_keep_their_numbers(target: Target) -> None:
    rows = np.random.default_rng(4).normal(size=(3, 128)).astype(np.float32)
    text = "\n".join(",".join(map(repr, row.astype(float).tolist())) for row in rows)
    made = convert(load_bytes(text.encode(), "x.csv"), target)
    assert (made.losses, made.views) == ((), 3)
    again = load_bytes(made.octets, f"x.{target.value}").rows
    assert again is not None
    assert np.array_equal(again, rows)
    wide = np.random.default_rng(4).normal(size=(2, 64))
    text = "\n".join(",".join(map(repr, row.tolist())) for row in wide)
    made = convert(load_bytes(text.encode(), "x.csv"), target)
    assert loss(made) == {("rounded", "numbers"): (128, 128)}
    with pytest.raises(InputRefused, match="face embeddings cannot become iso2005"):
        convert(load_bytes(text.encode(), "x.csv"), Target.ISO_2005)


def test_minutiae_do_not_become_embeddings() -> None:
    with pytest.raises(InputRefused, match="minutiae cannot become npy") as caught:
        turned(write_ansi2009(finger_impressions(3, person=1, count=1)[0]), Target.NPY)
    assert caught.value.code == "convert.kind"


# The command.


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit code, standard output and standard error of a command line."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code = main(["convert", *map(str, arguments)])
        said = capsys.readouterr()
        return int(code), said.out, said.err

    return call


@pytest.fixture
def finger(tmp_path: Path) -> Path:
    path = tmp_path / "a.iso"
    path.write_bytes(write_iso2005(finger_impressions(3, person=1, count=2), position=2))
    return path


def test_the_name_of_the_file_says_what_it_is(run: Run, finger: Path, tmp_path: Path) -> None:
    for suffix, targets in SUFFIX_TARGETS.items():
        out = tmp_path / f"out{suffix}"
        code, _, error = run(finger, out, "--view", "1")
        if targets[0] in (*RECORDS, *TEXTS):
            assert (code, len(load(out, ImportOptions(lenient=True)).features)) == (0, 1), error
        else:
            assert (code, out.exists()) == (4, False)
    assert run(finger, tmp_path / "b.xyt", "--to", "iso2005")[0] == 2
    assert run(finger, tmp_path / "b.bin")[0] == 2
    assert run(finger, tmp_path / "b.bin", "--to", "ansi2009")[0] == 0
    assert load(tmp_path / "b.bin").format == "ansi378-2009"


def test_nothing_is_overwritten_and_nothing_is_left_behind(run: Run, finger: Path, tmp_path: Path) -> None:
    before = finger.read_bytes()
    code, _, error = run(finger, finger)
    assert (code, f"bioguard: error[convert.exists]: {finger} is there already" in error) == (4, True)
    assert finger.read_bytes() == before
    for code, arguments in ((4, (finger, tmp_path / "b.xyt")), (4, (tmp_path / "no.iso", tmp_path / "b.fmr"))):
        assert run(*arguments)[0] == code
    assert run(finger, tmp_path / "nowhere" / "b.iso")[0] == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.iso"]


def test_json_lists_losses_and_warnings(run: Run, tmp_path: Path) -> None:
    path, out = tmp_path / "a.fmr", tmp_path / "b.iso"
    path.write_bytes(full_2011() + b"\0")
    code, text, _ = run(path, out, "--lenient", "--json")
    document = json.loads(text)
    assert code == 0
    assert (document["source"], document["target"], document["views"]) == ("iso19794-2:2011", "iso2005", 1)
    assert [w["code"] for w in document["import_warnings"]] == ["header.trailing_bytes", "header.view_numbers"]
    assert {"field": "extended_data", "kind": "lost", "count": 1, "of": 1, "unit": "views", "largest": None,
            "largest_unit": ""} in document["losses"]  # fmt: skip


def test_what_stands_around_a_record_is_lost(run: Run, tmp_path: Path) -> None:
    octets = encode_record(
        MinutiaeFormat.ISO_2005, [ViewToWrite(template=next(iter(finger_impressions(1, person=0, count=1))))]
    )
    wrapped = cbeff(octets, owner=0x0101, kind=1)
    (tmp_path / "a.iso").write_bytes(wrapped + b"\x90\0")
    code, text, _ = run(tmp_path / "a.iso", tmp_path / "b.iso", "--trailing", "keep")
    assert code == 0
    assert text.splitlines()[1:] == [
        "lost: bytes after the record of 1 of 1 files",
        "lost: cbeff header and signature of 1 of 1 files",
    ]
    assert (tmp_path / "b.iso").read_bytes() == octets


def test_columns_that_were_not_read_are_lost() -> None:
    made = convert(load_bytes(b"10 20 200 50 7\n30 40 10 60\n50 60 70 80 E 1\n", "x.xyt"), Target.XYT)
    assert loss(made)["lost", "extra_columns"] == (2, 3)


@pytest.mark.parametrize("scale", [1e300, 1e45, 1.0, 1e-9])
@pytest.mark.parametrize("target", [Target.NPY, Target.NPZ, Target.CSV])
@pytest.mark.filterwarnings("error")
def test_numbers_beyond_float32_keep_their_size(scale: float, target: Target) -> None:
    rows = np.random.default_rng(4).normal(size=(2, 64)) * scale
    text = "\n".join(",".join(map(repr, row.tolist())) for row in rows)
    loaded = load_bytes(text.encode(), "x.csv")
    made = convert(loaded, target)
    again = load_bytes(made.octets, f"x.{target.value}")
    assert again.rows is not None
    assert np.allclose(again.rows.astype(np.float64) / scale, rows / scale, rtol=1e-7)
    assert again.features == loaded.features
    assert [entry.kind for entry in made.losses] == (["rounded"] if scale < 1e30 else [])


def test_minutiae_that_a_template_does_not_hold_are_a_loss() -> None:
    lines = "".join(f"{i % 20 * 9} {i // 20 * 9} {i * 37 % 360} 50\n" for i in range(300))
    made = convert(load_bytes(lines.encode(), "x.xyt"), Target.ISO_2005)
    assert loss(made)["lost", "minutia"] == (45, 300)


def test_names_in_an_archive_reach_no_terminal_as_they_are(run: Run, tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(2, 64))
    np.savez(tmp_path / "f.npz", embeddings=rows, **{"\x1b[31mred": np.arange(2)})
    code, text, _ = run(tmp_path / "f.npz", tmp_path / "f.csv")
    assert (code, "array ??31mred" in text, "\x1b" in text) == (0, True, False)


def test_labels_that_stay_behind_are_named(run: Run, tmp_path: Path) -> None:
    np.savez(tmp_path / "f.npz", embeddings=np.random.default_rng(1).normal(size=(2, 64)), labels=np.arange(2))
    code, text, _ = run(tmp_path / "f.npz", tmp_path / "f.csv")
    assert code == 0
    assert "lost: array labels of 1 of 2 arrays" in text
