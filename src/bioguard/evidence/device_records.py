"""What a device gives to whoever asks: log, proofs, receipt of erasures; made, and verified as a stranger would."""

import json
import shutil
from pathlib import Path

from bioguard.device import consent
from bioguard.device.receipts import erasure_receipt
from bioguard.evidence import bundle
from bioguard.evidence.no_answer import failed
from bioguard.evidence.policy_clauses import CLAUSES
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.evidence.verify import Verified, verify_records
from bioguard.log.signed_log import SignedLog
from bioguard.proofs.checkpoint import proof_of
from bioguard.proofs.merkle import consistency_proof
from bioguard.proofs.notes import NoteKey
from bioguard.records.audit_events import Event
from bioguard.report.model import Check, Status

RECORDS_CHECK = "BG-LOG-001"
TITLE = "The log of the device, its proofs and the receipt of its erasures verify"
CHECKPOINT_BEFORE = "checkpoint-before.txt"
PROOFS = 8


def write_checkpoint(stage: Path, temporary: TemporaryDevice) -> None:
    """Keep the checkpoint of now, to show later that the log only grew. Raises IntegrityFailure."""
    (stage / CHECKPOINT_BEFORE).write_text(consent.signed_log(temporary.device).checkpoint, "utf-8")


def records_check(stage: Path, temporary: TemporaryDevice, evidence: NoteKey) -> Check:
    """Write log, proofs, receipt, store image and keys into `stage`, and verify them."""
    try:
        steps = write_records(stage, temporary, evidence)
    except Exception as error:  # the report says so: a device that cannot show its log must not end without one
        return failed(RECORDS_CHECK, error, title=TITLE)
    return Check(
        id=RECORDS_CHECK,
        title=TITLE,
        status=Status.PASS,
        summary=f"{len(steps)} artifacts of the bundle made, and verified without the device",
        details=tuple(f"{artifact}: {shown}" for artifact, shown in steps),
        limits="the log of a temporary device, whose keys are as safe as this host",
        clauses=tuple(c.id for c in CLAUSES if RECORDS_CHECK in c.checks),
    )


def write_records(stage: Path, temporary: TemporaryDevice, evidence: NoteKey) -> list[tuple[str, str]]:
    """Write them; return what was verified of each.

    Args:
        stage: the bundle in the making, with the checkpoint of before.
        evidence: the key that will sign the bundle, for its list of keys.

    Raises:
        BioguardError: the device does not answer, or what it answers does not verify.
        OSError: there is no checkpoint of before.
    """
    log = consent.signed_log(temporary.device)
    keys = bundle.BundleKeys(evidence, log.key, log.attestation_key)
    (stage / bundle.KEYS).write_text(keys.to_text(), "utf-8")
    (stage / "log.json").write_text(log.to_text(), "utf-8")
    erased = [i.entry for i in log.items if i.entry and i.entry.event is Event.RECORD_ERASED][-PROOFS:]
    for entry in erased:
        proof = proof_of(log.leaves, entry.sequence, log.checkpoint).to_text()
        path = stage / "log-proofs" / f"{entry.sequence:06d}-{entry.event.name.lower()}.tlog-proof"
        path.parent.mkdir(exist_ok=True)  # an empty one would be a stray entry of the bundle
        path.write_text(proof, "utf-8")
    _write_consistency(stage, log)
    if erased:
        receipt = erasure_receipt(temporary.device, [(entry.digest or b"").hex() for entry in erased])
        shutil.copyfile(temporary.directory / bundle.STORE_IMAGE, stage / bundle.STORE_IMAGE)
        (stage / bundle.RECEIPT).write_text(receipt.to_text(), "utf-8")
    done = Verified(pinned=True)
    verify_records(stage, keys, done)
    return done.steps


def _write_consistency(stage: Path, log: SignedLog) -> None:
    old_size = int((stage / CHECKPOINT_BEFORE).read_text("utf-8").split("\n")[1])
    path = [h.hex() for h in consistency_proof(log.leaves, old_size)]
    body = {"old_size": old_size, "new_size": len(log.items), "proof": path}
    (stage / "consistency.json").write_text(json.dumps(body, indent=1, sort_keys=True) + "\n", "utf-8")
