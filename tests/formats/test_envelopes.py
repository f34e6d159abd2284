"""Records in envelopes are read; files that are something else are named, and the way out in the hint works."""

import base64
import shutil
import struct
import subprocess
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioguard.cli.output import Output
from bioguard.cli.read_samples import read_sample, read_samples
from bioguard.errors import InputRefused
from bioguard.formats import ImportOptions, Trailing, load, load_bytes, write_ansi2004, write_iso2005, write_iso2011
from bioguard.records import FingerprintTemplate
from bioguard.simulate.people import finger_impressions

STRICT = ImportOptions()
INDEX, OTHER = (
    load_bytes(write_iso2005(touch), "x.iso").features[0] for touch in finger_impressions(7, person=0, count=2)
)
PIV_RIGHT, PIV_LEFT = 2, 7


def two_fingers() -> bytes:
    """One view of the right and one of the left index, as PIV cards have them."""
    first = bytearray(write_ansi2004(INDEX, position=PIV_RIGHT))
    second = write_ansi2004(OTHER, position=PIV_LEFT)
    record = first + second[26:]
    record[8:10] = len(record).to_bytes(2, "big")
    record[24] = 2
    return bytes(record)


def cbeff(record: bytes, signature: bytes = b"\x30\x82 not checked", **fields: int) -> bytes:
    """The 88 bytes by hand, from the table in docs/formats/minutiae.md section 11."""
    f = {"version": 3, "security": 0x0D, "data": len(record), "sign": len(signature), "owner": 0x1B, "kind": 0x0201}
    f |= {"what": 8, **fields}
    head = struct.pack(">BBIHHH", *(f[n] for n in ("version", "security", "data", "sign", "owner", "kind")))
    head += bytes(24) + f["what"].to_bytes(3, "big") + b"\x80\x50" + b"CREATOR".ljust(18, b"\0") + bytes(29)
    assert len(head) == 88
    return head + record + signature


def tlv(tag: int, value: bytes) -> bytes:
    return bytes([tag, 0x82]) + struct.pack(">H", len(value)) + value


def refused(octets: bytes, name: str = "x.iso", options: ImportOptions = STRICT) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        load_bytes(octets, name, options)
    return caught.value


@pytest.mark.parametrize("name", ["x.fmr", "x.iso", "card.bin", "card"])
@pytest.mark.parametrize(
    "wrap",
    [
        cbeff,
        lambda r: cbeff(r, signature=b""),
        lambda r: cbeff(r, owner=0x0101, kind=1),
        lambda r: tlv(0xBC, cbeff(r)),
        lambda r: tlv(0x53, tlv(0xBC, cbeff(r))),
        lambda r: tlv(0x53, tlv(0xBC, cbeff(r)) + b"\xfe\0"),
        lambda r: b"\xbc\x84" + struct.pack(">I", len(cbeff(r))) + cbeff(r),
    ],
)
def test_the_record_inside_is_read(wrap, name: str) -> None:
    plain = load_bytes(two_fingers(), "x.fmr")
    result = load_bytes(wrap(two_fingers()), name)
    assert result.features == plain.features
    assert result.positions == (PIV_RIGHT, PIV_LEFT)
    assert [w.code for w in result.warnings] == ["header.cbeff"]
    assert "signature" in result.warnings[0].message
    assert "not checked" in result.warnings[0].message


