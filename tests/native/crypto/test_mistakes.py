"""Every mistake that a clause of section 6 names, and the results that its functions may return."""

import pytest

from tee_sim.gp_objects.key_types import Attribute, Curve, ObjectType
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.wire import NoFrameError
from tests.native.crypto import keys
from tests.native.crypto.ta import (
    DECRYPT,
    DERIVE,
    DIGEST,
    ENCRYPT,
    MAC,
    NUMBERS,
    ROOM,
    SIGN,
    VERIFY,
    F,
    Ta,
    panics,
    refused,
)
from tests.native.crypto.test_states import BLOCK, NONCE, placed

A, T = Attribute, ObjectType


def aes(ta: Ta, name: str, mode: int) -> int:
    both = [ta.secret(T.AES, BLOCK), ta.secret(T.AES, bytes(15) + b"2")]
    return ta.operation(name, mode, *(both if name == "AES_XTS" else both[:1]))


@pytest.mark.parametrize("name", ["AES_CBC_NOPAD", "AES_CTR", "AES_CTS", "AES_XTS"])
def test_an_iv_has_one_block(name: str) -> None:
    ta = Ta()
    operation = aes(ta, name, ENCRYPT)
    for iv in (None, b"", bytes(15), bytes(17)):
        panics(ta.call, F.CIPHER_INIT, operation, iv)


def test_ecb_has_no_iv() -> None:
    ta = Ta()
    operation = aes(ta, "AES_ECB_NOPAD", ENCRYPT)
    panics(ta.call, F.CIPHER_INIT, operation, BLOCK)
    for iv in (None, b""):
        ta.call(F.CIPHER_INIT, operation, iv)


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("AES_ECB_NOPAD", (1, 15, 17), (0, 16, 48)),
        ("AES_CBC_NOPAD", (1, 15, 17), (0, 16, 48)),
        ("AES_CTR", (), (0, 1, 17)),
        ("AES_CTS", (0, 1, 15), (16, 17, 31, 32, 33)),
        ("AES_XTS", (0, 1, 15), (16, 17, 31, 32, 33)),
    ],
)
def test_lengths_of_messages(name: str, wrong: tuple[int, ...], right: tuple[int, ...]) -> None:
    ta = Ta()
    for mode in (ENCRYPT, DECRYPT):
        operation = aes(ta, name, mode)
        for size in wrong:
            ta.call(F.CIPHER_INIT, operation, None if "ECB" in name else BLOCK)
            panics(ta.call, F.CIPHER_DO_FINAL, operation, bytes(size), 0, ROOM)
        for size in right:
            ta.call(F.CIPHER_INIT, operation, None if "ECB" in name else BLOCK)
            assert len(ta.call(F.CIPHER_DO_FINAL, operation, bytes(size), 0, ROOM)[0]) == size


def test_an_unpadded_mac_wants_whole_blocks() -> None:
    ta = Ta()
    operation = aes(ta, "AES_CBC_MAC_NOPAD", MAC)
    for size in (1, 15, 17):
        for function, given in ((F.MAC_COMPUTE_FINAL, ROOM), (F.MAC_COMPARE_FINAL, BLOCK)):
            ta.call(F.MAC_INIT, operation, None)
            panics(ta.call, function, operation, bytes(size), 0, given)


def test_macs_are_compared() -> None:
    ta = Ta()
    operation = aes(ta, "AES_CMAC", MAC)
    ta.call(F.MAC_INIT, operation, b"an IV that nobody looks at")
    (code,) = ta.call(F.MAC_COMPUTE_FINAL, operation, b"message", 0, 16)
    for wrong in (b"", None, code[:15], code + b"!", code[:15] + b"!"):
        ta.call(F.MAC_INIT, operation, None)
        assert refused(TeeResult.MAC_INVALID, ta.call, F.MAC_COMPARE_FINAL, operation, b"message", 0, wrong) == []
    ta.call(F.MAC_INIT, operation, None)
    assert ta.call(F.MAC_COMPARE_FINAL, operation, b"mess", 3, code) == []
    assert ta.call(F.MAC_COMPARE_FINAL, operation, b"age", 0, code) == []


