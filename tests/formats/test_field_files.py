"""What writers of the field get wrong: refused by default for the true reason, read by the option that the hint names.

Every record is one of the well-formed ones below with one thing changed, so the right reading is known: that of the
record before the change.
"""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, Trailing, fmr, load_bytes, parse_minutiae
from bioguard.formats.cursor import Cursor
from bioguard.formats.deviations import Deviation
from bioguard.formats.extended import NO_EXTENDED_DATA, ExtendedBlock, ExtendedData, LengthRule
from bioguard.formats.minutiae import Geometry, Minutia
from bioguard.formats.v20 import Iso2005Record, View20
from bioguard.records import FingerprintTemplate

CASES = Path(os.environ.get("BIOGUARD_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")).parent / "cases"
LENIENT = ImportOptions(lenient=True)
KEEP = ImportOptions(trailing=Trailing.KEEP)

ISO_2005 = bytes.fromhex(
    "464d5200 20323000 0000002a 0000 0190 01f4 00c5 00c5 01 00  02 00 50 02"
    "4064 00c8 40 50  8096 0104 80 46  0000"
)  # fmt: skip
ANSI_2004 = bytes.fromhex(
    "464d5200 20323000 002c 0042 0001 0000 0190 01f4 00c5 00c5 01 00  02 00 50 02"
    "4064 00c8 2d 50  8096 0104 5a 46  0000"
)  # fmt: skip
ANSI_2009 = bytes.fromhex(
    "464d5200 30333000 00000034 0000 0000 00 0000 01 00  00 00 00 fe 0000 0000 0190 01f4 00c5 00c5 02"
    "4064 00c8 1d 50  8096 0104 39 46  0000"
)  # fmt: skip
ISO_2011 = bytes.fromhex(
    "464d5200 30333000 0000003d 0001 00  0000002e ffffffffffffffffff 00 0000 0000 00 02 00 00c5 00c5 00 0190 01f4"
    "60 02  4064 00c8 40 50  8096 0104 80 46  0000"
)  # fmt: skip


def put(octets: bytes, at: int, new: str) -> bytes:
    value = bytes.fromhex(new)
    return octets[:at] + value + octets[at + len(value) :]


def grown(octets: bytes, more: str, at: int = 8, size: int = 4) -> bytes:
    """Bytes appended and counted by the total length."""
    longer = octets + bytes.fromhex(more)
    return longer[:at] + len(longer).to_bytes(size, "big") + longer[at + size :]