@pytest.mark.parametrize(
    ("octets", "code", "text"),
    [
        (cbeff(two_fingers(), security=0x0F), "format.envelope", "the CBEFF data block is encrypted"),
        (cbeff(two_fingers(), what=2), "format.envelope", "the CBEFF header says a face, not a fingerprint"),
        (cbeff(two_fingers(), what=0x10), "format.envelope", "the CBEFF header says an iris, not a fingerprint"),
        (cbeff(two_fingers(), kind=0x0401), "format.envelope", "the CBEFF data block is a finger image, not minutiae"),
        (cbeff(two_fingers(), kind=0x9999), "format.envelope", "the CBEFF data block is format 0x9999, not minutiae"),
        (cbeff(two_fingers(), owner=0x0F), "format.envelope", "the CBEFF data block has format owner 0x000f"),
        (cbeff(two_fingers(), data=0xFFFFFFFF), "format.truncated", "CBEFF data block needs 4294967295 bytes"),
        (cbeff(two_fingers(), sign=0xFFFF), "format.truncated", "CBEFF signature block needs 65535 bytes"),
        (cbeff(two_fingers())[:60], "format.truncated", "CBEFF header needs 88 bytes"),
        (tlv(0x53, cbeff(two_fingers())), "format.envelope", "a PIV data object without tag BC"),
        (tlv(0x53, tlv(0xBC, cbeff(two_fingers())))[:-1], "format.truncated", "tag 53 declares"),
        (tlv(0x53, tlv(0xBC, cbeff(two_fingers())) + b"\xfe\1x"), "format.envelope", "more than one element"),
        (tlv(0xBC, cbeff(two_fingers()) + b"\0"), "format.envelope", "bytes that the CBEFF header does not count"),
        (
            cbeff(b"XYZ\0" + bytes(60)),
            "format.bad_magic",
            "in the CBEFF data block: no minutiae record magic at byte 0",
        ),
        (cbeff(b"FIR\0" + bytes(60)), "format.envelope", "in the CBEFF data block: this is a finger image record"),
        (
            cbeff(b"FAC\0" + bytes(60), owner=0x0101, kind=8),
            "format.envelope",
            "in the CBEFF data block: this is a face image record",
        ),
    ],
)
def test_an_envelope_of_something_else_is_refused(octets: bytes, code: str, text: str) -> None:
    for options in (STRICT, ImportOptions(lenient=True)):
        error = refused(octets, options=options)
        assert error.code == code
        assert text in error.message


def test_bytes_after_an_envelope_and_a_fault_inside() -> None:
    """The status word 9000 that a card sends after its data; a data block with padding."""
    read = tlv(0x53, tlv(0xBC, cbeff(two_fingers()))) + b"\x90\0"
    error = refused(read)
    assert error.message == f"2 bytes follow the envelope of {len(read) - 2} bytes"
    assert "--trailing keep" in error.hint
    keep = ImportOptions(trailing=Trailing.KEEP)
    assert [w.code for w in load_bytes(read, "x", keep).warnings] == ["header.trailing_bytes", "header.cbeff"]
    padded = cbeff(two_fingers() + bytes(7))
    assert "7 bytes (all zero) follow the record" in refused(padded).message
    assert len(load_bytes(padded, "x", keep).features) == 2


@settings(deadline=None)  # a test asserts no absolute time
@given(st.integers(0, 400), st.integers(1, 255))
def test_any_byte_of_an_envelope_may_be_wrong(at: int, change: int) -> None:
    octets = bytearray(tlv(0x53, tlv(0xBC, cbeff(two_fingers())) + b"\xfe\0"))
    at %= len(octets)
    octets[at] ^= change
    try:
        result = load_bytes(bytes(octets), "x.fmr", ImportOptions(lenient=True))
    except InputRefused as error:
        assert error.hint
    else:
        assert len(result.features) == 2


# Something else.

