"""A device made with `--for-testing` says so wherever its answers could be taken for evidence, and gives no token.

So does one with a seed or a stepped clock, in status, notes and attestation.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from bioguard import report
from bioguard.cli.__main__ import run
from bioguard.device import Device
from bioguard.device.consent import attest, attested_settings, grant_all, signed_log
from bioguard.device.pins import enrollment_token, set_pin
from bioguard.exit_codes import ExitCode
from bioguard.proofs.device_claims import AttestedSettings
from bioguard.proofs.psa_token import Claims
from bioguard.records.modality import Modality
from bioguard.simulate.people import face_views

PIN = b"2718"
SAYS = "FOR TESTING"
SCHEMA = Path(report.__file__).parent / "schema" / "export.schema.json"
UNUSUAL = ("--seed", "x", "--clock", "fixed:2026-01-31T12:00:00Z")
MADE = {"lab": ["--for-testing", "--fmr", "1/10", "--fpir", "1/4", *UNUSUAL], "phone": []}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two devices of the command line, one for testing; alice is enrolled on both and a probe lies beside."""
    place = tmp_path_factory.mktemp("testing")
    views = face_views(1, person=0, count=4)
    np.save(place / "probe.npy", views[3].vector)
    (place / "pin").write_bytes(PIN + b"\n")
    (place / "pin").chmod(0o600)
    for name, options in MADE.items():
        assert run(["--device", str(place / name), "device", "init", *options]) is ExitCode.OK
        with Device.open(place / name) as device:
            device.add_user("alice")
            set_pin(device, "alice", PIN)
            grant_all(device, "alice", of_age=True)
            device.enroll("alice", views[:3], token=enrollment_token(device, "alice", Modality.FACE, PIN))
    return place


def said(place: Path, name: str, command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Both streams of a command that answers yes."""
    capsys.readouterr()
    words = [str(place / word) if word in ("probe.npy", "pin", "token.bin") else word for word in command.split()]
    assert run(["--device", str(place / name), *words]) is ExitCode.OK, command
    return "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "command",
    [
        "device status",
        "notice",
        "authenticate alice probe.npy",
        "authenticate alice probe.npy --fmr 1/12345",
        "identify probe.npy",
        "explain --user alice",
        "access alice --pin-file pin",
        f"attest --nonce {'ab' * 32}",
        "serve --stdio",
    ],
)
def test_it_says_so_and_another_device_does_not(
    place: Path, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bioguard.serve.loop.serve", lambda *_: None)
    assert SAYS in said(place, "lab", command, capsys).replace("for testing", SAYS)
    if "--fmr" not in command:
        assert SAYS not in said(place, "phone", command, capsys).replace("for testing", SAYS)


def test_a_match_gives_no_token_file_and_says_why(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = said(place, "lab", "authenticate alice probe.npy --token token.bin --operation-id 7", capsys)
    assert "no token: this is a device for testing" in answer
    assert not (place / "token.bin").exists()
    shown = json.loads(said(place, "lab", "authenticate alice probe.npy --json -q", capsys))
    assert (shown["match"], shown["for_testing"], shown["token"], shown["target_fmr"]) == (True, True, False, "1/10")


def test_an_export_states_what_the_device_was_made_as(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    validator = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    for name, wanted in (("lab", ("stepped", "SEEDED", True)), ("phone", ("host", "system", False))):
        out = place / f"{name}.json"
        said(place, name, f"export alice --pin-file pin --out {out}", capsys)
        document = json.loads(out.read_text("utf-8"))
        validator.validate(document)
        assert tuple(document["device"][key] for key in ("clock", "randomness", "for_testing")) == wanted


def test_its_attestation_says_so_under_the_signature(place: Path) -> None:
    for name, wanted in (
        ("lab", AttestedSettings(clock="stepped", randomness="SEEDED", for_testing=True)),
        ("phone", AttestedSettings(clock="host", randomness="system", for_testing=False)),
    ):
        with Device.open(place / name) as device:
            token, key = attest(device, bytes(32)), signed_log(device).attestation_key
            assert attested_settings(device) == wanted
        claims, _ = Claims.verify(token, key, bytes(32))
        assert AttestedSettings.of(claims) == wanted


def test_every_command_notes_a_seed_and_a_stepped_clock(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("list", "user list"):
        shown = said(place, "lab", command, capsys)
        assert "SEEDED" in shown
        assert "stepped clock" in shown
        shown = said(place, "phone", command, capsys)
        assert "SEEDED" not in shown
        assert "stepped clock" not in shown
