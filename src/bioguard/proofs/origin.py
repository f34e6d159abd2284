"""Names of a device's keys, made from the keys themselves: a name cannot be put on another key."""

import hashlib


def _tag(public_key: bytes) -> str:
    return hashlib.sha256(b"bioguard origin\x00" + public_key).hexdigest()[:16]


def log_origin(public_key: bytes) -> str:
    """Origin line of the checkpoints signed by this Ed25519 key (32 bytes), and the key's name."""
    return f"bioguard.simulated/{_tag(public_key)}/log"


def records_origin(public_key: bytes) -> str:
    """Name under which the log's key (32 bytes) signs which records there are."""
    return f"bioguard.simulated/{_tag(public_key)}/records"


def evidence_origin(public_key: bytes) -> str:
    """Name of an Ed25519 key (32 bytes) that signs evidence bundles."""
    return f"bioguard.simulated/{_tag(public_key)}/evidence"
