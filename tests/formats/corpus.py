"""Seeded corpus of valid but odd feature files, and what is in them.

Every field takes its least, greatest and special values; both length rules of extended data; 0, 1 and 255 minutiae;
one and many views; envelopes, bytes after the record, line ends, columns, element types. The packing is that of
tests/vectors/formats/generate.py, which shares no code with the product.

    python tests/formats/corpus.py DIR --count 1000 --seed 1     writes the files, for other readers
"""

import argparse
import random
import runpy
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PACK = runpy.run_path(str(Path(__file__).resolve().parents[1] / "vectors" / "formats" / "generate.py"))
Row = tuple[int, int, int, int, int]
"""Type, x, y, angle, quality in file units."""


@dataclass(frozen=True)
class Case:
    """One file.

    Attributes:
        name: with its extension.
        octets: the file.
        views: minutiae of each view in file units; for embeddings an empty list a view.
        options: import options it needs.
        warnings: codes that must be there.
        record: the minutiae record inside the file, where there is one.
    """

    name: str
    octets: bytes
    views: list[list[Row]]
    options: dict[str, Any] = field(default_factory=dict)
    warnings: frozenset[str] = frozenset()
    record: bytes = b""


def edge(rng: random.Random, low: int, high: int) -> int:
    """A value of a range: often one of its ends."""
    return rng.choice((low, low, high, high, rng.randint(low, high), min(low + 1, high)))


RESOLUTIONS = (98, 100, 196, 197, 200, 393, 394, 787, 1999, 2000)
"""px/cm that bring no warning: equal on both axes and not one of the values that are often wrong."""


def image(rng: random.Random, largest: int) -> tuple[int, int, int]:
    """Width, height and px/cm, at most 4095 pixels at 500 dpi."""
    per_cm = rng.choice(RESOLUTIONS)
    dpi = {98: 250, 196: 500, 197: 500, 393: 1000, 394: 1000}.get(per_cm, per_cm * 2.54)
    limit = min(largest, int(4095 * dpi / 500))
    return edge(rng, 300, limit), edge(rng, 300, limit), per_cm


def rows(
    rng: random.Random, size: tuple[int, int], angles: int, qualities: tuple[int, ...], least: int = 0
) -> list[Row]:
    count = rng.choice((least, 1, 2, rng.randint(3, 60), rng.randint(3, 60), 255))
    width, height = (min(side, 0x4000) for side in size)
    return [
        (
            rng.randint(0, 2),
            edge(rng, 0, width - 1),
            edge(rng, 0, height - 1),
            edge(rng, 0, angles - 1),
            rng.choice((*qualities, rng.randint(0, 100))),
        )
        for _ in range(count)
    ]


def extended(rng: random.Random, *, data_only: bool) -> tuple[bytes, bool]:
    """The area with its length; whether only the newer rule reads it."""
    if rng.random() < 0.5:
        return b"\0\0", False
    blocks = [
        (rng.choice((1, 2, 3, 0x0100, 0x0105, 0xFFFF)), rng.randbytes(rng.choice((0, 1, 4, 40, 300))))
        for _ in range(rng.choice((1, 1, 2, 5)))
    ]
    own = 0 if data_only else 4
    area = b"".join(struct.pack(">HH", kind, len(data) + own) + data for kind, data in blocks)
    at = 0
    while data_only and at + 4 <= len(area):
        length = struct.unpack_from(">H", area, at + 2)[0]
        if length < 4 or at + length > len(area):
            break
        at += length
    return struct.pack(">H", len(area)) + area, data_only and at != len(area)


POSITIONS_20 = tuple(range(11))
POSITIONS_WIDE = (*range(11), 13, 14, 15, *range(40, 51))
IMPRESSIONS_2009 = (0, 1, 2, 3, 8, 10, 11, *range(20, 30))
IMPRESSIONS_2011 = (*range(10), 24, 28, 29)


def names(rng: random.Random, positions: tuple[int, ...], most: int) -> list[tuple[int, int]]:
    """Position and number of each view, counted up from 0 for each finger."""
    count = rng.choice((1, 1, 2, 3, most))
    found: list[tuple[int, int]] = []
    for _ in range(count):
        free = [p for p in positions if sum(q == p for q, _ in found) < 16]
        position = rng.choice(free)
        found.append((position, sum(q == position for q, _ in found)))
    return found


