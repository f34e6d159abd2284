"""The bundle verifies as it is, and no single byte of it can be changed, no file added, removed or swapped."""

import base64
import hashlib
import json
import os
import random
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cwt
import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from pymerkle import InmemoryTree
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from bioguard.cli import audit_verify
from bioguard.cli.__main__ import run
from bioguard.errors import InputRefused, IntegrityFailure
from bioguard.evidence import dsse
from bioguard.evidence.bundle import BundleKeys, seal_statement
from bioguard.evidence.run import signer_from
from bioguard.evidence.verify import Verified, verify_bundle
from bioguard.log.erasure_receipt import ErasureReceipt
from bioguard.log.signed_log import SignedLog
from bioguard.log.store_copy import check_image
from bioguard.proofs.encoding import ProofInvalid
from bioguard.report import Status
from bioguard.report.json_form import parse_json
from tests.report.sarif_subset import SARIF_SUBSET

POSITIONS = 600
SCHEMAS = Path(__file__).parents[2] / "src/bioguard/report/schema"


def test_it_verifies_with_its_own_keys_and_with_pinned_ones(bundle: Path) -> None:
    own = verify_bundle(bundle)
    assert not own.pinned
    assert own.status in (Status.UNKNOWN, Status.FAIL)  # most promises have no check in this small bundle
    pinned = verify_bundle(bundle, BundleKeys.parse((bundle / "keys.json").read_text("utf-8")))
    assert pinned.pinned
    shown = dict(pinned.steps)
    assert {"keys.json", "statement.dsse.json", "files", "attestation.cbor", "report.json", "log.json"} <= shown.keys()
    erased = len(json.loads((bundle / "receipt.json").read_text("utf-8"))["erasures"])
    assert erased >= 2
    assert shown["receipt.json"].startswith(f"{erased} erasures in the log, none of them among")
    assert shown["storage.db"].startswith("the store of that moment: no erased id or digest in")
    assert "lifecycle RECOVERABLE_PSA_ROT_DEBUG" in shown["attestation.cbor"]
    assert "processes: core, biometric 4, gatekeeper 4, keystore 4" in shown["attestation.cbor"]
    assert shown["attestation.cbor"].endswith("clock stepped, randomness system, rates sealed")


def _positions(bundle: Path) -> list[tuple[str, int]]:
    """Some positions of every file, more of the longer ones, POSITIONS at least."""
    rng = random.Random(9)
    files = sorted(p for p in bundle.rglob("*") if p.is_file())
    share = POSITIONS // len(files) + 1
    return [
        (p.relative_to(bundle).as_posix(), rng.randrange(p.stat().st_size))
        for p in files
        for _ in range(min(share, p.stat().st_size))
    ]


def test_editing_any_single_byte_fails_and_names_the_artefact(copy: Path) -> None:
    places = _positions(copy)
    assert len(places) >= 500
    rng = random.Random(4)
    for name, position in places:
        path = copy / name
        whole = path.read_bytes()
        bent = bytearray(whole)
        bent[position] ^= 1 << rng.randrange(8)
        path.write_bytes(bent)
        with pytest.raises(IntegrityFailure) as caught:
            verify_bundle(copy)
        assert caught.value.message.startswith(f"{name}:"), (name, position, caught.value.message)
        path.write_bytes(whole)
    verify_bundle(copy)


def test_the_command_exits_7_and_names_the_artefact(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "verify", str(copy), "--signatures-only"]) == 0
    path = copy / "junit.xml"
    path.write_bytes(path.read_bytes().replace(b"testcase", b"testcasf", 1))
    capsys.readouterr()
    assert run(["audit", "verify", str(copy)]) == 7
    assert "error[integrity.bundle]: junit.xml: changed after signing" in capsys.readouterr().err


def _remove(folder: Path) -> None:
    (folder / "raw" / "verdict.json").unlink()


def _add(folder: Path) -> None:
    (folder / "raw" / "more.json").write_text("{}", "utf-8")


def _swap(folder: Path) -> None:
    one, other = folder / "report.html", folder / "junit.xml"
    first = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(first)