LONG_2004 = ANSI_2004[:8] + bytes.fromhex("0000 00000030") + ANSI_2004[10:]
FOLLOW = "format.length_mismatch"
KINDS = {
    # name: (file, the record it is a variant of, strict code, its message, warning code of the lenient reading)
    "2005: version 020": (put(ISO_2005, 4, "30323000"), ISO_2005, "format.bad_version",
                          "version '020' instead of ' 20' at byte 4", "header.version"),
    "2004: version 020": (put(ANSI_2004, 4, "30323000"), ANSI_2004, "format.bad_version",
                          "version '020' instead of ' 20' at byte 4", "header.version"),
    "2005: one short": (put(ISO_2005, 8, "00000029"), ISO_2005, FOLLOW,
                        "header declares 41 bytes, file has 42: field at byte 8", "header.total_length"),
    "2005: one over": (put(ISO_2005, 8, "0000002b"), ISO_2005, "format.truncated",
                       "header declares 43 bytes, file has 42: field at byte 8", "header.total_length"),
    "2005: without header": (put(ISO_2005, 8, "00000012"), ISO_2005, FOLLOW,
                             "header declares 18 bytes, file has 42: field at byte 8", "header.total_length"),
    "2005: no length": (put(ISO_2005, 8, "00000000"), ISO_2005, FOLLOW,
                        "header declares 0 bytes, file has 42: field at byte 8", "header.total_length"),
    "2004: two short": (put(ANSI_2004, 8, "002a"), ANSI_2004, FOLLOW,
                        "header declares 42 bytes, file has 44: field at byte 8", "header.total_length"),
    "2004: one over": (put(ANSI_2004, 8, "002d"), ANSI_2004, "format.truncated",
                       "header declares 45 bytes, file has 44: field at byte 8", "header.total_length"),
    "2009: one short": (put(ANSI_2009, 8, "00000033"), ANSI_2009, FOLLOW,
                        "header declares 51 bytes, file has 52: field at byte 8", "header.total_length"),
    "2011: one over": (put(ISO_2011, 8, "0000003e"), ISO_2011, "format.truncated",
                       "header declares 62 bytes, file has 61: field at byte 8", "header.total_length"),
    "2004: long form": (LONG_2004, ANSI_2004, "format.field_range",
                        "long total length 48 is not a value of this format at byte 10", "header.long_length"),
    "2011: date of zeros": (put(ISO_2011, 19, "000000000000000000"), ISO_2011, "format.capture_date",
                            "capture date has year 0, starting at byte 19", "header.capture_date"),
    "2011: 30 February is no calendar matter, month 13 is": (
        put(ISO_2011, 19, "07e40d1e"), ISO_2011, "format.capture_date",
        "capture date has month 13, starting at byte 19", "header.capture_date"),
    "2005: view quality 255": (put(ISO_2005, 26, "ff"), ISO_2005, "format.field_range",
                               "view quality 255 is not a value of this format at byte 26", "header.quality"),
    "2005: impression 10": (put(ISO_2005, 25, "0a"), ISO_2005, "format.field_range",
                            "impression type 10 is not a value of this format at byte 25", "header.impression"),
    "2005: position 13": (put(ISO_2005, 24, "0d"), ISO_2005, "format.field_range",
                          "finger position 13 is not a value of this format at byte 24", "header.position"),
    "2005: reserved byte": (put(ISO_2005, 23, "07"), ISO_2005, "format.reserved_bits",
                            "reserved byte 7 is not a value of this format at byte 23", "header.reserved_bits"),
    "2009: compliance": (put(ANSI_2009, 16, "11"), ANSI_2009, "format.reserved_bits",
                         "compliance 17 is not a value of this format at byte 16", "header.reserved_bits"),
    "2009: slap": (put(ANSI_2009, 21, "0d"), ANSI_2009, "format.field_range",
                   "finger position 13 is not a value of this format at byte 21", "header.position"),
    "2011: technology 200": (put(ISO_2011, 28, "c8"), ISO_2011, "format.field_range",
                             "device technology 200 is not a value of this format at byte 28", "header.device"),
    "2011: ending type 7": (put(ISO_2011, 45, "67"), ISO_2011, "format.field_range",
                            "ridge ending type 7 is not a value of this format at byte 45", "header.ending_type"),
    "2011: extended data in the other rule": (
        put(grown(ISO_2011[:-2], "000a 0221 0006 0144bc362143"), 15, "00000038"), ISO_2011, "format.extended_overrun",
        "lengths of extended data blocks do not count their own 4 bytes at byte 61", "header.extended_length"),
    "2005: extended data in no rule": (
        grown(ISO_2005[:-2], "0006 0221 00ff 0144"), ISO_2005, "format.extended_overrun",
        "extended data block lengths do not add up at byte 42", "header.extended_data"),
    "2005: extended data of zeros": (
        grown(ISO_2005[:-2], "0004 00000000"), ISO_2005, "format.extended_type",
        "extended data block type 0 is reserved, found at byte 42", "header.extended_data"),
}  # fmt: skip
FROM_CASES = {
    "padded_iso2005.iso": ISO_2005 + bytes(8),
    "ext_len_without_header_iso2005.iso": grown(ISO_2005[:-2], "000a 0221 0006 0144bc362143"),
    "long_length_small_ansi2004.iso": LONG_2004,
    "ansi2009_total_off_by_one.iso": put(ANSI_2009, 8, "00000033"),
    "date_zero_iso2011.iso": put(ISO_2011, 19, "00" * 9),
    "res0_iso2005.iso": put(ISO_2005, 18, "00000000"),
    "position7_iso2005.iso": put(ISO_2005, 24, "07"),
}


