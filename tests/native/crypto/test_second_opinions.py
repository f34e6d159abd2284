"""The same computed by others: the standard library, libsodium, another interface of OpenSSL, or by the standards."""

import hashlib
import hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_sign_ed25519_sk_to_seed, crypto_sign_open, crypto_sign_seed_keypair

from tee_sim.gp_api.algorithm import Kind
from tee_sim.gp_api.algorithms import ALGORITHMS
from tee_sim.gp_objects.key_types import ObjectType
from tee_sim.shared.errors import TeeResult
from tests.native.crypto import keys
from tests.native.crypto.ta import DECRYPT, DIGEST, ENCRYPT, MAC, ROOM, SIGN, F, Ta, pieces, refused

T = ObjectType
PYTHON = {"SM3": "sm3", "SHAKE128": "shake_128", "SHAKE256": "shake_256"}
DIGESTS = [row.name for row in ALGORITHMS.values() if row.kind is Kind.DIGEST]
HMACS = [row for row in ALGORITHMS.values() if row.scheme == "HMAC"]
MESSAGE = bytes(range(256)) * 5


def of_hashlib(name: str, data: bytes) -> bytes:
    known = PYTHON.get(name, name.lower())
    if known not in hashlib.algorithms_available:
        pytest.skip(f"hashlib without {known}")
    hashed: Any = hashlib.new(known, data, usedforsecurity=False)
    return bytes(hashed.digest(77) if name in ("SHAKE128", "SHAKE256") else hashed.digest())


@pytest.mark.parametrize("name", DIGESTS)
def test_hashes(name: str) -> None:
    ta = Ta()
    operation = ta.operation(name, DIGEST)
    for data in (b"", b"a", MESSAGE):
        expected = of_hashlib(name, data)
        assert ta.call(F.DIGEST_DO_FINAL, operation, data, 0, len(expected)) == [expected]


@pytest.mark.parametrize("row", HMACS, ids=lambda row: row.name)
def test_hmacs(row: Any) -> None:
    of_hashlib(row.digest, b"")  # skips where it is not there
    ta = Ta()
    for size in (32, 64):
        key = MESSAGE[:size]
        operation = ta.operation(row.name, MAC, ta.secret(T[row.name], key))
        ta.call(F.MAC_INIT, operation, None)
        expected = hmac.new(key, MESSAGE, PYTHON.get(row.digest, row.digest.lower())).digest()
        assert ta.call(F.MAC_COMPUTE_FINAL, operation, MESSAGE, 0, ROOM) == [expected]


def encrypted(ta: Ta, name: str, key: int, iv: bytes, data: bytes) -> bytes:
    operation = ta.operation(name, ENCRYPT, key)
    ta.call(F.CIPHER_INIT, operation, iv)
    return bytes(ta.call(F.CIPHER_DO_FINAL, operation, data, 0, ROOM)[0])


@pytest.mark.parametrize(
    ("name", "kind", "size"),
    [("AES", T.AES, 16), ("AES", T.AES, 32), ("DES", T.DES, 8), ("DES3", T.DES3, 16), ("DES3", T.DES3, 24)],
)
def test_cbc_mac_is_the_last_block_of_cbc(name: str, kind: ObjectType, size: int) -> None:
    ta = Ta()
    key, block = ta.secret(kind, MESSAGE[:size]), 16 if name == "AES" else 8
    plain, padded = (ta.operation(f"{name}_CBC_MAC_{pads}", MAC, key) for pads in ("NOPAD", "PKCS5"))
    for length in (0, 1, block - 1, block, block + 1, 5 * block):
        data, missing = MESSAGE[:length], block - length % block
        ta.call(F.MAC_INIT, padded, None)
        expected = encrypted(ta, f"{name}_CBC_NOPAD", key, bytes(block), data + bytes([missing]) * missing)[-block:]
        assert ta.call(F.MAC_COMPUTE_FINAL, padded, data, 0, block) == [expected]
        if length and not length % block:
            ta.call(F.MAC_INIT, plain, None)
            for piece in pieces(data, 3):
                ta.call(F.MAC_UPDATE, plain, piece)
            expected = encrypted(ta, f"{name}_CBC_NOPAD", key, bytes(block), data)[-block:]
            assert ta.call(F.MAC_COMPUTE_FINAL, plain, None, 0, block) == [expected]


