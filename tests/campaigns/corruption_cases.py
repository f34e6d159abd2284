"""Every way in which the campaign damages a device directory. A case is a name of its group and the changed files."""

import random
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.campaigns.crash_oracle import scratch

Files = dict[str, bytes]
Case = tuple[str, str, Files]
"""Group, how, and the files that differ from the good ones."""

REGION_BYTES = 32
_PAGE_BYTES = 4096
_SECTOR_BYTES = 512
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")  # SQLite file format, section 3


def cases(good: Files, old: Files, foreign: Files, rng: random.Random) -> Iterator[Case]:
    """All damages of `good`.

    Args:
        old: an earlier epoch of the same device.
        foreign: another device with the same people.
    """
    for name, raw in good.items():
        region = REGION_BYTES if name.endswith((".db", ".img")) else 8
        yield from ((name, how, {name: bad}) for how, bad in _regions(raw, region, rng) if bad != raw)
        for origin, other in (("epoch", old), ("device", foreign)):
            if other[name] != raw:
                yield name, f"whole from another {origin}", {name: other[name]}
                for at in range(0, min(len(raw), len(other[name])), region):
                    bad = raw[:at] + other[name][at : at + region] + raw[at + region :]
                    if bad != raw and name.endswith((".db", ".img")):
                        yield name, f"swapped with another {origin}", {name: bad}
    for origin, other in (("epoch", old), ("device", foreign)):
        for how, journal in _journals(other["storage.db"], rng):
            yield "journal", f"{how} of another {origin}", {"storage.db-journal": journal}
    for group, how, database in _cells(good["storage.db"], old["storage.db"], foreign["storage.db"]):
        yield group, how, {"storage.db": database}


def _regions(raw: bytes, size: int, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    starts = range(0, len(raw), size)
    for at in starts:
        part = raw[at : at + size]
        bit = rng.randrange(len(part) * 8)
        flipped = bytearray(part)
        flipped[bit // 8] ^= 1 << bit % 8
        other = rng.choice(starts)
        elsewhere = raw[other : other + len(part)]
        yield "flipped", raw[:at] + bytes(flipped) + raw[at + size :]
        yield "zeroed", raw[:at] + bytes(len(part)) + raw[at + size :]
        yield "truncated", raw[:at]
        yield "duplicated", raw[:at] + part + part + raw[at + 2 * size :]
        yield "swapped", raw[:at] + elsewhere + raw[at + len(elsewhere) :]


def _journals(other: bytes, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Forged hot journals that put pages of another database back, and damaged ones."""
    pages = [other[at : at + _PAGE_BYTES] for at in range(0, len(other), _PAGE_BYTES)]
    for number, page in enumerate(pages, start=1):
        yield "one page", _journal({number: page}, len(pages))
    whole = _journal(dict(enumerate(pages, start=1)), len(pages))
    yield "all pages", whole
    for at in range(0, len(whole), _PAGE_BYTES // 2):
        yield "truncated", whole[:at]
        yield "garbage", rng.randbytes(at + 1)


def _journal(pages: dict[int, bytes], total: int) -> bytes:
    nonce = 7
    head = _JOURNAL_MAGIC + struct.pack(">5I", len(pages), nonce, total, _SECTOR_BYTES, _PAGE_BYTES)
    body = b"".join(
        struct.pack(">I", number)
        + page
        + struct.pack(">I", (nonce + sum(page[at] for at in range(_PAGE_BYTES - 200, 0, -200))) & 0xFFFFFFFF)
        for number, page in pages.items()
    )
    return head.ljust(_SECTOR_BYTES, b"\0") + body


def _cells(good: bytes, old: bytes, foreign: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Each column of each row changed, or taken from another row, epoch or device; rows removed and revived."""
    with tempfile.TemporaryDirectory(dir=scratch()) as name:
        path = Path(name) / "cells.db"
        others = {origin: _rows(path, raw) for origin, raw in (("epoch", old), ("device", foreign))}
        mine = _rows(path, good)
        for table, (columns, rows) in mine.items():
            for index, row in enumerate(rows):
                key = " AND ".join(f"{c} IS ?" for c in columns)
                yield table, "row removed", _changed(path, good, f"DELETE FROM {table} WHERE {key}", row)
                for column, value in zip(columns, row, strict=True):
                    update = f"UPDATE OR REPLACE {table} SET {column} = ? WHERE {key}"
                    position = columns.index(column)
                    swaps = {"swapped between rows": rows[(index + 1) % len(rows)][position]}
                    for origin, tables in others.items():
                        theirs = tables[table][1]
                        if theirs:
                            swaps[f"swapped with another {origin}"] = theirs[index % len(theirs)][position]
                    for how, bad in {**_values(value), **swaps}.items():
                        if bad != value:
                            yield f"{table}.{column}", how, _changed(path, good, update, (bad, *row))
            for origin, tables in others.items():
                for row in tables[table][1]:
                    if row not in rows:
                        insert = f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(columns))})"
                        yield table, f"row of another {origin}", _changed(path, good, insert, row)


def _values(value: object) -> dict[str, object]:
    match value:
        case int():
            return {"flipped": value ^ 1, "zeroed": 0, "grown": value + 256}
        case str():
            return {"flipped": value[:-1] + "~", "zeroed": "", "duplicated": value + value}
        case bytes():
            flipped = value[:-1] + bytes([value[-1] ^ 1]) if value else b"\1"
            early = bytes([value[0] ^ 128]) + value[1:] if value else b"\2"
            return {
                "flipped": flipped,
                "flipped early": early,
                "zeroed": bytes(len(value)),
                "truncated": value[:-1],
                "duplicated": value + value,
            }
        case _:
            return {}


_Tables = dict[str, tuple[list[str], list[tuple[object, ...]]]]


def _rows(path: Path, database: bytes) -> _Tables:
    path.write_bytes(database)
    db = sqlite3.connect(path)
    try:
        tables: _Tables = {}
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            cursor = db.execute(f"SELECT * FROM {table}")
            tables[table] = [column[0] for column in cursor.description], cursor.fetchall()
        return tables
    finally:
        db.close()


def _changed(path: Path, database: bytes, statement: str, values: tuple[object, ...]) -> bytes:
    path.write_bytes(database)
    db = sqlite3.connect(path)
    try:
        db.execute("PRAGMA journal_mode = MEMORY")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute(statement, values)
        db.commit()
    finally:
        db.close()
    return path.read_bytes()
