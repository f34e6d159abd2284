"""The untrusted disk as a plain SQLite file that an auditor can open with `sqlite3`.

Tables: docs/formats/storage.md section 4. Version and digest of an object are copies of what the secure world
authenticates: a changed column makes the object fail to open.

Journal: rollback journal in TRUNCATE mode with synchronous FULL. Durable when COMMIT returns (the truncation is
synced too; DELETE mode would need EXTRA for that), one file at rest, no old ciphertext left in a write-ahead log. The
connection keeps its locks (`Database`), so that a transaction syncs four times and not five.
secure_delete overwrites erased rows with zeros in the same transaction; what it may leave of one is looked for, and the
file then written anew. The object table keeps its rowid: without one,
a row over a quarter of a page goes to a page of its own (4 882 instead of 1 610 bytes for a row of 1.2 kB,
`python -m bench.experiments.storage_scale`).
"""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import cast

from tee_sim.normal.supplicant import remains
from tee_sim.normal.supplicant.database import Database, disk_errors
from tee_sim.shared.blobs import ANCHOR_NAME, Changes, object_name, page_name
from tee_sim.shared.limits import MAX_BODY_BYTES
from tee_sim.shared.object_header import COMMITMENT_BYTES, NONCE_BYTES, TAG_BYTES
from tee_sim.shared.rpmb_frames import BLOCK_BYTES

MAX_PAGE_BYTES = 64 << 10
"""Of a directory page: 44 entries, or 64 children, of the longest there are take 16 KB."""

_VERSION_BYTES = 8
_NONCE_START = _VERSION_BYTES + COMMITMENT_BYTES
_CIPHERTEXT_START = _NONCE_START + NONCE_BYTES

_READ_OBJECT = """
SELECT version, commitment, nonce, ciphertext FROM object WHERE name = :name
  AND typeof(version) = 'integer' AND version >= 0 AND typeof(commitment) = 'blob' AND typeof(nonce) = 'blob'
  AND typeof(ciphertext) = 'blob' AND length(commitment) = :commitment AND length(nonce) = :nonce
  AND length(ciphertext) <= :ciphertext
"""
_OBJECT_BOUNDS = {
    "commitment": COMMITMENT_BYTES,
    "nonce": NONCE_BYTES,
    "ciphertext": MAX_BODY_BYTES + TAG_BYTES,
}
_UPDATE_OBJECT = "UPDATE object SET version = ?, commitment = ?, nonce = ?, ciphertext = ? WHERE name = ?"
_INSERT_OBJECT = "INSERT INTO object (version, commitment, nonce, ciphertext, name) VALUES (?, ?, ?, ?, ?)"
_READ_DIGEST = "SELECT commitment FROM object WHERE name = ? AND typeof(commitment) = 'blob'"
_READ_PAGE = """
SELECT hash, ciphertext FROM page WHERE number = :number AND typeof(hash) = 'blob' AND typeof(ciphertext) = 'blob'
  AND length(hash) = :hash AND length(ciphertext) <= :ciphertext
"""
_PAGE_BOUNDS = {"hash": sha256().digest_size, "ciphertext": MAX_PAGE_BYTES}
_READ_ANCHOR = "SELECT sealed FROM anchor WHERE typeof(sealed) = 'blob' AND length(sealed) = ?"
"""A row that does not fit is as good as none: the secure world misses it. SQLite knows type and length of a blob from
the head of its row, so that 300 MB in the place of one are never read."""


