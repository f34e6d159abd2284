"""What a store may hold (docs/evidence.md, "What a store may hold"): anything else is a copy that nobody told about."""

from hashlib import sha256
from itertools import combinations
from typing import Any, Final

from bioguard.evidence.second_reader import Contents

UUIDS: Final = {
    "core": "00000000000000000000000000000000",
    "biometric": "6f1f3c1a9f0e5b518d0c2c7c2f3b7a01",
    "gatekeeper": "3b7a01c21d525c6e9a418d0c2c7c2f02",
}
RECORD_KINDS: Final = ("face", "fingerprint")
INDEX_KINDS: Final = {"faceindex": "face", "fingerindex": "fingerprint"}
"""Segments of the search index, and the kind of the records that they are of."""
_INDEX_HEAD_BYTES, _INDEX_ID_BYTES = 51, 16
"""docs/formats/search-index.md."""
_KNOWN: Final = {
    ("core", b"b", 4, "boot", 0), ("core", b"s", 8, "settings", 0),
    ("core", b"c", 5, "clock", 0), ("gatekeeper", b"P", 17, "pin", 16),
    ("biometric", b"C", 17, "consent", 16), ("biometric", b"D", 1, "device", 0), ("biometric", b"H", 1, "loghead", 0),
    ("biometric", b"L", 9, "log", 0), ("biometric", b"P", 1, "policy", 0), ("biometric", b"Q", 9, "request", 16),
    ("biometric", b"R", 17, "face", 16), ("biometric", b"R", 17, "fingerprint", 16),
    ("biometric", b"I", 4, "faceindex", 0), ("biometric", b"I", 4, "fingerindex", 0),
    ("biometric", b"S", 18, "sensor", 16), ("biometric", b"U", 17, "user", 16), ("biometric", b"X", 2, "tally", 0),
    ("biometric", b"X", 4, "tallykeys", 0),
}  # fmt: skip
"""Application, first byte and size of the id, kind, size of the owner."""
_CHUNK: Final = 32
"""Entries of the log in one object: docs/evidence.md."""
_PROFILE_SEALED: Final = 6
"""docs/formats/log.md."""
_LEAST_DIFFERENT, _RUN = 8, 4
"""Of 16 random bytes fewer than 8 are different, and of two such runs 4 in a row are alike, in no device's life."""


def strange_objects(contents: Contents) -> list[str]:
    """Objects of a kind that is not published, records that no user's list names, what is left of somebody removed."""
    names = {bytes.fromhex(uuid): name for name, uuid in UUIDS.items()}
    objects = contents.objects
    strange = [
        f"an object of kind {o.kind!r}"
        for o in objects
        if (names.get(o.application), o.object_id[:1], len(o.object_id), o.kind, len(o.owner)) not in _KNOWN
    ]
    listed = {(o.owner, ref[0]) for o in objects if o.kind == "user" for ref in o.fields()[1]}
    held = {(o.owner, o.object_id[1:]) for o in objects if o.kind in RECORD_KINDS}
    strange += [f"a record of {owner.hex()} that is in no list" for owner, _ in held - listed]
    strange += [f"a {kind} index that is not of the records" for kind in INDEX_KINDS if not _is_index(contents, kind)]
    users = {o.owner for o in objects if o.kind == "user"}
    strange += [f"a {o.kind} of nobody" for o in objects if o.owner and o.owner not in users]
    of_owner = (o for o in objects if o.kind in ("user", "consent", "sensor", "pin"))
    strange += [f"a {o.kind} under another id" for o in of_owner if not o.object_id.endswith(o.owner)]
    chunks = sorted(int.from_bytes(o.object_id[1:], "big") for o in objects if o.kind == "log")
    strange += ["a piece of the log beside the log"] * (chunks != [_CHUNK * i for i in range(len(chunks))])
    return strange


def _is_index(contents: Contents, kind: str) -> bool:
    """Whether the segments name exactly the records that there are, each once and with its owner."""
    heads = [o.fields()[2] for o in contents.objects if o.kind == kind]
    rows = [head[i : i + 2 * _INDEX_ID_BYTES] for head in heads for i in range(0, len(head), _INDEX_HEAD_BYTES)]
    return sorted(rows) == sorted(o.object_id[1:] + o.owner for o in contents.objects if o.kind == INDEX_KINDS[kind])


def sealed_profiles(contents: Contents) -> list[bytes]:
    """SHA-256 of each comparison profile that a device decides by, of its sealed bytes."""
    return [sha256(profile).digest() for profile in _device(contents)[6]]


def profiles_agree(contents: Contents) -> bool:
    """Whether there are any, and configuration and log name them. A log whose beginning was pruned does not."""
    entries = (entry for o in contents.objects if o.kind == "log" for _, entry in o.fields()[0] if entry)
    logged = [entry[8] for entry in entries if entry[2] == _PROFILE_SEALED]
    sealed = sealed_profiles(contents)
    return bool(sealed) and sealed == _device(contents)[0][6] == logged


def _device(contents: Contents) -> Any:
    (device,) = (o.fields() for o in contents.objects if o.kind == "device")
    return device


def look_drawn(ids: list[bytes]) -> bool:
    """Whether these ids of 16 bytes look like drawn at random: none says anything about another one, or of itself."""
    if any(len(one) != 16 or len(set(one)) < _LEAST_DIFFERENT for one in ids):
        return False
    runs = [{one[i : i + _RUN] for i in range(len(one) - _RUN + 1)} for one in ids]
    return not any(a & b for a, b in combinations(runs, 2))
