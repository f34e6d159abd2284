"""Every way in which somebody who can write a device's directory may leave it, as Hypothesis strategies.

A damage changes a directory; `str` of it says how. Several may come together.
"""

import json
import os
import random
import shutil
import socket
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from bioguard.device.directory import FILES
from bioguard.device.fuses import FUSE_FILE
from tee_sim.normal.rpmb_chip.file_medium import FileMedium, OsFile
from tee_sim.shared.rpmb_frames import MAX_COUNTER

ELSEWHERE = "elsewhere"
"""Next to the device: what links point to. Nobody may change it."""
MAX_BLOB_BYTES = 3 << 20
MAX_CONTENT_BYTES = 16 << 20
"""More than any file of the device that is played."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One change of a device's directory."""

    target: str
    how: str
    apply: Callable[[Path], None]

    def __str__(self) -> str:
        return f"{self.target}: {self.how}"


def _content(path: Path) -> bytes:
    """What a plain file holds, up to its first holes: an earlier damage may have made 20 GB of it."""
    if not path.is_file() or path.is_symlink():
        return b""
    with path.open("rb") as file:
        return file.read(MAX_CONTENT_BYTES)


def _clear(path: Path) -> bytes:
    """Take away what is there; return its content."""
    raw = _content(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return raw


def _put(path: Path, raw: bytes, mode: int = 0o600) -> None:
    path.write_bytes(raw)
    path.chmod(mode)


def _elsewhere(path: Path) -> Path:
    return path.parent.parent / ELSEWHERE


def _socket(path: Path) -> None:
    _clear(path)
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket has at most 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _node(path: Path) -> None:
    raw = _clear(path)
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        _put(path, raw)


def _full_directory(path: Path) -> None:
    _clear(path)
    path.mkdir()
    (path / "file").touch()


def _foreign(path: Path) -> None:
    path.touch(0o600)
    with suppress(PermissionError):
        os.chown(path, 12345, 12345)


def _cleared(place: Callable[[Path], object]) -> Callable[[Path], None]:
    """First take away what is there."""

    def placed(path: Path) -> None:
        _clear(path)
        place(path)

    return placed


def _sparse(path: Path) -> None:
    _put(path, _clear(path))  # a link that an earlier damage put there would carry the hole to what it points to
    os.truncate(path, 20 << 30)


_PLACED: dict[str, Callable[[Path], None]] = {
    "missing": _cleared(lambda _: None),
    "a directory": _cleared(lambda p: p.mkdir()),
    "a directory with a file": _full_directory,
    "a FIFO": _cleared(os.mkfifo),
    "a socket": _socket,
    "a device node": _node,
    "a link to a file": _cleared(lambda p: p.symlink_to(_elsewhere(p))),
    "a link to nothing": _cleared(lambda p: p.symlink_to("nowhere")),
    "a link to itself": _cleared(lambda p: p.symlink_to(p.name)),
    "a hard link": _cleared(lambda p: os.link(_elsewhere(p), p)),
    "somebody else's": _foreign,
    "sparse": _sparse,
    "empty": _cleared(lambda p: _put(p, b"")),
    "deep JSON": _cleared(lambda p: _put(p, b"[" * 200_000)),
    "deep objects": _cleared(lambda p: _put(p, b'{"a":' * 100_000)),
}


def placed(name: str, how: str) -> Damage:
    """One of the things that may stand in the place of a file."""
    return Damage(name, how, lambda directory: _PLACED[how](directory / name))


def _placed() -> st.SearchStrategy[Damage]:
    return st.builds(placed, st.sampled_from(FILES), st.sampled_from(sorted(_PLACED)))


def _modes() -> st.SearchStrategy[Damage]:
    def made(name: str, mode: int) -> Damage:
        def apply(directory: Path) -> None:
            path = directory / name
            if not os.path.lexists(path):
                path.touch(0o600)
            if not path.is_symlink():
                path.chmod(mode | (0o700 if name == "." else 0))

        return Damage(name, f"mode {mode:04o}", apply)

    return st.builds(made, st.sampled_from((".", *FILES)), st.integers(0, 0o777))


def _bytes() -> st.SearchStrategy[Damage]:
    """Random changes of a file's bytes, by a seed: flipped, cut, grown, shuffled, or another file's."""

    def made(name: str, how: str, seed: int) -> Damage:
        def apply(directory: Path) -> None:
            rng, path = random.Random(seed), directory / name
            if path.is_dir() or path.is_symlink() or path.is_fifo() or path.is_socket():
                return
            raw = bytearray(_clear(path))
            at = rng.randrange(len(raw)) if raw else 0
            match how:
                case "flipped":
                    for _ in range(rng.choice((1, 1, 3, 40)) if raw else 0):
                        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
                case "cut":
                    del raw[at:]
                case "grown":
                    raw[at:at] = rng.randbytes(rng.choice((1, 100, 70_000)))
                case "zeroed":
                    raw[at : at + 4096] = bytes(len(raw[at : at + 4096]))
                case "random":
                    raw = bytearray(rng.randbytes(rng.choice((1, 64, 5000))))
                case _:
                    other = directory / rng.choice(FILES)
                    raw = bytearray(_content(other))
            _put(path, bytes(raw))

        return Damage(name, f"{how}, seed {seed}", apply)

    hows = ("flipped", "cut", "grown", "zeroed", "random", "another file's")
    return st.builds(made, st.sampled_from(FILES), st.sampled_from(hows), st.integers(0, 1 << 16))


_NAMES = st.sampled_from(["users", "format", "handles", "incidents", "boot", "number", "cause", "alice"])
_TEXTS = st.one_of(st.sampled_from(["00" * 16, "ff" * 58, "alice", "TAMPERED"]), st.text(max_size=8))
_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(1 << 70), 1 << 70), st.floats(), _TEXTS)