RECORD = write_iso2005(INDEX)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
COMPACT = bytes(v for i in range(30) for v in (i * 7 % 250, 200 - i * 3, (i % 3) << 6 | i))
NORMAL = b"".join(struct.pack(">HHB", (i % 3) << 14 | 900 + i, 300 + 9 * i, i * 2) for i in range(30))
ARMORED = b"-----BEGIN RECORD-----\n" + base64.encodebytes(RECORD) + b"-----END RECORD-----\n"
NAMED = [
    (base64.b64encode(RECORD), "base64 text of a minutiae record"),
    (b'"' + base64.encodebytes(RECORD) + b'"', "base64 text of a minutiae record"),
    (base64.urlsafe_b64encode(write_iso2011(INDEX) + b"\xfb\xff\xbe" * 4), "base64 text of a minutiae record"),
    (b"data:application/octet-stream;base64," + base64.b64encode(RECORD), "base64 text of a minutiae record"),
    (RECORD.hex().encode(), "hexadecimal text of a minutiae record"),
    (RECORD.hex(" ").upper().encode() + b"\n", "hexadecimal text of a minutiae record"),
    (b"0x" + RECORD.hex().encode(), "hexadecimal text of a minutiae record"),
    (RECORD.hex(":").encode(), "hexadecimal text of a minutiae record"),
    (b"{" + ", ".join(f"0x{b:02X}" for b in RECORD).encode() + b"}", "hexadecimal text of a minutiae record"),
    ("".join(f"\\x{b:02x}" for b in RECORD * 9).encode(), "hexadecimal text of a minutiae record"),
    (b"00000000: 464d 5200 2032 3000 0000  FMR. 20...\n", "a hex dump of a minutiae record"),
    (b"\xef\xbb\xbf" + base64.b64encode(RECORD), "base64 text of a minutiae record"),
    (base64.b64encode(RECORD).decode().encode("utf-16"), "base64 text of a minutiae record"),
    (ARMORED, "base64 text of a minutiae record"),
    (base64.b64encode(cbeff(RECORD)), "base64 text of an envelope around a minutiae record"),
    (base64.b64encode(tlv(0xBC, cbeff(RECORD))), "base64 text of an envelope around a minutiae record"),
    (base64.b64encode(np.lib.format.magic(1, 0) + bytes(100)), "base64 text of a NumPy array"),
    (b'{"template": "' + base64.b64encode(RECORD) + b'"}', "text with base64 of a minutiae record in it"),
    (b"[0.1, -0.2, 0.3]", "JSON"),
    (b"PAR1" + bytes(40), "a Parquet file"),
    (struct.pack("<Q", 60) + b'{"e":{"dtype":"F32"}}' + bytes(40), "a safetensors file"),
    (bytes(45) + RECORD, "a minutiae record from byte 45 on"),
    (COMPACT, "perhaps a compact card record of 30 minutiae"),
    (NORMAL, "perhaps a normal card record of 30 minutiae"),
    (b"\x7f\x2e\x5c\x81\x5a" + COMPACT, "biometric data of a card"),
    (b"\xff\xd8\xff\xe0" + bytes(40), "a JPEG picture"),
    (PNG, "a PNG picture"),
    (b"\xff\xa0\xff\xa4" + bytes(40), "a WSQ picture"),
    (b"BM" + struct.pack("<IHHI", 90000, 0, 0, 54) + bytes(40), "a BMP picture"),
    (b"PK\x03\x04" + bytes(40), "a ZIP archive"),
    (b"\x1f\x8b\x08" + zlib.compress(RECORD), "a gzip file"),
    (b"FIR\x00010\x00" + bytes(40), "a finger image record"),
    (b"FAC\x00010\x00" + bytes(40), "a face image record"),
    (b"1.001:00000123\x1d1.002:0500", "an ANSI/NIST-ITL transaction"),
    (b'{"minutiae": []}', "JSON"),
    (b"<?xml version='1.0'?><x/>", "XML"),
    (b"\xbf\x67version\x663.18.1", "a template of SourceAFIS"),
    (b"10 20 30 40\n11 21 31 41\n", "text of minutiae"),
    (b"\x93NUMPY\x01\x00" + bytes(40), "a NumPy array"),
]


@pytest.mark.parametrize(("octets", "text"), NAMED, ids=[f"{i} {t[:30]}" for i, (_, t) in enumerate(NAMED)])
def test_something_else_is_named(octets: bytes, text: str) -> None:
    for name in ("x.iso", "x.fmr"):
        error = refused(octets, name, ImportOptions(lenient=True))
        assert (error.code, text in error.message) == ("format.other_kind", True), error.message
        assert error.hint
    if "card record" not in text and "NumPy" not in text and "ZIP" not in text:
        assert text in refused(octets, "x.bin").message


@pytest.mark.parametrize(
    "octets",
    [
        base64.b64encode(RECORD),
        b'"' + base64.encodebytes(RECORD) + b'"',
        base64.urlsafe_b64encode(RECORD),
        RECORD.hex().encode(),
        RECORD.hex(" ").upper().encode() + b"\n",
        b"header of somebody\0\1\2" + RECORD,
        RECORD.hex(":").encode(),
        b"{" + ", ".join(f"0x{b:02X}" for b in RECORD).encode() + b"}",
        "".join(f"\\x{b:02x}" for b in RECORD).encode(),
        b"\xef\xbb\xbf" + base64.b64encode(RECORD),
        base64.b64encode(RECORD).decode().encode("utf-16"),
        ARMORED,
    ],
)
@pytest.mark.skipif(shutil.which("basenc") is None, reason="coreutils are not here")
def test_the_command_in_the_hint_decodes_it(octets: bytes, tmp_path: Path) -> None:
    (tmp_path / "FILE").write_bytes(octets)
    command = refused(octets).hint.partition(": ")[2]
    subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, check=False)
    assert load(tmp_path / "OUT.iso").features == (INDEX,)


@pytest.mark.parametrize("piece", [b"4", b"46", b" ", b"0x", b"-", b"Rk1S", b'"', b"\\x", b"(lp0\n", b"cA\n"])
def test_text_of_any_kind_is_judged_at_once(piece: bytes) -> None:
    for front in (b"", b"464d5200", b"Rk1S", b"-----BEGIN A-----\n", b"{"):
        began = time.process_time()
        refused(front + piece * 4096 + b"!", "x.bin")
        assert time.process_time() - began < 0.5