def one(octets: bytes, options: ImportOptions | None = None) -> tuple[FingerprintTemplate, list[str]]:
    result = load_bytes(octets, "x.fmr", options)
    (template,) = result.features
    assert isinstance(template, FingerprintTemplate)
    return template, [w.code for w in result.warnings]


def refused(octets: bytes, options: ImportOptions | None = None, name: str = "x.fmr") -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        load_bytes(octets, name, options)
    return caught.value


@pytest.mark.parametrize("base", [ISO_2005, ANSI_2004, ANSI_2009, ISO_2011])
def test_the_records_are_well_formed(base: bytes) -> None:
    template, warnings = one(base)
    assert warnings == []
    assert (template.x_px500.tolist(), template.y_px500.tolist()) == ([100, 150], [200, 260])


@pytest.mark.parametrize("name", KINDS)
def test_strict_says_why_and_lenient_reads_the_same_minutiae(name: str) -> None:
    octets, base, code, message, warning = KINDS[name]
    error = refused(octets)
    assert (error.code, error.message) == (code, message)
    assert error.hint == "the rest is well-formed: --lenient reads it and warns"
    template, warnings = one(octets, LENIENT)
    assert (template, warnings) == (one(base)[0], [warning])
    assert parse_minutiae(octets, LENIENT).to_bytes() == octets


@pytest.mark.parametrize("name", FROM_CASES)
def test_the_small_inputs_are_these(name: str) -> None:
    if not CASES.is_dir():
        pytest.skip("the small inputs are not beside the checkout")
    assert (CASES / name).read_bytes() == FROM_CASES[name]


@pytest.mark.parametrize("base", [ISO_2005, ANSI_2004, ANSI_2009, ISO_2011])
@pytest.mark.parametrize(
    ("rest", "what"),
    [
        (bytes(1), "1 bytes (all zero)"),
        (bytes(114), "114 bytes (all zero)"),
        (b"\0\0secret", "8 bytes (not all zero, perhaps memory of the program that wrote the file)"),
    ],
)
def test_bytes_after_a_record_are_counted_and_named(base: bytes, rest: bytes, what: str) -> None:
    error = refused(base + rest)
    message = f"{what} follow the record of {len(base)} bytes"
    assert (error.code, error.message) == ("format.length_mismatch", message)
    assert error.hint == "the rest is well-formed: --trailing keep reads it and warns"
    for options in (KEEP, LENIENT):
        result = load_bytes(base + rest, "x.fmr", options)
        assert result.features == load_bytes(base, "x.fmr").features
        assert [(w.code, w.message) for w in result.warnings] == [
            ("header.trailing_bytes", f"{message}: they were left out")
        ]
    assert refused(base + rest, ImportOptions(lenient=True, trailing=Trailing.REFUSE)).message == message
    assert parse_minutiae(base + rest, KEEP).to_bytes() == base


def test_padding_that_the_header_counts() -> None:
    padded = grown(ISO_2005, "00" * 86)
    assert refused(padded).message == "86 bytes (all zero) follow the record of 42 bytes, counted by its header"
    assert one(padded, KEEP) == (one(ISO_2005)[0], ["header.trailing_bytes"])


def test_a_length_beyond_explanation_is_not_read_with_a_rest() -> None:
    """Bytes after the record, and a total that is far from both ends: this may be no such record at all."""
    for total, near in (("00000400", False), ("00000000", True), ("00000069", True)):
        octets = put(ISO_2005 + bytes(5), 8, total)
        if near:
            assert one(octets, LENIENT)[1] == ["header.total_length", "header.trailing_bytes"]
        else:
            assert refused(octets, LENIENT).message == "header declares 1024 bytes, its views end at byte 42"


def test_of_two_readings_the_one_with_fewer_deviations_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd(Iso2005Record):
        __slots__ = ()

        @classmethod
        def read(cls, cursor: Cursor) -> Iso2005Record:
            cursor.deviations.add(Deviation("field_range", "header.odd", "odd", "odd"))
            return Iso2005Record.read(cursor)

    for order in ((Odd, Iso2005Record), (Iso2005Record, Odd)):
        monkeypatch.setitem(fmr.CANDIDATES, b" 20\0", lambda _, order=order: order)
        assert one(ISO_2005)[1] == []
        assert [w for w in one(put(ISO_2005, 26, "ff"), LENIENT)[1] if w == "header.odd"] == []