# Authenticated encryption


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("AES_GCM", (96, 104, 112, 120, 128), (0, 32, 64, 88, 97, 136, 0xFFFFFFFF)),
        ("AES_CCM", (32, 48, 64, 80, 96, 112, 128), (0, 16, 40, 104, 120, 129, 0xFFFFFFFF)),
    ],
)
def test_lengths_of_tags(name: str, right: tuple[int, ...], wrong: tuple[int, ...]) -> None:
    ta = Ta()
    for tag_bits in wrong:
        refused(TeeResult.NOT_SUPPORTED, ta.call, F.AE_INIT, aes(ta, name, ENCRYPT), NONCE, tag_bits, 0, 0)
    for tag_bits in right:
        operation = aes(ta, name, ENCRYPT)
        ta.call(F.AE_INIT, operation, NONCE, tag_bits, 0, 0)
        assert len(ta.call(F.AE_ENCRYPT_FINAL, operation, None, 0, None, 16)[1]) == tag_bits // 8


@pytest.mark.parametrize(
    ("name", "right", "wrong"), [("AES_GCM", (8, 12, 16, 128), (0, 1, 7, 129)), ("AES_CCM", range(7, 14), (0, 6, 14))]
)
def test_lengths_of_nonces(name: str, right: tuple[int, ...], wrong: tuple[int, ...]) -> None:
    ta = Ta()
    for size in wrong:
        panics(ta.call, F.AE_INIT, aes(ta, name, ENCRYPT), bytes(size), 128, 0, 0)
    for size in right:
        ta.call(F.AE_INIT, aes(ta, name, ENCRYPT), bytes(size), 128, 0, 0)
    panics(ta.call, F.AE_INIT, aes(ta, name, ENCRYPT), None, 128, 0, 0)


def test_ccm_holds_to_the_lengths_that_were_announced() -> None:
    def begun(aad: int, payload: int) -> tuple[Ta, int]:
        ta = Ta()
        operation = aes(ta, "AES_CCM", ENCRYPT)
        ta.call(F.AE_INIT, operation, NONCE, 128, aad, payload)
        return ta, operation

    ta, operation = begun(4, 0)
    panics(ta.call, F.AE_UPDATE_AAD, operation, b"12345")
    ta, operation = begun(4, 4)
    ta.call(F.AE_UPDATE_AAD, operation, b"123")
    panics(ta.call, F.AE_UPDATE, operation, b"1234", 0, ROOM)
    ta, operation = begun(0, 4)
    panics(ta.call, F.AE_UPDATE, operation, b"12345", 0, ROOM)
    ta, operation = begun(0, 4)
    panics(ta.call, F.AE_ENCRYPT_FINAL, operation, b"123", 0, ROOM, 16)
    ta, operation = begun(4, 0)
    panics(ta.call, F.AE_ENCRYPT_FINAL, operation, None, 0, ROOM, 16)
    ta = Ta()
    panics(ta.call, F.AE_INIT, aes(ta, "AES_CCM", ENCRYPT), bytes(13), 128, 0, 1 << 16)
    ta.call(F.AE_INIT, aes(ta, "AES_CCM", ENCRYPT), bytes(13), 128, 0, (1 << 16) - 1)


def test_plaintext_of_a_wrong_tag_does_not_come_with_it() -> None:
    ta = Ta()
    for name in ("AES_GCM", "AES_CCM"):
        operation = aes(ta, name, DECRYPT)
        ta.call(F.AE_INIT, operation, NONCE, 128, 0, 5)
        assert refused(TeeResult.MAC_INVALID, ta.call, F.AE_DECRYPT_FINAL, operation, b"12345", 0, ROOM, BLOCK) == []


# Signatures and derivation