def _inner(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(_NAMES, _TEXTS), inner, max_size=4))


def _documents() -> st.SearchStrategy[Damage]:
    """JSON of other shapes, Infinity and NaN with it, in the place of a JSON file."""
    names = [n for n in FILES if n.endswith(".json")]

    def made(name: str, document: object) -> Damage:
        raw = json.dumps(document).encode()
        return Damage(name, raw[:60].decode(), lambda directory: _cleared(lambda p: _put(p, raw))(directory / name))

    return st.builds(made, st.sampled_from(names), st.recursive(_LEAVES, _inner, max_leaves=8))


_FOR_EVER = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r"
_VALUES = ("NULL", "-1", "9e99", "''", "x''", "x'00'", "'text'", "zeroblob(12)", "zeroblob(32)", "zeroblob(90000)",
           f"zeroblob({MAX_BLOB_BYTES})", "hex(zeroblob(500000))", "randomblob(40)", "9223372036854775807")  # fmt: skip
_COLUMNS = {
    "object": ("name", "version", "commitment", "nonce", "ciphertext"),
    "page": ("number", "hash", "ciphertext"),
    "anchor": ("id", "sealed"),
}
_CELLS = [(table, column) for table, columns in _COLUMNS.items() for column in columns]
_STATEMENTS = (
    "CREATE TABLE more (x)",
    "CREATE INDEX more ON object (version)",
    "CREATE VIEW more AS SELECT 1",
    f"CREATE TRIGGER more AFTER INSERT ON object BEGIN INSERT INTO page SELECT n, x'', x'' FROM ({_FOR_EVER}); END",
    "CREATE TRIGGER more BEFORE DELETE ON object BEGIN SELECT raise(ABORT, 'no'); END",
    "CREATE TRIGGER more AFTER INSERT ON page BEGIN DELETE FROM object; END",
    f"ALTER TABLE object RENAME TO o2; CREATE VIEW object AS SELECT o2.* FROM o2, ({_FOR_EVER})",
    "ALTER TABLE page RENAME TO p2",
    "ALTER TABLE object ADD COLUMN more ANY",
    "ALTER TABLE object DROP COLUMN version",
    "DROP TABLE object", "DROP TABLE page", "DROP TABLE anchor", "ANALYZE",
    "DELETE FROM object", "DELETE FROM page", "DELETE FROM object WHERE rowid = 1", "DELETE FROM page WHERE number = 0",
    "INSERT INTO anchor VALUES (0, zeroblob(256))",
    "INSERT INTO object SELECT randomblob(32), 1, zeroblob(32), zeroblob(12), x'' FROM object",
    "PRAGMA user_version = 1", "PRAGMA application_id = 7", "PRAGMA journal_mode = WAL",
    "PRAGMA auto_vacuum = 1; VACUUM", "PRAGMA page_size = 512; VACUUM", "PRAGMA page_size = 65536; VACUUM",
    "PRAGMA encoding = 'UTF-16'",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = NULL",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = 1",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = 9999999",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = replace(sql, 'STRICT', '')",
    "PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = 'CREATE TABLE object (' || hex(zeroblob(9999)) || ')'",
    "PRAGMA writable_schema = ON; INSERT INTO sqlite_master SELECT 'table', 'm' || value, 'm' || value, 0, "
    "'CREATE TABLE m' || value || '(x)' FROM (WITH RECURSIVE r(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM r "
    "LIMIT 5000) SELECT * FROM r)",
)  # fmt: skip


