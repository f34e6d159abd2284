"""Opening the database of a store: what may stand in its place, which schema it has, what one statement may cost.

Who can write the file is not trusted: it may hold views, triggers, rows of any size, or another application's tables.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path

from tee_sim.normal.private_files import UnsafeFile, create_file, open_file
from tee_sim.normal.supplicant.files import DATABASE_SIDES, MOST_BYTES
from tee_sim.shared.errors import TeeError, TeeResult

_SCHEMA = """
CREATE TABLE object (
  name BLOB NOT NULL CHECK (length(name) = 32),
  version INTEGER NOT NULL,
  commitment BLOB NOT NULL CHECK (length(commitment) = 32),
  nonce BLOB NOT NULL CHECK (length(nonce) = 12),
  ciphertext BLOB NOT NULL,
  PRIMARY KEY (name)
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
_USER_VERSION = 2

MAX_ROW_BYTES = 1 << 20
MAX_SCHEMA_ROWS = 64
MAX_STEPS = 4000
STEP_INSTRUCTIONS = 1000
"""One statement may take 4 million instructions of SQLite's machine, about a second. The longest of ours, 4096 names
out of a scan, takes 60 000; a recursive query that a changed schema has put in the place of a table takes for ever."""

REWRITE_STEPS = 16 * MAX_STEPS
"""Of the statement that copies all rows: 100 000 objects take 0.9 million instructions."""

_RESULTS = {
    "SQLITE_FULL": TeeResult.STORAGE_NO_SPACE,
    "SQLITE_BUSY": TeeResult.BUSY,
    "SQLITE_LOCKED": TeeResult.BUSY,
    "SQLITE_CANTOPEN": TeeResult.STORAGE_NOT_AVAILABLE,
    "SQLITE_IOERR": TeeResult.STORAGE_NOT_AVAILABLE,
    "SQLITE_NOMEM": TeeResult.STORAGE_NOT_AVAILABLE,
    "SQLITE_PERM": TeeResult.STORAGE_NOT_AVAILABLE,
    "SQLITE_READONLY": TeeResult.STORAGE_READ_ONLY,
}
"""By the beginning of the name: SQLite has finer ones. All others say that the file is not what we wrote."""


def _result(name: str) -> TeeResult:
    known = (result for start, result in _RESULTS.items() if name == start or name.startswith(f"{start}_"))
    return next(known, TeeResult.CORRUPT_OBJECT)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Translate what SQLite and the file system raise, and what values of a wrong type make of us."""
    try:
        yield
    except UnsafeFile as unsafe:
        raise TeeError(TeeResult.CORRUPT_OBJECT, str(unsafe)) from unsafe
    except OSError as error:
        raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, f"storage file: {error.strerror}") from error
    except (sqlite3.Error, OverflowError, TypeError, UnicodeDecodeError) as error:
        name = getattr(error, "sqlite_errorname", "")
        raise TeeError(_result(name), f"storage file: {name or 'not readable'}") from error


@cache
def _expected_schema() -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(_SCHEMA)
        return _schema(db)


def _schema(db: sqlite3.Connection) -> list[tuple[object, ...]]:
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name LIMIT ?"
    return db.execute(query, (MAX_SCHEMA_ROWS,)).fetchall()


def _look_at_files(path: Path, *, create: bool) -> bool:
    """See that the database and what stands next to it are plain files of ours; return whether they can be written.

    SQLite itself follows links, and opens a write-ahead log that it finds.
    """
    at = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for side in DATABASE_SIDES:
            with suppress(FileNotFoundError):
                os.close(open_file(at, path.name + side, most_bytes=MOST_BYTES))
                if side != "-journal":
                    raise TeeError(TeeResult.CORRUPT_OBJECT, f"{path.name}{side} is not a file of a store")
        try:
            os.close(open_file(at, path.name, most_bytes=MOST_BYTES))
        except FileNotFoundError:
            if not create:
                raise TeeError(TeeResult.CORRUPT_OBJECT, f"{path.name} is missing") from None
            os.close(create_file(at, path.name))
            os.fsync(at)
        return all(os.access(name, os.W_OK, dir_fd=at) for name in (".", path.name))
    finally:
        os.close(at)


class Database:
    """A connection to the file of a store, whose directory nobody else can write.

    Args:
        create: make it if it is not there.
        read_only: never write it.

    Attributes:
        writable: whether the file and its directory can be written.

    Raises:
        TeeError: CORRUPT_OBJECT if the file is missing, not ours alone, damaged, or has another schema than a store;
            UNSUPPORTED_VERSION for one of another version; STORAGE_NOT_AVAILABLE, BUSY.
    """

    def __init__(self, path: Path, *, create: bool, read_only: bool = False) -> None:
        with disk_errors():
            self.writable = _look_at_files(path, create=create) and not read_only
            escaped = str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
            uri = f"file:{escaped}?mode={'rw' if self.writable else 'ro'}"
            self._db = sqlite3.connect(uri, isolation_level=None, timeout=2.0, check_same_thread=False, uri=True)
            try:
                self._prepare(create=create)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, *, create: bool) -> None:
        self._steps = MAX_STEPS
        self._db.set_progress_handler(self._step, STEP_INSTRUCTIONS)
        self._db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_ROW_BYTES)
        self.run("PRAGMA trusted_schema = OFF")
        self.run("PRAGMA cell_size_check = ON")
        self.run("PRAGMA journal_mode = TRUNCATE")
        self.run("PRAGMA synchronous = FULL")
        self.run("PRAGMA secure_delete = ON")
        self.run("PRAGMA temp_store = MEMORY")  # no file of ours outside the directory of the device
        if create and not self.run("SELECT 1 FROM sqlite_master").fetchone():
            self._db.executescript(
                f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA application_id = {_APPLICATION_ID};"
                f" PRAGMA user_version = {_USER_VERSION}; COMMIT;"
            )
        application_id, version = (self.run(f"PRAGMA {n}").fetchone()[0] for n in ("application_id", "user_version"))
        if application_id == _APPLICATION_ID and version != _USER_VERSION:
            raise TeeError(TeeResult.UNSUPPORTED_VERSION, f"storage file: version {version}, not {_USER_VERSION}")
        if application_id != _APPLICATION_ID or _schema(self._db) != _expected_schema():
            raise TeeError(TeeResult.CORRUPT_OBJECT, "storage file: its tables are not those of a store")
        self._hold()

    def _hold(self) -> None:
        """Begin a query and leave it unfinished, which keeps the shared lock: others can read the file, not write it.

        Without any lock SQLite closes its journal after each transaction and syncs the directory when it opens it for
        the next one, and looks before every query whether another process has changed the file.
        """
        self._held = self.run("SELECT 1 FROM sqlite_master")
        self._held.fetchone()

    def _step(self) -> bool:
        self._steps -= 1
        return self._steps < 0

    def run(
        self, statement: str, values: Sequence[object] | Mapping[str, object] = (), *, steps: int = MAX_STEPS
    ) -> sqlite3.Cursor:
        """Execute one statement within its budget. Raises sqlite3.Error; use `disk_errors`."""
        self._steps = steps
        return self._db.execute(statement, values)

    def rewrite(self) -> None:
        """Write the whole file anew, every row in it and nothing else. Raises sqlite3.Error; nothing changed then."""
        self._held.close()  # a file is not written anew under a query, or in a transaction
        if self._db.in_transaction:
            self.run("ROLLBACK")
        try:
            self.run("VACUUM", steps=REWRITE_STEPS)
        finally:
            self._hold()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements of the block, or none."""
        if not self._db.in_transaction:
            self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self.run("ROLLBACK")
            raise
        finally:
            # The next one begins at once: whoever else began one and gave it up would remove the journal, which is
            # open here. An empty one that is never ended leaves nothing.
            with suppress(sqlite3.Error):
                self.run("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Close the file."""
        self._held.close()
        self._db.close()
