"""Documents that somebody else made up: every parser and verifier ends in its own refusal, never in a bug of ours.

Each leaf of a good document is exchanged for values of other types and out of all bounds, and written in canonical
form, so that no comparison with the original stands before the field is used.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.compare import read_result
from bioguard.cli.__main__ import run
from bioguard.errors import BioguardError
from bioguard.evidence import dsse
from bioguard.evidence.bundle import BundleKeys, digests, statement_nonce
from bioguard.evidence.reference import Measurement, Otherwise, Reference
from bioguard.evidence.run import signer_from
from bioguard.evidence.statement import TestResult
from bioguard.evidence.verify import verify_bundle
from bioguard.log.erasure_receipt import ErasureReceipt
from bioguard.log.signed_log import SignedLog
from bioguard.proofs import cose
from bioguard.proofs.psa_token import Claims, EatProfile
from bioguard.report import Status
from bioguard.report.json_form import parse_json as parse_report
from tee_sim.shared.package_files import Listing
from tests.evidence.test_receipts import LOG, _log, _receipt
from tests.evidence.test_statement import BODY, ENVELOPE, SIGNER

DEEP = "[" * 200_000
NESTED = json.loads("[" * 400 + "]" * 400)
HOSTILE = (None, True, -1, 1 << 70, 1.5, "", "\x00", [], [[]], {}, {"a": 1}, NESTED, "BIG")
"""BIG is written as 1e999, which is read as infinity: int() of it is an OverflowError."""


def bent(document: Any) -> Iterator[Any]:
    """The document with one leaf, or one whole branch, exchanged; once with each hostile value."""

    def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        yield path
        branches = (
            value.items() if isinstance(value, dict) else list(enumerate(value))[:2] if isinstance(value, list) else ()
        )
        for key, inner in branches:
            yield from places(inner, (*path, key))

    for path in places(document):
        for value in HOSTILE:
            whole = [json.loads(json.dumps(document))]
            at, last = whole, 0
            for key in path:
                at, last = at[last], key
            at[last] = value
            yield whole[0]


def canonical(document: Any, **how: Any) -> str:
    return json.dumps(document, sort_keys=True, ensure_ascii=False, **how).replace('"BIG"', "1e999")


def _verify_log(text: str) -> None:
    SignedLog.parse(text).verify()


def _verify_receipt(text: str) -> None:
    ErasureReceipt.parse(text).verify(LOG.key)


def refuses(call: Callable[[], object]) -> bool:
    try:
        call()
    except BioguardError:
        return True
    return False


PUBLIC = cose.public_key_bytes(cose.private_key(bytes(range(64))))
Case = tuple[str, Callable[[str], object], Callable[[Any], str]]
CASES: dict[str, Case] = {
    "log": (_log().to_text(), _verify_log, lambda d: canonical(d, indent=1) + "\n"),
    "receipt": (_receipt().to_text(), _verify_receipt, lambda d: canonical(d, indent=1) + "\n"),
    "envelope": (
        ENVELOPE,
        lambda text: dsse.open_envelope(text, SIGNER.key),
        lambda d: canonical(d, separators=(",", ":")) + "\n",
    ),
    "statement": (
        BODY.decode(),
        lambda text: TestResult.from_bytes(text.encode("utf-8", "surrogatepass")),
        lambda d: canonical(d, separators=(",", ":")),
    ),
    "keys": (
        BundleKeys(SIGNER.key, LOG.key, PUBLIC).to_text(),
        BundleKeys.parse,
        lambda d: canonical(d, indent=1) + "\n",
    ),
    "reference": (
        Reference({"tee_sim/a.py": "a" * 64}, {"tee_sim/b.so": ("b" * 64,)}).to_text(),
        Reference.parse,
        lambda d: canonical(d, indent=1) + "\n",
    ),
    "measurement": (
        Measurement(
            Listing({"tee_sim/a.py": "a" * 64}), {"start/x.pth": "b" * 64}, (("json", Otherwise.CACHE),)
        ).to_text(),
        Measurement.parse,
        lambda d: canonical(d, indent=1) + "\n",
    ),
}


STILL_GOOD: dict[str, Callable[[Any], bool]] = {
    "envelope": lambda d: d["signatures"][0]["keyid"] == "",  # a hint that DSSE lets anybody leave out
    "statement": lambda d: all(
        isinstance(text, str)
        for text in (
            *(r["name"] + r["digest"]["sha256"] for r in (*d["subject"], *d["predicate"]["configuration"])),
            *(i for kind in ("passedTests", "warnedTests", "failedTests") for i in d["predicate"][kind]),
        )
    ),  # another name, or fewer of them: whether they are true is for whoever has the files
    "reference": lambda d: d["machine"] == {},  # of a checkout in which nothing was compiled
    "measurement": lambda d: {} in (d["files"], d["start"]) or d["otherwise"] == [],
}


@pytest.mark.parametrize("name", CASES)
def test_a_bent_document_is_refused_by_its_parser(name: str) -> None:
    text, parse, write = CASES[name]
    assert write(json.loads(text)) == text
    parse(text)
    refused = 0
    for document in bent(json.loads(text)):
        if document != json.loads(text):
            done = refuses(lambda document=document: parse(write(document)))
            assert done or STILL_GOOD.get(name, lambda _: False)(document), f"{document!r:.300}"
            refused += done
    assert refused > 50


def test_pinned_keys_of_another_form_are_named(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SoftHSM gives CKA_EC_POINT as a DER octet string: 67 bytes."""
    document = json.loads((bundle / "keys.json").read_text("utf-8"))
    for other, what in (("0441" + document["attestation"], "67 bytes"), (document["attestation"][2:], "64 bytes")):
        (tmp_path / "keys.json").write_text(canonical({**document, "attestation": other}, indent=1) + "\n", "utf-8")
        assert run(["audit", "verify", str(bundle), "--key", str(tmp_path / "keys.json")]) == 7
        assert f"the attestation key has {what}, expected 65: " in capsys.readouterr().err


