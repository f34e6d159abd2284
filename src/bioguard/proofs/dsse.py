"""DSSE envelopes with one Ed25519 signature (secure-systems-lab/dsse, protocol and envelope v1.0).

PAE = "DSSEv1" SP len(type) SP type SP len(body) SP body. The envelope is one line of canonical JSON, so that no byte of
the file is outside the signature's reach.
"""

import hashlib
import json
from typing import Any

from bioguard.proofs.encoding import ProofInvalid, b64decode, b64encode
from bioguard.proofs.notes import NoteKey, NoteSigner

__all__ = ["PAYLOAD_TYPE", "key_id", "open_envelope", "pae", "seal"]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENVELOPE_BYTES = 8 << 20


def pae(payload_type: str, body: bytes) -> bytes:
    """Pre-authentication encoding: what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def key_id(key: NoteKey) -> str:
    """SHA-256 of the public key, in hex. A hint only, as DSSE says."""
    return hashlib.sha256(key.public_key).hexdigest()


def _envelope(body: bytes, keyid: str, signature: bytes) -> str:
    envelope = {
        "payload": b64encode(body),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": keyid, "sig": b64encode(signature)}],
    }
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")) + "\n"


def seal(body: bytes, signer: NoteSigner) -> str:
    """Sign `body` (an in-toto statement) and return the envelope's text."""
    signature = signer.sign_bytes(pae(PAYLOAD_TYPE, body))
    return _envelope(body, key_id(signer.key), signature)


def open_envelope(text: str, key: NoteKey) -> bytes:
    """Return the body that `key` signed.

    Raises:
        ProofInvalid: malformed, not canonical, another key, or a bad signature.
    """
    malformed = ProofInvalid("not a DSSE envelope", hint="fetch the file again: it was altered on the way")
    if len(text) > MAX_ENVELOPE_BYTES:
        raise malformed
    try:
        envelope: Any = json.loads(text)
        entry = envelope["signatures"][0]
        keyid, signature, payload = entry["keyid"], b64decode(entry["sig"], "signature"), envelope["payload"]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise malformed from None
    body = b64decode(payload, "envelope payload") if isinstance(payload, str) else None
    if body is None or not isinstance(keyid, str) or _envelope(body, keyid, signature) != text:
        raise malformed
    if keyid != key_id(key):
        raise ProofInvalid("the envelope names another key", hint="give the key that signed it with --key")
    key.verify(pae(PAYLOAD_TYPE, body), signature)
    return body
