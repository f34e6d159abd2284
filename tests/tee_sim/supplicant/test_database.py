"""What may stand in the place of a store's database: other schemas, files and rows of any size; and what it costs."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tee_sim.normal.supplicant import database
from tee_sim.normal.supplicant.sqlite_blobs import MAX_PAGE_BYTES, SqliteBlobs
from tee_sim.shared.blobs import Changes, object_name, page_name
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.limits import MAX_BODY_BYTES
from tee_sim.shared.object_header import TAG_BYTES

ONE, TWO, THREE = (object_name(bytes((i,)) * 32) for i in (1, 2, 3))
FOR_EVER = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"


def row(digest: bytes, ciphertext: bytes = b"c" * 40) -> bytes:
    return (1).to_bytes(8, "big") + digest * 32 + bytes(12) + ciphertext


ROWS = {page_name(0): b"h" * 32 + b"page", ONE: row(b"1"), TWO: row(b"2")}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(SqliteBlobs(tmp_path / "storage.db")) as blobs:
        blobs.commit(Changes(ROWS))
    return tmp_path / "storage.db"


def edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            db.execute(statement)
        db.commit()


def result(path: Path, *, create: bool = False) -> TeeResult:
    with pytest.raises(TeeError) as caught, closing(SqliteBlobs(path, create=create)) as blobs:
        blobs.read(list(ROWS))
    return caught.value.result


SCHEMAS = {
    "table": ["CREATE TABLE more (x)"],
    "index": ["CREATE INDEX more ON object (version)"],
    "trigger": [f"CREATE TRIGGER more AFTER INSERT ON object BEGIN INSERT INTO anchor SELECT 0, ({FOR_EVER}); END"],
    "view": ["CREATE VIEW more AS SELECT 1"],
    "table as a view for ever": [
        "ALTER TABLE object RENAME TO other",
        f"CREATE VIEW object AS {FOR_EVER.replace('count(*)', '*')}",
    ],
    "statistics": ["ANALYZE"],
    "column": ["ALTER TABLE object ADD COLUMN more ANY"],
    "dropped table": ["DROP TABLE page"],
    "column type": [
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'sealed BLOB', 'sealed TEXT') WHERE name = 'anchor'",
    ],
    "constraint": [
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, '= 12', '<= 12') WHERE name = 'object'",
    ],
    "application": ["PRAGMA application_id = 7"],
    "200 000 tables' names": [
        "CREATE TABLE a (x)",
        "PRAGMA writable_schema = ON",
        "INSERT INTO sqlite_master SELECT 'table', 'm' || value, 'm' || value, 0, 'CREATE TABLE m' || value || '(x)' "
        "FROM (WITH RECURSIVE r(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM r LIMIT 20000) SELECT * FROM r)",
    ],
}


@pytest.mark.parametrize("change", SCHEMAS)
def test_another_schema_is_no_store_and_takes_no_time(path: Path, change: str) -> None:
    edit(path, *SCHEMAS[change])
    before = time.monotonic()
    for create in (False, True):
        assert result(path, create=create) == TeeResult.CORRUPT_OBJECT
    assert time.monotonic() - before < 30  # it would be for ever


def test_another_version_is_told_as_such(path: Path) -> None:
    edit(path, "PRAGMA user_version = 1")
    assert result(path) == TeeResult.UNSUPPORTED_VERSION


@pytest.mark.parametrize("name", ["storage.db-wal", "storage.db-shm"])
def test_a_write_ahead_log_is_not_opened(path: Path, name: str) -> None:
    (path.parent / name).touch(0o600)
    assert result(path) == TeeResult.CORRUPT_OBJECT


def test_a_missing_database_is_not_made_anew(path: Path) -> None:
    path.unlink()
    assert result(path) == TeeResult.CORRUPT_OBJECT
    assert not path.exists()


def test_a_name_is_a_name_and_no_uri(tmp_path: Path) -> None:
    odd = tmp_path / "a?mode=ro&cache=shared#b%20c"
    with closing(SqliteBlobs(odd)) as blobs:
        blobs.commit(Changes(ROWS))
    assert {p.name.removesuffix("-journal") for p in tmp_path.iterdir()} == {odd.name}


@pytest.fixture
def of_another_schema(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteBlobs]:
    """An open store whose schema nobody has looked at: nobody who keeps to locks can change it afterwards."""
    edit(
        path,
        "ALTER TABLE object RENAME TO other",
        "CREATE VIEW object AS SELECT name, version, commitment, nonce, ciphertext "
        "FROM (WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r) CROSS JOIN other",
        "CREATE TRIGGER endless INSTEAD OF UPDATE ON object BEGIN INSERT INTO page "
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n), '', '' FROM r; END",
    )
    monkeypatch.setattr(database, "_schema", lambda _: database._expected_schema())
    with closing(SqliteBlobs(path)) as blobs:
        yield blobs


def test_others_read_an_open_store_and_do_not_write_it(path: Path) -> None:
    with closing(SqliteBlobs(path)) as blobs, closing(sqlite3.connect(path, timeout=0.1)) as other:
        journal = path.with_name("storage.db-journal")
        for number in (3, 4):
            blobs.commit(Changes({THREE: row(b"%d" % number)}))
            assert other.execute("SELECT count(*) FROM object").fetchone() == (3,)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("DROP TABLE page")
            assert journal in [fd.readlink() for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink()]
        blobs.commit(Changes(deletes=(THREE,)))
        assert blobs.read([ONE, THREE]) == [ROWS[ONE], None]
        blobs._db.rewrite()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("DROP TABLE page")
    edit(path, "DROP TABLE page")  # and once it is closed anybody does


USES: dict[str, Callable[[SqliteBlobs], object]] = {
    "read": lambda blobs: blobs.read([THREE]),
    "scan": lambda blobs: blobs.scan(b"", 4096),
    "commit": lambda blobs: blobs.commit(Changes({THREE: row(b"3")})),
}


@pytest.mark.parametrize("use", USES)
def test_what_a_schema_would_have_computed_for_ever_is_cut_off(of_another_schema: SqliteBlobs, use: str) -> None:
    with pytest.raises(TeeError, match="SQLITE_INTERRUPT") as caught:
        USES[use](of_another_schema)
    assert caught.value.result == TeeResult.CORRUPT_OBJECT


MISFITS = {
    "version": "version = -1",
    "commitment": "commitment = zeroblob(33)",
    "commitment of a megabyte": "commitment = zeroblob(1000000)",
    "no commitment": "commitment = x''",
    "nonce": "nonce = zeroblob(13)",
    "ciphertext": f"ciphertext = zeroblob({MAX_BODY_BYTES + TAG_BYTES + 1})",
    "ciphertext of 3 megabytes": "ciphertext = zeroblob(3000000)",
}


@pytest.mark.parametrize("column", MISFITS)
def test_a_column_that_grew_is_a_missing_row_and_hurts_no_other(path: Path, column: str) -> None:
    edit(path, f"UPDATE object SET {MISFITS[column]} WHERE name = x'{ONE[1:].hex()}'")
    with closing(SqliteBlobs(path)) as blobs:
        try:
            assert blobs.read([ONE, TWO]) == [None, ROWS[TWO]]
        except TeeError as error:  # what does not fit in a row of any store is not even looked at
            assert "megabyte" in column
            assert error.result == TeeResult.CORRUPT_OBJECT
        assert blobs.read([TWO]) == [ROWS[TWO]]


def test_the_largest_row_there_is_fits(path: Path) -> None:
    largest = row(b"1", b"c" * (MAX_BODY_BYTES + TAG_BYTES))
    with closing(SqliteBlobs(path)) as blobs:
        blobs.commit(Changes({ONE: largest, page_name(7): bytes(32 + MAX_PAGE_BYTES)}))
        assert blobs.read([ONE, page_name(7)]) == [largest, bytes(32 + MAX_PAGE_BYTES)]


@pytest.mark.parametrize(
    "values", ["x'00', 'text'", "'text', x'00'", "zeroblob(31), x'00'", f"zeroblob(32), zeroblob({MAX_PAGE_BYTES + 1})"]
)
def test_a_page_that_does_not_fit_is_missing(path: Path, values: str) -> None:
    name, value = values.split(", ", 1)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("PRAGMA writable_schema = ON")
        kept = db.execute("SELECT sql FROM sqlite_master WHERE name = 'page'").fetchone()[0]
        db.execute("UPDATE sqlite_master SET sql = replace(sql, 'STRICT', '') WHERE name = 'page'")
        db.commit()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute(f"UPDATE page SET hash = {name}, ciphertext = {value}")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'page'", (kept,))
        db.commit()
    with closing(SqliteBlobs(path)) as blobs:
        assert blobs.read([page_name(0), TWO]) == [None, ROWS[TWO]]


def test_300_megabytes_in_a_row_are_not_read(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute(f"UPDATE object SET ciphertext = zeroblob(300000000) WHERE name = x'{ONE[1:].hex()}'")
        db.commit()
    program = (
        "import resource, sys; from pathlib import Path\n"
        "from tee_sim.normal.supplicant.sqlite_blobs import SqliteBlobs\n"
        "from tee_sim.shared.blobs import object_name\n"
        "blobs = SqliteBlobs(Path(sys.argv[1]), create=False)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert blobs.read([object_name(bytes((1,)) * 32)]) == [None]\n"
        "assert blobs.scan(b'', 9)[1:] == [object_name(bytes((2,)) * 32), b'p' + bytes(8)]\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 4096  # kilobytes