@pytest.mark.parametrize("name", [*CASES, "report"])
def test_brackets_nested_without_end_are_refused(name: str) -> None:
    parse = parse_report if name == "report" else CASES[name][1]
    for text in (DEEP, '{"a":' * 200_000, DEEP + "]" * 200_000):
        with pytest.raises(BioguardError):
            parse(text)


def test_commands_refuse_brackets_nested_without_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "deep.json"
    for text in (DEEP, '{"schema":"bioguard/log/1","items":' + DEEP):
        path.write_text(text, "utf-8")
        assert run(["log", "verify", str(path)]) == 7
        assert "error[integrity.proof]: not a log file" in capsys.readouterr().err
        assert run(["audit", "verify", str(tmp_path), "--key", str(path)]) == 7
        assert "not a key file" in capsys.readouterr().err
        with pytest.raises(BioguardError, match="nested too deep"):
            read_result(path)


def _forged(folder: Path, token: bytes, passed: tuple[str, ...]) -> None:
    """Sign the bundle again as somebody who made it up would: the evidence and attestation keys are the forger's."""
    forger, attestation = signer_from(b"f" * 32), cose.private_key(bytes(range(64)))
    log = BundleKeys.parse((folder / "keys.json").read_text("utf-8")).log
    keys = BundleKeys(forger.key, log, cose.public_key_bytes(attestation))
    (folder / "keys.json").write_text(keys.to_text(), "utf-8")
    body = TestResult(digests(folder), {}, "FAILED", passed, (), ()).to_bytes()
    (folder / "statement.dsse.json").write_text(dsse.seal(body, forger), "utf-8")
    claims, _ = Claims.from_payload(cose.payload_of(token))
    payload = replace(claims, nonce=statement_nonce(body)).to_payload(EatProfile.RFC9783)
    (folder / "attestation.cbor").write_bytes(cose.assemble(payload, cose.sign(payload, attestation)))


MADE_UP = {"report.json": 29, "consistency.json": 1, "log.json": 3, "receipt.json": 11}
"""File of a bundle, and which of its bent forms are played: every n-th."""


@pytest.mark.parametrize("name", MADE_UP)
def test_a_bundle_that_was_made_up_ends_in_a_refusal(bundle: Path, tmp_path: Path, name: str) -> None:
    token = (bundle / "attestation.cbor").read_bytes()
    passed = tuple(c.id for c in parse_report((bundle / "report.json").read_text("utf-8")).with_status(Status.PASS))
    made_up = Path(shutil.copytree(bundle, tmp_path / "made-up"))
    _forged(made_up, token, passed)
    verify_bundle(made_up)
    indent = 2 if name == "report.json" else 1
    document, good = json.loads((bundle / name).read_text("utf-8")), (bundle / name).read_text("utf-8")
    refused = 0
    for number, other in enumerate(bent(document)):
        if number % MADE_UP[name] or (text := canonical(other, indent=indent) + "\n") == good:
            continue
        (made_up / name).write_text(text, "utf-8", "surrogatepass")
        _forged(made_up, token, passed)
        refused += refuses(lambda: verify_bundle(made_up))
    assert refused > 20
