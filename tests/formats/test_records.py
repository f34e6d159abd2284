"""Properties of the binary records: any record writes and reads back, any byte change is seen or changes the record."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioguard.errors import InputRefused
from bioguard.formats import (
    load_bytes,
    parse_minutiae,
    write_ansi2004,
    write_ansi2009,
    write_iso2005,
    write_iso2011,
    write_xyt,
)
from bioguard.formats.ansi2009 import AM1_POSITIONS, Ansi2009Record, Ansi2009View
from bioguard.formats.ansi2009 import IMPRESSIONS as ANSI2009_IMPRESSIONS
from bioguard.formats.extended import NO_EXTENDED_DATA, ExtendedBlock, ExtendedData, LengthRule
from bioguard.formats.iso2011 import IMPRESSIONS as ISO2011_IMPRESSIONS
from bioguard.formats.iso2011 import NO_DATE, Certification, Iso2011Record, Iso2011View, QualityBlock
from bioguard.formats.minutiae import Geometry, Minutia, MinutiaeFormat, MinutiaeRecord
from bioguard.formats.v20 import Ansi2004Record, Iso2005Record, View20
from bioguard.records import FingerprintTemplate

U16 = st.integers(0, 0xFFFF)
SIZE = st.integers(1, 0xFFFF)
LISTS = st.lists(st.builds(ExtendedBlock, st.integers(1, 0xFFFF), st.binary(max_size=20)), max_size=3)


def blocks(rule: LengthRule) -> st.SearchStrategy[ExtendedData]:
    return LISTS.map(lambda found: ExtendedData.of(found, rule) if found else NO_EXTENDED_DATA)


PERCENT = st.integers(0, 100)
CODED = PERCENT | st.sampled_from([254, 255])
IMAGE = st.builds(Geometry, SIZE, SIZE, U16, U16)


def minutiae(angles: int, quality: st.SearchStrategy[int], least: int = 0) -> st.SearchStrategy[tuple[Minutia, ...]]:
    c14 = st.integers(0, 0x3FFF)
    one = st.builds(Minutia, st.integers(0, 2), c14, c14, st.integers(0, angles - 1), quality)
    return st.lists(one, min_size=least, max_size=12).map(tuple)


def views20(angles: int, rule: LengthRule) -> st.SearchStrategy[tuple[View20, ...]]:
    one = st.builds(
        View20,
        position=st.integers(0, 10),
        view_number=st.integers(0, 15),
        impression=st.integers(0, 9),
        quality=PERCENT,
        minutiae=minutiae(angles, PERCENT),
        extended=blocks(rule),
    )
    return several(one)


def several(one: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(one, min_size=1, max_size=3, unique_by=lambda v: (v.position, v.view_number)).map(tuple)


ISO2005 = st.builds(Iso2005Record, equipment=U16, image=IMAGE, views=views20(256, LengthRule.DATA_ONLY))
ANSI2004 = st.builds(
    Ansi2004Record, owner=U16, product=U16, equipment=U16, image=IMAGE, views=views20(180, LengthRule.WHOLE_BLOCK)
)


def ansi2009(target: MinutiaeFormat, positions: list[int]) -> st.SearchStrategy[Ansi2009Record]:
    one = st.builds(
        Ansi2009View,
        position=st.sampled_from(positions),
        view_number=st.integers(0, 15),
        impression=st.sampled_from(sorted(ANSI2009_IMPRESSIONS)),
        quality=CODED,
        quality_vendor=U16,
        quality_algorithm=U16,
        image=IMAGE,
        minutiae=minutiae(180, CODED),
        extended=blocks(LengthRule.WHOLE_BLOCK),
    )
    compliance = st.sampled_from([0, 0x80])
    return st.builds(
        Ansi2009Record,
        format=st.just(target),
        owner=U16,
        product=U16,
        compliance=compliance,
        scanner=U16,
        views=several(one),
    )


ANSI2009 = ansi2009(MinutiaeFormat.ANSI_2009, list(range(11))) | ansi2009(
    MinutiaeFormat.ANSI_2009_AM1, sorted(AM1_POSITIONS)
)


@st.composite
def iso2011(draw: st.DrawFn) -> Iso2011Record:
    certified = draw(st.booleans())
    size = draw(st.sampled_from([5, 6]))
    certifications = st.lists(st.builds(Certification, U16, st.integers(0, 255)), max_size=2).map(tuple)
    dates = st.datetimes().map(
        lambda d: struct.pack(">HBBBBBH", d.year, d.month, d.day, d.hour, d.minute, d.second, d.microsecond // 1000)
    )
    one = st.builds(
        Iso2011View,
        capture_date=dates | st.just(NO_DATE) | dates.map(lambda d: d[:4] + NO_DATE[4:]),
        technology=st.integers(0, 20),
        vendor=U16,
        device=U16,
        qualities=st.lists(st.builds(QualityBlock, PERCENT | st.just(255), U16, U16), max_size=2).map(tuple),
        certifications=certifications if certified else st.none(),
        position=st.sampled_from(sorted(AM1_POSITIONS)),
        view_number=st.integers(0, 15),
        impression=st.sampled_from(sorted(ISO2011_IMPRESSIONS)),
        image=st.builds(Geometry, st.integers(1, 0x3FFF), st.integers(1, 0x3FFF), U16, U16),
        minutia_size=st.just(size),
        ending_type=st.integers(0, 1),
        minutiae=minutiae(256, st.just(254) if size == 5 else CODED, least=1),
        extended=blocks(LengthRule.WHOLE_BLOCK),
    )
    return Iso2011Record(certified=certified, views=draw(several(one)))


ANY = ISO2005 | ANSI2004 | ANSI2009 | iso2011()


@given(ANY)
@settings(max_examples=200)
def test_any_record_reads_back(record: MinutiaeRecord) -> None:
    octets = record.to_bytes()
    assert parse_minutiae(octets) == record
    assert parse_minutiae(octets).format is record.format


@given(ANY, st.data())
@settings(max_examples=200)
def test_a_changed_byte_is_refused_or_kept(record: MinutiaeRecord, data: st.DataObject) -> None:
    octets = bytearray(record.to_bytes())
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] ^= data.draw(st.integers(1, 255))
    try:
        changed = parse_minutiae(bytes(octets))
    except InputRefused as error:
        assert error.code.startswith("format.")
    else:
        assert changed != record
        assert changed.to_bytes() == bytes(octets)


@st.composite
def templates(draw: st.DrawFn, least: int = 0) -> FingerprintTemplate:
    width, height = draw(st.integers(1, 4095)), draw(st.integers(1, 4095))
    n = draw(st.integers(least, 20))
    unit = st.floats(0, 1, width=32)
    column = st.lists(unit, min_size=n, max_size=n).map(np.array)
    return FingerprintTemplate.from_minutiae(
        draw(column) * width,
        draw(column) * height,
        draw(column) * 2 * np.pi,
        kind=draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)),
        quality=draw(st.lists(st.integers(0, 100), min_size=n, max_size=n)),
        width_px500=width,
        height_px500=height,
    )


def angle_error(a: FingerprintTemplate, b: FingerprintTemplate) -> float:
    difference = (a.angle_rad.astype(float) - b.angle_rad.astype(float) + np.pi) % (2 * np.pi) - np.pi
    return float(np.abs(difference).max(initial=0.0))


@pytest.mark.parametrize(
    ("write", "step_deg"),
    [(write_iso2005, 360 / 256), (write_iso2011, 360 / 256), (write_ansi2004, 2), (write_ansi2009, 2)],
)
@given(template=templates(least=1))
@settings(max_examples=40)
def test_writers_round_to_the_grid_and_no_further(write, step_deg: float, template: FingerprintTemplate) -> None:
    (again,) = load_bytes(write(template), "x.fmr").features
    assert isinstance(again, FingerprintTemplate)
    assert (again.width_px500, again.height_px500) == (template.width_px500, template.height_px500)
    for new, old in ((again.x_px500, template.x_px500), (again.y_px500, template.y_px500)):
        assert np.abs(new - old).max() <= 1.0
        inside = (old <= template.width_px500 - 1) & (old <= template.height_px500 - 1)
        assert np.abs(new - old)[inside].max(initial=0.0) <= 0.5
    assert angle_error(again, template) <= np.radians(step_deg) / 2 + 1e-4
    assert np.array_equal(again.kind, template.kind)
    assert np.array_equal(again.quality, template.quality)
    assert write(again) == write(template)


@pytest.mark.parametrize("write", [write_iso2005, write_iso2011, write_ansi2004, write_ansi2009])
def test_several_views(write) -> None:
    one = FingerprintTemplate.from_minutiae([5], [6], [1], width_px500=300, height_px500=400)
    two = FingerprintTemplate.from_minutiae([7, 8], [9, 10], [0, 2], width_px500=300, height_px500=400)
    record = parse_minutiae(write([one, two], position=7))
    assert [(v.position, v.view_number, len(v.minutiae)) for v in record.views] == [(7, 0, 1), (7, 1, 2)]
    features = load_bytes(write([one, two]), "x.fmr").features
    assert [len(f) for f in features] == [1, 2]
    with pytest.raises(InputRefused, match="17 views of one finger") as caught:
        write([one] * 17)
    assert caught.value.code == "format.too_many_views"
    with pytest.raises(InputRefused, match="no template to write"):
        write([])
    with pytest.raises(InputRefused, match="finger position 12 is not a value of this format"):
        write(one, position=12)


@given(template=templates(least=1), m1=st.booleans())
@settings(max_examples=60)
def test_xyt_keeps_positions_and_angles(template: FingerprintTemplate, m1: bool) -> None:
    from bioguard.formats import ImportOptions

    octets = write_xyt(template, m1=m1)
    (again,) = load_bytes(octets, "x.xyt", ImportOptions(xyt_m1=m1)).features
    assert isinstance(again, FingerprintTemplate)
    assert angle_error(again, template) <= np.radians(1.0 if m1 else 0.5) + 1e-4
    for new, old in ((again.x_px500, template.x_px500), (again.y_px500, template.y_px500)):
        moved = new - old
        assert np.ptp(moved) <= 1.5 + 1e-3
    assert np.array_equal(again.quality, np.where(template.quality == 0, 1, template.quality))


def test_a_template_without_minutiae_has_no_xyt_and_no_2011_form() -> None:
    empty = FingerprintTemplate.from_minutiae([], [], [], width_px500=10, height_px500=10)
    with pytest.raises(InputRefused, match="xyt cannot say that there are no minutiae"):
        write_xyt(empty)
    with pytest.raises(InputRefused, match="minutiae count 0"):
        write_iso2011(empty)
    assert load_bytes(write_iso2005(empty), "x.iso").features == (empty,)


def test_a_large_iso_record_is_not_taken_for_incits() -> None:
    """From 1.7 MB on, the first two bytes of the ISO length look like the 2-byte length of INCITS 378-2004."""
    block = ExtendedData.of([ExtendedBlock(0x105, bytes(65_000))], LengthRule.DATA_ONLY)
    one = Minutia(1, 5, 5, 200, 1)
    views = tuple(
        View20(position=i // 16, view_number=i % 16, impression=0, quality=0, minutiae=(one,), extended=block)
        for i in range(30)
    )
    record = Iso2005Record(equipment=0, image=Geometry(9, 9, 197, 197), views=views)
    octets = record.to_bytes()
    assert int.from_bytes(octets[8:10], "big") >= 26
    assert parse_minutiae(octets) == record


def test_xyt_by_hand() -> None:
    """Origin bottom left, direction opposite to ISO; M1 has neither."""
    from bioguard.formats import ImportOptions

    (nist,) = load_bytes(b"10 20 30 90\n11 200 270 0\n", "x.xyt").features
    (m1,) = load_bytes(b"10 20 30 90\n11 200 135 0\n", "x.xyt", ImportOptions(xyt_m1=True)).features
    assert isinstance(nist, FingerprintTemplate)
    assert isinstance(m1, FingerprintTemplate)
    assert (nist.x_px500.tolist(), nist.y_px500.tolist()) == ([10, 11], [180, 0])
    assert np.degrees(nist.angle_rad).tolist() == pytest.approx([210, 90], abs=0.01)
    assert (nist.width_px500, nist.height_px500) == (12, 200)
    assert (m1.y_px500.tolist(), nist.quality.tolist()) == ([20, 200], [90, 1])
    assert np.degrees(m1.angle_rad).tolist() == pytest.approx([60, 270], abs=0.01)
    with pytest.raises(InputRefused, match="theta above 179 in an xyt file said to be M1"):
        load_bytes(b"10 20 180 90\n", "x.xyt", ImportOptions(xyt_m1=True))
