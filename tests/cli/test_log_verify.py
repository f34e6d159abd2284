"""`log verify`: an older checkpoint, and files that are something else than a log."""

import json
from pathlib import Path

import pytest

from bioguard.cli.__main__ import run
from bioguard.log.signed_log import SignedLog
from bioguard.proofs.checkpoint import Checkpoint, proof_of
from bioguard.proofs.merkle import root_hash
from bioguard.proofs.notes import NoteSigner
from bioguard.records.audit_events import Entry, Event, LogItem
from tests.evidence.test_receipts import LOG, RECORDS, _head, _receipt
from tests.evidence.test_statement import ENVELOPE


def make(numbers: range | list[int], signer: NoteSigner = LOG) -> SignedLog:
    """A signed log of starts; `numbers` are the boot counts."""
    entries = [
        Entry(sequence=i, wall_ms=i, event=Event.STARTED, blind=bytes(16), number=n) for i, n in enumerate(numbers)
    ]
    items = tuple(LogItem(leaf=e.leaf(), entry=e) for e in entries)
    note = Checkpoint(signer.name, len(items), root_hash([i.leaf for i in items])).sign(signer)
    return SignedLog(key=signer.key, attestation_key=b"", checkpoint=note, first_body=0, items=items)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    log = make(range(9))
    files = {
        "log.json": log.to_text(),
        "empty.txt": make([]).checkpoint,
        "five.txt": make(range(5)).checkpoint,
        "nine.txt": log.checkpoint,
        "twelve.txt": make(range(12)).checkpoint,
        "forked.txt": make([0, 1, 7, 3, 4]).checkpoint,
        "stranger.txt": make(range(5), NoteSigner("bioguard.simulated/0/log", bytes(32))).checkpoint,
        "receipt.json": _receipt().to_text(),
        "records.txt": _head(),
        "proof.txt": proof_of(log.leaves, 3, log.checkpoint).to_text(),
        "vkey.txt": LOG.key.vkey + "\n",
        "statement.dsse.json": ENVELOPE,
        "report.json": json.dumps({"schema": "bioguard/report/1"}),
        "note.txt": RECORDS.sign("some text\n"),
        "changed.json": log.to_text().replace('"first_body": 0', '"first_body": 1'),
        "other.json": "{}",
        "windows.txt": make(range(5)).checkpoint.replace("\n", "\r\n"),
        "storage.db": "SQLite format 3\0",
        "extended.txt": LOG.sign(Checkpoint.open(make(range(5)).checkpoint, LOG.key).text() + "more\n"),
        "marked.txt": "\ufeff" + make(range(5)).checkpoint,
        "marked.json": "\ufeff" + log.to_text(),
        "no-end.txt": make(range(5)).checkpoint.rstrip("\n"),
        "two-ends.txt": make(range(5)).checkpoint + "\n",
    }
    files["proof-windows.txt"] = files["proof.txt"].replace("\n", "\r\n")
    files["proof-extra.txt"] = files["proof.txt"].replace("index 3", "extra AAAA\nindex 3")
    (tmp_path / "wide.json").write_text(log.to_text(), "utf-16")
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8", newline="")
    return tmp_path