def _statements() -> st.SearchStrategy[Damage]:
    cells = st.builds(
        lambda cell, value, where: f"UPDATE OR IGNORE {cell[0]} SET {cell[1]} = {value}{where}",
        st.sampled_from(_CELLS),
        st.sampled_from(_VALUES),
        st.sampled_from(["", " WHERE rowid = 1", " WHERE rowid > 2"]),
    )

    def made(statement: str) -> Damage:
        def apply(directory: Path) -> None:
            path = directory / "storage.db"
            if not path.is_file() or path.is_symlink():
                return
            with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=0.1)) as db:
                db.execute("PRAGMA ignore_check_constraints = ON")
                db.execute("PRAGMA synchronous = OFF")
                db.executescript(f"{statement}; COMMIT" if db.in_transaction else statement)
                db.commit()

        return Damage("storage.db", statement[:90], apply)

    return st.builds(made, st.one_of(st.sampled_from(_STATEMENTS), cells))


def _chips() -> st.SearchStrategy[Damage]:
    """States that a chip could be in, written as a chip writes them: no digest is wrong."""

    def made(counter: int, key: str, block: str) -> Damage:
        def apply(directory: Path) -> None:
            with suppress(Exception), closing(OsFile(directory / "rpmb.img", create=False)) as file:
                medium = FileMedium(file, create=False)
                keys = {"kept": medium.key, "none": None, "other": bytes(32)}
                blocks = {"kept": [], "zero": [bytes(256)], "random": [random.Random(counter).randbytes(256)]}
                medium.commit(key=keys[key], counter=counter, blocks=blocks[block])

        return Damage("rpmb.img", f"counter {counter:#x}, key {key}, block {block}", apply)

    counters = st.one_of(st.integers(MAX_COUNTER - 1100, MAX_COUNTER), st.sampled_from([0, 1, 1 << 31]))
    names = st.sampled_from(["kept", "kept", "kept", "none", "other"])
    return st.builds(made, counters, names, st.sampled_from(["kept", "kept", "kept", "zero", "random"]))


def _fuses() -> st.SearchStrategy[Damage]:
    def made(line: bytes) -> Damage:
        def apply(directory: Path) -> None:
            path = directory / FUSE_FILE
            if path.is_file() and not path.is_symlink():
                raw = _clear(path)
                _put(path, raw.replace(b"bioguard-fuses 3", b"bioguard-fuses " + line))

        return Damage(FUSE_FILE, f"format {line!r}", apply)

    return st.builds(made, st.sampled_from([b"0", b"1", b"3", b"999999999", b"-1", b"2 "]))


def damages() -> st.SearchStrategy[list[Damage]]:
    """One to three damages."""
    one = st.one_of(_placed(), _bytes(), _statements(), _modes(), _documents(), _chips(), _fuses())
    return st.lists(one, min_size=1, max_size=3)
