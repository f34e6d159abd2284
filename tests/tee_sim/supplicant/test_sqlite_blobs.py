"""The file an auditor opens: what is in it, what an edit does, what is left after an erasure."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from tee_sim.normal.supplicant import Supplicant
from tee_sim.normal.supplicant.sqlite_blobs import SqliteBlobs
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.storage import ObjectStore
from tee_sim.secure.supplicant_client import RemoteBlobStore, RemoteRpmb
from tee_sim.shared.blobs import Changes, page_name
from tee_sim.shared.errors import TeeError, TeeResult
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

    def row(self, object_id: bytes) -> str:
        """The condition of SQL for an object's row."""
        return f"name = x'{self.store.name(self.mine.header(object_id))[1:].hex()}'"

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


def test_an_auditor_sees_digests_and_ciphertext(device: Device) -> None:
    with closing(sqlite3.connect(device.directory / "storage.db")) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(object)")]
        rows = db.execute("SELECT * FROM object ORDER BY version").fetchall()
        pages = db.execute("SELECT number, hash, ciphertext FROM page").fetchall()
    assert columns == ["name", "version", "commitment", "nonce", "ciphertext"]
    assert [row[1] for row in rows] == [1, 2]
    assert rows[0][2] == b"C" * 32
    assert [[len(row[i]) for i in (0, 2, 3, 4)] for row in rows] == [[32, 32, 12, 256 + 16]] * 2
    assert [page[0] for page in pages] == [0]
    everything = b"".join(p.read_bytes() for p in device.directory.iterdir())
    for word in (b"CANARY", b"OOOO", b"record", b"one", b"two", TA.bytes):
        assert word not in everything
    assert b"CCCC" in everything, "the digest is there to be seen"
    assert oct((device.directory / "storage.db").stat().st_mode & 0o777) == "0o600"


EDITS = {
    "version": "version = version + 1",
    "negative version": "version = -1",
    "commitment": "commitment = zeroblob(32)",
    "name": "name = zeroblob(32)",
    "nonce": "nonce = zeroblob(12)",
    "ciphertext": "ciphertext = CAST(ciphertext || x'00' AS BLOB)",
}


@pytest.mark.parametrize("column", EDITS)
def test_an_edited_column_makes_the_object_corrupt(device: Device, column: str) -> None:
    device.edit(f"UPDATE object SET {EDITS[column]} WHERE {device.row(b'one')}")
    with pytest.raises(TeeError) as caught:
        device.mine.get(b"one")
    assert caught.value.result == TeeResult.CORRUPT_OBJECT
    assert device.mine.get(b"two").body == b"other"


def test_nothing_of_an_erased_row_is_left_in_the_file(device: Device) -> None:
    with closing(sqlite3.connect(device.directory / "storage.db")) as db:
        (ciphertext,) = db.execute(f"SELECT ciphertext FROM object WHERE {device.row(b'one')}").fetchone()
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
