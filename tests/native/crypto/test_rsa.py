"""RSA against RFC 8017 by integers, and what its functions refuse."""

from hashlib import new
from typing import Any

import pytest

from tee_sim.gp_api.algorithms import ALGORITHMS
from tee_sim.shared.errors import TeeResult
from tests.native.crypto import keys
from tests.native.crypto.keys import RSA_1024
from tests.native.crypto.ta import DECRYPT, ENCRYPT, NUMBERS, ROOM, SIGN, VERIFY, F, Ta, panics, refused

N, E, D, K = RSA_1024.public_numbers.n, RSA_1024.public_numbers.e, RSA_1024.d, 128
LABEL, MGF_HASH, SALT = 0xD0000930, 0xD0000931, 0xF0000A30
PKCS1 = [row for row in ALGORITHMS.values() if row.scheme == "PKCS1" and row.digest]
PSS = [row for row in ALGORITHMS.values() if row.scheme == "PSS"]
OAEP = [row for row in ALGORITHMS.values() if row.scheme == "OAEP"]

# DigestInfo of RFC 8017, 9.2, and of NIST for SHA-3.
PREFIX = {
    "MD5": "3020300c06082a864886f70d020505000410",
    "SHA1": "3021300906052b0e03021a05000414",
    "SHA224": "302d300d06096086480165030402040500041c",
    "SHA256": "3031300d060960864801650304020105000420",
    "SHA384": "3041300d060960864801650304020205000430",
    "SHA512": "3051300d060960864801650304020305000440",
    "SHA3_224": "302d300d06096086480165030402070500041c",
    "SHA3_256": "3031300d060960864801650304020805000420",
    "SHA3_384": "3041300d060960864801650304020905000430",
    "SHA3_512": "3051300d060960864801650304020a05000440",
}


def hashed(name: str, data: bytes) -> bytes:
    return new(name.lower(), data, usedforsecurity=False).digest()


def raised(data: bytes, exponent: int) -> bytes:
    return pow(int.from_bytes(data, "big"), exponent, N).to_bytes(K, "big")


