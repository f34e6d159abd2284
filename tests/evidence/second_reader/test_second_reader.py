"""The second reader opens what the product wrote, every byte of it: whatever is added or changed is a flaw."""

import ast
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bioguard.evidence import published_objects, second_reader, store_checks
from bioguard.evidence.second_reader import Unreadable, read_device
from bioguard.evidence.temporary_device import TemporaryDevice
from tee_sim.normal.sandbox_verdict.verdict import Level


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device at rest, with a person, a record, a PIN and an erased record."""
    directory = tmp_path_factory.mktemp("reader") / "device"
    with TemporaryDevice(directory, Level.NOT_ENFORCED) as made:
        gone, _ = made.person(enrolled=True), made.person(pin=True, enrolled=True)
        made.device.erase(gone.name, next(made.device.records(gone.name)).record_id)
    return directory


@pytest.fixture
def copy(device: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(device, tmp_path / "copy"))


def test_it_reads_what_the_product_wrote(device: Path) -> None:
    contents = read_device(device)
    assert published_objects.strange_objects(contents) == []
    (record,) = [o for o in contents.objects if o.kind == "face"]
    salt, _modality, position, _profile, _enrolled, views, codes, _epoch, *made = record.fields()
    assert (len(salt), position, len(views), len(codes)) == (16, 0, 3, 3)
    assert made == ["mobilefacenet", 1, None, 1]
    assert contents.census()[record.owner.hex(), "pin"] == 1


def test_it_is_made_from_the_format_pages_alone() -> None:
    for path in Path(second_reader.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            ours = [n for n in names if n.startswith(("tee_sim", "bioguard"))]
            assert all(n.startswith("bioguard.evidence.second_reader") for n in ours), (path.name, ours)


def _at(name: str, offset: int, size: int = 1) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        data = bytearray((directory / name).read_bytes())
        for i in range(offset, offset + size):
            data[i] ^= 0x40
        (directory / name).write_bytes(data)

    return change


def _sql(*statements: str) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        with closing(sqlite3.connect(directory / "storage.db")) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()

    return change


def _write(name: str, data: bytes, mode: str = "ab") -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        with (directory / name).open(mode) as file:
            file.write(data)
        (directory / name).chmod(0o600)

    return change


HIDDEN = b"a template in the free space of a page, where no row points to it.".ljust(80, b".")
OF_SQLITE = (
    bytes.fromhex("022e00c506c5dc016900000000000009dc0169"),
    bytes.fromhex("82648148074c014c24842ca28b4d920782648242074c014c24842c1660ea493d92a86b542882ac9e"),
)
"""What SQLite 3.40.1 left in pages of honest devices: a free block with offsets, and the heads of two rows."""


def _free_space(*pieces: bytes) -> Callable[[Path], None]:
    """Each piece with zeros around it, in the first page behind that of the schema that has room."""

    def change(directory: Path) -> None:
        path = directory / "storage.db"
        data, hidden = bytearray(path.read_bytes()), b"".join(piece + bytes(20) for piece in pieces)
        at = data.index(bytes(len(hidden) + 120), 4096) + 60
        data[at : at + len(hidden)] = hidden
        path.write_bytes(data)

    return change


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "another file": (_write("names.json.cache", b"x"), "names.json.cache is not a file"),
    "a link": (lambda d: (d / "unlocks.json").symlink_to("/etc/passwd"), "unlocks.json is no plain file"),
    "data in an attribute": (lambda d: os.setxattr(d / "names.json", "user.view", b"x"), "has the attribute"),
    "data in an attribute of the folder": (lambda d: os.setxattr(d, "user.view", b"x"), "has the attribute"),
    "data in a mode": (lambda d: (d / "names.json").chmod(0o400), "names.json has another mode"),
    "a second name elsewhere": (lambda d: os.link(d / "names.json", d.parent / "n"), "names.json has another link"),
    "a longer reserve": (_write("storage.reserve", b"\0"), "storage.reserve has another size"),
    "data in the reserve": (_at("storage.reserve", 4000), "storage.reserve holds something"),
    "data in the lock": (_write("lock", b"data"), "lock is not empty"),
    "data in the journal": (_write("storage.db-journal", b"data"), "storage.db-journal is not empty"),
    "space at the end of the names": (_write("names.json", b" "), "names.json has another form"),
    "another field of the names": (
        _write("names.json", b'{\n "format": 1,\n "users": {},\n "x": 1\n}\n', "wb"), "names.json has another form",
    ),
    "a longer handle of a PIN": (
        lambda d: (d / "pins.json").write_text((d / "pins.json").read_text().replace('": "', '": "00', 1)), "pins.json",
    ),
    "another boot file": (_write("boot.simulated", b"data"), "boot.simulated has another form"),
    "a comment in the fuses": (_write("fuses.simulated", b"# data\n"), "the fuse file has another form"),
    "an older slot of the chip": (_at("rpmb.img", 8500), "slot of rpmb.img has another hash"),
    "another cell of the chip": (_write("rpmb.img", b"d" * 288), "rpmb.img has another hash"),
    "half a cell": (_write("rpmb.img", b"d"), "rpmb.img has another length"),
    "a table": (_sql("CREATE TABLE more (x)"), "storage.db has another schema"),
    "an index": (_sql("CREATE INDEX more ON object (version)"), "storage.db has another schema"),
    "a column": (_sql("ALTER TABLE page ADD COLUMN more BLOB"), "table page of storage.db has other columns"),
    "a row": (
        _sql("INSERT INTO object VALUES (randomblob(32), 1, randomblob(32), randomblob(12), randomblob(272))"),
        "rows stand for",
    ),
    "a page": (_sql("INSERT INTO page VALUES (7, randomblob(32), randomblob(300))"), "a page number would be used"),
    "an anchor": (_sql("INSERT INTO anchor VALUES (0, randomblob(64))"), "the store has no anchor in its RPMB"),
    "a row less": (_sql("DELETE FROM object WHERE name = (SELECT min(name) FROM object)"), "rows stand for"),
    "another version": (_sql("UPDATE object SET version = 0"), "has another version"),
    "another digest": (_sql("UPDATE object SET commitment = randomblob(32)"), "has another digest"),
    "another nonce": (_sql("UPDATE object SET nonce = randomblob(12)"), "does not open under its key"),
    "another user version": (_sql("PRAGMA user_version = 3"), "storage.db is of another version"),
    "old rows": (
        _sql("PRAGMA secure_delete = OFF", "CREATE TABLE more (x)", "INSERT INTO more VALUES (randomblob(9000))",
             "DROP TABLE more"),
        "of storage.db holds something that nothing accounts for",
    ),
    "data in free space": (_free_space(HIDDEN), "of storage.db holds something that nothing accounts for"),
    "data in many pieces": (_free_space(*[HIDDEN[:60]] * 6), "free space of storage.db holds 360 bytes that nothing"),
    "data behind the last page": (_write("storage.db", b"d" * 4096), "storage.db"),
    "half a page": (_write("storage.db", b"d"), "storage.db is no whole number of pages"),
    "the reserved part of the head": (_at("storage.db", 75), "the reserved part of the head"),
}  # fmt: skip


def test_what_sqlite_leaves_of_its_own_is_no_flaw(copy: Path) -> None:
    _free_space(*OF_SQLITE)(copy)
    assert read_device(copy).objects


@pytest.mark.parametrize("what", sorted(CHANGES))
def test_whatever_is_added_or_changed_is_a_flaw(what: str, copy: Path) -> None:
    change, shows = CHANGES[what]
    change(copy)
    with pytest.raises(Unreadable) as flaw:
        read_device(copy)
    assert shows in str(flaw.value)


def test_repeated_bytes_are_counted() -> None:
    noise = bytes(range(200))
    assert store_checks.repeated([noise, bytes(reversed(noise))]) == 0
    assert store_checks.repeated([noise, noise]) == 0, "the same row at two times"
    assert store_checks.repeated([noise, b"xyz" + noise[32:80]]) > 0, "at any offset"
    assert store_checks.repeated([b"0123456789abcdef" * 2]) == 1
