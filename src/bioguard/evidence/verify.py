"""Verify an evidence bundle offline: no device, no secure world, no configuration, no network.

Every step names the artefact it looked at. Without pinned keys the bundle is only shown to be consistent in itself:
whoever made it could have made it up.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from bioguard.errors import BioguardError, InputRefused, IntegrityFailure
from bioguard.evidence import dsse
from bioguard.evidence.bundle import (
    ATTESTATION,
    KEYS,
    RECEIPT,
    STATEMENT,
    STORE_IMAGE,
    BundleKeys,
    digests,
    files_of,
    statement_nonce,
)
from bioguard.evidence.reference import MEASUREMENT, Measurement, Reference
from bioguard.evidence.statement import TestResult
from bioguard.json_text import parse_json
from bioguard.log.erasure_receipt import ErasureReceipt
from bioguard.log.signed_log import SignedLog
from bioguard.log.store_copy import check_image
from bioguard.proofs.checkpoint import Checkpoint, TlogProof
from bioguard.proofs.device_claims import AttestedHosts, attested_files, settings_words
from bioguard.proofs.encoding import PARSE_FAULTS, ProofInvalid
from bioguard.proofs.merkle import verify_consistency
from bioguard.proofs.psa_token import Claims
from bioguard.proofs.records_head import RecordsHead
from bioguard.report import render
from bioguard.report.json_form import parse_json as parse_report
from bioguard.report.model import Status
from bioguard.user_files import read_input

EXPECTED = ("report.json", "report.html", "junit.xml", "report.sarif", KEYS, "log.json", STATEMENT, ATTESTATION)
FORMS = {"report.html": "html", "junit.xml": "junit", "report.sarif": "sarif"}
OTHER_SARIF = "bioguard 0.1."
"""The tool of reports whose SARIF had failures only; it is covered by the statement, and not compared."""


class BundleInvalid(IntegrityFailure):
    """An artefact of the bundle does not verify; the message starts with its name."""

    code = "integrity.bundle"


class NotTheReference(BundleInvalid):
    """The audited product has other files than the reference; the message names each."""

    code = "integrity.reference"


@dataclass(slots=True)
class Verified:
    """What was verified.

    Attributes:
        steps: artefact and what was shown of it.
        pinned: whether the keys came from outside the bundle.
        status: the verdict of the report inside, which is another question than whether the bundle verifies.
    """

    pinned: bool
    status: Status = Status.UNKNOWN
    steps: list[tuple[str, str]] = field(default_factory=list)


def _guard(artefact: str, step: Callable[[], Any]) -> Any:
    try:
        return step()
    except BioguardError as error:
        raise BundleInvalid(f"{artefact}: {error.message}", hint=error.hint) from error
    except PARSE_FAULTS as error:
        raise BundleInvalid(f"{artefact}: malformed", hint="fetch the bundle again") from error


def verify_bundle(directory: Path, pinned: BundleKeys | None = None, reference: Reference | None = None) -> Verified:
    """Verify everything in a bundle.

    Args:
        pinned: keys from a source you trust; the bundle's own are used without them.
        reference: of the files that the audited product should have; without it they are only listed.

    Raises:
        InputRefused: there is no bundle here.
        IntegrityFailure: an artefact is missing, added or changed, or a signature, hash or proof does not verify. The
            message starts with the artefact's name.
    """
    if not directory.is_dir():
        raise InputRefused(f"{directory} is not a directory", hint="give the directory of `audit run --out`")
    here = files_of(directory)
    for name in EXPECTED:
        if name not in here:
            raise BundleInvalid(f"{name}: missing", hint="fetch the whole bundle")
    done = Verified(pinned=pinned is not None)
    keys: BundleKeys = _guard(KEYS, lambda: BundleKeys.parse(_text(directory, KEYS)))
    if pinned is not None and pinned != keys:
        raise BundleInvalid(f"{KEYS}: not the pinned keys", hint="the bundle is of another device or was made up")
    done.steps.append((KEYS, "the pinned keys" if pinned else "read from the bundle itself: consistency only"))

    body: bytes = _guard(STATEMENT, lambda: dsse.open_envelope(_text(directory, STATEMENT), keys.evidence))
    statement: TestResult = _guard(STATEMENT, lambda: TestResult.from_bytes(body))
    done.steps.append((STATEMENT, f"signed by {keys.evidence.name}, result {statement.result}"))
    _compare(digests(directory), dict(statement.subjects))
    done.steps.append(("files", f"{len(statement.subjects)} files have the signed digests, no other file is there"))

    claims = _attestation(directory, keys, body, done)
    _report(directory, statement, done)
    _measurement(directory, claims, reference, done)
    verify_records(directory, keys, done)
    return done


def _text(directory: Path, name: str) -> str:
    return read_input(directory / name).decode("utf-8")


def _compare(found: dict[str, str], signed: dict[str, str]) -> None:
    for name in sorted(found.keys() | signed.keys()):
        if name not in found:
            raise BundleInvalid(f"{name}: missing", hint="fetch the whole bundle")
        if name not in signed:
            raise BundleInvalid(f"{name}: not in the signed statement", hint="it was added later; remove it")
        if found[name] != signed[name]:
            raise BundleInvalid(f"{name}: changed after signing", hint="fetch the file again")


def _attestation(directory: Path, keys: BundleKeys, body: bytes, done: Verified) -> Claims:
    token = read_input(directory / ATTESTATION)
    claims, profile = _guard(ATTESTATION, lambda: Claims.verify(token, keys.attestation, statement_nonce(body)))
    sandbox = claims.component("PRoT_CONFIG")[0].version
    settings = _guard(ATTESTATION, lambda: settings_words(claims))
    hosts: AttestedHosts = _guard(ATTESTATION, lambda: AttestedHosts.of(claims))
    lifecycle = claims.lifecycle.name
    done.steps.append(
        (ATTESTATION, f"profile {profile.value}, lifecycle {lifecycle}, {sandbox}, {hosts.words()}, {settings}")
    )
    return cast("Claims", claims)


def _measurement(directory: Path, claims: Claims, reference: Reference | None, done: Verified) -> None:
    """The measured files are those that the device attested, and those of the reference if there is one."""
    attested = attested_files(claims)
    if not attested and not (directory / MEASUREMENT).exists():
        if reference is not None:
            raise BundleInvalid(
                f"{ATTESTATION}: it states no measurement of the product's files",
                hint="the bundle is of an earlier version: run the audit again with this one",
            )
        return
    if not (directory / MEASUREMENT).is_file():
        raise BundleInvalid(f"{MEASUREMENT}: missing", hint="fetch the whole bundle")
    found: Measurement = _guard(MEASUREMENT, lambda: Measurement.parse(_text(directory, MEASUREMENT)))
    if sorted(found.files.components()) != sorted(attested):
        raise BundleInvalid(
            f"{MEASUREMENT}: not the files that the device attested", hint="the product was changed during the audit"
        )
    count = f"{len(found.files.files)} files as attested"
    if reference is None:
        done.steps.append((MEASUREMENT, f"{count}, compared with no reference"))
        return
    differences = reference.differences(found)
    if differences:
        raise NotTheReference(
            f"{MEASUREMENT}: not as in the reference: {'; '.join(differences)}",
            hint="for compiled files and start code of another machine, add its reference: "
            "bioguard audit reference --also FILE; any other file was changed",
        )
    done.steps.append((MEASUREMENT, f"{count}, and as in the reference"))


def _report(directory: Path, statement: TestResult, done: Verified) -> None:
    report = _guard("report.json", lambda: parse_report(_text(directory, "report.json")))
    compared = {n: f for n, f in FORMS.items() if f != "sarif" or not report.tool.startswith(OTHER_SARIF)}
    for name, form in compared.items():
        if _guard("report.json", partial(render, report, form)) != _guard(name, partial(_text, directory, name)):
            raise BundleInvalid(f"{name}: does not say what report.json says", hint="use the bioguard version of it")
    passed = tuple(c.id for c in report.with_status(Status.PASS))
    if passed != statement.passed:
        raise BundleInvalid("report.json: its passes are not those of the statement", hint="fetch the bundle again")
    for check in report.checks:
        for item in check.evidence:
            if not (directory / item.path).is_file():
                raise BundleInvalid(
                    f"{item.path}: named as evidence of {check.id} and missing", hint="fetch the bundle again"
                )
    done.status = report.status
    others = "" if compared == FORMS else ", but for report.sarif, which is of an earlier form"
    done.steps.append(("report.json", f"all forms say the same{others}: {report.status.label}"))


def verify_records(directory: Path, keys: BundleKeys, done: Verified) -> None:
    """Log, proofs, growth since an earlier checkpoint, receipt and store. Raises IntegrityFailure."""
    log: SignedLog = _guard("log.json", lambda: SignedLog.parse(_text(directory, "log.json")))
    if log.key != keys.log:
        raise BundleInvalid("log.json: signed by another key", hint="the log is of another device")
    checkpoint: Checkpoint = _guard("log.json", log.verify)
    done.steps.append(("log.json", f"{checkpoint.size} entries under one signed root, no gap"))
    for path in sorted((directory / "log-proofs").glob("*.tlog-proof")):
        name = path.relative_to(directory).as_posix()
        index = _guard(name, partial(_proof, directory, name, log))
        done.steps.append((name, f"entry {index} is in the signed log"))
    older = directory / "checkpoint-before.txt"
    if older.is_file():
        size = _guard("consistency.json", lambda: _consistency(directory, keys, checkpoint))
        prefix = f"the {size} entries of the earlier checkpoint are the first of the log"
        done.steps.append(("consistency.json", prefix if size else "the earlier log was empty: nothing is shown"))
    if (directory / RECEIPT).is_file():
        receipt = _guard(RECEIPT, lambda: ErasureReceipt.parse(_text(directory, RECEIPT)))
        head: RecordsHead = _guard(RECEIPT, lambda: receipt.verify(keys.log))
        count = len(receipt.erasures)
        done.steps.append(
            (RECEIPT, f"{count} erasures in the log, none of them among the {head.size - 2} record(s) left")
        )
        size = _guard(STORE_IMAGE, lambda: check_image(directory / STORE_IMAGE, receipt, head))
        done.steps.append((STORE_IMAGE, f"the store of that moment: no erased id or digest in {size} bytes"))


def _proof(directory: Path, name: str, log: SignedLog) -> int:
    proof = TlogProof.parse(_text(directory, name))
    proof.verify(log.items[proof.index].leaf, log.key)
    return proof.index


def _consistency(directory: Path, keys: BundleKeys, new: Checkpoint) -> int:
    old = Checkpoint.open(_text(directory, "checkpoint-before.txt"), keys.log)
    raw = parse_json(_text(directory, "consistency.json"))
    path = [bytes.fromhex(h) for h in raw["proof"]]
    if (raw["old_size"], raw["new_size"]) != (old.size, new.size):
        raise ProofInvalid("it is about other checkpoints", hint="fetch the bundle again")
    verify_consistency(old.size, old.root, new.size, new.root, path)
    return old.size
