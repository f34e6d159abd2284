"""What a file is that a verifier was given, by its content: so that a refusal can name it."""

import re
from enum import StrEnum, unique
from typing import Any

from bioguard.json_text import parse_json
from bioguard.log.erasure_receipt import SCHEMA as RECEIPT_SCHEMA
from bioguard.log.signed_log import SCHEMA as LOG_SCHEMA
from bioguard.proofs.checkpoint import PROOF_HEADER
from bioguard.proofs.notes import PREFIX


@unique
class Kind(StrEnum):
    """Kinds of files, in words that follow "this is"."""

    LOG = "a log file"
    PROOF = "a proof that one entry is in the log"
    RECEIPT = "an erasure receipt"
    CHECKPOINT = "a checkpoint"
    RECORDS = "a statement about the records, part of a receipt"
    NOTE = "a signed note"
    VERIFIER_KEY = "a verifier key"
    ENVELOPE = "a signed statement (DSSE)"
    OURS = "another JSON file of bioguard"
    STORE = "the store of a device"
    UNKNOWN = "no file of bioguard"


_CHECKPOINT = re.compile(r"[^\n]+\n(0|[1-9][0-9]*)\n[A-Za-z0-9+/]+=*\n(?:[^\n]+\n)*\n")
"""Extension lines may follow the root (C2SP tlog-checkpoint)."""
_RECORDS = re.compile(r"[^\n]+\n[0-9]+ [A-Za-z0-9+/]+=*\nlog [0-9]+\n")
_VERIFIER_KEY = re.compile(r"[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*\s*")
_ANY_PROOF = PROOF_HEADER.partition("@")[0] + "@"
_BY_SCHEMA = {LOG_SCHEMA: Kind.LOG, RECEIPT_SCHEMA: Kind.RECEIPT}


def kind_of(text: str) -> Kind:
    """Say what a file with this content is meant to be, whatever its line ends. Nothing is verified."""
    text = text.replace("\r\n", "\n")
    if text.startswith(_ANY_PROOF):
        return Kind.PROOF
    if text.startswith("SQLite format 3"):
        return Kind.STORE
    if _VERIFIER_KEY.fullmatch(text):
        return Kind.VERIFIER_KEY
    if f"\n\n{PREFIX}" in text and not text.startswith("{"):
        forms = ((_CHECKPOINT, Kind.CHECKPOINT), (_RECORDS, Kind.RECORDS))
        return next((kind for pattern, kind in forms if pattern.match(text)), Kind.NOTE)
    try:
        raw: Any = parse_json(text)
    except ValueError:
        return Kind.UNKNOWN
    if not isinstance(raw, dict):
        return Kind.UNKNOWN
    if "payloadType" in raw:
        return Kind.ENVELOPE
    schema = raw.get("schema")
    if not isinstance(schema, str) or not schema.startswith("bioguard/"):
        return Kind.UNKNOWN
    return _BY_SCHEMA.get(schema, Kind.OURS)
