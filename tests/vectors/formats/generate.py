"""Write the vectors of the feature formats: one file, one failure, and the valid files they are cut from.

    python tests/vectors/formats/generate.py DIR

Shares no code with bioguard: fields are packed by hand from the tables in docs/formats/minutiae.md and
docs/formats/embeddings.md. `index.json` names for each file the stable error code, or null, and why.
"""

import base64
import io
import json
import struct
import sys
import zipfile
from pathlib import Path

MINUTIAE = [(1, 40, 50, 10, 60), (2, 100, 120, 99, 0), (0, 200, 210, 179, 100)]


def minutiae(rows, size=6):
    return b"".join(struct.pack(">HHBB", k << 14 | x, y, a, q)[:size] for k, x, y, a, q in rows)


def extended(*blocks):
    body = b"".join(struct.pack(">HH", kind, len(data) + 4) + data for kind, data in blocks)
    return struct.pack(">H", len(body)) + body


RIDGE_COUNTS = (1, bytes([1, 1, 2, 5, 1, 3, 7]))
CORE_DELTA = (2, bytes([1]) + struct.pack(">HHB", 0x4000 | 90, 100, 64) + bytes([0]))
PRIVATE = (0x0105, b"vendor")


def view20(position=1, number=0, impression=0, quality=80, rows=MINUTIAE, ext=b"\0\0", count=None):
    head = bytes([position, number << 4 | impression, quality, len(rows) if count is None else count])
    return head + minutiae(rows) + ext


def iso2005(*views, magic=b"FMR\0", version=b" 20\0", size=(300, 400), res=(197, 197), n=None, reserved=0, grow=0):
    body = b"".join(views)
    n = len(views) if n is None else n
    return magic + version + struct.pack(">IHHHHHBB", 24 + len(body) + grow, 0, *size, *res, n, reserved) + body


def ansi2004(*views, owner=0x33, long_form=False):
    body = b"".join(views)
    length = struct.pack(">HI", 0, 30 + len(body)) if long_form else struct.pack(">H", 26 + len(body))
    return (
        b"FMR\0 20\0" + length + struct.pack(">HHHHHHHBB", owner, 1, 0x8001, 300, 400, 197, 197, len(views), 0) + body
    )


def view2009(position=2, number=0, impression=0, quality=254, rows=MINUTIAE, ext=b"\0\0"):
    head = struct.pack(">BBBBHHHHHHB", position, number, impression, quality, 15, 1, 300, 400, 197, 197, len(rows))
    return head + minutiae(rows) + ext


def ansi2009(*views, version=b"030\0", compliance=0x80, reserved=0):
    body = b"".join(views)
    return (
        b"FMR\0"
        + version
        + struct.pack(">IHHBHBB", 21 + len(body), 0x33, 1, compliance, 7, len(views), reserved)
        + body
    )


DATE = struct.pack(">HBBBBBH", 2020, 2, 29, 23, 59, 58, 999)


def view2011(position=3, number=0, date=DATE, tech=14, qualities=((77, 15, 1),), certs=None, res=(197, 197),
             impression=0, size=(300, 400), packed=0x61, rows=MINUTIAE, ext=b"\0\0", grow=0):  # fmt: skip
    body = date + struct.pack(">BHH", tech, 0x33, 9) + bytes([len(qualities)])
    body += b"".join(struct.pack(">BHH", *q) for q in qualities)
    if certs is not None:
        body += bytes([len(certs)]) + b"".join(struct.pack(">HB", *c) for c in certs)
    body += struct.pack(">BBHHBHHBB", position, number, *res, impression, *size, packed, len(rows))
    body += minutiae(rows, packed >> 4 if packed >> 4 in (5, 6) else 6) + ext
    return struct.pack(">I", len(body) + 4 + grow) + body


def iso2011(*views, flag=0, n=None):
    body = b"".join(views)
    return b"FMR\x00030\0" + struct.pack(">IHB", 15 + len(body), len(views) if n is None else n, flag) + body


