"""Valid but odd files are read, to the last minutia, with the warnings that they deserve and no others."""

import json
import random
import runpy
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from bioguard.formats import ImportOptions, load_bytes, parse_minutiae
from bioguard.records import FingerprintTemplate

HERE = Path(__file__).parent
CORPUS = runpy.run_path(str(HERE / "corpus.py"))
CASES = CORPUS["corpus"](240, seed=7)
GEOMETRY = {"geometry.implausible_spacing", "geometry.implausible_extent", "geometry.beyond_image"}
"""What random minutiae bring."""
PEAK_BYTES = 64 << 20


@pytest.mark.parametrize("index", range(0, 240, 24))
def test_two_dozen_cases(index: int) -> None:
    for case in CASES[index : index + 24]:
        result = load_bytes(case.octets, case.name, ImportOptions(**case.options))
        codes = {w.code for w in result.warnings} - GEOMETRY
        if not all(case.views):
            codes -= {"data.no_minutiae"}
        assert codes == case.warnings, case.name
        assert len(result.features) == len(case.views)
        for features, rows in zip(result.features, case.views, strict=True):
            if isinstance(features, FingerprintTemplate):
                assert len(features) == len(rows)


@pytest.mark.parametrize("index", range(0, 240, 24))
def test_records_keep_every_raw_value(index: int) -> None:
    for case in (c for c in CASES[index : index + 24] if c.record):
        record = parse_minutiae(case.record)
        assert record.to_bytes() == case.record
        found = [[(m.kind, m.x, m.y, m.angle, m.quality) for m in view.minutiae] for view in record.views]
        assert found == case.views


def test_the_corpus_has_what_it_promises() -> None:
    """A generator that makes dull files only would leave the tests above green."""
    views = [len(c.views) for c in CASES]
    counts = [len(rows) for c in CASES for rows in c.views]
    codes = set().union(*(c.warnings for c in CASES))
    assert (max(views), min(counts), max(counts)) == (16, 0, 255)
    assert codes >= {"header.extended_length", "header.trailing_bytes", "header.cbeff", "data.too_many_minutiae"}
    heads = {c.record[4:8] for c in CASES}
    assert heads == {b"", b" 20\0", b"030\0", b"035\0"}
    qualities = {row[4] for c in CASES for rows in c.views for row in rows}
    assert qualities >= {0, 1, 100, 254, 255}


# Memory: the largest files that are read at all, built so that a careless reader multiplies them.

ONE = bytes.fromhex("464d5200203230000000002a0000019001f400c500c5010002005002406400c8405080960104804600 00")
LIMIT = 16 << 20


def _most_2011(area: bytes) -> bytes:
    minutia = struct.pack(">HHBB", 1 << 14 | 100, 100, 5, 50)
    views = b""
    for i in range(176):
        head = b"\xff" * 9 + struct.pack(">BHHB", 0, 0, 0, 0)
        head += struct.pack(">BBHHBHHBB", i // 16, i % 16, 197, 197, 0, 300, 400, 0x60, 255)
        body = head + minutia * 255 + struct.pack(">H", len(area)) + area
        views += struct.pack(">I", len(body) + 4) + body
    return b"FMR\x00030\0" + struct.pack(">IHB", 15 + len(views), 176, 0) + views


def _largest(directory: Path) -> list[Path]:
    rng = random.Random(3)
    files = {
        "blocks.fmr": _most_2011(struct.pack(">HH", 0x105, 4) * 16_383),
        "one-block.fmr": _most_2011(struct.pack(">HH", 0x105, 65_535) + bytes(65_531)),
        "no-rule.fmr": _most_2011(b"\x01\x01\xff\xff" * 16_383),
        "trailing.iso": ONE + rng.randbytes(LIMIT - len(ONE)),
        "base64.iso": b"Rk1S" + b"A" * (LIMIT - 4),
        "junk.iso": rng.randbytes(LIMIT),
        "lines.xyt": b"\n" * (1 << 20),
        "one-line.xyt": b"1" * (1 << 20),
        "most.xyt": b"".join(b"%d %d %d 5\n" % (i % 1000, i // 1000, i % 360) for i in range(4096)),
        "lines.csv": b"\n" * LIMIT,
        "zeros.npy": b"\x93NUMPY" + bytes(LIMIT),
    }
    head = struct.pack(">BBIHHH", 3, 0x0D, LIMIT - 88, 0, 0x1B, 0x0201) + bytes(24) + b"\0\0\x08" + bytes(49)
    files["cbeff.fmr"] = head + ONE + bytes(LIMIT - 88 - len(ONE))
    for name, octets in files.items():
        (directory / name).write_bytes(octets)
    return [directory / name for name in files]


def test_the_largest_files_cost_less_than_64_mib(tmp_path: Path) -> None:
    files = _largest(tmp_path)
    command = [sys.executable, str(HERE / "memory.py"), *map(str, files)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    peaks = json.loads(done.stdout)
    assert len(peaks) == len(files)
    assert {Path(n).name: p >> 20 for n, (p, _) in peaks.items() if p > PEAK_BYTES} == {}
    by_name = {Path(name).name: peak for name, (peak, _) in peaks.items()}
    assert by_name["one-block.fmr"] > 11_000_000  # its own size at least: a measure that says 0 would pass everything
    read = {Path(name).name for name, (_, code) in peaks.items() if code is None}
    assert read == {"blocks.fmr", "one-block.fmr", "no-rule.fmr", "trailing.iso", "most.xyt", "cbeff.fmr"}