def test_a_block_shorter_than_its_record_is_not_called_a_cut_file() -> None:
    error = refused(cbeff(two_fingers(), data=len(two_fingers()) - 3))
    assert error.message.startswith("in the CBEFF data block: header declares")
    assert error.hint == "the record is longer than its CBEFF header says: export it again from its source"


def test_no_signature_is_not_called_unchecked() -> None:
    assert "it has no signature" in load_bytes(cbeff(two_fingers(), signature=b""), "x.fmr").warnings[0].message


def test_a_file_under_another_name_says_which() -> None:
    array = np.lib.format.magic(1, 0) + bytes(100)
    assert refused(RECORD, "x.npy").hint == "name it .iso or .fmr"
    assert refused(RECORD, "x.xyt").hint == "name it .iso or .fmr"
    assert refused(array, "x.csv").hint == "name it .npy"
    assert refused(PNG, "x.npy").code == "format.other_kind"
    assert refused(b"", "x.iso").message == "the file is empty at byte 0"


def test_a_damaged_record_is_not_called_a_card_record() -> None:
    damaged = b"FM" + COMPACT[2:]
    assert refused(damaged).code == "format.bad_magic"
    assert refused(COMPACT[:21]).code == "format.bad_magic"  # too few to tell from other bytes
    assert refused(COMPACT[:-1]).code == "format.bad_magic"
    assert refused(bytes([v | 0xC0 if i == 5 else v for i, v in enumerate(COMPACT)])).code == "format.bad_magic"


def test_text_of_its_own_format_is_left_to_its_parser() -> None:
    assert len(load_bytes(b"10 20 30 40\n11 21 331 41\n", "x.xyt").features) == 1
    assert refused(b"[1, 2]", "x.csv").code.startswith("format.csv")
    assert refused(b"1.001: 2", "x.csv").code.startswith("format.csv")


# Whose finger?


class Notes(Output):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


def taken(tmp_path: Path, octets: bytes, finger: str | None) -> tuple[list[object], list[str]]:
    path = tmp_path / "a.fmr"
    path.write_bytes(octets)
    notes = Notes()
    samples, _ = read_samples([path], notes, STRICT, finger=finger)
    return samples, [line.replace(str(tmp_path), ".") for line in notes.lines]


def test_a_position_that_contradicts_the_finger_is_named(tmp_path: Path) -> None:
    left = write_iso2005(INDEX, position=PIV_LEFT)
    assert taken(tmp_path, left, "right-index") == (
        [INDEX],
        ["./a.fmr: its finger position is left-index (7), it is taken as right-index (2) [header.finger]"],
    )
    for octets, finger in ((left, "left-index"), (left, None), (RECORD, "right-index"), (left, "no-such-finger")):
        assert taken(tmp_path, octets, finger) == ([INDEX], [])


def test_of_two_fingers_the_named_one_is_taken(tmp_path: Path) -> None:
    right, left = load_bytes(two_fingers(), "x.fmr").features
    for finger, sample, said in (
        ("right-index", right, "left-index (7); only its views of right-index (2) are taken"),
        ("left-index", left, "right-index (2); only its views of left-index (7) are taken"),
    ):
        samples, notes = taken(tmp_path, two_fingers(), finger)
        assert samples == [sample]
        assert notes == [f"./a.fmr: it also holds {said} [header.fingers]"]
    samples, notes = taken(tmp_path, two_fingers(), "right-thumb")
    assert len(samples) == 2
    assert notes == [
        "./a.fmr: its finger position is right-index (2) and left-index (7), it is taken as right-thumb (1) "
        "[header.finger]"
    ]


def test_one_sample_of_two_says_which_fingers(tmp_path: Path) -> None:
    (tmp_path / "two.fmr").write_bytes(two_fingers())
    with pytest.raises(InputRefused) as caught:
        read_sample(tmp_path / "two.fmr", Notes(), STRICT)
    assert caught.value.code == "input.one_sample"
    assert "2 views (finger positions 2, 7), at most 1 is read here" in caught.value.message
    assert caught.value.hint == "take one out: bioguard convert FILE OUT.iso --view 0"


def test_templates_are_what_they_were() -> None:
    assert all(isinstance(t, FingerprintTemplate) and len(t) > 10 for t in (INDEX, OTHER))
