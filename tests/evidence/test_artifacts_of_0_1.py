"""What version 0.1 signed keeps verifying, and nothing that differs from it in a byte does."""

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bioguard.errors import BioguardError, IntegrityFailure
from bioguard.evidence.bundle import KEYS, BundleKeys
from bioguard.evidence.verify import verify_bundle
from bioguard.log.erasure_receipt import ErasureReceipt
from bioguard.log.signed_log import SignedLog
from bioguard.log.store_copy import check_image
from bioguard.proofs.checkpoint import Checkpoint, TlogProof
from bioguard.proofs.device_claims import AttestedSettings, settings_words
from bioguard.proofs.notes import NoteKey
from bioguard.proofs.psa_token import Claims, EatProfile
from bioguard.records.tokens import AuthToken
from bioguard.report import Status

GOLDEN = Path(__file__).parents[1] / "golden" / "v0_1"
EXPORT_SCHEMA = Path(__file__).parents[2] / "src/bioguard/report/schema/export.schema.json"
KNOWN = json.loads((GOLDEN / "known.json").read_text("ascii"))
KEY = NoteKey.parse(KNOWN["vkey"])
TOKEN_KEY = (GOLDEN / "token.key").read_bytes()


def _log(raw: bytes) -> object:
    log = SignedLog.parse(raw.decode())
    if log.key != KEY:
        raise ValueError("signed by another key")
    return log.verify().size


def _proof(raw: bytes) -> object:
    return TlogProof.parse(raw.decode()).verify(bytes.fromhex(KNOWN["leaf_of_entry_6"]), KEY).size


def _attestation(raw: bytes) -> object:
    nonce, key = bytes.fromhex(KNOWN["attestation_nonce"]), bytes.fromhex(KNOWN["attestation_public_key"])
    claims, profile = Claims.verify(raw, key, nonce)
    return profile, claims.component("PRoT_CONFIG")[0].version


def _token(raw: bytes) -> object:
    return AuthToken.from_bytes(raw).verify(TOKEN_KEY).challenge


VERIFIED: dict[str, tuple[Callable[[bytes], object], object]] = {
    "log.json": (_log, 25),
    "checkpoint.txt": (lambda raw: Checkpoint.open(raw.decode(), KEY).size, 18),
    "entry-6.tlog-proof": (_proof, 21),
    "receipt.json": (lambda raw: ErasureReceipt.parse(raw.decode()).verify(KEY).log_size, 20),
    "attestation.cbor": (_attestation, (EatProfile.RFC9783, "sandbox ENFORCED+")),
    "token-face.bin": (_token, 7),
    "token-pin.bin": (_token, AuthToken.from_bytes((GOLDEN / "token-pin.bin").read_bytes()).challenge),
}


@pytest.mark.parametrize("name", VERIFIED)
def test_it_still_verifies_and_a_changed_one_does_not(name: str) -> None:
    verify, value = VERIFIED[name]
    raw = (GOLDEN / name).read_bytes()
    assert verify(raw) == value
    step = max(1, len(raw) // 60)
    for at in range(0, len(raw), step):
        for changed in (raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :], raw[:at]):
            with pytest.raises((BioguardError, ValueError)):
                verify(changed)


def test_a_token_without_settings_is_read_as_one_of_0_1() -> None:
    """Its callers chose clock, randomness and rates, so that a reader must not take it for a device that seals them."""
    nonce, key = bytes.fromhex(KNOWN["attestation_nonce"]), bytes.fromhex(KNOWN["attestation_public_key"])
    claims, _ = Claims.verify((GOLDEN / "attestation.cbor").read_bytes(), key, nonce)
    assert AttestedSettings.of(claims) is None
    assert settings_words(claims) == "clock, randomness and rates not stated: callers chose them"


def test_the_receipt_is_about_the_store_of_its_moment() -> None:
    receipt = ErasureReceipt.parse((GOLDEN / "receipt.json").read_text("utf-8"))
    head = receipt.verify(KEY)
    assert check_image(GOLDEN / "storage.db", receipt, head) == (GOLDEN / "storage.db").stat().st_size
    with pytest.raises(IntegrityFailure):
        check_image(GOLDEN / "device" / "storage.db", receipt, head)  # a later store of the same device


def test_a_token_whose_key_is_gone_is_still_read() -> None:
    token = AuthToken.from_bytes((GOLDEN / "token-of-device.bin").read_bytes())
    assert (token.challenge, token.authenticator_type) == (7, 2)
    with pytest.raises(BioguardError):
        token.verify(TOKEN_KEY)


def test_an_export_still_has_the_form_of_its_schema() -> None:
    document = json.loads((GOLDEN / "export.json").read_text("utf-8"))
    validator = Draft202012Validator(json.loads(EXPORT_SCHEMA.read_text("utf-8")))
    validator.validate(document)
    assert not validator.is_valid({**document, "annex": "more"})


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bundle-0-1")
    with tarfile.open(GOLDEN / "bundle.tar.xz") as archive:
        archive.extractall(directory, filter="data")
    return directory / "bundle"


def test_a_bundle_still_verifies(bundle: Path) -> None:
    pinned = BundleKeys.parse((bundle / KEYS).read_text("utf-8"))
    done = verify_bundle(bundle, pinned)
    assert (done.pinned, done.status) == (True, Status.PASS)
    assert "rates not stated" in dict(done.steps)["attestation.cbor"]
    assert {a for a, _ in done.steps} > {"keys.json", "statement.dsse.json", "report.json", "log.json", "receipt.json"}


@pytest.mark.parametrize("name", ["report.json", "report.html", "raw/sbom.cdx.json", "log.json", "statement.dsse.json"])
def test_a_changed_bundle_does_not(bundle: Path, tmp_path: Path, name: str) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(bundle, changed)
    raw = bytearray((changed / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (changed / name).write_bytes(raw)
    with pytest.raises(IntegrityFailure, match=name):
        verify_bundle(changed)
