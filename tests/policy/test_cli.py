"""The commands of consent, rights, policy, log and attestation, as people and scripts use them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bioguard.cli.__main__ import run
from bioguard.device import incidents as store
from bioguard.errors import IntegrityFailure
from bioguard.proofs.psa_token import Claims

Call = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "pin").write_text("4711\n", "ascii")
    common = ["--allow-level", "NOT ENFORCED", "--device", str(folder / "device"), "-q"]
    for line in (
        ["device", "init"],
        ["user", "add", "alice"],
        ["pin", "set", "alice", "--pin-file", str(folder / "pin")],
    ):
        assert run([*common, *line]) == 0
    return folder


@pytest.fixture
def call(device: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*words: str, pin: bool = False) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        extra = ["--pin-file", str(device / "pin")] if pin else []
        common = ["--json", "--allow-level", "NOT ENFORCED", "--device", str(device / "device")]
        code = run([*common, *words, *extra])
        return int(code), json.loads(capsys.readouterr().out)

    return call


def test_consent_is_granted_listed_objected_to_and_withdrawn(call: Call) -> None:
    code, refused = call("consent", "grant", "alice", "--purpose", "unlock", pin=True)
    assert (code, refused["error"]["code"]) == (5, "consent.underage")
    unlock, by_face = ("--purpose", "unlock"), ("--modality", "face")
    code, answer = call("consent", "grant", "alice", *unlock, *by_face, *by_face, *unlock, "--of-age", pin=True)
    assert (code, answer["granted"]) == (0, ["face for unlock"]), "said twice is said once"
    assert call("consent", "object", "alice", "--purpose", "unlock", pin=True)[0] == 0
    _, listed = call("consent", "list", "alice")
    assert [(g["modality"], g["purpose"], g["policy"]) for g in listed["grants"]] == [("face", "unlock", 1)]
    assert listed["objections"] == ["unlock"]
    assert (
        call("consent", "withdraw", "alice", "--purpose", "unlock", "--modality", "face", pin=True)[1]["erased"] == []
    )
    assert call("consent", "list", "alice")[1]["grants"] == []


def test_rights_need_the_pin(call: Call, device: Path) -> None:
    code, answer = call("access", "alice")
    assert (code, answer["error"]["code"]) == (4, "pin.missing")
    wrong = device / "wrong"
    wrong.write_text("0000\n", "ascii")
    code, answer = call("restrict", "alice", "--pin-file", str(wrong))
    assert (code, answer["error"]["code"]) == (5, "pin.wrong")


def test_access_export_and_the_register(call: Call, device: Path) -> None:
    code, answer = call("access", "alice", pin=True)
    assert (code, answer["personal_data"]["user"]) == (0, "alice")
    out = device / "export.json"
    assert call("export", "alice", "--out", str(out), pin=True)[1]["templates_included"] is False
    assert json.loads(out.read_text("utf-8"))["schema"] == "bioguard/personal-data/1"
    assert out.stat().st_mode & 0o777 == 0o600
    assert call("export", "alice", "--out", str(out), pin=True)[1]["error"]["code"] == "export.exists"
    number = call("request", "open", "alice", "--kind", "complaint", pin=True)[1]["request"]["number"]
    assert call("request", "extend", str(number), "--reason", "complex")[1]["request"]["reason"] == "complex"
    assert call("request", "answer", str(number))[1]["request"]["state"] == "fulfilled"
    rows = call("request", "list")[1]["requests"]
    assert [(r["kind"], r["state"]) for r in rows] == [
        ("access", "fulfilled"),
        ("portability", "fulfilled"),
        ("complaint", "fulfilled"),
    ]
    assert call("request", "answer", "99")[1]["error"]["code"] == "request.unknown"


def test_restriction_notice_policy_and_purge(call: Call) -> None:
    assert call("restrict", "alice", pin=True)[0] == 0
    assert call("consent", "list", "alice")[1]["restricted"] is True
    assert call("unrestrict", "alice", pin=True)[0] == 0
    assert len(call("policy")[1]["clauses"]) == 27
    assert call("policy", "set", "--version", "2", "--retention-days", "30")[1]["version"] == 2
    assert call("policy", "set", "--version", "1")[0] == 4
    notice = call("notice")[1]["notice"]
    assert (notice["policy version"], notice["for how long"][:7]) == ("2", "30 days")
    assert call("purge")[1] == {**call("purge")[1], "records_erased": 0, "log_bodies_pruned": 0}


def test_the_log_is_shown_proved_and_verified_without_the_device(call: Call, device: Path) -> None:
    whole = device / "log.json"
    shown = call("log", "show", "--out", str(whole))[1]
    assert {"user-added", "started"} <= {e["event"] for e in shown["entries"]}
    assert "alice" not in whole.read_text("utf-8")
    assert call("log", "verify", str(whole))[0] == 0
    proof = device / "entry.tlog-proof"
    made = call("log", "prove", "0", "--out", str(proof))[1]
    assert call("log", "verify", str(proof), "--key", made["vkey"], "--leaf", made["leaf"])[0] == 0
    assert call("log", "verify", str(proof), "--key", made["vkey"], "--leaf", "0" * 64)[0] == 7
    whole.write_text(whole.read_text("utf-8").replace('"first_body": 0', '"first_body": 1'), "utf-8")
    assert call("log", "verify", str(whole))[0] == 7


def test_attestation_answers_the_nonce(call: Call) -> None:
    answer = call("attest", "--nonce", "ab" * 32, "--profile", "tfm")[1]
    claims, _ = Claims.verify(bytes.fromhex(answer["token"]), bytes.fromhex(answer["public_key"]), b"\xab" * 32)
    assert claims.lifecycle.name == "RECOVERABLE_PSA_ROT_DEBUG"
    assert call("attest", "--nonce", "ab")[1]["error"]["code"] == "attest.nonce"


def test_an_incident_is_told_at_every_command_until_it_is_acknowledged(
    call: Call, device: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        store.record_incident(device / "device", IntegrityFailure("changed", hint="", code="store.corrupt"))
    assert [(i.number, i.code) for i in store.incidents(device / "device")] == [(1, "store.corrupt")]
    common = ["--allow-level", "NOT ENFORCED", "--device", str(device / "device")]
    run([*common, "user", "list"])
    assert "note: incident 1 is open: tampered; run: bioguard incident" in capsys.readouterr().err
    rows = call("incident")[1]["incidents"]
    assert all(rows[0][part] for part in ("situation", "measures", "advice", "remedy"))
    assert call("incident", "ack", "1")[0] == 0
    run([*common, "user", "list"])
    assert "incident" not in capsys.readouterr().err


def test_mark_underage_asks_first(call: Call) -> None:
    assert call("mark-underage", "alice", "--no-input")[1]["error"]["code"] == "erase.unconfirmed"
    assert call("mark-underage", "alice", "--force")[1]["erased"] == []
    assert call("explain", "--user", "alice")[1]["error"]["code"] == "explain.none"
