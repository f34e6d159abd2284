"""Row 7 of the contract checklist on a device's own files: blobs swapped, changed, rolled back, carried elsewhere."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bioguard.device import Device
from bioguard.device.consent import grant_all
from bioguard.errors import IntegrityFailure
from bioguard.records import FaceEmbedding

rng = np.random.default_rng(11)
ENROLLED: dict[str, list[FaceEmbedding]] = {}
DIGESTS: list[str] = []
FACES = {name: rng.normal(size=128) for name in ("alice", "bob")}


def capture(name: str) -> FaceEmbedding:
    return FaceEmbedding.from_features(FACES[name] + 0.1 * rng.normal(size=128))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("store")
    with Device.init(directory, require_pin=False) as device:
        for name in FACES:
            device.add_user(name)
            grant_all(device, name, of_age=True)
            ENROLLED[name] = [capture(name) for _ in range(3)]
            device.enroll(name, ENROLLED[name])
        DIGESTS[:] = [record.digest for record in device.records()]
    return directory


@pytest.fixture
def directory(template: Path, tmp_path: Path) -> Path:
    return copied(template, tmp_path / "device")


def copied(source: Path, target: Path) -> Path:
    target.mkdir(mode=0o700)
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
        (target / path.name).chmod(0o600)
    return target


def records(database: sqlite3.Connection) -> list[tuple[bytes, bytes, bytes]]:
    """Name, nonce and ciphertext of every enrollment."""
    rows = database.execute("SELECT name, nonce, ciphertext, hex(commitment) FROM object ORDER BY name").fetchall()
    return [tuple(row) for *row, digest in rows if digest.lower() in DIGESTS]


def _set(database: sqlite3.Connection, column: str, values: list[tuple[bytes, bytes]]) -> None:
    database.executemany(f"UPDATE object SET {column} = ? WHERE name = ?", values)


def swap_bodies(database: sqlite3.Connection) -> None:
    (one, nonce_a, a), (two, nonce_b, b) = records(database)
    _set(database, "ciphertext", [(b, one), (a, two)])
    _set(database, "nonce", [(nonce_b, one), (nonce_a, two)])


def swap_rows(database: sqlite3.Connection) -> None:
    """Each of the two under the other's name: all that the disk could change of whose a row is."""
    (one, *_), (two, *_) = records(database)
    _set(database, "name", [(bytes(32), one), (one, two), (two, bytes(32))])


def flip_last_bit(database: sqlite3.Connection) -> None:
    _set(database, "ciphertext", [(c[:-1] + bytes([c[-1] ^ 1]), i) for i, _, c in records(database)])


@pytest.mark.parametrize("change", [swap_bodies, swap_rows, flip_last_bit])
def test_row7_a_blob_does_not_open_for_another_user_or_changed(
    directory: Path, change: Callable[[sqlite3.Connection], None]
) -> None:
    with sqlite3.connect(directory / "storage.db") as database:
        change(database)
    database.close()
    for name in FACES:
        with Device.open(directory) as device, pytest.raises(IntegrityFailure):
            device.authenticate(name, capture(name))


def test_row7_a_store_does_not_open_with_another_devices_key(directory: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    Device.init(other).close()
    for name in ("storage.db", "rpmb.img"):
        (other / name).write_bytes((directory / name).read_bytes())
    with pytest.raises(IntegrityFailure):
        Device.open(other)


def test_row7_an_old_store_is_a_rollback(directory: Path) -> None:
    old = (directory / "storage.db").read_bytes()
    with Device.open(directory) as device:
        device.remove_user("bob")
    (directory / "storage.db").write_bytes(old)
    with pytest.raises(IntegrityFailure):
        Device.open(directory)


def test_row7_nothing_in_clear_and_nothing_left_of_a_removed_user(directory: Path) -> None:
    features = [view.to_bytes()[4:36] for views in ENROLLED.values() for view in views]
    assert len(features) == 6
    with Device.open(directory) as device:
        device.remove_user("bob")
    with sqlite3.connect(directory / "storage.db") as database:
        assert len(records(database)) == 1
    database.close()
    content = b"".join(p.read_bytes() for p in directory.iterdir())
    assert not any(f in content for f in features)
    assert b'"bob"' not in content