POSITIVE = [(k, x, y, a, max(q, 1)) for k, x, y, a, q in MINUTIAE]


def cbeff(record, owner=0x1B, kind=0x0201, what=8, signature=b"\x30\x82not checked here"):
    head = struct.pack(">BBIHHH", 3, 0x0D, len(record), len(signature), owner, kind)
    head += bytes(8) + bytes(16) + what.to_bytes(3, "big") + b"\x80\x50" + b"CREATOR".ljust(18, b"\0") + bytes(25 + 4)
    return head + record + signature


def tlv(tag, value):
    return bytes([tag, 0x82]) + struct.pack(">H", len(value)) + value


def npy(header, body=b"", version=(1, 0), magic=b"\x93NUMPY"):
    text = header.encode("latin-1")
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return magic + bytes(version) + struct.pack("<H" if version == (1, 0) else "<I", len(text)) + text + body


def header(descr="<f4", order="False", shape="(64,)"):
    return f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"


FLOATS = struct.pack("<64f", *[(i * 37 % 101 - 50) / 64 for i in range(64)])


def npz(*members, compress=zipfile.ZIP_STORED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compress) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, compress)
    return stream.getvalue()


def patched(data, offset, new):
    return data[:offset] + new + data[offset + len(new) :]


def minutiae_vectors():
    one = iso2005(view20())
    yield "iso2005-one-view.iso", one, None, "the smallest ordinary file"
    yield "iso2005-two-views.iso", iso2005(view20(), view20(number=1)), None, "two views of one finger"
    yield "iso2005-two-fingers.iso", iso2005(view20(), view20(position=2)), None, "one view of two fingers"
    yield "iso2005-no-minutiae.iso", iso2005(view20(rows=[])), None, "allowed by the format; a warning"
    yield "iso2005-255-minutiae.iso", iso2005(view20(rows=[(1, 9 + i, i, i, 1) for i in range(255)])), None, "the most"
    ext = extended(RIDGE_COUNTS, CORE_DELTA, PRIVATE)
    yield "iso2005-extended.iso", iso2005(view20(ext=ext)), None, "ridge counts, core and delta, private block"
    ext = struct.pack(">HHH", 10, 0x0221, 6) + bytes.fromhex("0144bc362143")
    yield "iso2005-extended-data-only.iso", iso2005(view20(ext=ext)), None, "block length of the data alone; a warning"
    yield "iso2005-99-per-cm.iso", iso2005(view20(), res=(99, 99)), None, "250 dpi, or a common error; a warning"
    yield "iso2005-view-number-from-1.iso", iso2005(view20(number=1)), None, "seen in the field; a warning"
    yield "iso2005-beyond-image.iso", iso2005(view20(), size=(150, 400)), None, "x beyond the width; a warning"
    yield "iso2005-anisotropic.iso", iso2005(view20(), res=(197, 394)), None, "1000 dpi vertically; a warning"
    yield "iso2005-bad-magic.iso", iso2005(view20(), magic=b"FMX\0"), "format.bad_magic", "another magic"
    yield "iso2005-bad-version.iso", iso2005(view20(), version=b" 21\0"), "format.bad_version", "another version"
    yield "iso2005-empty.iso", b"", "format.bad_magic", "no bytes"
    yield "iso2005-cut-1.iso", one[:-1], "format.truncated", "last byte missing"
    yield "iso2005-cut-header.iso", one[:20], "format.truncated", "ends inside the header"
    yield "iso2005-one-more.iso", one + b"\0", "format.length_mismatch", "one byte after the record"
    yield "iso2005-length-lie.iso", iso2005(view20(), grow=-1), "format.length_mismatch", "declares one byte less"
    yield "iso2005-no-views.iso", iso2005(n=0), "format.no_views", "zero views"
    yield "iso2005-views-lie.iso", iso2005(view20(), n=2), "format.truncated", "declares a view that is not there"
    yield (
        "iso2005-view-left-over.iso",
        iso2005(view20(), view20(number=1), n=1),
        "format.length_mismatch",
        "a view too many",
    )
    yield "iso2005-reserved-byte.iso", iso2005(view20(), reserved=1), "format.reserved_bits", "header byte 23"
    yield "iso2005-width-0.iso", iso2005(view20(), size=(0, 400)), "format.field_range", "width zero"
    yield "iso2005-resolution-0.iso", iso2005(view20(), res=(0, 197)), "format.resolution_zero", "nothing is guessed"
    yield "iso2005-position-11.iso", iso2005(view20(position=11)), "format.field_range", "no such finger"
    yield "iso2005-impression-10.iso", iso2005(view20(impression=10)), "format.field_range", "no such impression"
    yield "iso2005-view-quality-101.iso", iso2005(view20(quality=101)), "format.field_range", "quality above 100"
    yield (
        "iso2005-same-view-twice.iso",
        iso2005(view20(), view20()),
        "format.view_number",
        "a view has no name of its own",
    )
    yield (
        "iso2005-count-beyond-data.iso",
        iso2005(view20(count=200)),
        "format.count_beyond_data",
        "200 minutiae, 3 there",
    )
    yield "iso2005-type-3.iso", iso2005(view20(rows=[(3, 1, 1, 1, 1)])), "format.minutia_type", "reserved type"
    yield "iso2005-y-reserved.iso", iso2005(view20(rows=[(1, 1, 0x4001, 1, 1)])), "format.reserved_bits", "bit 14 of y"
    yield "iso2005-quality-101.iso", iso2005(view20(rows=[(1, 1, 1, 1, 101)])), "format.field_range", "minutia quality"
    yield (
        "iso2005-extended-overrun.iso",
        iso2005(view20(ext=b"\0\x09\0\1\0\5x")),
        "format.extended_overrun",
        "area too long",
    )
    bad = struct.pack(">H", 6) + struct.pack(">HH", 1, 7) + b"ab"
    yield "iso2005-extended-block-overrun.iso", iso2005(view20(ext=bad)), "format.extended_overrun", "block beyond area"
    bad = struct.pack(">H", 4) + struct.pack(">HH", 1, 3)
    yield "iso2005-extended-block-short.iso", iso2005(view20(ext=bad)), "format.extended_overrun", "block below 4 bytes"
    yield (
        "iso2005-extended-type-0.iso",
        iso2005(view20(ext=extended((0, b"")))),
        "format.extended_type",
        "reserved type",
    )
    yield "iso2005-too-wide.iso", iso2005(view20(), size=(5000, 400)), "input.image_size", "25 cm wide"
    yield "ansi2004-one-view.fmr", ansi2004(view20()), None, "2-byte length"
    big = [view20(number=i, ext=extended((0x105, bytes(8192)))) for i in range(8)]
    yield "ansi2004-long-length.fmr", ansi2004(*big, long_form=True), None, "6-byte length above 65535"
    yield "ansi2004-angle-180.fmr", ansi2004(view20(rows=[(1, 1, 1, 180, 1)])), "format.field_range", "2-degree units"
    yield (
        "ansi2004-short-in-long-form.fmr",
        ansi2004(view20(), long_form=True),
        "format.field_range",
        "long form below 65536",
    )
    yield "ansi2004-cut-1.fmr", ansi2004(view20())[:-1], "format.truncated", "last byte missing"
    yield "ansi2009-one-view.fmr", ansi2009(view2009()), None, "version 030"
    yield "ansi2009-two-views.fmr", ansi2009(view2009(), view2009(number=1, impression=29)), None, "unknown impression"
    yield "ansi2009-am1.fmr", ansi2009(view2009(position=13), version=b"035\0"), None, "amendment 1, right slap"
    yield "ansi2009-slap.fmr", ansi2009(view2009(position=13)), "format.field_range", "slaps only in amendment 1"
    yield (
        "ansi2009-compliance.fmr",
        ansi2009(view2009(), compliance=1),
        "format.reserved_bits",
        "reserved compliance bit",
    )
    yield "ansi2009-reserved.fmr", ansi2009(view2009(), reserved=1), "format.reserved_bits", "header byte 20"
    yield "ansi2009-view-16.fmr", ansi2009(view2009(number=16)), "format.field_range", "view numbers have 4 bits"
    yield "ansi2009-quality-253.fmr", ansi2009(view2009(quality=253)), "format.field_range", "101 to 253 do not exist"
    yield "ansi2009-cut-1.fmr", ansi2009(view2009())[:-1], "format.truncated", "last byte missing"
    yield "iso2011-one-view.fmr", iso2011(view2011()), None, "one quality block"
    yield "iso2011-5-byte-minutiae.fmr", iso2011(view2011(packed=0x50)), None, "no minutia quality"
    yield (
        "iso2011-certified.fmr",
        iso2011(view2011(certs=((9, 3),)), view2011(number=1, certs=()), flag=1),
        None,
        "certification",
    )
    yield "iso2011-no-date.fmr", iso2011(view2011(date=b"\xff" * 9, qualities=())), None, "capture date not given"
    yield "iso2011-slap.fmr", iso2011(view2011(position=50, impression=24)), None, "combination of fingers"
    yield "iso2011-flag-2.fmr", iso2011(view2011(), flag=2), "format.field_range", "certification flag"
    yield "iso2011-month-13.fmr", iso2011(view2011(date=patched(DATE, 2, b"\x0d"))), "format.capture_date", "month 13"
    yield (
        "iso2011-day-without-month.fmr",
        iso2011(view2011(date=patched(DATE, 2, b"\xff"))),
        "format.capture_date",
        "gap",
    )
    yield "iso2011-technology-21.fmr", iso2011(view2011(tech=21)), "format.field_range", "no such technology"
    yield "iso2011-quality-101.fmr", iso2011(view2011(qualities=((101, 0, 0),))), "format.field_range", "quality value"
    yield "iso2011-position-11.fmr", iso2011(view2011(position=11)), "format.field_range", "11 and 12 do not exist"
    yield "iso2011-impression-10.fmr", iso2011(view2011(impression=10)), "format.field_range", "no such impression"
    yield "iso2011-minutia-size-7.fmr", iso2011(view2011(packed=0x70)), "format.field_range", "5 or 6 bytes"
    yield "iso2011-ending-type-2.fmr", iso2011(view2011(packed=0x62)), "format.field_range", "0 or 1"
    yield "iso2011-no-minutiae.fmr", iso2011(view2011(rows=[])), "format.no_minutiae", "not allowed in this edition"
    yield "iso2011-wide.fmr", iso2011(view2011(size=(0x4000, 400))), "format.field_range", "14 bits"
    yield (
        "iso2011-representation-long.fmr",
        iso2011(view2011(grow=1)),
        "format.representation_length",
        "own length too long",
    )
    yield "iso2011-representation-short.fmr", iso2011(view2011(grow=-1)), "format.truncated", "own length cuts it"
    yield (
        "iso2011-representation-slack.fmr",
        iso2011(view2011(grow=1) + b"\0"),
        "format.representation_length",
        "a byte over",
    )
    yield "iso2011-count-lie.fmr", iso2011(view2011(), n=2), "format.truncated", "declares one more"