def test_des3_of_two_keys_has_the_first_again() -> None:
    ta = Ta()
    two = ta.secret(T.DES3, MESSAGE[:16])
    three = ta.secret(T.DES3, MESSAGE[:16] + MESSAGE[:8])
    assert encrypted(ta, "DES3_ECB_NOPAD", two, b"", MESSAGE[:64]) == encrypted(
        ta, "DES3_ECB_NOPAD", three, b"", MESSAGE[:64]
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(16, 90), st.integers(0, 90), st.sampled_from((16, 32)))
def test_xts_is_that_of_openssl(length: int, cut: int, size: int) -> None:
    ta = Ta()
    first, second, unit, data = MESSAGE[:size], MESSAGE[64 : 64 + size], MESSAGE[9:25], MESSAGE[:length]
    expected = Cipher(algorithms.AES(first + second), modes.XTS(unit)).encryptor().update(data)
    both = (ta.secret(T.AES, first), ta.secret(T.AES, second))
    for mode, given_data, answer in ((ENCRYPT, data, expected), (DECRYPT, expected, data)):
        operation = ta.operation("AES_XTS", mode, *both)
        ta.call(F.CIPHER_INIT, operation, unit)
        begun = ta.call(F.CIPHER_UPDATE, operation, given_data[:cut], 0, ROOM)[0]
        assert begun + ta.call(F.CIPHER_DO_FINAL, operation, given_data[cut:], 0, ROOM)[0] == answer


@settings(max_examples=60, deadline=None)
@given(st.integers(7, 13), st.sampled_from((4, 6, 8, 10, 12, 14, 16)), st.binary(max_size=70), st.binary(max_size=70))
def test_ccm_is_that_of_openssl(nonce_bytes: int, tag_bytes: int, aad: bytes, data: bytes) -> None:
    ta = Ta()
    key, nonce = MESSAGE[:16], MESSAGE[:nonce_bytes]
    expected = AESCCM(key, tag_bytes).encrypt(nonce, data, aad)
    operation = ta.operation("AES_CCM", ENCRYPT, ta.secret(T.AES, key))
    ta.call(F.AE_INIT, operation, nonce, 8 * tag_bytes, len(aad), len(data))
    for piece in pieces(aad, 9):
        ta.call(F.AE_UPDATE_AAD, operation, piece)
    parts = [ta.call(F.AE_UPDATE, operation, piece, 0, ROOM)[0] for piece in pieces(data, 9)]
    assert b"".join([*parts, *ta.call(F.AE_ENCRYPT_FINAL, operation, b"", 0, 0, 16)]) == expected


def test_ccm_of_much_associated_data() -> None:
    """Its length is written in another way from 65 280 bytes on (SP 800-38C, A.2.2)."""
    ta = Ta()
    key, nonce, aad = MESSAGE[:16], MESSAGE[:13], bytes(0xFF00)
    operation = ta.operation("AES_CCM", ENCRYPT, ta.secret(T.AES, key))
    ta.call(F.AE_INIT, operation, nonce, 128, len(aad), 3)
    ta.call(F.AE_UPDATE_AAD, operation, aad)
    assert b"".join(ta.call(F.AE_ENCRYPT_FINAL, operation, b"abc", 0, 3, 16)) == AESCCM(key).encrypt(nonce, b"abc", aad)


@pytest.mark.parametrize("tag_bits", [96, 104, 112, 120, 128])
def test_gcm_tags_are_beginnings(tag_bits: int) -> None:
    ta = Ta()
    key, nonce = MESSAGE[:32], MESSAGE[:12]
    sealed = AESGCM(key).encrypt(nonce, b"message", b"header")
    handle = ta.secret(T.AES, key)
    back = ta.operation("AES_GCM", DECRYPT, handle)
    for tag, right in (
        (sealed[7:][: tag_bits // 8], True),
        (sealed[7:][: tag_bits // 8 - 1] + b"!", False),
        (sealed[7:18], False),
    ):
        ta.call(F.AE_INIT, back, nonce, tag_bits, 0, 0)
        ta.call(F.AE_UPDATE_AAD, back, b"header")
        call = (F.AE_DECRYPT_FINAL, back, sealed[:7], 0, ROOM, tag)
        if right:
            assert ta.call(*call) == [b"message"]
        else:
            assert refused(TeeResult.MAC_INVALID, ta.call, *call) == []


def test_ed25519_is_that_of_libsodium() -> None:
    ta = Ta()
    public, secret = crypto_sign_seed_keypair(MESSAGE[:32])
    pair = keys.bytes_pair(ta, "ED25519", crypto_sign_ed25519_sk_to_seed(secret))
    (signature,) = ta.call(F.ASYMMETRIC_SIGN_DIGEST, ta.operation("ED25519", SIGN, pair), [], MESSAGE, ROOM)
    assert crypto_sign_open(signature + MESSAGE, public) == MESSAGE