def test_ecdsa_takes_the_digest_of_its_hash() -> None:
    """Of any hash where version 1.1 names the algorithm by curve: by its number, or by the size of the operation."""
    ta = Ta()
    p256, p384 = (keys.ec_pair(ta, T.ECDSA_KEYPAIR, curve) for curve in (Curve.NIST_P256, Curve.NIST_P384))
    right = [
        ("ECDSA_SHA256", p384, 32), ("ECDSA_SHA256", p256, 32), ("ECDSA_SHA256", p256, 20), ("ECDSA_SHA256", p256, 64),
        ("ECDSA_P256", p256, 32), ("ECDSA_P256", p256, 20), ("ECDSA_SHA3_384", p256, 48),
    ]  # fmt: skip
    wrong = [
        ("ECDSA_SHA256", p384, 48), ("ECDSA_SHA256", p256, 31), ("ECDSA_P256", p256, 33), ("ECDSA_SHA3_384", p256, 32),
        ("ECDSA_SHA512", p256, 32),
    ]  # fmt: skip
    for name, pair, size in right:
        signing, verifying = ta.operation(name, SIGN, pair), ta.operation(name, VERIFY, pair)
        (signature,) = ta.call(F.ASYMMETRIC_SIGN_DIGEST, signing, [], bytes(size), ROOM)
        ta.call(F.ASYMMETRIC_VERIFY_DIGEST, verifying, [], bytes(size), signature)
    for name, pair, size in wrong:
        panics(ta.call, F.ASYMMETRIC_SIGN_DIGEST, ta.operation(name, SIGN, pair), [], bytes(size), ROOM)
        panics(ta.call, F.ASYMMETRIC_VERIFY_DIGEST, ta.operation(name, VERIFY, pair), [], bytes(size), bytes(64))