def other_vectors():
    plain = npy(header(), FLOATS)
    yield "npy-one.npy", plain, None, "one view of 64 float32"
    yield "npy-two.npy", npy(header(shape="(2, 64)"), FLOATS * 2), None, "two views"
    yield "npy-fortran.npy", npy(header(shape="(2, 64)", order="True"), FLOATS * 2), None, "column order"
    yield "npy-big-endian.npy", npy(header(descr=">i2"), struct.pack(">64h", *range(1, 65))), None, "big-endian int16"
    yield "npy-version-2.npy", npy(header(), FLOATS, version=(2, 0)), None, "4-byte header length"
    yield "npy-bad-magic.npy", npy(header(), FLOATS, magic=b"\x93NUMPX"), "format.bad_magic", "another magic"
    yield "npy-version-9.npy", npy(header(), FLOATS, version=(9, 0)), "format.bad_version", "unknown version"
    yield "npy-object.npy", npy(header(descr="|O"), b"\x80\x04N."), "format.npy_dtype", "a pickle: never opened"
    structured = npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (64,), }", FLOATS)
    yield "npy-structured.npy", structured, "format.npy_dtype", "records are not numbers"
    yield (
        "npy-code.npy",
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os'),), }", FLOATS),
        "format.npy_header",
        "code",
    )
    twice = npy("{'descr': '<f4', 'descr': '<f4', 'shape': (64,), }", FLOATS)
    yield "npy-key-twice.npy", twice, "format.npy_header", "a key twice, another missing"
    yield "npy-shape-bomb.npy", npy(header(shape="(999999999, 512)"), FLOATS), "format.length_mismatch", "2 TB declared"
    yield "npy-3d.npy", npy(header(shape="(1, 1, 64)"), FLOATS), "format.npy_shape", "three dimensions"
    yield "npy-cut-1.npy", plain[:-1], "format.length_mismatch", "last byte missing"
    yield "npy-one-more.npy", plain + b"\0", "format.length_mismatch", "one byte more"
    yield "npy-header-beyond.npy", patched(plain, 8, b"\xff\x0f"), "format.truncated", "header longer than the file"
    yield "npy-63.npy", npy(header(shape="(63,)"), FLOATS[:-4]), "input.dimension", "below 64 dimensions"
    nan = FLOATS[:-4] + struct.pack("<f", float("nan"))
    yield "npy-nan.npy", npy(header(), nan), "input.not_finite", "a NaN"
    infinite = FLOATS[:-4] + struct.pack("<f", float("inf"))
    yield "npy-infinite.npy", npy(header(), infinite), "input.not_finite", "an infinity"
    yield "npy-zero.npy", npy(header(), bytes(256)), "input.zero_vector", "all zero"
    yield "npy-no-rows.npy", npy(header(shape="(0, 64)")), "format.no_views", "no view at all"
    yield "npz-embeddings.npz", npz(("embeddings.npy", plain), ("labels.npy", b"not read")), None, "labels are not read"
    yield "npz-single.npz", npz(("arr_0.npy", plain)), None, "the only array"
    yield "npz-two-arrays.npz", npz(("a.npy", plain), ("b.npy", plain)), "format.npz_members", "which one"
    yield "npz-text.npz", npz(("embeddings.npy", b"hello")), "format.bad_magic", "member is not an array"
    number = npz(("embeddings.npy", plain), ("model.npy", npy(header("<i8", shape="()"), struct.pack("<q", 7))))
    yield "npz-model.npz", number, "format.npz_model", "the model is a number"
    yield "npz-cut.npz", npz(("embeddings.npy", plain))[:-30], "format.npz_damaged", "directory missing"
    good = npz(("embeddings.npy", plain))
    at = good.index(b"PK\x01\x02")
    yield "npz-bomb.npz", patched(good, at + 24, struct.pack("<I", 0x7FFFFFFF)), "format.too_large", "2 GB declared"
    yield "npz-ratio.npz", patched(good, at + 24, struct.pack("<I", 1 << 20)), "format.npz_ratio", "0.4 kB to 1 MB"
    yield "npz-encrypted.npz", patched(good, at + 8, b"\1\0"), "format.npz_member", "encryption flag"
    yield "npz-crc.npz", patched(good, 60, b"\xff"), "format.npz_damaged", "checksum"
    row = ",".join(str(i - 20) for i in range(64)).encode()
    yield "csv-two.csv", b"# two views\n" + row + b"\r\n" + row + b"\n", None, "comment, two line ends"
    yield "csv-header.csv", b",".join(b"e%d" % i for i in range(64)) + b"\n" + row, "format.csv_number", "column names"
    yield "csv-ragged.csv", row + b"\n" + row + b",1\n", "format.csv_columns", "65 values in line 2"
    yield "csv-nan.csv", row + b"\n" + row[:-2] + b"nan\n", "format.csv_number", "nan is not a number"
    decimals = ",".join(f"{(i * 37 % 64 - 31) / 64:.6f}" for i in range(64)).encode()
    yield "csv-decimals.csv", b"\xef\xbb\xbf" + decimals + b"\n", None, "byte order mark of UTF-8"
    yield "csv-index.csv", b"0," + decimals + b"\n", "input.foreign_column", "row number before the numbers"
    yield "csv-label.csv", decimals + b",7\n", "input.foreign_column", "label after the numbers"
    yield "csv-rows.csv", b"4,%b\n5,%b\n" % (decimals, decimals[:-1] + b"1"), "input.foreign_column", "row numbers 4, 5"
    numbers = ",".join(str(i) for i in range(64)).encode()
    yield "csv-header-numbers.csv", numbers + b"\n" + decimals + b"\n", "format.csv_header", "column numbers"
    yield "csv-lines.csv", b"#\n" * 10_001 + decimals, "format.csv_lines", "comments without end"
    yield "csv-empty.csv", b"\n\n", "format.no_views", "no line"
    yield "csv-binary.csv", b"\xff\xfe1,2", "format.csv_text", "not ASCII"
    yield "xyt-nist.xyt", b"10 20 30 90\n11 200 359 0\n", None, "four columns"
    yield "xyt-three-columns.xyt", b"10 20 30\n11 200 359\n", None, "no quality"
    yield "xyt-binary.xyt", b"10 20 30 \xff\n", "format.xyt_text", "not ASCII"
    yield "xyt-word.xyt", b"10 20 30 90\n11 x 359 0\n", "format.xyt_line", "not an integer"
    yield "xyt-theta-360.xyt", b"10 20 360 90\n", "format.field_range", "a full turn"
    yield "xyt-negative.xyt", b"-1 20 30 90\n", "format.field_range", "outside"
    yield "xyt-empty.xyt", b"", "format.no_minutiae", "no line"
    many = b"".join(b"%d %d %d %d\n" % (i % 20 * 9, i // 20 * 9, i * 37 % 360, i % 101) for i in range(4097))
    yield "xyt-256.xyt", b"".join(many.splitlines(keepends=True)[:256]), None, "256 minutiae: the worst is left out"
    yield "xyt-4097.xyt", many, "format.too_many_minutiae", "no finger has 4097 minutiae"
    m1 = b"".join(b"%d %d %d 50\n" % (i % 5 * 20, i // 5 * 20, i * 37 % 180) for i in range(20))
    yield "xyt-m1.xyt", m1, "format.xyt_convention", "20 angles below 180: ANSI/M1, which nobody stated"
    yield "xyt-extra.xyt", b"10 20 30 90 E\n11 200 359 0 B 7\n", None, "a fifth column as afis writes it; a warning"
    piv = ansi2004(view20(position=2, rows=POSITIVE), view20(position=7, rows=POSITIVE))
    yield "cbeff.fmr", cbeff(piv), None, "header and signature block of NIST SP 800-76-2"
    yield "cbeff-piv-object.bin", tlv(0x53, tlv(0xBC, cbeff(piv)) + b"\xfe\0"), None, "as a PIV card hands it out"
    yield "cbeff-face.fmr", cbeff(piv, kind=0x0501, what=2), "format.envelope", "a face"
    yield "cbeff-cut.fmr", cbeff(piv)[:-1], "format.truncated", "signature block cut"
    yield "base64.iso", base64.b64encode(iso2005(view20())), "format.other_kind", "base64 text of a record"
    yield "unknown.bin", b"\x00\x01\x02\x03", "format.unknown", "neither extension nor content"


def main(folder):
    index = {}
    for name, data, code, why in [*minutiae_vectors(), *other_vectors()]:
        (folder / name).write_bytes(data)
        index[name] = {"code": code, "why": why}
    (folder / "index.json").write_text(json.dumps(index, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
