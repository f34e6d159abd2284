"""The rows of the store by docs/formats/storage.md section 4."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from bioguard.evidence.second_reader.flaws import Unreadable, demand
from bioguard.evidence.second_reader.sqlite_file import SqliteFile

_COLUMNS = {
    "object": ["name", "version", "commitment", "nonce", "ciphertext"],
    "page": ["number", "hash", "ciphertext"],
    "anchor": ["id", "sealed"],
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an object."""

    version: int
    digest: bytes
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Disk:
    """What is on the disk: objects by keyed name, pages by number, the anchor of a disk without RPMB.

    Attributes:
        remains: bytes of free space that are left of sealed rows which SQLite moved.
    """

    objects: dict[bytes, Row]
    pages: dict[int, tuple[bytes, bytes]]
    anchor: bytes | None
    remains: int = 0

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the rows, and account for every byte between them. Raises Unreadable."""
        data = path.read_bytes()
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
                roots = _schema(database)
                disk = cls(*_rows(database))
        except sqlite3.Error as error:
            raise Unreadable(f"storage.db cannot be read: {error}") from error
        try:
            file = SqliteFile(data)
            file.account(roots)
        except (IndexError, RecursionError):
            raise Unreadable("storage.db is no SQLite file of the published form") from None
        return replace(disk, remains=file.remains)


def _schema(database: sqlite3.Connection) -> list[int]:
    """The root pages of what is there. Raises Unreadable for anything but the three tables and one index."""
    rows = database.execute("SELECT type, name, tbl_name, rootpage FROM sqlite_master").fetchall()
    expected = {("table", name, name) for name in _COLUMNS} | {("index", "sqlite_autoindex_object_1", "object")}
    demand({tuple(row[:3]) for row in rows} == expected and len(rows) == 4, "storage.db has another schema")
    for table, columns in _COLUMNS.items():
        found = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        demand(found == columns, f"table {table} of storage.db has other columns")
    numbers = {name: database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")}
    demand(numbers == {"application_id": 0x54534D31, "user_version": 2}, "storage.db is of another version")
    return [row[3] for row in rows]


def _rows(database: sqlite3.Connection) -> tuple[dict[bytes, Row], dict[int, tuple[bytes, bytes]], bytes | None]:
    def of(table: str) -> list[tuple[Any, ...]]:
        columns = ", ".join(_COLUMNS[table])
        return database.execute(f"SELECT {columns} FROM {table}").fetchall()  # noqa: S608  # names of ours

    objects = {name: Row(*rest) for name, *rest in of("object")}
    anchors = of("anchor")
    return (
        objects,
        {number: (digest, sealed) for number, digest, sealed in of("page")},
        (anchors[0][1] if anchors else None),
    )