def record_20(rng: random.Random, *, ansi: bool) -> Case:
    width, height, per_cm = image(rng, 0xFFFF)
    views, packed, warn = [], [], False
    data_only = not ansi and rng.random() < 0.5
    for position, number in names(rng, POSITIONS_20, 12):
        found = rows(rng, (width, height), 180 if ansi else 256, (0, 1, 100))
        area, odd = extended(rng, data_only=data_only)
        warn |= odd
        packed.append(PACK["view20"](position, number, edge(rng, 0, 9), edge(rng, 0, 100), found, area))
        views.append(found)
    body = b"".join(packed)
    tail = struct.pack(">HHHHBB", width, height, per_cm, per_cm, len(views), 0) + body
    if ansi:
        head = struct.pack(">HHH", edge(rng, 0, 0xFFFF), edge(rng, 0, 0xFFFF), edge(rng, 0, 0xFFFF))
        size = 26 + len(body)
        length = struct.pack(">H", size) if size <= 0xFFFF else struct.pack(">HI", 0, size + 4)
        octets = b"FMR\0 20\0" + length + head + tail
    else:
        octets = b"FMR\0 20\0" + struct.pack(">IH", 24 + len(body), edge(rng, 0, 0xFFFF)) + tail
    warnings = frozenset({"header.extended_length"}) if warn else frozenset()
    return Case(f"x.{'ansi' if ansi else 'iso'}", octets, views, warnings=warnings, record=octets)


def record_2009(rng: random.Random) -> Case:
    am1 = rng.random() < 0.5
    views, packed = [], []
    for position, number in names(rng, POSITIONS_WIDE if am1 else POSITIONS_20, 12):
        width, height, per_cm = image(rng, 0xFFFF)
        found = rows(rng, (width, height), 180, (0, 100, 254, 255))
        head = struct.pack(
            ">BBBBHHHHHHB", position, number, rng.choice(IMPRESSIONS_2009), rng.choice((0, 100, 254, 255)),
            edge(rng, 0, 0xFFFF), edge(rng, 0, 0xFFFF), width, height, per_cm, per_cm, len(found),
        )  # fmt: skip
        packed.append(head + PACK["minutiae"](found) + extended(rng, data_only=False)[0])
        views.append(found)
    body = b"".join(packed)
    head = struct.pack(
        ">IHHBHBB", 21 + len(body), edge(rng, 0, 0xFFFF), edge(rng, 0, 0xFFFF), rng.choice((0, 0x80)),
        edge(rng, 0, 0xFFFF), len(views), 0,
    )  # fmt: skip
    octets = b"FMR\0" + (b"035\0" if am1 else b"030\0") + head + body
    return Case("x.fmr", octets, views, record=octets)


def date(rng: random.Random) -> bytes:
    whole = struct.pack(
        ">HBBBBBH", edge(rng, 1, 9999), edge(rng, 1, 12), edge(rng, 1, 31), edge(rng, 0, 23), edge(rng, 0, 59),
        edge(rng, 0, 59), edge(rng, 0, 999),
    )  # fmt: skip
    known = rng.choice((0, 2, 3, 4, 5, 6, 7, 9, 9))
    return whole[:known] + b"\xff" * (9 - known)


def record_2011(rng: random.Random) -> Case:
    flag = rng.randint(0, 1)
    views, packed = [], []
    for position, number in names(rng, POSITIONS_WIDE, 12):
        width, height, per_cm = image(rng, 0x3FFF)
        size = rng.choice((5, 6))
        found = rows(rng, (width, height), 256, (0, 100, 254, 255), least=1)
        qualities = [(rng.choice((0, 100, 255)), edge(rng, 0, 0xFFFF), 0) for _ in range(rng.choice((0, 1, 2, 5)))]
        certs = [(edge(rng, 0, 0xFFFF), edge(rng, 0, 255)) for _ in range(rng.choice((0, 1, 3)))]
        packed.append(
            PACK["view2011"](
                position, number, date(rng), edge(rng, 0, 20), qualities, certs if flag else None, (per_cm, per_cm),
                rng.choice(IMPRESSIONS_2011), (width, height), size << 4 | rng.randint(0, 1), found,
                extended(rng, data_only=False)[0],
            )
        )  # fmt: skip
        views.append([(k, x, y, a, q if size == 6 else 254) for k, x, y, a, q in found])
    octets = PACK["iso2011"](*packed, flag=flag)
    return Case("x.fmr", octets, views, record=octets)


