"""Erasure receipts: what they prove, by which means of others, and that nothing else passes for one."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree
from pymerkle import verify_inclusion as pymerkle_inclusion

from bioguard.errors import InputRefused, IntegrityFailure
from bioguard.log.erasure_receipt import ErasureReceipt, ProvenErasure
from bioguard.log.signed_log import SignedLog
from bioguard.log.store_copy import check_image
from bioguard.proofs.checkpoint import Checkpoint
from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.merkle import inclusion_proof, leaf_hash, root_hash
from bioguard.proofs.notes import NoteKey, NoteSigner, open_note
from bioguard.proofs.origin import log_origin, records_origin
from bioguard.proofs.records_head import HIGHEST, LOWEST, Absence, RecordsHead, record_key, sorted_keys
from bioguard.records.audit_events import Cause, Entry, Event, LogItem
from bioguard.records.modality import Modality

SEED = b"s" * 32
PUBLIC = NoteSigner("unnamed", SEED).key.public_key
LOG, RECORDS = NoteSigner(log_origin(PUBLIC), SEED), NoteSigner(records_origin(PUBLIC), SEED)
LEFT, GONE = tuple(sha256(bytes([i])).digest() for i in range(9)), sha256(b"gone").digest()
STORE = b"a page, sealed"
digests = st.binary(min_size=32, max_size=32)


def _entry(number: int, event: Event, digest: bytes, **more: object) -> Entry:
    fields = {"subject": bytes(16), "modality": Modality.FACE, "record_id": sha256(digest).digest()[:16], **more}
    return Entry(sequence=number, wall_ms=number, event=event, blind=bytes(16), digest=digest, **fields)  # type: ignore[arg-type]


def _log(*, erased: bool = True) -> SignedLog:
    entries = [_entry(i, Event.RECORD_STORED, d) for i, d in enumerate((*LEFT, GONE))]
    if erased:
        entries.append(_entry(10, Event.RECORD_ERASED, GONE, cause=Cause.REQUESTED))
    items = tuple(LogItem(leaf=e.leaf(), entry=e) for e in entries)
    checkpoint = Checkpoint(LOG.name, len(items), root_hash([i.leaf for i in items])).sign(LOG)
    return SignedLog(key=LOG.key, attestation_key=b"", checkpoint=checkpoint, first_body=0, items=items)


def _head(present: tuple[bytes, ...] = LEFT, *, log_size: int = 11, signer: NoteSigner = RECORDS) -> str:
    head = RecordsHead.of(signer.name, present, log_size=log_size, epoch=7, store_root=sha256(STORE).digest())
    return signer.sign(head.text())


def _receipt(records: str | None = None) -> ErasureReceipt:
    return ErasureReceipt.of(_log(), records or _head(), LEFT, [GONE])


def _image(path: Path, *, page: bytes = STORE, more: bytes = b"") -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE page (number INTEGER PRIMARY KEY, hash BLOB, ciphertext BLOB)")
        database.execute("INSERT INTO page VALUES (0, ?, ?), (1, x'', ?)", (sha256(page).digest(), page, more))
        database.commit()
    return path


def test_a_receipt_verifies_alone_and_survives_its_text() -> None:
    again = ErasureReceipt.parse(_receipt().to_text())
    head = again.verify(LOG.key)
    assert (head.size, head.log_size, head.epoch, head.store_root) == (11, 11, 7, sha256(STORE).digest())
    assert [e.digest for e in again.erasures] == [GONE]
    assert again == _receipt()


def test_no_character_of_a_receipt_can_be_changed() -> None:
    text = _receipt().to_text()
    for position, old in enumerate(text):
        bent = text[:position] + ("0" if old != "0" else "1") + text[position + 1 :]
        with pytest.raises(ProofInvalid):
            ErasureReceipt.parse(bent).verify(LOG.key)


def test_another_key_another_moment_and_a_statement_under_the_logs_name_are_refused() -> None:
    with pytest.raises(ProofInvalid, match="the receipt is of another device"):
        _receipt().verify(NoteSigner("x", b"x" * 32).key)
    with pytest.raises(ProofInvalid, match="not of the same moment"):
        _receipt(_head(log_size=10)).verify()
    with pytest.raises(ProofInvalid, match="no signature by a known key"):
        _receipt(_head(signer=LOG)).verify()
    thief = NoteSigner(records_origin(PUBLIC), b"t" * 32)
    with pytest.raises(ProofInvalid, match="no signature by a known key"):
        _receipt(_head(signer=thief)).verify()


def test_a_record_that_is_listed_or_was_not_erased_gets_no_receipt() -> None:
    with pytest.raises(IntegrityFailure, match="is listed") as listed:
        ErasureReceipt.of(_log(), _head((*LEFT, GONE)), (*LEFT, GONE), [GONE])
    assert listed.value.code == "receipt.listed"
    with pytest.raises(InputRefused, match="tells of no erasure") as unknown:
        ErasureReceipt.of(_log(erased=False), _head(), LEFT, [GONE])
    assert unknown.value.code == "receipt.none"
    hidden = ErasureReceipt.of(_log(), _head((*LEFT, GONE)), LEFT, [GONE])
    with pytest.raises(ProofInvalid, match="inclusion"):
        hidden.verify()


@pytest.mark.parametrize(
    "bend",
    [
        lambda t: t.replace('"erasures": [', '"erasures": [], "x": ['),
        lambda t: t.replace("erasure-receipt/1", "erasure-receipt/2"),
        lambda t: t.replace("\n ", "\n"),
        lambda t: t[:-2],
        lambda _: "[" * 100_000,
        lambda _: "null",
        lambda _: '{"vkey": 1}',
    ],
)
def test_what_is_not_a_receipt_is_said_to_be_none(bend: Callable[[str], str]) -> None:
    with pytest.raises(ProofInvalid, match="not an erasure receipt"):
        ErasureReceipt.parse(bend(_receipt().to_text()))


def test_an_entry_that_is_no_erasure_is_no_receipt() -> None:
    """Everything about it verifies: it is in the log, and the record is absent. But nobody said that it was erased."""
    log = _log()
    stored = log.items[9].entry
    assert stored is not None
    proven = ProvenErasure(
        entry=stored, path=inclusion_proof(log.leaves, 9), absence=Absence.of(sorted_keys(LEFT), GONE)
    )
    receipt = ErasureReceipt(key=LOG.key, checkpoint=log.checkpoint, records=_head(), erasures=(proven,))
    assert receipt.verify().size == 11
    with pytest.raises(ProofInvalid, match="not an erasure receipt"):
        ErasureReceipt.parse(receipt.to_text())


def test_a_copy_of_the_store_is_searched(tmp_path: Path) -> None:
    receipt = _receipt()
    head = receipt.verify()
    whole = _image(tmp_path / "whole.db")
    assert check_image(whole, receipt, head) == whole.stat().st_size
    record_id = receipt.erasures[0].entry.record_id
    assert record_id is not None
    for name, more, says in (
        ("digest.db", b".." + GONE, "the digest of the erased record"),
        ("id.db", b".." + record_id, "the id of the erased record"),
    ):
        with pytest.raises(ProofInvalid, match=says):
            check_image(_image(tmp_path / name, more=more), receipt, head)
    with pytest.raises(ProofInvalid, match="of another moment than the receipt"):
        check_image(_image(tmp_path / "older.db", page=b"an older page"), receipt, head)
    empty = tmp_path / "empty.db"
    empty.write_bytes(b"")
    for path in (empty, tmp_path / "none.db", tmp_path):
        with pytest.raises(ProofInvalid, match="is not a store"):
            check_image(path, receipt, head)


@given(st.sets(digests, max_size=40), digests)
def test_what_is_absent_can_be_proved_and_what_is_there_cannot(present: set[bytes], wanted: bytes) -> None:
    keys = sorted_keys(present)
    head = RecordsHead.of("o", present, log_size=0, epoch=0, store_root=bytes(32))
    assert (head.size, head.root) == (len(present) + 2, root_hash([leaf_hash(k) for k in keys]))
    for digest in present | {wanted}:
        if digest in present:
            with pytest.raises(ValueError, match="the record is there"):
                Absence.of(keys, digest)
        else:
            Absence.of(keys, digest).verify(digest, head)


def test_neighbors_that_are_not_next_to_each_other_prove_nothing() -> None:
    """The attack: leave out the key itself, and take the ones around it for neighbors."""
    keys = sorted_keys((*LEFT, GONE))
    head = RecordsHead.of("o", (*LEFT, GONE), log_size=0, epoch=0, store_root=bytes(32))
    without = [key for key in keys if key != record_key(GONE)]
    around = Absence.of(without, GONE)
    leaves = [leaf_hash(key) for key in keys]
    at = keys.index(record_key(GONE))
    lower, higher = inclusion_proof(leaves, at - 1), inclusion_proof(leaves, at + 1)
    bent = Absence(position=at - 1, lower=around.lower, higher=around.higher, lower_path=lower, higher_path=higher)
    with pytest.raises(ProofInvalid, match="inclusion"):
        bent.verify(GONE, head)
    beside = Absence.of(keys, sha256(b"another").digest())
    with pytest.raises(ProofInvalid, match="do not enclose"):
        beside.verify(LEFT[0], head)


def test_the_tree_is_an_ordinary_one_second_opinion() -> None:
    """pymerkle makes the same root from the sorted keys, and accepts both neighbors."""
    tree = InmemoryTree(algorithm="sha256")
    for key in sorted_keys(LEFT):
        tree.append_entry(key)
    head = RecordsHead.open(_head(), RECORDS.key)
    assert tree.get_root() == head.root
    absence = Absence.of(sorted_keys(LEFT), GONE)
    for offset, (key, path) in enumerate(((absence.lower, absence.lower_path), (absence.higher, absence.higher_path))):
        theirs = tree.prove_inclusion(absence.position + offset + 1, head.size)
        assert [bytes.fromhex(h) for h in theirs.serialize()["path"]][1:] == list(path)
        pymerkle_inclusion(leaf_hash(key), head.root, theirs)


def test_the_statement_is_five_facts_in_four_lines() -> None:
    text, keys = open_note(_head(), [NoteKey(RECORDS.name, PUBLIC)])
    assert keys == (RECORDS.key,)
    lines = text.split("\n")
    assert (lines[0], lines[1].split()[0], lines[2], lines[3].split()[:2], lines[4]) == (
        RECORDS.name, "11", "log 11", ["store", "7"], "",
    )  # fmt: skip
    assert sorted_keys([]) == [LOWEST, HIGHEST]


@pytest.mark.parametrize(
    "bend",
    [
        lambda t: t.replace("log 11", "log 011"),
        lambda t: t.replace("store 7", "store  7"),
        lambda t: t.replace("\n11 ", "\n1 "),
        lambda t: t + "more\n",
        lambda t: t.replace("/records", "/record"),
    ],
)
def test_a_signed_statement_of_another_form_is_refused(bend: Callable[[str], str]) -> None:
    text = RecordsHead.of(RECORDS.name, LEFT, log_size=11, epoch=7, store_root=bytes(32)).text()
    with pytest.raises(ProofInvalid, match="records"):
        RecordsHead.open(RECORDS.sign(bend(text)), RECORDS.key)


def test_a_head_is_signed_under_its_own_name_only() -> None:
    head = RecordsHead.of(RECORDS.name, LEFT, log_size=0, epoch=0, store_root=bytes(32))
    assert len(head.sign_bytes(RECORDS)) == 64
    with pytest.raises(ValueError, match="under its origin's name"):
        head.sign_bytes(LOG)


def test_a_query_that_never_ends_in_the_place_of_a_store_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "endless.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "CREATE VIEW page AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) "
            "SELECT max(n) AS number, x'00' AS ciphertext FROM r"
        )
        db.commit()
    receipt = _receipt()
    with pytest.raises(ProofInvalid, match="is not a store"):
        check_image(path, receipt, receipt.verify())
