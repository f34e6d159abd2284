"""DSSE envelopes with one Ed25519 signature (secure-systems-lab/dsse, protocol and envelope v1.0).

PAE = "DSSEv1" SP len(type) SP type SP len(body) SP body. The envelope is one line of canonical JSON with one signature,
so that no byte of the file is outside the signature's reach; `keyid` is a hint that may be left out (protocol.md).
Other envelopes that DSSE allows are refused for what they are.
"""

import hashlib
import json
from typing import Any

from bioguard.json_text import parse_json
from bioguard.proofs.encoding import PARSE_FAULTS, ProofInvalid, b64decode, b64encode
from bioguard.proofs.notes import NoteKey, NoteSigner

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENVELOPE_BYTES = 8 << 20


def pae(payload_type: str, body: bytes) -> bytes:
    """Pre-authentication encoding: what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def key_id(key: NoteKey) -> str:
    """SHA-256 of the public key, in hex. A hint only, as DSSE says."""
    return hashlib.sha256(key.public_key).hexdigest()


def _envelope(body: bytes, keyid: str | None, signature: bytes) -> str:
    named = {"sig": b64encode(signature)} | ({} if keyid is None else {"keyid": keyid})
    envelope = {"payload": b64encode(body), "payloadType": PAYLOAD_TYPE, "signatures": [named]}
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")) + "\n"


def seal(body: bytes, signer: NoteSigner) -> str:
    """Sign `body` (an in-toto statement) and return the envelope's text."""
    signature = signer.sign_bytes(pae(PAYLOAD_TYPE, body))
    return _envelope(body, key_id(signer.key), signature)


def _refuse(why: str, hint: str = "make the envelope again in the form of docs/evidence.md") -> ProofInvalid:
    return ProofInvalid(f"not a DSSE envelope of this form: {why}", hint=hint)


def open_envelope(text: str, key: NoteKey) -> bytes:
    """Return the body that `key` signed.

    Raises:
        ProofInvalid: malformed, of another form than `seal` writes (`keyid` may be missing or empty), another key, or a
            bad signature.
    """
    if len(text) > MAX_ENVELOPE_BYTES:
        raise _refuse(f"it has {len(text)} characters, at most {MAX_ENVELOPE_BYTES} are read")
    try:
        envelope: Any = parse_json(text)
        signatures, payload, kind = envelope["signatures"], envelope["payload"], envelope["payloadType"]
        count, entry = len(signatures), signatures[0]
        keyid, sig = entry.get("keyid"), entry["sig"]
    except PARSE_FAULTS:
        raise _refuse("it is not the JSON of an envelope", "fetch the file again: it was cut or altered") from None
    if count != 1:
        raise _refuse(f"it has {count} signatures, expected 1")
    if kind != PAYLOAD_TYPE:
        raise _refuse(f"its payload is of another type than {PAYLOAD_TYPE}")
    if not isinstance(payload, str) or not isinstance(sig, str) or not isinstance(keyid, str | None):
        raise _refuse("a field is no text")
    if {"-", "_"} & {*payload, *sig}:
        raise _refuse("its base64 has the URL-safe alphabet")
    body, signature = b64decode(payload, "envelope payload"), b64decode(sig, "envelope signature")
    if _envelope(body, keyid, signature) != text:
        raise _refuse("it is not one line of JSON with sorted keys, no spaces and no other field")
    if keyid and keyid != key_id(key):
        raise ProofInvalid("the envelope names another key", hint="give the key that signed it with --key")
    key.verify(pae(PAYLOAD_TYPE, body), signature)
    return body
