"""The whole log under one signed checkpoint, and the check that it is what was signed. Needs no device."""

import json
from typing import Any, Self

from bioguard.errors import IntegrityFailure
from bioguard.json_text import parse_json
from bioguard.proofs.checkpoint import Checkpoint
from bioguard.proofs.encoding import PARSE_FAULTS, ProofInvalid
from bioguard.proofs.merkle import HASH_BYTES, root_hash
from bioguard.proofs.notes import NoteKey
from bioguard.records.audit_events import Entry, LogItem
from tee_sim.shared.dataclass import dataclass

SCHEMA = "bioguard/log/1"
_AGAIN = "fetch the log again, and keep both: the log was changed after it was signed, or its device is at fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedLog:
    """Leaves in order, with their entries where they are kept.

    Attributes:
        key: the log's verifier key.
        attestation_key: 65 bytes, P-256; empty where it is not known.
        checkpoint: signed note.
        first_body: entries before this number are pruned.
    """

    key: NoteKey
    attestation_key: bytes
    checkpoint: str
    first_body: int
    items: tuple[LogItem, ...]

    @property
    def leaves(self) -> tuple[bytes, ...]:
        """Leaf hashes in order."""
        return tuple(item.leaf for item in self.items)

    def verify(self) -> Checkpoint:
        """Check numbers, entries, root and signature; return the checkpoint.

        Raises:
            ProofInvalid: the checkpoint is not signed by `key`.
            IntegrityFailure: an entry is missing, misplaced or changed, or the root is another one.
        """
        checkpoint = Checkpoint.open(self.checkpoint, self.key)
        for number, item in enumerate(self.items):
            entry = item.entry
            if (entry is None) != (number < self.first_body) or (entry and entry.sequence != number):
                raise IntegrityFailure(f"log entry {number} is missing or misplaced", hint=_AGAIN, code="log.gap")
            if entry is not None and entry.leaf() != item.leaf:
                raise IntegrityFailure(f"log entry {number} does not match its hash", hint=_AGAIN, code="log.entry")
        if len(self.items) != checkpoint.size or root_hash(self.leaves) != checkpoint.root:
            raise IntegrityFailure("the log does not match its checkpoint", hint=_AGAIN, code="log.root")
        return checkpoint

    def verify_older(self, note: str) -> Checkpoint:
        """Check that this log, which is verified, is the log of an older checkpoint with entries added; return that.

        Raises:
            ProofInvalid: the older checkpoint is not signed by `key`.
            IntegrityFailure: the log has fewer entries than it had, or other ones.
        """
        older = Checkpoint.open(note, self.key)
        hint = "keep both files: the device signed two histories; see docs/formats/log.md section 8"
        if older.size > len(self.items):
            raise IntegrityFailure(
                f"the log has {len(self.items)} entries, the older checkpoint {older.size}: it shrank",
                hint=hint,
                code="log.shrunk",
            )
        if root_hash(self.leaves[: older.size]) != older.root:
            raise IntegrityFailure(
                f"the first {older.size} entries are not those of the older checkpoint: the log was forked",
                hint=hint,
                code="log.forked",
            )
        return older

    def to_text(self) -> str:
        """The log as a file: one JSON object, canonical."""
        body = {
            "schema": SCHEMA,
            "vkey": self.key.vkey,
            "checkpoint": self.checkpoint,
            "first_body": self.first_body,
            "items": [[i.leaf.hex(), i.entry.to_bytes().hex() if i.entry else None] for i in self.items],
        }
        return json.dumps(body, sort_keys=True, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a log file strictly; `verify` is still to be called.

        Raises:
            ProofInvalid: it is not what `to_text` writes.
        """
        malformed = ProofInvalid("not a log file", hint="give the file that `bioguard log show --out FILE` wrote")
        try:
            raw: Any = parse_json(text)
            if raw["schema"] != SCHEMA or type(raw["checkpoint"]) is not str or type(raw["first_body"]) is not int:
                raise malformed
            items = tuple(
                LogItem(leaf=bytes.fromhex(leaf), entry=Entry.from_bytes(bytes.fromhex(body)) if body else None)
                for leaf, body in raw["items"]
            )
            log = cls(
                key=NoteKey.parse(raw["vkey"]),
                attestation_key=b"",
                checkpoint=raw["checkpoint"],
                first_body=raw["first_body"],
                items=items,
            )
            sized = all(len(i.leaf) == HASH_BYTES for i in items) and 0 <= log.first_body <= len(items)
            exact = sized and log.to_text() == text
        except PARSE_FAULTS:
            raise malformed from None
        if not exact:
            raise ProofInvalid(
                "the log file is not what `log show` writes", hint="fetch the file again: it was altered on the way"
            )
        return log
