"""Published signatures and derived secrets."""

from hashlib import new, sha256
from typing import Any, cast

import pytest

from tee_sim.gp_objects.attributes import reference
from tee_sim.gp_objects.key_types import Attribute, Curve, ObjectType
from tee_sim.shared.errors import TeeResult
from tests.native.crypto import keys
from tests.native.crypto.ta import DERIVE, NUMBERS, ROOM, SIGN, VERIFY, F, Ta, refused, vectors
from tests.native.crypto.test_known_answers import hexed, named

EDDSA_CTX, EDDSA_PREHASH = 0xD0000643, 0xF0000004
A, T = Attribute, ObjectType


def pair_of(ta: Ta, row: dict[str, Any]) -> int:
    key, name = row["key"], row["algorithm"]
    if "curve" in key:
        return keys.ec_pair(ta, T.ECDSA_KEYPAIR, Curve[key["curve"]])
    return (
        keys.dsa_key(ta, key, private=True) if "p" in key else keys.bytes_pair(ta, name, bytes.fromhex(key["private"]))
    )


@pytest.mark.parametrize("row", vectors("signatures"), ids=named)
def test_signature(row: dict[str, Any]) -> None:
    ta = Ta()
    signature = bytes.fromhex(row["signature"])
    given = new(row["digest"], b"sample").digest() if "digest" in row else bytes.fromhex(row["message"])
    words: list[list[object]] = []
    words += [[EDDSA_CTX, bytes.fromhex(row["context"])]] if "context" in row else []
    words += [[EDDSA_PREHASH, 1, 0]] if "prehash" in row else []
    pair = pair_of(ta, row)
    verifying, signing = (ta.operation(row["algorithm"], mode, pair) for mode in (VERIFY, SIGN))
    assert ta.call(F.ASYMMETRIC_VERIFY_DIGEST, verifying, words, given, signature) == []
    for place in (0, len(signature) // 2, len(signature) - 2):
        wrong = bytearray(signature)
        wrong[place] ^= 1
        refused(TeeResult.SIGNATURE_INVALID, ta.call, F.ASYMMETRIC_VERIFY_DIGEST, verifying, words, given, bytes(wrong))
    assert refused(TeeResult.SHORT_BUFFER, ta.call, F.ASYMMETRIC_SIGN_DIGEST, signing, words, given, None) == [
        len(signature)
    ]
    (made,) = ta.call(F.ASYMMETRIC_SIGN_DIGEST, signing, words, given, ROOM)
    if row["algorithm"].startswith("ED"):
        assert made == signature
    assert len(made) == len(signature)
    assert ta.call(F.ASYMMETRIC_VERIFY_DIGEST, verifying, words, given, made) == []


def derived(ta: Ta, name: str, key: int, words: list[list[object]]) -> bytes:
    target = ta.objects.allocate_transient(T.GENERIC_SECRET, 4096)
    words = [[int(cast("int", number)), *rest] for number, *rest in words]
    assert ta.call(F.DERIVE_KEY, ta.operation(name, DERIVE, key), words, target) == []
    return ta.objects.buffer_attribute(target, A.SECRET_VALUE)


@pytest.mark.parametrize("row", vectors("derivations"), ids=named)
def test_derivation(row: dict[str, Any]) -> None:
    ta = Ta()
    name = row["algorithm"]
    key, output = hexed(row, "key", "output")
    if name in ("X25519", "X448"):
        public = {"X25519": A.X25519_PUBLIC_VALUE, "X448": A.X448_PUBLIC_VALUE}[name]
        assert derived(ta, name, keys.bytes_pair(ta, name, key), [[public, bytes.fromhex(row["other"])]]) == output
    elif name.startswith("ECDH"):
        other = bytes.fromhex(row["other"])
        point: list[list[object]] = [[A.ECC_PUBLIC_VALUE_X, other[:32]], [A.ECC_PUBLIC_VALUE_Y, other[32:]]]
        pair = keys.ec_pair(ta, T.ECDH_KEYPAIR, Curve.NIST_P256, key)
        assert derived(ta, name, pair, point) == output
        assert derived(ta, "ECDH_P256", pair, point) == output
    elif name.startswith("PBKDF2"):
        words: list[list[object]] = [[0xD00002C2, bytes.fromhex(row["salt"])], [0xF00003C2, row["iterations"], 0]]
        words += [[0xF00004C2, len(output), 0]]
        assert derived(ta, name, ta.secret(T.PBKDF2_PASSWORD, key), words) == output
    else:
        salt, info = hexed(row, "salt", "info")
        if name == "HKDF":
            words = [
                [0xD0000946, salt],
                [0xD0000A46, info],
                [0xF0000B46, NUMBERS["SHA256"], 0],
                [0xF0000C46, len(output), 0],
            ]
        else:
            words = [[0xD00002C0, salt], [0xD00003C0, info], [0xF00004C0, len(output), 0]]
        assert derived(ta, name, ta.secret(T.HKDF if name == "HKDF" else T.HKDF_IKM, key), words) == output


def test_concat_kdf_is_hashes_of_a_counter_in_a_row() -> None:
    """SP 800-56A, 5.8.1, by the standard library."""
    ta = Ta()
    z, info = bytes(range(32)), b"who and what for"
    expected = b"".join(sha256(count.to_bytes(4, "big") + z + info).digest() for count in (1, 2))[:50]
    words: list[list[object]] = [[0xD00002C1, info], [0xF00003C1, 50, 0]]
    assert derived(ta, "CONCAT_KDF_SHA256_DERIVE_KEY", ta.secret(T.CONCAT_KDF_Z, z), words) == expected


def test_dh_is_a_power_at_the_width_of_the_prime() -> None:
    """The 1024-bit MODP group of RFC 2409, 6.2."""
    ta = Ta()
    prime = int(
        "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
        "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
        "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
        16,
    )
    secret, other = 0x1234567890ABCDEF1234567890, pow(2, 0xFEDCBA9876543210FEDCBA, prime)
    names = {
        A.DH_PRIME: prime, A.DH_BASE: 2, A.DH_PUBLIC_VALUE: pow(2, secret, prime), A.DH_PRIVATE_VALUE: secret,
    }  # fmt: skip
    pair = ta.key(T.DH_KEYPAIR, *(reference(one, keys.natural(number)) for one, number in names.items()))
    expected = pow(other, secret, prime).to_bytes(128, "big")
    assert derived(ta, "DH_DERIVE_SHARED_SECRET", pair, [[A.DH_PUBLIC_VALUE, keys.natural(other)]]) == expected
