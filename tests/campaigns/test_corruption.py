"""A short form of `python -m tests.campaigns.corruption`, and proof that it can fail."""

import random
import sqlite3
from pathlib import Path

import pytest

from tests.campaigns import corruption
from tests.campaigns.corruption_cases import _journal, cases

pytestmark = pytest.mark.usefixtures("fast_pins")
OUTCOMES = {"refused", "refused in part", "unaffected"}


@pytest.mark.parametrize("most", [100, pytest.param(250, marks=pytest.mark.campaign)])
def test_damage_is_refused_or_without_effect(tmp_path: Path, most: int) -> None:
    found = corruption.play(tmp_path, most=most, seed=11)
    assert {key: n for key, n in found.items() if key[1] not in OUTCOMES} == {}
    store = {group: n for (group, _), n in found.items() if not group.endswith(".simulated")}
    assert sum(n for (group, _), n in found.items() if not group.endswith(".simulated")) == most
    assert {"storage.db", "rpmb.img"} <= set(store)
    assert sum(n for (_, outcome), n in found.items() if outcome == "refused") > most * 2 // 5


def test_a_wrong_answer_counts_as_a_violation() -> None:
    right: dict[str, object] = {"alice as alice": True, "bob as alice": False}
    assert corruption._outcome(right, right) == "unaffected"
    assert corruption._outcome({**right, "bob as alice": True}, right) == "WRONG: bob as alice=True"
    assert corruption._outcome({**right, "alice as alice": ValueError}, right) == "refused in part"


def test_a_forged_journal_really_puts_old_pages_back(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE t (v TEXT)")
    db.execute("INSERT INTO t VALUES ('old')")
    db.commit()
    old = path.read_bytes()
    db.execute("UPDATE t SET v = 'new'")
    db.commit()
    db.close()
    pages = {i + 1: old[i * 4096 : (i + 1) * 4096] for i in range(len(old) // 4096)}
    Path(f"{path}-journal").write_bytes(_journal(pages, len(pages)))
    db = sqlite3.connect(path)
    assert db.execute("SELECT v FROM t").fetchone() == ("old",)
    db.close()


def test_every_column_and_every_kind_of_damage_occurs(tmp_path: Path) -> None:
    old, good = corruption._made(tmp_path, "good", device_id=bytes(range(16)))
    _, foreign = corruption._made(tmp_path, "foreign", device_id=bytes(range(16, 32)))
    every = list(cases(good, old, foreign, random.Random(1)))
    assert len(every) >= 5000
    groups = {group for group, _, _ in every}
    columns = ("name", "version", "commitment", "nonce", "ciphertext")
    assert {f"object.{column}" for column in columns} <= groups
    assert {"page.number", "page.hash", "page.ciphertext", "journal", "names.json", "pins.json"} <= groups