class SqliteBlobs:
    """`BlobStore` over one file.

    Args:
        create: make it if it is not there.
        read_only: never write it.

    Raises:
        TeeError: as `Database`; and from its methods STORAGE_NO_SPACE.
    """

    def __init__(self, path: Path, *, create: bool = True, read_only: bool = False) -> None:
        self._db = Database(path, create=create, read_only=read_only)
        self._path = path
        self._erased: set[bytes] = set()
        """Digests of rows that were deleted, and may still be in the unused bytes of the file."""

    def read(self, names: Sequence[bytes]) -> list[bytes | None]:
        with disk_errors():
            return [self._read_one(name) for name in names]

    def _read_one(self, name: bytes) -> bytes | None:
        match name[:1]:
            case b"o":
                return self._read_object(name)
            case b"p" if len(name) == 9:
                row = self._db.run(_READ_PAGE, {**_PAGE_BOUNDS, "number": _number(name[1:])}).fetchone()
                return cast("bytes", row[0] + row[1]) if row else None
            case _:
                row = self._db.run(_READ_ANCHOR, (BLOCK_BYTES,)).fetchone() if name == ANCHOR_NAME else None
                return cast("bytes", row[0]) if row else None

    def _read_object(self, name: bytes) -> bytes | None:
        row = self._db.run(_READ_OBJECT, {**_OBJECT_BOUNDS, "name": name[1:]}).fetchone()
        if row is None:
            return None
        version, *rest = row
        return cast("bytes", version.to_bytes(_VERSION_BYTES, "big") + b"".join(rest))

    def scan(self, after: bytes, limit: int) -> list[bytes]:
        names: list[bytes] = []
        with disk_errors():
            for part in (self._scan_anchor, self._scan_objects, self._scan_pages):
                names += part(after, limit - len(names))
        return names

    def _scan_anchor(self, after: bytes, limit: int) -> list[bytes]:
        found = after < ANCHOR_NAME and limit and self._db.run("SELECT 1 FROM anchor").fetchone()
        return [ANCHOR_NAME] if found else []

    def _scan_objects(self, after: bytes, limit: int) -> list[bytes]:
        if after >= b"p":
            return []
        bound = after[1:] if after[:1] == b"o" else b""
        rows = self._db.run("SELECT name FROM object WHERE name > ? ORDER BY name LIMIT ?", (bound, limit))
        return [object_name(name) for (name,) in rows]

    def _scan_pages(self, after: bytes, limit: int) -> list[bytes]:
        if after >= b"q":
            return []
        bound = _number(after[1:9]) if after[:1] == b"p" else -1
        query = "SELECT number FROM page WHERE number > ? ORDER BY number LIMIT ?"
        return [page_name(number) for (number,) in self._db.run(query, (bound, limit))]

    def commit(self, changes: Changes) -> None:
        with disk_errors():
            erased = {digest for name in changes.deletes for digest in self._digest(name)}
            with self._db.transaction():
                for name in changes.deletes:
                    self._delete(name)
                for name, blob in changes.puts.items():
                    self._put(name, blob)
            self._erased |= erased
        if self._erased:
            self._clear_remains()

    def _digest(self, name: bytes) -> list[bytes]:
        if name[:1] != b"o":
            return []
        return [digest for (digest,) in self._db.run(_READ_DIGEST, (name[1:],))]

    def _clear_remains(self) -> None:
        """Get rid of what is left of deleted rows. The transaction is durable already: what fails here, for want of
        space, is tried again after the next one."""
        with suppress(sqlite3.Error, OSError):
            if remains.hold(self._path, self._erased):
                self._db.rewrite()
            self._erased.clear()

    def _delete(self, name: bytes) -> None:
        if name[:1] == b"o":
            self._db.run("DELETE FROM object WHERE name = ?", (name[1:],))
        elif name[:1] == b"p":
            self._db.run("DELETE FROM page WHERE number = ?", (_number(name[1:]),))

    def _put(self, name: bytes, blob: bytes) -> None:
        match name[:1]:
            case b"o":
                row = (*_columns(blob), name[1:])
                # In its place: a row that is replaced moves to the end of the table, which changes four more pages.
                if not self._db.run(_UPDATE_OBJECT, row).rowcount:
                    self._db.run(_INSERT_OBJECT, row)
            case b"p":
                page = (_number(name[1:]), blob[:32], blob[32:])
                self._db.run("INSERT OR REPLACE INTO page VALUES (?, ?, ?)", page)
            case _:
                self._db.run("INSERT OR REPLACE INTO anchor VALUES (0, ?)", (blob,))

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _number(raw: bytes) -> int:
    """Page number; those above SQLite's 63 bits are refused by it and never occur."""
    return int.from_bytes(raw, "big")


def _columns(blob: bytes) -> tuple[object, ...]:
    """Version, digest, nonce and ciphertext."""
    version = int.from_bytes(blob[:_VERSION_BYTES], "big")
    return (
        version, blob[_VERSION_BYTES:_NONCE_START], blob[_NONCE_START:_CIPHERTEXT_START], blob[_CIPHERTEXT_START:],
    )  # fmt: skip