def test_a_view_that_the_header_does_not_count_is_never_dropped() -> None:
    """Bytes that the total counts and no view has may be a view: no option reads the rest without it."""
    two = grown(ISO_2005, ISO_2005[24:].hex())
    for options in (None, LENIENT, KEEP):
        error = refused(two, options)
        assert (error.code, error.message) == (
            "format.length_mismatch",
            "header declares 60 bytes, its views end at byte 42",
        )
        assert "--" not in error.hint


def test_two_options_are_named_where_two_are_needed() -> None:
    octets = put(ISO_2005, 26, "ff") + bytes(3)
    assert refused(octets).hint == "the rest is well-formed: --lenient reads it and warns"
    assert refused(octets, KEEP).hint == "the rest is well-formed: --lenient reads it and warns"
    strict = ImportOptions(trailing=Trailing.REFUSE)
    assert refused(octets, strict).hint == "the rest is well-formed: --trailing keep and --lenient reads it and warns"
    template, warnings = one(octets, LENIENT)
    assert template == one(ISO_2005)[0]
    assert sorted(warnings) == ["header.quality", "header.trailing_bytes"]


def test_a_cut_file_is_not_promised_to_anybody() -> None:
    for base in (ISO_2005, ANSI_2004, ANSI_2009, ISO_2011):
        for size in range(12, len(base)):
            error = refused(base[:size], LENIENT)
            assert (error.code, "--" in error.hint) == ("format.truncated", False), (base[4:8], size)


def test_qualities_of_another_scale_mean_nothing() -> None:
    """254 and 255 have a meaning in later editions; 101 to 253 say that the writer counts to 255, so 40 is not 40."""
    both = put(ISO_2005, 33, "ff")
    template, warnings = one(both, LENIENT)
    assert (template.quality.tolist(), warnings) == ([0, 70], ["data.quality"])
    template, _ = one(put(ISO_2005, 33, "c8"), LENIENT)
    assert template.quality.tolist() == [0, 0]
    assert refused(put(ISO_2005, 33, "c8")).message == "minutia quality 200 is not a value of this format at byte 33"
    result = load_bytes(put(both, 39, "ff"), "x.fmr", LENIENT)
    assert [w.message for w in result.warnings] == [
        "minutia quality 255 is not a value of this format at byte 33 (2 times): read as not reported"
    ]


def test_the_quality_case() -> None:
    octets = bytes.fromhex(
        "464d520020323000 00000024 0000 0190 01f4 00c5 00c5 01 00  02 00 50 01  4064 00c8 40 ff  0000"
    )
    if CASES.is_dir():
        assert (CASES / "quality255_iso2005.iso").read_bytes() == octets
    error = refused(octets)
    assert (error.code, "--lenient" in error.hint) == ("format.field_range", True)
    template, warnings = one(octets, LENIENT)
    assert (template.quality.tolist(), warnings) == ([0], ["data.quality"])


def test_angles_of_another_unit() -> None:
    """INCITS counts in 2 degrees; a view with an angle above 179 was written in 360/256 degrees, as ISO does."""
    octets = put(put(ANSI_2004, 34, "c0"), 40, "20")
    error = refused(octets)
    assert error.message == "minutia angle 192 is not a value of this format at byte 34"
    template, warnings = one(octets, LENIENT)
    assert warnings == ["data.angle_unit"]
    assert np.degrees(template.angle_rad).tolist() == pytest.approx([270, 45], abs=0.01)


def test_one_view_twice() -> None:
    two = put(grown(ISO_2005, ISO_2005[24:].hex()), 22, "02")
    error = refused(two)
    assert error.message == "second view 0 of finger position 2 at byte 43"
    result = load_bytes(two, "x.fmr", LENIENT)
    assert [len(f) for f in result.features] == [2, 2]
    assert {w.code for w in result.warnings} == {"header.view_numbers"}


