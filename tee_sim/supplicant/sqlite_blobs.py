"""The untrusted disk as a plain SQLite file that an auditor can open with `sqlite3`.

Tables: docs/formats/storage.md section 4. Clear columns are copies of what the secure world authenticates: they are
put together again on every read, and a changed column makes the object fail to open.

Journal: rollback journal in TRUNCATE mode with synchronous FULL. Durable when COMMIT returns (the truncation is
synced too; DELETE mode would need EXTRA for that), one file at rest, no old ciphertext left in a write-ahead log.
secure_delete overwrites erased rows with zeros in the same transaction. The object table keeps its rowid: without one,
a row over a quarter of a page goes to a page of its own (4 882 instead of 1 610 bytes for a row of 1.2 kB,
`python -m bench.storage_scale`).
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from tee_sim.blobs import ANCHOR_NAME, Changes, page_name
from tee_sim.codec import decode, encode
from tee_sim.errors import TeeError, TeeResult
from tee_sim.sealing import NONCE_BYTES

__all__ = ["SqliteBlobs"]

_SCHEMA = """
CREATE TABLE object (
  ta BLOB NOT NULL CHECK (length(ta) = 16),
  object_id BLOB NOT NULL CHECK (length(object_id) <= 64),
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  owner BLOB NOT NULL CHECK (length(owner) <= 32),
  commitment BLOB NOT NULL CHECK (length(commitment) IN (0, 32)),
  nonce BLOB NOT NULL CHECK (length(nonce) = 12),
  ciphertext BLOB NOT NULL,
  PRIMARY KEY (ta, object_id)
) STRICT;
CREATE TABLE page (
  number INTEGER PRIMARY KEY,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  ciphertext BLOB NOT NULL
) STRICT;
CREATE TABLE anchor (
  id INTEGER PRIMARY KEY CHECK (id = 0),
  sealed BLOB NOT NULL
) STRICT;
"""
_APPLICATION_ID = 0x54534D31
_USER_VERSION = 1

_NO_SPACE = frozenset({"SQLITE_FULL"})
_BUSY = frozenset({"SQLITE_BUSY", "SQLITE_LOCKED"})


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Translate what SQLite raises; damage of the file looks like a disk that does not work."""
    try:
        yield
    except (sqlite3.Error, OSError, OverflowError, TypeError, UnicodeDecodeError) as error:
        name = getattr(error, "sqlite_errorname", "")
        result = (
            TeeResult.STORAGE_NO_SPACE if name in _NO_SPACE
            else TeeResult.BUSY if name in _BUSY
            else TeeResult.STORAGE_NOT_AVAILABLE
        )  # fmt: skip
        raise TeeError(result, f"storage file: {name or 'not readable'}") from error


class SqliteBlobs:
    """`BlobStore` over one file.

    Raises:
        TeeError: STORAGE_NOT_AVAILABLE if it is not a store of ours or damaged, BUSY if another process writes.
    """

    def __init__(self, path: Path) -> None:
        with _disk_errors():
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=2.0, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = TRUNCATE")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.execute("PRAGMA trusted_schema = OFF")
            self._prepare()

    def _prepare(self) -> None:
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables:
            self._db.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA application_id = {_APPLICATION_ID};"
                f" PRAGMA user_version = {_USER_VERSION}; COMMIT;"
            )
        marks = [self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        if marks != [_APPLICATION_ID, _USER_VERSION]:
            self._db.close()
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, "storage file: not a store of this version")

    def read(self, names: Sequence[bytes]) -> list[bytes | None]:
        with _disk_errors():
            return [self._read_one(name) for name in names]

    def _read_one(self, name: bytes) -> bytes | None:
        match name[:1]:
            case b"o":
                return self._read_object(name)
            case b"p" if len(name) == 9:
                row = self._db.execute(
                    "SELECT hash, ciphertext FROM page WHERE number = ?", (_number(name[1:]),)
                ).fetchone()
                return cast("bytes", row[0] + row[1]) if row else None
            case _:
                row = self._db.execute("SELECT sealed FROM anchor").fetchone() if name == ANCHOR_NAME else None
                return cast("bytes", row[0]) if row else None

    def _read_object(self, name: bytes) -> bytes | None:
        row = self._db.execute(
            "SELECT version, kind, owner, commitment, nonce, ciphertext FROM object WHERE ta = ? AND object_id = ?",
            (name[1:17], name[17:]),
        ).fetchone()
        if row is None:
            return None
        header = encode([name[1:17], name[17:], row[0], row[1], row[2], row[3]])
        return cast("bytes", len(header).to_bytes(2, "big") + header + row[4] + row[5])

    def scan(self, after: bytes, limit: int) -> list[bytes]:
        names: list[bytes] = []
        with _disk_errors():
            for part in (self._scan_anchor, self._scan_objects, self._scan_pages):
                names += part(after, limit - len(names))
        return names

    def _scan_anchor(self, after: bytes, limit: int) -> list[bytes]:
        found = after < ANCHOR_NAME and limit and self._db.execute("SELECT 1 FROM anchor").fetchone()
        return [ANCHOR_NAME] if found else []

    def _scan_objects(self, after: bytes, limit: int) -> list[bytes]:
        if after >= b"p":
            return []
        bound = (after[1:17], after[17:]) if after[:1] == b"o" else (b"", b"")
        query = "SELECT ta, object_id FROM object WHERE (ta, object_id) > (?, ?) ORDER BY ta, object_id LIMIT ?"
        return [b"o" + ta + object_id for ta, object_id in self._db.execute(query, (*bound, limit))]

    def _scan_pages(self, after: bytes, limit: int) -> list[bytes]:
        if after >= b"q":
            return []
        bound = _number(after[1:9]) if after[:1] == b"p" else -1
        query = "SELECT number FROM page WHERE number > ? ORDER BY number LIMIT ?"
        return [page_name(number) for (number,) in self._db.execute(query, (bound, limit))]

    def commit(self, changes: Changes) -> None:
        with _disk_errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for name in changes.deletes:
                    self._delete(name)
                for name, blob in changes.puts.items():
                    self._put(name, blob)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _delete(self, name: bytes) -> None:
        if name[:1] == b"o":
            self._db.execute("DELETE FROM object WHERE ta = ? AND object_id = ?", (name[1:17], name[17:]))
        elif name[:1] == b"p":
            self._db.execute("DELETE FROM page WHERE number = ?", (_number(name[1:]),))

    def _put(self, name: bytes, blob: bytes) -> None:
        match name[:1]:
            case b"o":
                self._db.execute("INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _columns(name, blob))
            case b"p":
                row = (_number(name[1:]), blob[:32], blob[32:])
                self._db.execute("INSERT OR REPLACE INTO page VALUES (?, ?, ?)", row)
            case _:
                self._db.execute("INSERT OR REPLACE INTO anchor VALUES (0, ?)", (blob,))

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _number(raw: bytes) -> int:
    """Page number; those above SQLite's 63 bits are refused by it and never occur."""
    return int.from_bytes(raw, "big")


def _columns(name: bytes, blob: bytes) -> tuple[object, ...]:
    end = 2 + int.from_bytes(blob[:2], "big")
    ta, object_id, version, kind, owner, commitment = cast("list[object]", decode(blob[2:end]))
    if name[1:] != cast("bytes", ta) + cast("bytes", object_id):
        raise TeeError(TeeResult.BAD_FORMAT, "storage message: header and name differ")
    return ta, object_id, version, kind, owner, commitment, blob[end : end + NONCE_BYTES], blob[end + NONCE_BYTES :]
