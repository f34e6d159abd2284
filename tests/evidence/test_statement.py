"""DSSE and in-toto: securesystemslib and in-toto-attestation give the second opinion."""

import copy
import json

import pytest
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from bioguard.evidence import dsse
from bioguard.evidence.statement import TestResult
from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.notes import NoteSigner

SIGNER = NoteSigner("bioguard.example/evidence", bytes(range(32)))
RESULT = TestResult(
    subjects={"report.json": "ab" * 32, "raw/leaks.json": "cd" * 32},
    configuration={"filter": "ef" * 32},
    result="WARNED",
    passed=("BG-STA-001",),
    warned=("BG-STA-004",),
    failed=(),
)
BODY = RESULT.to_bytes()
ENVELOPE = dsse.seal(BODY, SIGNER)


def _sslib_key() -> SSlibKey:
    return SSlibKey(dsse.key_id(SIGNER.key), "ed25519", "ed25519", {"public": SIGNER.key.public_key.hex()})


def test_securesystemslib_accepts_the_envelope_and_rejects_its_twin() -> None:
    raw = json.loads(ENVELOPE)
    envelope = Envelope.from_dict(copy.deepcopy(raw))
    envelope.verify([_sslib_key()], 1)
    assert envelope.payload == BODY
    envelope.payload = BODY.replace(b"WARNED", b"PASSED")
    with pytest.raises(VerificationError):
        envelope.verify([_sslib_key()], 1)


def _in_toto(body: bytes) -> Statement:
    message = json_format.Parse(body, statement_pb2.Statement())
    return Statement.copy_from_pb(message)


def test_in_toto_attestation_accepts_the_statement_and_rejects_its_twins() -> None:
    _in_toto(BODY).validate()
    for twin in (
        BODY.replace(b"Statement/v1", b"Statement/v9"),
        BODY.replace(b'"sha256":"' + b"ab" * 32 + b'"', b""),
        json.dumps({**json.loads(BODY), "subject": []}).encode(),
    ):
        with pytest.raises(ValueError, match=r".+"):
            _in_toto(twin).validate()


def test_our_own_verifier_agrees() -> None:
    assert TestResult.from_bytes(dsse.open_envelope(ENVELOPE, SIGNER.key)) == RESULT


def test_no_byte_of_an_envelope_can_be_changed() -> None:
    for position in range(0, len(ENVELOPE), 3):
        bent = ENVELOPE[:position] + ("A" if ENVELOPE[position] != "A" else "B") + ENVELOPE[position + 1 :]
        with pytest.raises(ProofInvalid):
            dsse.open_envelope(bent, SIGNER.key)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (ENVELOPE + "\n", "not a DSSE envelope"),
        (json.dumps(json.loads(ENVELOPE)), "not a DSSE envelope"),
        ("[]", "not a DSSE envelope"),
        ("{", "not a DSSE envelope"),
        (ENVELOPE.replace('"signatures":[', '"signatures":[{"keyid":"","sig":""},'), "not a DSSE envelope"),
        (dsse.seal(BODY, NoteSigner(SIGNER.name, bytes(32))), "names another key"),
    ],
)
def test_envelopes_that_must_be_refused(text: str, why: str) -> None:
    with pytest.raises(ProofInvalid, match=why):
        dsse.open_envelope(text, SIGNER.key)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"nul", BODY + b" ", BODY.replace(b"WARNED", b"GREEN!")])
def test_statements_that_must_be_refused(body: bytes) -> None:
    with pytest.raises(ProofInvalid, match="not an in-toto test-result statement"):
        TestResult.from_bytes(body)