@pytest.mark.parametrize("curve", list(Curve), ids=lambda one: one.name)
def test_each_curve_signs_and_agrees(curve: Curve) -> None:
    ta = Ta()
    pair = keys.ec_pair(ta, T.ECDSA_KEYPAIR, curve)
    (signature,) = ta.call(F.ASYMMETRIC_SIGN_DIGEST, ta.operation("ECDSA_SHA256", SIGN, pair), [], bytes(32), ROOM)
    assert len(signature) == 2 * ((curve.size_bits + 7) // 8)
    public = ta.operation("ECDSA_SHA256", VERIFY, keys.ec_public(ta, T.ECDSA_PUBLIC_KEY, curve))
    ta.call(F.ASYMMETRIC_VERIFY_DIGEST, public, [], bytes(32), signature)
    for wrong in (b"", bytes(len(signature)), b"\xff" * len(signature), signature + b"!", signature[2:]):
        refused(TeeResult.SIGNATURE_INVALID, ta.call, F.ASYMMETRIC_VERIFY_DIGEST, public, [], bytes(32), wrong)
    one, other = keys.ec_pair(ta, T.ECDH_KEYPAIR, curve), keys.ec_pair(ta, T.ECDH_KEYPAIR, curve, b"\x07")
    assert agreed(ta, one, other) == agreed(ta, other, one)


def agreed(ta: Ta, mine: int, other: int) -> bytes:
    target = ta.objects.allocate_transient(T.GENERIC_SECRET, 4096)
    point: list[list[object]] = [
        [int(one), ta.objects.buffer_attribute(other, one)] for one in (A.ECC_PUBLIC_VALUE_X, A.ECC_PUBLIC_VALUE_Y)
    ]
    ta.call(F.DERIVE_KEY, ta.operation("ECDH_DERIVE_SHARED_SECRET", DERIVE, mine), point, target)
    return ta.objects.buffer_attribute(target, A.SECRET_VALUE)


def test_eddsa_variants_that_are_panics() -> None:
    ta = Ta()
    signing = ta.operation("ED25519", SIGN, keys.bytes_pair(ta, "ED25519", bytes(32)))
    panics(ta.call, F.ASYMMETRIC_SIGN_DIGEST, signing, [[0xD0000643, bytes(256)]], b"", ROOM)
    signing = ta.operation("ED448", SIGN, keys.bytes_pair(ta, "ED448", bytes(57)))
    panics(ta.call, F.ASYMMETRIC_SIGN_DIGEST, signing, [[0xD0000643, b"context"]], b"", ROOM)
    panics(ta.call, F.ASYMMETRIC_SIGN_DIGEST, signing, [[0xF0000004, 1, 0]], b"", ROOM)


def test_ed25519_variants_are_told_apart() -> None:
    ta = Ta()
    pair = keys.bytes_pair(ta, "ED25519", bytes(range(32)))
    variants: list[list[list[object]]] = [
        [],
        [[0xD0000643, b"one"]],
        [[0xD0000643, b"two"]],
        [[0xF0000004, 1, 0]],
        [[0xF0000543, 1, 0], [0xD0000643, b"one"]],
    ]  # fmt: skip
    for signed_by in variants:
        (signature,) = ta.call(F.ASYMMETRIC_SIGN_DIGEST, ta.operation("ED25519", SIGN, pair), signed_by, b"message", 64)
        for taken_as in variants:
            call = (F.ASYMMETRIC_VERIFY_DIGEST, ta.operation("ED25519", VERIFY, pair), taken_as, b"message", signature)
            if taken_as == signed_by:
                assert ta.call(*call) == []
            else:
                refused(TeeResult.SIGNATURE_INVALID, ta.call, *call)
    order = (1 << 252) + 27742317777372353535851937790883648493
    large = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    verifying = ta.operation("ED25519", VERIFY, pair)
    refused(
        TeeResult.SIGNATURE_INVALID, ta.call, F.ASYMMETRIC_VERIFY_DIGEST, verifying, variants[-1], b"message", large
    )


def test_derivations_that_are_panics() -> None:
    ta = Ta()
    pair = keys.ec_pair(ta, T.ECDH_KEYPAIR, Curve.NIST_P256)
    ecdh = ta.operation("ECDH_DERIVE_SHARED_SECRET", DERIVE, pair)
    x, y = (ta.objects.buffer_attribute(pair, one) for one in (A.ECC_PUBLIC_VALUE_X, A.ECC_PUBLIC_VALUE_Y))
    point: list[list[object]] = [[int(A.ECC_PUBLIC_VALUE_X), x], [int(A.ECC_PUBLIC_VALUE_Y), y]]
    target = ta.objects.allocate_transient(T.GENERIC_SECRET, 256)
    used = ta.secret(T.GENERIC_SECRET, BLOCK)
    for words, into in (
        (point[:1], target),  # half a point
        ([point[0], [int(A.ECC_PUBLIC_VALUE_Y), x]], target),  # off the curve
        (point, 0),
        (point, 99),
        (point, used),  # initialized
        (point, ta.objects.allocate_transient(T.AES, 256)),  # of another type
        (point, ta.objects.allocate_transient(T.GENERIC_SECRET, 248)),  # too small
    ):
        panics(ta.call, F.DERIVE_KEY, ecdh, words, into)
    ta.call(F.DERIVE_KEY, ecdh, point, target)
    x25519 = ta.operation("X25519", DERIVE, keys.bytes_pair(ta, "X25519", bytes(range(32))))
    for wrong in (bytes(32), b"\1" + bytes(31), bytes(31)):  # of small order: what comes out is zero (RFC 7748, 6.1)
        fresh = ta.objects.allocate_transient(T.GENERIC_SECRET, 256)
        panics(ta.call, F.DERIVE_KEY, x25519, [[int(A.X25519_PUBLIC_VALUE), wrong]], fresh)


def test_functions_of_derivation_have_bounds() -> None:
    ta = Ta()
    password = ta.operation("PBKDF2_HMAC_SHA1_DERIVE_KEY", DERIVE, ta.secret(T.PBKDF2_PASSWORD, b"password"))
    hkdf = ta.operation("HKDF", DERIVE, ta.secret(T.HKDF, b"secret"))
    sha256 = [0xF0000B46, NUMBERS["SHA256"], 0]
    for operation, words in (
        (password, []),
        (password, [[0xF00003C2, 0, 0]]),
        (password, [[0xF00003C2, (1 << 20) + 1, 0], [0xF00004C2, 20, 0]]),
        (password, [[0xF00003C2, (1 << 19) + 1, 0], [0xF00004C2, 21, 0]]),
        (password, [[0xF00003C2, 1, 0], [0xF00004C2, 0, 0]]),
        (password, [[0xF00003C2, 1, 0], [0xF00004C2, 33, 0]]),
        (hkdf, []),
        (hkdf, [[0xF0000B46, NUMBERS["SHAKE128"], 0]]),
        (hkdf, [[0xF0000B46, NUMBERS["AES_CTR"], 0]]),
        (hkdf, [sha256, [0xF0000C46, 33, 0]]),
        (hkdf, [sha256, [0xF0000C46, 0xFFFFFFFF, 0]]),
    ):
        panics(ta.call, F.DERIVE_KEY, operation, words, ta.objects.allocate_transient(T.GENERIC_SECRET, 256))
    whole = ta.objects.allocate_transient(T.GENERIC_SECRET, 256)
    ta.call(F.DERIVE_KEY, hkdf, [sha256], whole)
    assert ta.objects.info(whole).object_size == 256  # as much as it takes, where nobody says how much


# Words that no runtime of ours sends


@pytest.mark.parametrize(
    "words",
    [
        (F.DIGEST_UPDATE, 1),
        (F.DIGEST_UPDATE, 1, b"", 1),
        (F.DIGEST_UPDATE, -1, b""),
        (F.DIGEST_UPDATE, 1 << 64, b""),
        (F.DIGEST_UPDATE, 1, "text"),
        (F.DIGEST_UPDATE, True, b""),
        (F.CIPHER_UPDATE, 1, b"", None, 1),
        (F.AE_INIT, 1, b"", 1 << 32, 0, 0),
        (F.ASYMMETRIC_ENCRYPT, 1, [[1]], b"", 0),
        (F.ASYMMETRIC_ENCRYPT, 1, [[1, b"", 2]], b"", 0),
        (F.ASYMMETRIC_ENCRYPT, 1, None, b"", 0),
        (F.DERIVE_KEY, 1, [[1, 2, 3, 4]], 1),
    ],
    ids=str,
)
def test_words_of_another_shape_end_the_host(words: tuple[F, object]) -> None:
    with pytest.raises(NoFrameError):
        Ta().call(*words)


def test_an_output_that_ends_nowhere_is_bounded() -> None:
    ta = Ta()
    digest = ta.operation("SHAKE256", DIGEST)
    assert len(ta.call(F.DIGEST_EXTRACT, digest, 512 << 10)[0]) == 512 << 10
    for room in ((512 << 10) + 1, (1 << 64) - 1):
        panics(ta.call, F.DIGEST_EXTRACT, digest, room)
        panics(ta.call, F.DIGEST_DO_FINAL, digest, None, 0, room)


def test_a_state_is_given_up_by_the_next_beginning() -> None:
    ta = Ta()
    mac = placed(ta, "mac", "active")
    ta.call(F.MAC_UPDATE, mac, b"given up")
    ta.call(F.MAC_INIT, mac, None)
    other = placed(ta, "mac", "active")
    assert ta.call(F.MAC_COMPUTE_FINAL, mac, None, 0, 16) == ta.call(F.MAC_COMPUTE_FINAL, other, None, 0, 16)


def test_a_payload_of_nothing_is_none() -> None:
    ta = Ta()
    for name in ("AES_GCM", "AES_CCM"):
        codes = []
        for with_nothing in (True, False):
            operation = aes(ta, name, ENCRYPT)
            ta.call(F.AE_INIT, operation, NONCE, 128, 3, 3)
            if with_nothing and name == "AES_GCM":
                assert ta.call(F.AE_UPDATE, operation, None, 0, None) == [b""]
            ta.call(F.AE_UPDATE_AAD, operation, b"aad")
            codes.append(ta.call(F.AE_ENCRYPT_FINAL, operation, b"abc", 0, 3, 16))
        assert codes[0] == codes[1]


def test_words_that_no_runtime_sends_end_nothing_but_the_instance() -> None:
    """A message that is extracted, and yet has more ahead."""
    ta = Ta()
    for name in ("SHA256", "SHAKE128"):
        digest = ta.operation(name, DIGEST)
        ta.call(F.DIGEST_EXTRACT, digest, 4)
        panics(ta.call, F.DIGEST_DO_FINAL, digest, None, 1, ROOM)
        panics(ta.call, F.DIGEST_UPDATE, digest, b"more")