def mask(name: str, seed: bytes, size: int) -> bytes:
    """MGF1 (RFC 8017, B.2.1)."""
    made = b"".join(hashed(name, seed + count.to_bytes(4, "big")) for count in range(1 + size // 16))
    return made[:size]


def xor(one: bytes, two: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, two, strict=True))


def padded(digest_info: bytes) -> bytes:
    return b"\0\1" + b"\xff" * (K - 3 - len(digest_info)) + b"\0" + digest_info


def sign_and_verify(name: str, digest: bytes, words: list[list[object]]) -> bytes:
    """A signature of it, which verifies with either half and not for another digest, nor when a bit differs."""
    ta = Ta()
    signing, with_pair = (ta.operation(name, mode, keys.rsa_pair(ta)) for mode in (SIGN, VERIFY))
    with_public = ta.operation(name, VERIFY, keys.rsa_public(ta))
    assert refused(TeeResult.SHORT_BUFFER, ta.call, F.ASYMMETRIC_SIGN_DIGEST, signing, words, digest, K - 1) == [K]
    (signature,) = ta.call(F.ASYMMETRIC_SIGN_DIGEST, signing, words, digest, K)
    other = bytes([digest[0] ^ 1]) + digest[1:]
    for verifying in (with_pair, with_public):
        assert ta.call(F.ASYMMETRIC_VERIFY_DIGEST, verifying, words, digest, signature) == []
        for wrong in (
            (other, signature),
            (digest, signature[:-1] + bytes([signature[-1] ^ 1])),
            (digest, signature[1:]),
        ):
            refused(TeeResult.SIGNATURE_INVALID, ta.call, F.ASYMMETRIC_VERIFY_DIGEST, verifying, words, *wrong)
        refused(TeeResult.SIGNATURE_INVALID, ta.call, F.ASYMMETRIC_VERIFY_DIGEST, verifying, words, digest, b"\xff" * K)
    return bytes(signature)


@pytest.mark.parametrize("row", PKCS1, ids=lambda row: row.name)
def test_pkcs1_signatures(row: Any) -> None:
    digest = hashed(row.digest, b"message")
    signature = sign_and_verify(row.name, digest, [])
    assert raised(signature, E) == padded(bytes.fromhex(PREFIX[row.digest]) + digest)


def test_pkcs1_signatures_of_anything() -> None:
    """MD5 and SHA-1 in a row as TLS 1.0 has them, and whatever the application made itself (OP-TEE's extension)."""
    for name, digest in (("RSASSA_PKCS1_V1_5_MD5SHA1", bytes(range(36))), ("RSASSA_PKCS1_V1_5", b"any")):
        assert raised(sign_and_verify(name, digest, []), E) == padded(digest)
    ta = Ta()
    anything = ta.operation("RSASSA_PKCS1_V1_5", SIGN, keys.rsa_pair(ta))
    panics(ta.call, F.ASYMMETRIC_SIGN_DIGEST, anything, [], bytes(K - 10), K)


@pytest.mark.parametrize("row", PSS, ids=lambda row: row.name)
@pytest.mark.parametrize("salt_bytes", [None, 0, 7])
def test_pss_signatures(row: Any, salt_bytes: int | None) -> None:
    """EMSA-PSS-VERIFY (RFC 8017, 9.1.2)."""
    name, size = row.digest, row.digest_bytes
    if salt_bytes is None and size == 64:
        salt_bytes = 62  # a hash and a salt of 64 bytes do not fit into 1024 bits
    digest = hashed(name, b"message")
    words: list[list[object]] = [] if salt_bytes is None else [[SALT, salt_bytes, 0]]
    block = raised(sign_and_verify(row.name, digest, words), E)
    assert block[-1:] == b"\xbc"
    masked, check = block[: K - size - 1], block[K - size - 1 : -1]
    plain = xor(masked, mask(name, check, len(masked)))
    plain = bytes([plain[0] & 0x7F]) + plain[1:]
    expected_salt = size if salt_bytes is None else salt_bytes
    salt = plain[len(plain) - expected_salt :]
    assert plain == (b"\1" + salt).rjust(len(plain), b"\0")
    assert hashed(name, bytes(8) + digest + salt) == check


def test_pss_that_does_not_fit_is_a_panic() -> None:
    ta = Ta()
    signing = ta.operation("RSASSA_PKCS1_PSS_MGF1_SHA512", SIGN, keys.rsa_pair(ta))
    panics(ta.call, F.ASYMMETRIC_SIGN_DIGEST, signing, [], bytes(64), K)
    panics(ta.call, F.ASYMMETRIC_SIGN_DIGEST, signing, [[SALT, 0xFFFFFFFF, 0]], bytes(64), K)


@pytest.mark.parametrize("row", [*PKCS1, *PSS], ids=lambda row: row.name)
def test_a_digest_of_another_length_is_a_panic(row: Any) -> None:
    ta = Ta()
    signing = ta.operation(row.name, SIGN, keys.rsa_pair(ta))
    verifying = ta.operation(row.name, VERIFY, keys.rsa_public(ta))
    for size in (row.digest_bytes - 1, row.digest_bytes + 1, 0):
        panics(ta.call, F.ASYMMETRIC_SIGN_DIGEST, signing, [], bytes(size), K)
        panics(ta.call, F.ASYMMETRIC_VERIFY_DIGEST, verifying, [], bytes(size), bytes(K))


# Encryption


def crypt(name: str, words: list[list[object]], data: bytes, *, crt: bool = True) -> bytes:
    """Encrypts and decrypts; returns the ciphertext."""
    ta = Ta()
    encrypting, decrypting = (
        ta.operation(name, ENCRYPT, keys.rsa_public(ta)),
        ta.operation(name, DECRYPT, keys.rsa_pair(ta, crt=crt)),
    )
    assert refused(TeeResult.SHORT_BUFFER, ta.call, F.ASYMMETRIC_ENCRYPT, encrypting, words, data, K - 1) == [K]
    (cipher,) = ta.call(F.ASYMMETRIC_ENCRYPT, encrypting, words, data, K)
    assert ta.call(F.ASYMMETRIC_DECRYPT, decrypting, words, cipher, K) == [data]
    if len(data) > 1:
        assert refused(TeeResult.SHORT_BUFFER, ta.call, F.ASYMMETRIC_DECRYPT, decrypting, words, cipher, 1) == [
            len(data)
        ]
    for wrong in (cipher[1:], cipher + b"!"):
        refused(TeeResult.BAD_PARAMETERS, ta.call, F.ASYMMETRIC_DECRYPT, decrypting, words, wrong, K)
    refused(TeeResult.BAD_PARAMETERS, ta.call, F.ASYMMETRIC_DECRYPT, decrypting, words, b"\xff" * K, K)
    refused(TeeResult.CIPHERTEXT_INVALID, ta.call, F.ASYMMETRIC_DECRYPT, decrypting, words, raised(b"other", E), K)
    return bytes(cipher)


@pytest.mark.parametrize("data", [b"", b"m", b"message", bytes(K - 11)])
def test_pkcs1_encryption(data: bytes) -> None:
    block = raised(crypt("RSAES_PKCS1_V1_5", [], data, crt=False), D)
    assert block[:2] == b"\0\2"
    assert block[K - len(data) - 1 :] == b"\0" + data
    assert 0 not in block[2 : K - len(data) - 1]


@pytest.mark.parametrize(
    "middle", [b"\0\2" + b"x" * 7 + b"\0", b"\0\1" + b"x" * 20 + b"\0", b"\1\2" + b"x" * 20, b"\0\2"]
)
def test_wrong_paddings_are_told(middle: bytes) -> None:
    """Too short, of a signature, without its zero, and none."""
    ta = Ta()
    cipher = raised(middle.ljust(K, b"y"), E)
    decrypting = ta.operation("RSAES_PKCS1_V1_5", DECRYPT, keys.rsa_pair(ta))
    refused(TeeResult.CIPHERTEXT_INVALID, ta.call, F.ASYMMETRIC_DECRYPT, decrypting, [], cipher, K)


@pytest.mark.parametrize("row", OAEP, ids=lambda row: row.name)
@pytest.mark.parametrize("label", [b"", b"label"])
@pytest.mark.parametrize("masks", [None, "SHA1", "SHA256"])
def test_oaep(row: Any, label: bytes, masks: str | None) -> None:
    """EME-OAEP decoding (RFC 8017, 7.1.2)."""
    name, size = row.digest, len(hashed(row.digest, b""))
    if 2 * size + 2 >= K:
        assert row.name.endswith("SHA512")
        return
    words: list[list[object]] = [[LABEL, label]] if label else []
    words += [[MGF_HASH, NUMBERS[masks].to_bytes(4, "little")]] if masks else []
    data, masking = b"message", masks or name
    block = raised(crypt(row.name, words, data), D)
    seed = xor(block[1 : 1 + size], mask(masking, block[1 + size :], size))
    plain = xor(block[1 + size :], mask(masking, seed, K - size - 1))
    assert (block[0], plain[:size]) == (0, hashed(name, label))
    assert plain[size:] == (b"\1" + data).rjust(K - 2 * size - 1, b"\0")


def test_oaep_of_another_label_or_mask_is_invalid() -> None:
    ta = Ta()
    name = "RSAES_PKCS1_OAEP_MGF1_SHA256"
    encrypting, decrypting = (
        ta.operation(name, ENCRYPT, keys.rsa_public(ta)),
        ta.operation(name, DECRYPT, keys.rsa_pair(ta)),
    )
    (cipher,) = ta.call(F.ASYMMETRIC_ENCRYPT, encrypting, [[LABEL, b"one"]], b"message", K)
    sha1 = NUMBERS["SHA1"].to_bytes(4, "little")
    for words in ([], [[LABEL, b"two"]], [[LABEL, b"one"], [MGF_HASH, sha1]]):
        refused(TeeResult.CIPHERTEXT_INVALID, ta.call, F.ASYMMETRIC_DECRYPT, decrypting, words, cipher, K)
    for wrong in (b"", sha1 + b"!", NUMBERS["SM3"].to_bytes(4, "little"), NUMBERS["SHAKE128"].to_bytes(4, "little")):
        refused(TeeResult.NOT_SUPPORTED, ta.call, F.ASYMMETRIC_ENCRYPT, encrypting, [[MGF_HASH, wrong]], b"", K)


@pytest.mark.parametrize(("name", "most"), [("RSAES_PKCS1_V1_5", K - 11), ("RSAES_PKCS1_OAEP_MGF1_SHA1", K - 42)])
def test_data_that_is_too_long_is_bad(name: str, most: int) -> None:
    ta = Ta()
    encrypting = ta.operation(name, ENCRYPT, keys.rsa_public(ta))
    ta.call(F.ASYMMETRIC_ENCRYPT, encrypting, [], bytes(most), K)
    refused(TeeResult.BAD_PARAMETERS, ta.call, F.ASYMMETRIC_ENCRYPT, encrypting, [], bytes(most + 1), K)


def test_without_padding_it_is_a_power() -> None:
    ta = Ta()
    encrypting, decrypting = (
        ta.operation("RSA_NOPAD", ENCRYPT, keys.rsa_public(ta)),
        ta.operation("RSA_NOPAD", DECRYPT, keys.rsa_pair(ta)),
    )
    for data in (b"\1", b"message", (N - 1).to_bytes(K, "big"), b"\0\0message"):
        (cipher,) = ta.call(F.ASYMMETRIC_ENCRYPT, encrypting, [], data, K)
        assert cipher == raised(data, E)
        # An integer comes back, so zeros in front are gone.
        assert ta.call(F.ASYMMETRIC_DECRYPT, decrypting, [], cipher, ROOM) == [data.lstrip(b"\0")]
    assert ta.call(F.ASYMMETRIC_DECRYPT, decrypting, [], bytes(K), ROOM) == [b"\0"]
    for wrong in (N.to_bytes(K, "big"), bytes(K + 1)):
        refused(TeeResult.BAD_PARAMETERS, ta.call, F.ASYMMETRIC_ENCRYPT, encrypting, [], wrong, K)
        refused(TeeResult.BAD_PARAMETERS, ta.call, F.ASYMMETRIC_DECRYPT, decrypting, [], wrong, K)
