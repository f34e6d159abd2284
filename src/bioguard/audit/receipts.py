"""Erasure receipts: the log entry of the erasure, proved in a signed checkpoint. Verifiable anywhere, by anyone.

A receipt is JSON: the entry's canonical bytes, the log's verifier key and the text of a `.tlog-proof` file. It says
that the device's secure world erased the record with this salted digest. It cannot say that nobody copied the record
before.
"""

import json
from typing import Any

from bioguard.audit.log import SignedLog
from bioguard.errors import InputRefused
from bioguard.proofs.checkpoint import TlogProof, proof_of
from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.notes import NoteKey
from bioguard.records.events import Entry, Event
from tee_sim.errors import TeeError

__all__ = ["SCHEMA", "erasure_receipt", "verify_receipt"]

SCHEMA = "bioguard/erasure-receipt/1"


def erasure_receipt(log: SignedLog, digest: str) -> str:
    """The receipt for the erased record with this salted digest (hex).

    Raises:
        InputRefused: no such erasure is in the log, or its body was pruned.
    """
    for item in log.items:
        entry = item.entry
        if entry and entry.event is Event.RECORD_ERASED and entry.digest == bytes.fromhex(digest):
            proof = proof_of(log.leaves, entry.sequence, log.checkpoint)
            body = {"schema": SCHEMA, "entry": entry.to_bytes().hex(), "vkey": log.key.vkey, "proof": proof.to_text()}
            return json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    raise InputRefused("no erasure of this digest is in the log", hint="run: bioguard log show", code="receipt.none")


def verify_receipt(text: str, key: NoteKey | None = None) -> Entry:
    """Check a receipt and return the erasure.

    Args:
        key: the log's verifier key from a source you trust; without it the receipt's own is used.

    Raises:
        ProofInvalid: malformed, another key, or a proof that does not verify.
    """
    malformed = ProofInvalid("not an erasure receipt", hint="fetch the file again: it was altered on the way")
    try:
        raw: Any = json.loads(text)
        entry = Entry.from_bytes(bytes.fromhex(raw["entry"]))
        own = NoteKey.parse(raw["vkey"])
        proof = TlogProof.parse(raw["proof"])
        fits = raw["schema"] == SCHEMA and len(raw) == 4
        again = json.dumps(raw, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    except (ValueError, KeyError, TypeError, AttributeError, TeeError):
        raise malformed from None
    if again != text or not fits or entry.event is not Event.RECORD_ERASED:
        raise malformed
    if key is not None and key != own:
        raise ProofInvalid("the receipt is of another device's log", hint="give the verifier key of this device's log")
    proof.verify(entry.leaf(), own)
    if proof.index != entry.sequence:
        raise malformed
    return entry
