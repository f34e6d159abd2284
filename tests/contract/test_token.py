"""The 69-byte auth token against vectors, a second implementation, and every single-bit change."""

import json
import struct
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given
from hypothesis import strategies as st

from bioguard.errors import BioguardError
from bioguard.records.tokens import AuthenticatorType, AuthToken, MalformedToken, TokenRejected

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "token").glob("*.json"))
KEY = bytes(range(32))
U64 = st.integers(0, (1 << 64) - 1)


def make(**changes: int) -> AuthToken:
    fields = {"challenge": 5, "user_id": 6, "authenticator_id": 7, "authenticator_type": 2, "timestamp_ms": 8}
    return AuthToken.sign(KEY, **{**fields, **changes})


def test_the_published_example() -> None:
    token = AuthToken.sign(
        KEY,
        challenge=0x1122334455667788,
        user_id=0x0102030405060708,
        authenticator_id=0xA1A2A3A4A5A6A7A8,
        authenticator_type=AuthenticatorType.FINGERPRINT,
        timestamp_ms=123456789,
    )
    assert token.to_bytes().hex() == (
        "0088776655443322110807060504030201a8a7a6a5a4a3a2a10000000200000000075bcd15"
        "283d1509aac4e728f8cd50f994dc87a8c67c70b81277696078060c182b96117a"
    )


@pytest.mark.parametrize("path", VECTORS, ids=[p.stem for p in VECTORS])
def test_vector(path: Path) -> None:
    vector = json.loads(path.read_text("ascii"))
    data, key = bytes.fromhex(vector["token"]), bytes.fromhex(vector["key"])
    try:
        token = AuthToken.from_bytes(data).verify(key)
    except BioguardError as error:
        assert error.code == vector["expect"]
    else:
        assert vector["expect"] == "ok"
        assert token.to_bytes() == data
        for name, value in vector["fields"].items():
            assert f"{getattr(token, name):0{len(value)}x}" == value


def test_there_are_vectors() -> None:
    assert len(VECTORS) >= 16


@given(U64, U64, U64, st.integers(0, (1 << 32) - 1), U64)
def test_a_second_implementation_agrees(challenge: int, user: int, authenticator: int, kind: int, stamp: int) -> None:
    token = make(
        challenge=challenge, user_id=user, authenticator_id=authenticator, authenticator_type=kind, timestamp_ms=stamp
    )
    body = struct.pack("<B3Q", 0, challenge, user, authenticator) + struct.pack(">LQ", kind, stamp)
    second = HMAC(KEY, hashes.SHA256())
    second.update(body)
    assert token.to_bytes() == body + second.finalize()
    assert AuthToken.from_bytes(token.to_bytes()).verify(KEY) == token


def test_every_single_bit_change_is_refused() -> None:
    good = make().to_bytes()
    refused = 0
    for bit in range(8 * len(good)):
        changed = bytearray(good)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((MalformedToken, TokenRejected)):
            AuthToken.from_bytes(bytes(changed)).verify(KEY)
        refused += 1
    assert refused == 552


@given(st.binary(max_size=100))
def test_any_bytes_are_a_token_or_our_error(data: bytes) -> None:
    try:
        assert AuthToken.from_bytes(data).to_bytes() == data
    except MalformedToken as error:
        assert error.code == "token.malformed"


def test_error_texts() -> None:
    with pytest.raises(MalformedToken, match=r"^3 bytes, an auth token has 69$"):
        AuthToken.from_bytes(b"abc")
    with pytest.raises(MalformedToken, match=r"^auth token version 9, only 0 is known$"):
        AuthToken.from_bytes(b"\x09" + bytes(68))
    with pytest.raises(TokenRejected, match=r"^the token's MAC does not verify$"):
        make().verify(bytes(32))
    with pytest.raises(MalformedToken, match=r"^token field challenge is out of range$"):
        make(challenge=1 << 64)


def test_the_mac_never_appears_in_text() -> None:
    token = make()
    assert token.mac.hex() not in repr(token).lower()
    assert repr(token.mac) not in repr(token)
