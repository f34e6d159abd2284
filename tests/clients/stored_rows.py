"""Row 7 of the checklist: what a client's attempts come to when somebody has been at the files of the device."""

import shutil
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.clients.rows_program import play

Record = tuple[bytes, bytes, bytes]
"""Name, nonce and ciphertext of an enrollment."""
Records = Mapping[str, list[Record]]
Written = tuple[str, bytes, bytes]
"""A column, its new value and the name of the object."""


def _swapped(one: Record, two: Record) -> list[Written]:
    pairs = ((one, two), (two, one))
    return [(column, other[index], of[0]) for of, other in pairs for index, column in ((1, "nonce"), (2, "ciphertext"))]


CORRUPT = "ERROR 1 0 store.corrupt"
NOT_OPENED = "error[store.security]"
ANOTHER_USER = "6.7 does not open for another user"
ANOTHER_ID = "6.7 does not open for another id"
ANOTHER_PATH = "6.7 does not open at another path"
CHANGED = "6.7 does not open when a bit is changed"
AS_BEFORE = ""
ENROLLED = {"alice": 2, "bob": 1, "carol": 1, "dan": 1}


def _renamed(one: Record, two: Record) -> list[Written]:
    return [("name", bytes(32), one[0]), ("name", one[0], two[0]), ("name", two[0], bytes(32))]


def _flipped(one: Record) -> list[Written]:
    return [("ciphertext", one[2][:-1] + bytes([one[2][-1] ^ 1]), one[0])]


def _ids_and_bits(found: Records) -> list[Written]:
    return [*_swapped(*found["alice"]), *_flipped(found["carol"][0])]


def _users_and_paths(found: Records) -> list[Written]:
    return [*_swapped(found["alice"][0], found["bob"][0]), *_renamed(found["carol"][0], found["dan"][0])]


DAMAGES: tuple[tuple[Callable[[Records], list[Written]], dict[str, str]], ...] = (
    (_ids_and_bits, {"alice": ANOTHER_ID, "carol": CHANGED, "bob": AS_BEFORE, "dan": AS_BEFORE}),
    (_users_and_paths, {"alice": ANOTHER_USER, "bob": ANOTHER_USER, "carol": ANOTHER_PATH, "dan": ANOTHER_PATH}),
)
"""What is done to a copy, and which row each user's attempt is then of; whose files are left alone match."""


def _records(database: sqlite3.Connection, digests: Mapping[str, list[str]]) -> dict[str, list[Record]]:
    rows = database.execute("SELECT name, nonce, ciphertext, hex(commitment) FROM object").fetchall()
    return {
        user: [(name, nonce, body) for name, nonce, body, digest in rows if digest.lower() in wanted]
        for user, wanted in digests.items()
    }


def _damaged(
    scripts: Path, target: Path, digests: Mapping[str, list[str]], change: Callable[[Records], list[Written]]
) -> dict[str, str]:
    with sqlite3.connect(target / "storage.db") as database:
        for column, value, name in change(_records(database, digests)):
            database.execute(f"UPDATE object SET {column} = ? WHERE name = ?", (value, name))
    database.close()
    return play(scripts, target, "damaged").left or {}


def stored_rows(scripts: Path, device: Path, other: Path, folder: Path, left: Mapping[str, Any]) -> dict[str, str]:
    """Verdicts of the rows about files.

    Args:
        scripts: where the product lies.
        device: closed, with the enrollments that `store.mjs` left; `left` is what it said.
        other: another device, closed.
        folder: for copies.
    """
    before = folder / "before"
    shutil.copytree(device, before)
    erased = play(scripts, device, "erased").left
    assert erased is not None
    digests: dict[str, list[str]] = erased["digests"]
    assert {name: len(each) for name, each in digests.items()} == ENROLLED
    failures: dict[str, object] = {}
    for number, (change, rows) in enumerate(DAMAGES):
        came = _damaged(scripts, shutil.copytree(before, folder / str(number)), digests, change)
        assert {*came} == {*rows}, came
        for name, row in rows.items():
            if row == AS_BEFORE:
                assert came[name].startswith("AUTHENTICATION_SUCCEEDED"), came
            else:
                failures[row] = failures.get(row) or (came[name] != CORRUPT and came[name])
    content = [path.read_bytes() for each in (before, device) for path in each.iterdir()]
    secrets = [*map(bytes.fromhex, left["secrets"])]
    assert len(secrets) >= 6
    failures["6.7 nothing plaintext at rest"] = [s.hex() for s in secrets if any(s in one for one in content)]
    with sqlite3.connect(device / "storage.db") as database:
        remaining = [each for each in _records(database, digests).values() if each]
    database.close()
    failures["6.7 none remain of a removed user"] = remaining or (erased["remaining"] != "user.unknown")
    for row, target, names in (
        ("6.7 an old store is a rollback", device, ("storage.db",)),
        ("6.7 does not open with another device's key", other, ("storage.db", "rpmb.img")),
    ):
        for name in names:
            shutil.copyfile(before / name, target / name)
        started = play(scripts, target, "damaged")
        failures[row] = started.left or NOT_OPENED not in started.said
    return {row: f"FAIL {why}" if why else "PASS" for row, why in failures.items()}