def test_an_image_without_size() -> None:
    octets = put(ISO_2005, 14, "00000000")
    assert refused(octets).message == "image width 0 is not a value of this format at byte 14"
    template, warnings = one(octets, LENIENT)
    assert (template.width_px500, template.height_px500, warnings) == (151, 261, ["header.image_size"])
    assert refused(put(octets, 18, "00000000")).code == "format.resolution_zero"  # then the first hint is true
    native = ImportOptions(lenient=True, native_size_px=(400, 500))
    assert refused(octets, native).hint == "state the true resolution: --dpi X[,Y]"


def test_a_2011_view_without_minutiae() -> None:
    octets = put(ISO_2011[:47] + ISO_2011[59:], 46, "00")
    octets = put(put(octets, 8, f"{len(octets):08x}"), 15, f"{len(octets) - 15:08x}")
    assert refused(octets).code == "format.no_minutiae"
    assert one(octets, LENIENT)[1] == ["header.no_minutiae", "data.no_minutiae"]


# Extended data of ISO/IEC 19794-2:2005.

BLOCKS = (ExtendedBlock(1, b"\x01\x00\x05"), ExtendedBlock(0x144, b"vendor"), ExtendedBlock(2, b""))


def record_2005(extended: ExtendedData) -> Iso2005Record:
    view = View20(
        position=2,
        view_number=0,
        impression=0,
        quality=80,
        minutiae=(Minutia(1, 100, 200, 64, 80),),
        extended=extended,
    )
    return Iso2005Record(equipment=0, image=Geometry(400, 500, 197, 197), views=(view,))


def test_both_length_rules_of_2005_are_read() -> None:
    for rule, codes in ((LengthRule.DATA_ONLY, ["header.extended_length"]), (LengthRule.WHOLE_BLOCK, [])):
        octets = record_2005(ExtendedData.of(BLOCKS, rule)).to_bytes()
        extended = parse_minutiae(octets).views[0].extended
        assert (extended.blocks, extended.rule) == (BLOCKS, rule)
        assert one(octets) == (one(record_2005(NO_EXTENDED_DATA).to_bytes())[0], codes)


def test_an_area_that_fits_both_rules_follows_the_edition() -> None:
    """One block of 8 bytes, or one of 4 and an empty one: no byte says which, and nothing is warned of."""
    area = "000c 0105 0008 aabbccdd 0001 0004"
    iso = grown(ISO_2005[:-2], area)
    ansi = grown(ANSI_2004[:-2], area, size=2)
    assert [len(parse_minutiae(o).views[0].extended.blocks) for o in (iso, ansi)] == [1, 2]
    assert one(iso)[1] == one(ansi)[1] == []


def test_what_is_written_for_2005_is_what_a_strict_reader_of_it_takes() -> None:
    """FingerprintIO reads type, length and then that many bytes of data."""
    area = record_2005(ExtendedData.of(BLOCKS, LengthRule.DATA_ONLY)).to_bytes()[34:]
    assert area == bytes.fromhex("0015 0001 0003 010005 0144 0006") + b"vendor" + bytes.fromhex("0002 0000")


@settings(deadline=None)  # a test asserts no absolute time
@given(
    st.lists(st.builds(ExtendedBlock, st.integers(1, 0xFFFF), st.binary(max_size=12)), max_size=4).map(tuple),
    st.sampled_from([LengthRule.DATA_ONLY, LengthRule.WHOLE_BLOCK]),
)
def test_extended_data_never_changes_a_minutia(blocks: tuple[ExtendedBlock, ...], rule: LengthRule) -> None:
    octets = record_2005(ExtendedData.of(blocks, rule)).to_bytes()
    record = parse_minutiae(octets)
    assert record.to_bytes() == octets
    assert one(octets)[0] == one(record_2005(NO_EXTENDED_DATA).to_bytes())[0]


def test_struct_sizes() -> None:
    """The records above are what their comments say."""
    assert [struct.unpack(">I", b[8:12])[0] for b in (ISO_2005, ANSI_2009, ISO_2011)] == [42, 52, 61]
    assert [len(b) for b in (ISO_2005, ANSI_2004, ANSI_2009, ISO_2011)] == [42, 44, 52, 61]
