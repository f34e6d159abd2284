"""Names of the keys of a device: the origin of its log and of its evidence."""

import hashlib

__all__ = ["evidence_origin", "log_origin"]


def _tag(device_id: bytes) -> str:
    return hashlib.sha256(b"bioguard origin\x00" + device_id).hexdigest()[:16]


def log_origin(device_id: bytes) -> str:
    """Origin line of the device's checkpoints, and the name of its log key."""
    return f"bioguard.simulated/{_tag(device_id)}/log"


def evidence_origin(device_id: bytes) -> str:
    """Name of the key that signs evidence bundles of the device."""
    return f"bioguard.simulated/{_tag(device_id)}/evidence"