def wrapped(rng: random.Random, case: Case) -> Case:
    """A record in an envelope, or with bytes after it."""
    kind = rng.choice(("none", "none", "none", "cbeff", "piv", "trailing"))
    if kind == "none" or not case.record:
        return case
    if kind == "trailing":
        rest = rng.choice((bytes(1), bytes(114), rng.randbytes(200)))
        warnings = case.warnings | {"header.trailing_bytes"}
        return Case(case.name, case.octets + rest, case.views, {"trailing": "keep"}, warnings, case.record)
    owner, kind_id = rng.choice(((0x1B, 0x0201), (0x0101, 1)))
    octets = PACK["cbeff"](case.octets, owner, kind_id, signature=rng.randbytes(rng.choice((0, 1, 900))))
    if kind == "piv" and len(octets) < 0xFF00:
        octets = PACK["tlv"](0x53, PACK["tlv"](0xBC, octets) + rng.choice((b"", b"\xfe\0")))
    return Case(rng.choice((case.name, "x.bin")), octets, case.views, {}, case.warnings | {"header.cbeff"}, case.record)


def xyt(rng: random.Random) -> Case:
    m1 = rng.random() < 0.4
    count = rng.choice((1, 2, 19, 20, 255, 256, 300))
    found = [
        (0, edge(rng, 0, 2000), edge(rng, 0, 2000), edge(rng, 0, 179 if m1 else 359), edge(rng, 0, 100))
        for _ in range(count)
    ]
    if not m1:
        found[0] = (*found[0][:3], 359, found[0][4])
    columns, gap, end = rng.choice((3, 4, 5)), rng.choice((" ", "\t", "  ")), rng.choice(("\n", "\r\n"))
    lines = []
    for _, x, y, theta, quality in found:
        cells = [str(v) for v in (x, y, theta, quality)][: min(columns, 4)]
        lines.append(gap.join([*cells, *(["E"] if columns == 5 else [])]))
    text = end.join(lines) + rng.choice(("", end, end * 3))
    warnings = {"geometry.assumed_500_dpi"}
    warnings |= {"data.extra_columns"} if columns == 5 else set()
    warnings |= {"data.too_many_minutiae"} if count > 255 else set()
    return Case("x.xyt", text.encode(), [found[:255]], {"xyt_m1": True} if m1 else {}, frozenset(warnings))


def embeddings(rng: random.Random) -> Case:
    views, dimension = rng.choice((1, 1, 2, 16)), rng.choice((64, 128, 511, 1024))
    code, letter = rng.choice(((">f4", "f"), ("<f4", "f"), ("<f8", "d"), (">f8", "d"), ("<f2", "e"), (">f2", "e")))
    values = [[rng.gauss(0, 1) for _ in range(dimension)] for _ in range(views)]
    kind = rng.choice(("npy", "npz", "csv"))
    if kind == "csv":
        lines = [",".join(f"{v:.9g}" for v in row) for row in values]
        text = rng.choice(("\n", "\r\n")).join([*rng.choice(([], ["# model of somebody"])), *lines])
        return Case("x.csv", text.encode(), [[] for _ in values])
    fortran = rng.random() < 0.3
    flat = [row[i] for i in range(dimension) for row in values] if fortran else [v for row in values for v in row]
    shape = f"({dimension},)" if views == 1 and rng.random() < 0.5 else f"({views}, {dimension})"
    header = PACK["header"](code, str(fortran), shape)
    body = struct.pack(f"{code[0]}{len(flat)}{letter}", *flat)
    octets = PACK["npy"](header, body, rng.choice(((1, 0), (2, 0), (3, 0))))
    if kind == "npz":
        others = rng.choice(([], [("labels.npy", b"not read")]))
        packed = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
        octets = PACK["npz"](("embeddings.npy", octets), *others, compress=packed)
    return Case(f"x.{kind}", octets, [[] for _ in values])


def corpus(count: int, seed: int) -> list[Case]:
    """The first `count` cases of a seed."""
    makers: tuple[Callable[[random.Random], Case], ...] = (
        lambda rng: wrapped(rng, record_20(rng, ansi=False)),
        lambda rng: wrapped(rng, record_20(rng, ansi=True)),
        lambda rng: wrapped(rng, record_2009(rng)),
        lambda rng: wrapped(rng, record_2011(rng)),
        xyt,
        embeddings,
    )
    return [makers[i % len(makers)](random.Random(f"{seed} {i}")) for i in range(count)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.directory.mkdir()
    for index, one in enumerate(corpus(arguments.count, arguments.seed)):
        (arguments.directory / f"{index:06d}{Path(one.name).suffix}").write_bytes(one.octets)