@pytest.mark.parametrize(
    ("older", "line"),
    [
        ("five.txt", "the 5 entries of the older checkpoint are its first, 4 were added"),
        ("nine.txt", "the 9 entries of the older checkpoint are its first, 0 were added"),
        ("empty.txt", "the older checkpoint is of an empty log: it shows nothing"),
    ],
)
@pytest.mark.parametrize("pinned", [[], ["--key", LOG.key.vkey]])
def test_a_log_that_grew(
    folder: Path, capsys: pytest.CaptureFixture[str], older: str, line: str, pinned: list[str]
) -> None:
    assert run(["log", "verify", "log.json", "--older", older, *pinned]) == 0
    assert capsys.readouterr().out.splitlines()[1] == line
    assert run(["log", "verify", "log.json", "--older", older, "--json", *pinned]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["older_size"] == {"five.txt": 5, "nine.txt": 9, "empty.txt": 0}[older]
    assert run(["log", "verify", "log.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["older_size"] is None


REFUSED = [
    ("log.json --older twelve.txt", 7, "log.shrunk", "the log has 9 entries, the older checkpoint 12: it shrank"),
    ("log.json --older forked.txt", 7, "log.forked", "the first 5 entries are not those of the older checkpoint"),
    ("log.json --older stranger.txt", 7, "integrity.proof", "signed note: no signature by a known key"),
    ("log.json --older log.json", 4, "log.kind", "log.json is a log file, not a checkpoint"),
    ("log.json --older records.txt", 4, "log.kind", "records.txt is a statement about the records, part of a receipt"),
    ("log.json --older other.json", 4, "log.kind", "other.json is no file of bioguard, not a checkpoint"),
    ("five.txt", 4, "log.kind", "five.txt is a checkpoint, not a log file"),
    ("nine.txt --older five.txt", 4, "log.kind", "nine.txt is a checkpoint, not a log file"),
    ("proof.txt", 4, "log.proof", "a proof that one entry is in the log needs --key and --leaf"),
    ("records.txt", 4, "log.kind", "records.txt is a statement about the records, part of a receipt, not a log file"),
    ("vkey.txt", 4, "log.kind", "vkey.txt is a verifier key, not a log file"),
    ("statement.dsse.json", 4, "log.kind", "statement.dsse.json is a signed statement (DSSE), not a log file"),
    ("report.json", 4, "log.kind", "report.json is another JSON file of bioguard, not a log file"),
    ("note.txt", 4, "log.kind", "note.txt is a signed note, not a log file"),
    ("storage.db", 4, "log.kind", "storage.db is the store of a device, not a log file"),
    ("receipt.json --older five.txt", 2, "usage", "--older is for a log file"),
    ("proof.txt --older five.txt", 2, "usage", "--older is for a log file"),
    ("log.json --leaf 00", 2, "usage", "--leaf is for a proof that one entry is in the log"),
    ("log.json --store storage.db", 2, "usage", "--store is for an erasure receipt"),
    (f"proof.txt --key {LOG.key.vkey} --leaf {'zz' * 32}", 4, "log.proof", "the leaf is not 64 hexadecimal digits"),
    (f"proof.txt --key {LOG.key.vkey} --leaf {'00' * 31}", 4, "log.proof", "the leaf is not 64 hexadecimal digits"),
    ("log.json --key=", 7, "integrity.proof", "signed note: malformed verifier key"),
    ("changed.json", 7, "log.gap", "log entry 0 is missing or misplaced"),
    ("other.json", 7, "integrity.proof", "not a log file"),
    ("log.json --older windows.txt", 7, "integrity.proof", "signed note: it holds control characters"),
    ("log.json --older extended.txt", 7, "integrity.proof", "checkpoint has extension lines"),
    ("log.json --older marked.txt", 4, "log.text", "marked.txt begins with a byte order mark of UTF-8"),
    ("marked.json", 4, "log.text", "marked.json begins with a byte order mark of UTF-8"),
    ("wide.json", 4, "log.text", "wide.json begins with a byte order mark of UTF-16"),
    ("log.json --older no-end.txt", 7, "integrity.proof", "signed note: its last line has no end"),
    ("log.json --older two-ends.txt", 7, "integrity.proof", "signed note: an empty line follows its last line"),
    (f"proof-windows.txt --key {LOG.key.vkey} --leaf {'00' * 32}", 7, "integrity.proof", "tlog-proof file with CR"),
    (f"proof-extra.txt --key {LOG.key.vkey} --leaf {'00' * 32}", 7, "integrity.proof", "tlog-proof file with extra"),
]


@pytest.mark.parametrize(("line", "code", "error", "message"), REFUSED, ids=[r[0][:40] for r in REFUSED])
def test_a_log_that_did_not_grow_or_is_none(
    folder: Path, capsys: pytest.CaptureFixture[str], line: str, code: int, error: str, message: str
) -> None:
    assert run(["log", "verify", *line.split()]) == code
    first, hint = capsys.readouterr().err.splitlines()[:2]
    assert first.startswith(f"bioguard: error[{error}]: {message}")
    assert "altered" not in hint


def test_a_proof_is_known_by_its_content(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leaf = make(range(9)).leaves[3].hex()
    assert run(["log", "verify", "proof.txt", "--key", LOG.key.vkey, "--leaf", leaf]) == 0
    assert capsys.readouterr().out == "entry 3 is in the signed log of 9 entries\n"


def test_a_changed_log_is_called_altered(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (folder / "log.json").read_text("utf-8")
    for other in (text.replace("\n", "\r\n"), text + " ", text.replace(" 0,", " 0, "), text.replace(": ", ":")):
        (folder / "log.json").write_text(other, "utf-8", newline="")
        assert run(["log", "verify", "log.json"]) == 7
        assert capsys.readouterr().err.splitlines() == [
            "bioguard: error[integrity.proof]: the log file is not what `log show` writes",
            "hint: fetch the file again: it was altered on the way",
        ]
