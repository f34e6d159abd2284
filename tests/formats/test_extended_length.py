"""The last two bytes of a record, the length of extended data, as writers of the field get them wrong."""

import pytest

from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, load_bytes, parse_minutiae
from bioguard.formats.minutiae import MinutiaeFormat
from bioguard.formats.write import ViewToWrite, encode_record
from bioguard.simulate.people import finger_impressions

FINGERS = list(finger_impressions(1, person=0, count=2))
LENIENT = ImportOptions(lenient=True)
LENGTHS = {
    MinutiaeFormat.ISO_2005: ((8, 4, 0),),
    MinutiaeFormat.ISO_2011: ((8, 4, 0), (15, 4, 15)),
    MinutiaeFormat.ANSI_2004: ((8, 2, 0),),
    MinutiaeFormat.ANSI_2009: ((8, 4, 0),),
    MinutiaeFormat.ANSI_2009_AM1: ((8, 4, 0),),
}
"""Where a length stands, its size, and what it does not count."""
BLOCK = b"\x01\x44\x00\x0a\xbc\x36\x21\x43\x00\x00"


def record(kind: MinutiaeFormat, tail: bytes) -> bytes:
    """A record of one view that ends with `tail` instead of the length 0, and is as long as it says."""
    octets = bytearray(encode_record(kind, [ViewToWrite(template=FINGERS[0])])[:-2] + tail)
    for at, size, before in LENGTHS[kind]:
        octets[at : at + size] = (len(octets) - before).to_bytes(size, "big")
    return bytes(octets)


TAILS = {
    "missing": (b"", "format.truncated: the extended data length is missing at byte"),
    "counts itself": (b"\0\x0c" + BLOCK, "format.extended_overrun: the extended data length counts its own 2 bytes"),
    "counts itself alone": (b"\0\2", "format.extended_overrun: the extended data length counts its own 2 bytes"),
}


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("kind", MinutiaeFormat, ids=lambda kind: kind.value)
def test_another_length_is_refused_by_name_and_read_leniently(kind: MinutiaeFormat, tail: str) -> None:
    octets = record(kind, TAILS[tail][0])
    with pytest.raises(InputRefused) as caught:
        load_bytes(octets, "x.fmr")
    assert f"{caught.value.code}: {caught.value.message}".startswith(TAILS[tail][1])
    assert caught.value.hint == "the rest is well-formed: --lenient reads it and warns"
    found = load_bytes(octets, "x.fmr", LENIENT)
    plain = load_bytes(record(kind, b"\0\0"), "x.fmr")
    assert (found.format, found.features) == (plain.format, plain.features)
    assert [w.code for w in found.warnings] == ["header.extended_data"]
    assert parse_minutiae(octets, LENIENT).to_bytes() == octets
    assert parse_minutiae(octets, LENIENT).views[0].extended.area == (BLOCK if tail == "counts itself" else b"")


@pytest.mark.parametrize("kind", MinutiaeFormat, ids=lambda kind: kind.value)
def test_what_its_own_header_counts_is_not_called_cut(kind: MinutiaeFormat) -> None:
    for tail in (b"\0\x50" + BLOCK, b"\xff\xff"):
        with pytest.raises(InputRefused) as caught:
            load_bytes(record(kind, tail), "x.fmr", LENIENT)
        assert caught.value.code == "format.extended_overrun"
        assert "ends too early" not in caught.value.hint
    octets = encode_record(kind, [ViewToWrite(template=FINGERS[0])])
    for size in (len(octets) - 1, len(octets) - 2, len(octets) - 9):
        with pytest.raises(InputRefused) as caught:
            load_bytes(octets[:size], "x.fmr", LENIENT)
        assert (caught.value.code, "ends too early" in caught.value.hint) == ("format.truncated", True)
