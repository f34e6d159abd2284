"""Nothing of an erased digest is left in the file, also where SQLite leaves it."""

import random
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tee_sim.normal.supplicant import remains
from tee_sim.normal.supplicant.database import Database
from tee_sim.normal.supplicant.sqlite_blobs import SqliteBlobs
from tee_sim.shared.blobs import Changes, object_name

PAGE_BYTES = 4096


def name(number: int) -> bytes:
    return object_name(number.to_bytes(32, "big"))


def row(digest: bytes, size_bytes: int = 272) -> bytes:
    return bytes(8) + digest + random.Random(digest).randbytes(12 + size_bytes)


def digest(number: int) -> bytes:
    return random.Random(number).randbytes(32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(SqliteBlobs(tmp_path / "storage.db")) as blobs:
        blobs.commit(Changes({name(i): row(digest(i)) for i in range(40)}))
    return tmp_path / "storage.db"


def plant(path: Path, piece: bytes) -> None:
    """Write it between the cell pointers and the cells of a leaf, where SQLite looks at nothing."""
    raw = bytearray(path.read_bytes())
    for at in range(PAGE_BYTES, len(raw), PAGE_BYTES):
        kind, _, cells, start = struct.unpack_from(">BHHH", raw, at)
        gap = at + 8 + 2 * cells
        if kind == 13 and at + start - gap > len(piece) + 8:
            raw[gap + 8 : gap + 8 + len(piece)] = piece
            path.write_bytes(raw)
            return
    raise AssertionError("no room")


@pytest.fixture
def rewritten(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How often a file was written anew."""
    times: list[int] = []
    real = Database.rewrite
    monkeypatch.setattr(Database, "rewrite", lambda self: (times.append(1), real(self))[1])
    return times  # type: ignore[return-value]


@pytest.mark.parametrize("part", [slice(0, 32), slice(8, 32), slice(16, 24), slice(3, 18)])
def test_what_sqlite_left_goes_with_the_row(path: Path, rewritten: list[int], part: slice) -> None:
    piece = digest(7)[part]
    plant(path, piece)
    assert path.read_bytes().count(piece) == 2, "in the row and beside it"
    with closing(SqliteBlobs(path)) as blobs:
        blobs.commit(Changes(deletes=(name(8),)))
        assert rewritten == []
        blobs.commit(Changes(deletes=(name(7),)))
        assert rewritten == [1]
        assert blobs.read([name(i) for i in range(40)]) == [
            row(digest(i)) if i not in (7, 8) else None for i in range(40)
        ]
    assert piece not in path.read_bytes()
    with closing(SqliteBlobs(path)) as blobs:
        assert blobs.scan(b"", 99) == [name(i) for i in range(40) if i not in (7, 8)]


def test_without_the_search_it_would_stay(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(path, digest(7))
    monkeypatch.setattr(remains, "hold", lambda *_: False)
    with closing(SqliteBlobs(path)) as blobs:
        blobs.commit(Changes(deletes=(name(7),)))
    assert digest(7) in path.read_bytes()


def test_no_erased_digest_is_in_the_file_after_any_commit(path: Path) -> None:
    rng, there, gone = random.Random(3), {i: digest(i) for i in range(40)}, set[bytes]()
    with closing(SqliteBlobs(path)) as blobs:
        blobs._db.run("PRAGMA synchronous = OFF")
        for number in range(1000, 1060):
            erased = rng.sample(sorted(there), rng.randint(0, min(3, len(there))))
            made = {number * 10 + i: digest(number * 10 + i) for i in range(rng.randint(0, 3))}
            puts = {name(i): row(value, rng.choice([272, 784, 1552, 4112])) for i, value in made.items()}
            blobs.commit(Changes(puts, tuple(name(i) for i in erased)))
            gone |= {there.pop(i) for i in erased}
            there |= made
            image = path.read_bytes()
            assert not any(remains._pieces(value)[i] in image for value in gone for i in range(4))
            assert all(value in image for value in there.values())
    assert len(gone) > 40


def test_what_cannot_be_rewritten_is_tried_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(path, digest(7))

    def full(self: Database) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with closing(SqliteBlobs(path)) as blobs:
        with monkeypatch.context() as patched:
            patched.setattr(Database, "rewrite", full)
            blobs.commit(Changes(deletes=(name(7),)))
        assert blobs.read([name(7)]) == [None], "the transaction is durable"
        assert digest(7) in path.read_bytes()
        blobs.commit(Changes({name(50): row(digest(50))}))
        assert digest(7) not in path.read_bytes()


def test_a_file_is_written_anew_for_many_and_for_nothing_else(path: Path, rewritten: list[int]) -> None:
    with closing(SqliteBlobs(path)) as blobs:
        blobs.commit(Changes({name(60): row(digest(60))}))
        blobs.commit(Changes(deletes=tuple(name(i) for i in range(remains.MOST_LOOKED_FOR))))
        blobs.commit(Changes(deletes=(name(99),)))
        assert rewritten == []
        blobs.commit(Changes(deletes=tuple(name(i) for i in range(20, 21 + remains.MOST_LOOKED_FOR))))
        assert rewritten == [1]
