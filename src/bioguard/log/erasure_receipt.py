"""Erasure receipts: what was erased, that the log says so, and that the store does not hold it any more.

A receipt is JSON that anybody can verify anywhere. It holds, signed by the device's log key: the log's checkpoint, with
an inclusion proof for the entry of each erasure; and the head over all records of the same moment, with a proof of
absence for each (`bioguard.proofs.records_head`). The head names the root page of the store, so a copy of `storage.db`
can be held against it. No receipt can say that nobody copied a record before.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Self

from bioguard.errors import InputRefused, IntegrityFailure
from bioguard.json_text import parse_json
from bioguard.log.signed_log import SignedLog
from bioguard.proofs.checkpoint import Checkpoint
from bioguard.proofs.encoding import PARSE_FAULTS, ProofInvalid
from bioguard.proofs.merkle import HASH_BYTES, inclusion_proof, verify_inclusion
from bioguard.proofs.notes import NoteKey
from bioguard.proofs.origin import records_origin
from bioguard.proofs.records_head import Absence, RecordsHead, sorted_keys
from bioguard.records.audit_events import Entry, Event
from tee_sim.shared.dataclass import dataclass

SCHEMA = "bioguard/erasure-receipt/1"
_AGAIN = "fetch the file again: it is not what `erase --receipt` or `log receipt` wrote"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenErasure:
    """One erased record. path: inclusion proof of its entry, leaf sibling first."""

    entry: Entry
    path: tuple[bytes, ...]
    absence: Absence

    @property
    def digest(self) -> bytes:
        """The salted digest of the record, 32 bytes."""
        return self.entry.digest or b""

    def to_json(self) -> dict[str, object]:
        absence = self.absence
        return {
            "entry": self.entry.to_bytes().hex(),
            "path": _hex(self.path),
            "absence": {
                "position": absence.position,
                "lower": absence.lower.hex(),
                "lower_path": _hex(absence.lower_path),
                "higher": absence.higher.hex(),
                "higher_path": _hex(absence.higher_path),
            },
        }

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        absence = raw["absence"]
        return cls(
            entry=Entry.from_bytes(bytes.fromhex(raw["entry"])),
            path=_hashes(raw["path"]),
            absence=Absence(
                position=int(absence["position"]),
                lower=bytes.fromhex(absence["lower"]),
                lower_path=_hashes(absence["lower_path"]),
                higher=bytes.fromhex(absence["higher"]),
                higher_path=_hashes(absence["higher_path"]),
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureReceipt:
    """Erasures under one checkpoint and one head over the records that are left.

    Attributes:
        key: the log's verifier key.
        checkpoint, records: signed notes.
    """

    key: NoteKey
    checkpoint: str
    records: str
    erasures: tuple[ProvenErasure, ...]

    @classmethod
    def of(cls, log: SignedLog, records: str, present: Iterable[bytes], erased: Sequence[bytes]) -> Self:
        """The receipt for the erased records with these salted digests.

        Args:
            records: signed head over the records in `present`.
            present: salted digests of all records there are.

        Raises:
            InputRefused: the log has no such erasure (any more).
            IntegrityFailure: the record is there.
        """
        entries = {i.entry.digest: i.entry for i in log.items if i.entry and i.entry.event is Event.RECORD_ERASED}
        keys, proven = sorted_keys(present), list[ProvenErasure]()
        for digest in erased:
            entry = entries.get(digest)
            if entry is None:
                raise InputRefused(
                    f"the log tells of no erasure of {digest.hex()[:16]}...",
                    hint="run: bioguard log show; entries are pruned after 30 days, a receipt taken before stays valid",
                    code="receipt.none",
                )
            try:
                absence = Absence.of(keys, digest)
            except ValueError:
                raise IntegrityFailure(
                    f"the erased record {digest.hex()[:16]}... is listed",
                    hint="run: bioguard doctor",
                    code="receipt.listed",
                ) from None
            path = inclusion_proof(log.leaves, entry.sequence)
            proven.append(ProvenErasure(entry=entry, path=path, absence=absence))
        return cls(key=log.key, checkpoint=log.checkpoint, records=records, erasures=tuple(proven))

    def verify(self, key: NoteKey | None = None) -> RecordsHead:
        """Check every signature and proof; return the head, which names the state of the store.

        Args:
            key: the log's verifier key from a source you trust; without it the receipt's own is used.

        Raises:
            ProofInvalid: another key, or something that does not verify.
        """
        if key is not None and key != self.key:
            raise ProofInvalid("the receipt is of another device", hint="give the verifier key of this device's log")
        checkpoint = Checkpoint.open(self.checkpoint, self.key)
        public_key = self.key.public_key
        head = RecordsHead.open(self.records, NoteKey(records_origin(public_key), public_key))
        if head.log_size != checkpoint.size:
            raise ProofInvalid("log and records are not of the same moment", hint="fetch the receipt again")
        for erasure in self.erasures:
            entry = erasure.entry
            verify_inclusion(entry.leaf(), entry.sequence, checkpoint.size, erasure.path, checkpoint.root)
            erasure.absence.verify(erasure.digest, head)
        return head

    def to_text(self) -> str:
        """The receipt as a file."""
        body = {
            "schema": SCHEMA,
            "vkey": self.key.vkey,
            "checkpoint": self.checkpoint,
            "records": self.records,
            "erasures": [erasure.to_json() for erasure in self.erasures],
        }
        return json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a receipt strictly; `verify` is still to be called.

        Raises:
            ProofInvalid: it is not what `to_text` writes, or it is about something else than erasures.
        """
        malformed = ProofInvalid("not an erasure receipt", hint=_AGAIN)
        try:
            raw: Any = parse_json(text)
            receipt = cls(
                key=NoteKey.parse(raw["vkey"]),
                checkpoint=str(raw["checkpoint"]),
                records=str(raw["records"]),
                erasures=tuple(ProvenErasure.from_json(erasure) for erasure in raw["erasures"]),
            )
        except PARSE_FAULTS:
            raise malformed from None
        about_erasures = all(e.entry.event is Event.RECORD_ERASED for e in receipt.erasures)
        if not receipt.erasures or not about_erasures or receipt.to_text() != text:
            raise malformed
        return receipt


def _hex(hashes: Iterable[bytes]) -> list[str]:
    return [h.hex() for h in hashes]


def _hashes(raw: Any) -> tuple[bytes, ...]:
    hashes = tuple(bytes.fromhex(h) for h in raw)
    if any(len(h) != HASH_BYTES for h in hashes):
        raise ValueError("a hash has 32 bytes")
    return hashes