def _drop_token(folder: Path) -> None:
    (folder / "attestation.cbor").unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_remove, "raw/verdict.json: missing"),
        (_add, "raw/more.json: not in the signed statement"),
        (_swap, "junit.xml: changed after signing"),
        (_drop_token, "attestation.cbor: missing"),
    ],
)
def test_files_cannot_come_go_or_trade_places(copy: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(copy)
    with pytest.raises(IntegrityFailure) as caught:
        verify_bundle(copy)
    assert caught.value.message == message


def _socket(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")  # a short name, wherever the folder is
    os.close(folder)


STRAYS: list[tuple[str, str, Callable[[Path], object]]] = [
    ("log-proofs/more", "an empty folder", Path.mkdir),
    ("new/er/deeper", "an empty folder", lambda path: path.mkdir(parents=True)),
    ("raw/link", "a link", lambda path: path.symlink_to("verdict.json")),
    ("dangling", "a link", lambda path: path.symlink_to("/nowhere")),
    ("to-a-folder", "a link", lambda path: path.symlink_to("raw")),
    ("pipe", "a pipe", os.mkfifo),
    ("raw/socket", "a socket", _socket),
]


@pytest.mark.parametrize(("name", "what", "add"), STRAYS, ids=[name for name, _, _ in STRAYS])
def test_what_is_no_file_is_found_and_named(copy: Path, name: str, what: str, add: Callable[[Path], object]) -> None:
    add(copy / name)
    with pytest.raises(IntegrityFailure) as caught:
        verify_bundle(copy)
    assert caught.value.message == f"{name}: {what}, which is not in the signed statement"
    assert caught.value.exit_code == 7


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a device")
def test_a_device_is_found_and_named(copy: Path) -> None:
    os.mknod(copy / "raw/zero", 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    with pytest.raises(IntegrityFailure, match=r"raw/zero: a device, which is not in the signed statement"):
        verify_bundle(copy)


@pytest.mark.parametrize("name", ["report.json", "statement.dsse.json", "attestation.cbor", "raw/verdict.json"])
def test_a_link_or_a_pipe_in_place_of_a_file_is_named_and_not_read(copy: Path, tmp_path: Path, name: str) -> None:
    (copy / name).rename(tmp_path / "moved")
    (copy / name).symlink_to(tmp_path / "moved")
    with pytest.raises(IntegrityFailure, match=f"{name}: a link, which is not"):
        verify_bundle(copy)
    (copy / name).unlink()
    os.mkfifo(copy / name)
    with pytest.raises(IntegrityFailure, match=f"{name}: a pipe, which is not"):
        verify_bundle(copy)


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [("PASS", 0, "verified"), ("WARN", 0, "verified"), ("FAIL", 3, "fail"), ("UNKNOWN", 3, "unknown")],
)
def test_the_command_gates_on_the_verdict_unless_asked_for_signatures_only(
    monkeypatch: pytest.MonkeyPatch,
    bundle: Path,
    capsys: pytest.CaptureFixture[str],
    status: str,
    code: int,
    outcome: str,
) -> None:
    monkeypatch.setattr(audit_verify, "verify_bundle", lambda *_: Verified(pinned=True, status=Status(status)))
    assert run(["--json", "audit", "verify", str(bundle)]) == code
    assert json.loads(capsys.readouterr().out)["outcome"] == outcome
    assert run(["audit", "verify", str(bundle), "--signatures-only"]) == 0
    assert f"the report inside says: {status}" in capsys.readouterr().out


def test_a_bundle_that_reports_unknown_is_no_yes(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_bundle(bundle).status in (Status.UNKNOWN, Status.FAIL)
    assert run(["audit", "verify", str(bundle)]) == 3
    assert run(["audit", "verify", str(bundle), "--signatures-only"]) == 0
    capsys.readouterr()


def _resign(folder: Path) -> None:
    """What a forger can do: edit, then sign again with a key of their own."""
    report = parse_json((folder / "report.json").read_text("utf-8"))
    forger = signer_from(b"f" * 32)
    keys = BundleKeys.parse((folder / "keys.json").read_text("utf-8"))
    (folder / "keys.json").write_text(BundleKeys(forger.key, keys.log, keys.attestation).to_text(), "utf-8")
    seal_statement(folder, report, {}, forger)


def test_a_bundle_signed_again_by_a_forger_fails_on_the_token_and_on_the_pinned_keys(bundle: Path, copy: Path) -> None:
    _resign(copy)
    with pytest.raises(IntegrityFailure) as caught:
        verify_bundle(copy)
    assert caught.value.message == "attestation.cbor: attestation token: it answers another nonce"
    with pytest.raises(IntegrityFailure, match=r"keys\.json: not the pinned keys"):
        verify_bundle(copy, BundleKeys.parse((bundle / "keys.json").read_text("utf-8")))


def test_a_report_that_hides_an_unknown_is_found_even_when_signed(bundle: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(bundle, tmp_path / "painted"))
    (folder / "report.html").write_text((folder / "report.html").read_text("utf-8").replace("UNKNOWN", "PASS"), "utf-8")
    report = parse_json((folder / "report.json").read_text("utf-8"))
    seal_statement(folder, report, {}, signer_from(b"s" * 32))
    with pytest.raises(IntegrityFailure):
        verify_bundle(folder)


def test_nothing_there_is_refused_and_a_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="is not a directory"):
        verify_bundle(tmp_path / "absent")
    with pytest.raises(IntegrityFailure, match=r"report\.json: missing"):
        verify_bundle(tmp_path)


def test_others_verify_it_too(bundle: Path) -> None:
    """The whole bundle with third-party tools only, as docs/verify-without-us.md does."""
    keys = json.loads((bundle / "keys.json").read_text("utf-8"))
    envelope = Envelope.from_dict(json.loads((bundle / "statement.dsse.json").read_text("utf-8")))
    vkey = keys["evidence"].split("+", 2)[2]
    public = base64.b64decode(vkey)[1:]
    envelope.verify([SSlibKey(hashlib.sha256(public).hexdigest(), "ed25519", "ed25519", {"public": public.hex()})], 1)
    message = json_format.Parse(envelope.payload, statement_pb2.Statement())
    Statement.copy_from_pb(message).validate()
    for subject in json.loads(envelope.payload)["subject"]:
        assert hashlib.sha256((bundle / subject["name"]).read_bytes()).hexdigest() == subject["digest"]["sha256"]

    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(keys["attestation"]))
    pem = point.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    claims = cwt.COSE.new().decode((bundle / "attestation.cbor").read_bytes(), cwt.COSEKey.from_pem(pem, alg="ES256"))
    assert hashlib.sha256(envelope.payload).digest() in claims

    log = json.loads((bundle / "log.json").read_text("utf-8"))
    tree = InmemoryTree(algorithm="sha256")
    for leaf, body in log["items"]:
        data = b"bioguard log entry v1\0" + bytes.fromhex(body)
        tree.append_entry(data)
        assert hashlib.sha256(b"\0" + data).hexdigest() == leaf
    root = base64.b64decode(log["checkpoint"].split("\n")[2])
    assert tree.get_root() == root

    jsonschema.Draft202012Validator(SARIF_SUBSET).validate(json.loads((bundle / "report.sarif").read_text("utf-8")))
    schema = json.loads((SCHEMAS / "report.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads((bundle / "report.json").read_text("utf-8")))


def test_a_log_with_an_entry_changed_removed_or_reordered_does_not_verify(bundle: Path) -> None:
    text = (bundle / "log.json").read_text("utf-8")
    SignedLog.parse(text).verify()
    raw = json.loads(text)
    items = raw["items"]
    for bent in (items[:-1], [*items[:2], *items[3:]], [items[1], items[0], *items[2:]], [[i, None] for i, _ in items]):
        log = SignedLog.parse(json.dumps({**raw, "items": bent}, sort_keys=True, indent=1, ensure_ascii=False) + "\n")
        with pytest.raises(IntegrityFailure):
            log.verify()


def test_a_receipt_stands_alone_and_no_byte_of_it_can_be_changed(bundle: Path) -> None:
    text = (bundle / "receipt.json").read_text("utf-8")
    log = SignedLog.parse((bundle / "log.json").read_text("utf-8"))
    receipt = ErasureReceipt.parse(text)
    head = receipt.verify(log.key)
    assert receipt.erasures[0].entry.event.name == "RECORD_ERASED"
    assert check_image(bundle / "storage.db", receipt, head) > 0
    for position in range(0, len(text), 7):
        bent = text[:position] + ("0" if text[position] != "0" else "1") + text[position + 1 :]
        with pytest.raises(ProofInvalid):
            ErasureReceipt.parse(bent).verify(log.key)


def test_the_verifier_needs_no_secure_world() -> None:
    probe = (
        "import sys, bioguard.evidence.verify\n"
        "parts = ('tee_sim.normal.client', 'tee_sim.normal.secure_process', 'tee_sim.secure', 'bioguard.device',\n"
        "         'bioguard.trusted', 'bioguard.match')\n"
        "print([m for m in sys.modules if m.startswith(parts)])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_dsse_of_the_bundle_names_the_evidence_key(bundle: Path) -> None:
    keys = BundleKeys.parse((bundle / "keys.json").read_text("utf-8"))
    assert json.loads((bundle / "statement.dsse.json").read_text("utf-8"))["signatures"][0]["keyid"] == dsse.key_id(
        keys.evidence
    )
