"""The file an auditor opens: what is in it, what an edit does, what is left after an erasure."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from tee_sim.normal.supplicant import Supplicant
from tee_sim.normal.supplicant.sqlite_blobs import SqliteBlobs
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.storage import ObjectStore
from tee_sim.secure.supplicant_client import RemoteBlobStore, RemoteRpmb
from tee_sim.shared.blobs import Changes, object_name, page_name
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.object_header import Header, ObjectRow
from tee_sim.shared.rng import OsRng
from tee_sim.testing.in_memory import MemoryBlobs

TA = UUID(int=9)


class Port:
    def __init__(self, supplicant: Supplicant) -> None:
        self._supplicant = supplicant

    def call(self, operation: int, request: list[object]) -> object:
        return self._supplicant.handle(operation, request)


class Device:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.boot(create=True)

    def boot(self, *, create: bool = False) -> None:
        self.supplicant = Supplicant(self.directory)
        port = Port(self.supplicant)
        self.store = ObjectStore.open(
            RemoteBlobStore(port), RemoteRpmb(port), KeyLadder(bytes(32), bytes(16)), OsRng(), create=create
        )
        self.mine = self.store.namespace(TA)

    def edit(self, statement: str) -> None:
        self.supplicant.close()
        with closing(sqlite3.connect(self.directory / "storage.db")) as db:
            db.execute(statement)
            db.commit()
        self.boot()


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    made = Device(tmp_path)
    made.mine.put(b"one", b"CANARY" * 9, kind="record", owner=b"O" * 16, commitment=b"C" * 32)
    made.mine.put(b"two", b"other", kind="record")
    yield made
    made.supplicant.close()


def test_an_auditor_sees_headers_and_ciphertext(device: Device) -> None:
    with closing(sqlite3.connect(device.directory / "storage.db")) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(object)")]
        rows = db.execute("SELECT * FROM object ORDER BY object_id").fetchall()
        pages = db.execute("SELECT number, hash, ciphertext FROM page").fetchall()
    assert columns == ["ta", "object_id", "version", "kind", "owner", "commitment", "nonce", "ciphertext"]
    assert rows[0][:6] == (TA.bytes, b"one", 1, "record", b"O" * 16, b"C" * 32)
    assert (len(rows[0][6]), len(rows[0][7])) == (12, 54 + 16)
    assert [page[0] for page in pages] == [0]
    everything = b"".join(p.read_bytes() for p in device.directory.iterdir())
    assert b"CANARY" not in everything
    assert oct((device.directory / "storage.db").stat().st_mode & 0o777) == "0o600"


EDITS = {
    "version": "version = version + 1",
    "kind": "kind = 'Record'",
    "owner": "owner = x'00'",
    "commitment": "commitment = x''",
    "nonce": "nonce = zeroblob(12)",
    "ciphertext": "ciphertext = CAST(ciphertext || x'00' AS BLOB)",
}


@pytest.mark.parametrize("column", EDITS)
def test_an_edited_column_makes_the_object_corrupt(device: Device, column: str) -> None:
    device.edit(f"UPDATE object SET {EDITS[column]} WHERE object_id = x'6f6e65'")
    with pytest.raises(TeeError) as caught:
        device.mine.get(b"one")
    assert caught.value.result == TeeResult.CORRUPT_OBJECT
    assert device.mine.get(b"two").body == b"other"


def test_a_renamed_row_is_a_missing_row(device: Device) -> None:
    device.edit("UPDATE object SET object_id = x'61' WHERE object_id = x'6f6e65'")
    with pytest.raises(TeeError, match="object row is missing"):
        device.mine.get(b"one")
    with pytest.raises(TeeError, match="no such object"):
        device.mine.get(b"a")


def test_nothing_of_an_erased_row_is_left_in_the_file(device: Device) -> None:
    with closing(sqlite3.connect(device.directory / "storage.db")) as db:
        (ciphertext,) = db.execute("SELECT ciphertext FROM object WHERE object_id = x'6f6e65'").fetchone()
    assert any(ciphertext in p.read_bytes() for p in device.directory.iterdir())
    device.mine.erase(b"one")
    assert not any(ciphertext[:24] in p.read_bytes() for p in device.directory.iterdir())


def test_scan_is_ordered_over_all_tables_like_in_memory(tmp_path: Path) -> None:
    memory = MemoryBlobs()
    with closing(SqliteBlobs(tmp_path / "x.db")) as blobs:
        device = ObjectStore.open(memory, None, KeyLadder(bytes(32), bytes(16)), OsRng(), create=True)
        with device.namespace(TA).transaction() as change:
            for i in range(30):
                change.put(bytes((i, 255)), b"", kind="k")
        blobs.commit(Changes(dict(memory.rows)))
        assert blobs.read(list(memory.rows)) == list(memory.rows.values())
        for after in [b"", b"a", b"b", b"o", *memory.rows, page_name(3), b"z"]:
            for limit in (1, 7, 100):
                assert blobs.scan(after, limit) == memory.scan(after, limit)


def test_a_row_with_other_fields_than_its_own_is_not_taken_for_it(tmp_path: Path) -> None:
    """The secure world reads back what it wrote: columns that are not the header's are found there."""
    header = Header(ta=TA, object_id=b"a", version=1, kind="k", owner=b"", commitment=b"")
    raw = header.to_bytes()
    row = len(raw).to_bytes(2, "big") + raw + bytes(12 + 16)
    name = object_name(TA, b"a")
    with closing(SqliteBlobs(tmp_path / "x.db")) as blobs:
        for given in (row, ObjectRow(row, header)):
            blobs.commit(Changes({name: given}))
            assert blobs.read([name]) == [row]
        blobs.commit(Changes({name: ObjectRow(row, replace(header, owner=b"o"))}))
        assert blobs.read([name]) != [row]


def test_files_that_are_not_ours(tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"x" * 5000)
    with pytest.raises(TeeError, match="storage file: SQLITE_NOTADB") as caught:
        SqliteBlobs(tmp_path / "junk")
    assert caught.value.result == TeeResult.CORRUPT_OBJECT
    with closing(sqlite3.connect(tmp_path / "other.db")) as db:
        db.execute("CREATE TABLE t (x)")
        db.commit()
    with pytest.raises(TeeError, match="storage file: its tables are not those of a store") as caught:
        SqliteBlobs(tmp_path / "other.db")
    assert caught.value.result == TeeResult.CORRUPT_OBJECT


def test_one_process_at_a_time(device: Device) -> None:
    with pytest.raises(TeeError, match="the device is in use by another process") as caught:
        Supplicant(device.directory)
    assert caught.value.result == TeeResult.BUSY
