"""Write the token vectors: one file, one failure. Uses none of the product's code: bytes are put together by hand."""

import hashlib
import json
from pathlib import Path

HERE = Path(__file__).parent
KEY = bytes(range(32))


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104, written out."""
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in padded) + message).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in padded) + inner).digest()


def token(challenge: int, user: int, authenticator: int, kind: int, stamp: int, *, key: bytes = KEY) -> bytes:
    """The 69 bytes, field by field."""
    body = b"\0"
    for little in (challenge, user, authenticator):
        body += little.to_bytes(8, "little")
    body += kind.to_bytes(4, "big") + stamp.to_bytes(8, "big")
    return body + hmac_sha256(key, body)


GOOD = token(0x1122334455667788, 0x0102030405060708, 0xA1A2A3A4A5A6A7A8, 2, 123456789)
FIELDS = {
    "challenge": "1122334455667788",
    "user_id": "0102030405060708",
    "authenticator_id": "a1a2a3a4a5a6a7a8",
    "authenticator_type": "00000002",
    "timestamp_ms": "00000000075bcd15",
}
BODY_ALL_BIG_ENDIAN = b"\0" + bytes.fromhex("11223344556677880102030405060708a1a2a3a4a5a6a7a8") + GOOD[25:37]

VECTORS = {
    "valid-fingerprint": ("ok", GOOD, FIELDS),
    "valid-gatekeeper": (
        "ok",
        token(0, (1 << 64) - 1, 0, 1, 0),
        {"authenticator_type": "00000001", "user_id": "f" * 16},
    ),
    "valid-extremes": ("ok", token(*[(1 << 64) - 1] * 3, 0xFFFFFFFF, (1 << 64) - 1), {"challenge": "f" * 16}),
    "empty": ("token.malformed", b"", {}),
    "one-byte-short": ("token.malformed", GOOD[:-1], {}),
    "one-byte-long": ("token.malformed", GOOD + b"\0", {}),
    "without-mac": ("token.malformed", GOOD[:37], {}),
    "without-version-byte": ("token.malformed", GOOD[1:], {}),
    "version-1": ("token.malformed", b"\1" + GOOD[1:], {}),
    "zero-mac": ("token.rejected", GOOD[:37] + bytes(32), {}),
    "other-key": ("token.rejected", token(7, 8, 9, 2, 10, key=bytes(32)), {}),
    "all-fields-big-endian": ("token.rejected", BODY_ALL_BIG_ENDIAN + GOOD[37:], {}),
    "mac-without-version-byte": ("token.rejected", GOOD[:37] + hmac_sha256(KEY, GOOD[1:37]), {}),
    "mac-over-everything-but-type": ("token.rejected", GOOD[:37] + hmac_sha256(KEY, GOOD[:25] + GOOD[29:37]), {}),
    "type-changed": ("token.rejected", GOOD[:28] + b"\1" + GOOD[29:], {}),
    "timestamp-changed": ("token.rejected", GOOD[:29] + b"\x7f" + GOOD[30:], {}),
}

if __name__ == "__main__":
    for name, (expect, data, fields) in VECTORS.items():
        vector = {"expect": expect, "key": KEY.hex(), "token": data.hex(), "fields": fields}
        (HERE / f"{name}.json").write_text(json.dumps(vector, indent=2) + "\n", "ascii")
