"""Keys: known vectors, numbers that go together by a second computation, and the panics of the specification."""

import math
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from tee_sim.gp_objects import (
    Attribute,
    Curve,
    GpObjects,
    KeyAttribute,
    ObjectType,
    TaPanic,
    Usage,
    Whence,
    reference,
    value,
)
from tee_sim.gp_objects.constants import MAX_TRANSIENT_OBJECTS
from tee_sim.gp_objects.key_types import RULES
from tee_sim.gp_objects.keys import Key
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rng import SeededRng
from tests.tee_sim.gp.curves import FIPS_186, KNOWN, multiplied
from tests.tee_sim.gp.devices import ALL, META, READ, WRITE, Device, refused

A, T = Attribute, ObjectType
AES_256 = bytes(range(32))
EVERYTHING = 0xFFFF_FFFF


def panics(panic_id: int, call: Any, *args: Any) -> None:
    with pytest.raises(TaPanic) as caught:
        call(*args)
    assert (caught.value.function.number, caught.value.result) == (panic_id, TeeResult.BAD_PARAMETERS)


def aes(objects: GpObjects, secret: bytes = AES_256) -> int:
    handle = objects.allocate_transient(T.AES, 256)
    objects.populate(handle, reference(A.SECRET_VALUE, secret))
    return handle


def numbers(objects: GpObjects, handle: int, *attributes: Attribute) -> list[int]:
    return [int.from_bytes(objects.buffer_attribute(handle, one), "big") for one in attributes]


def ecc(curve: Curve) -> list[KeyAttribute]:
    secret, x, y = (bytes.fromhex(text) for text in KNOWN[curve])
    return [
        reference(A.ECC_PRIVATE_VALUE, secret),
        reference(A.ECC_PUBLIC_VALUE_X, x),
        reference(A.ECC_PUBLIC_VALUE_Y, y),
        value(A.ECC_CURVE, curve),
    ]


def test_numbers_of_the_specification() -> None:
    assert (T.AES, T.HMAC_SHA256, T.RSA_KEYPAIR, T.ECDSA_KEYPAIR, T.ECDH_PUBLIC_KEY) == (
        0xA0000010, 0xA0000004, 0xA1000030, 0xA1000041, 0xA0000042,
    )  # fmt: skip
    assert [a.name for a in A if a.is_value] == ["DH_X_BITS", "ECC_CURVE"]
    assert {a.name for a in A if a.is_public} == {
        "RSA_MODULUS", "RSA_PUBLIC_EXPONENT", "ECC_PUBLIC_VALUE_X", "ECC_PUBLIC_VALUE_Y", "ECC_CURVE",
        "DSA_PRIME", "DSA_SUBPRIME", "DSA_BASE", "DSA_PUBLIC_VALUE",
        "DH_PRIME", "DH_SUBPRIME", "DH_BASE", "DH_X_BITS", "DH_PUBLIC_VALUE",
        "ED25519_PUBLIC_VALUE", "X25519_PUBLIC_VALUE", "ED448_PUBLIC_VALUE", "X448_PUBLIC_VALUE",
    }  # fmt: skip
    assert set(RULES) == set(T)


def test_a_new_object_is_empty_and_a_reset_one_again(objects: GpObjects) -> None:
    handle = objects.allocate_transient(T.AES, 256)
    fresh = objects.info(handle)
    assert (fresh.object_type, fresh.object_size, fresh.max_object_size, fresh.object_usage) == (
        T.AES,
        0,
        256,
        EVERYTHING,
    )
    assert (fresh.data_size, fresh.data_position, fresh.handle_flags) == (0, 0, 0)
    objects.populate(handle, reference(A.SECRET_VALUE, AES_256[:16]))
    objects.restrict_usage(handle, Usage.ENCRYPT)
    full = objects.info(handle)
    assert (full.object_size, full.max_object_size, full.object_usage, full.handle_flags) == (128, 256, 2, 0x20000)
    objects.reset_transient(handle)
    assert objects.info(handle) == fresh


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_an_aes_key_as_it_was_given(objects: GpObjects, bits: int) -> None:
    handle = aes(objects, AES_256[: bits // 8])
    assert objects.buffer_attribute(handle, A.SECRET_VALUE) == AES_256[: bits // 8]
    assert objects.info(handle).object_size == bits


@pytest.mark.parametrize("kind", [t for t in T if A.SECRET_VALUE in RULES[t].required])
def test_secrets_are_generated_of_every_size_that_may_be(kind: ObjectType) -> None:
    objects = GpObjects(Device().store.namespace(UUID(int=1)), SeededRng(b"keys"))
    sizes: Any = RULES[kind].sizes_bits
    found = set()
    for bits in (min(sizes), max(sizes)):
        for _ in range(2):
            handle = objects.allocate_transient(kind, max(sizes))
            objects.generate_key(handle, bits)
            secret = objects.buffer_attribute(handle, A.SECRET_VALUE)
            assert (len(secret) * 8, objects.info(handle).object_size) == (bits, bits)
            found.add(secret)
    assert len(found) >= 3, "no two alike, but for those of a byte"


def test_a_seeded_device_makes_the_same_secrets_again() -> None:
    def made() -> tuple[bytes, bytes]:
        objects = GpObjects(Device().store.namespace(UUID(int=1)), SeededRng(b"keys"))
        one, two = objects.allocate_transient(T.AES, 256), objects.allocate_transient(T.ECDSA_KEYPAIR, 256)
        objects.generate_key(one, 256)
        objects.generate_key(two, 256, value(A.ECC_CURVE, Curve.NIST_P256))
        return objects.buffer_attribute(one, A.SECRET_VALUE), objects.buffer_attribute(two, A.ECC_PRIVATE_VALUE)

    assert made() == made()


@pytest.mark.parametrize("curve", Curve)
@pytest.mark.parametrize("kind", [T.ECDSA_KEYPAIR, T.ECDH_KEYPAIR])
def test_a_known_pair_of_a_curve(objects: GpObjects, curve: Curve, kind: ObjectType) -> None:
    handle = objects.allocate_transient(kind, 521)
    objects.populate(handle, *ecc(curve))
    assert objects.info(handle).object_size == curve.size_bits
    held = [objects.buffer_attribute(handle, x).hex().upper() for x in
            (A.ECC_PRIVATE_VALUE, A.ECC_PUBLIC_VALUE_X, A.ECC_PUBLIC_VALUE_Y)]  # fmt: skip
    assert held == list(KNOWN[curve])
    assert objects.value_attribute(handle, A.ECC_CURVE) == (curve, 0)


@pytest.mark.parametrize("curve", FIPS_186)
def test_a_generated_pair_of_a_curve_is_one(objects: GpObjects, curve: Curve) -> None:
    handle = objects.allocate_transient(T.ECDH_KEYPAIR, 521)
    objects.generate_key(handle, curve.size_bits, value(A.ECC_CURVE, curve))
    secret, x, y = numbers(objects, handle, A.ECC_PRIVATE_VALUE, A.ECC_PUBLIC_VALUE_X, A.ECC_PUBLIC_VALUE_Y)
    assert multiplied(curve, secret) == (x, y)


def test_a_secret_at_or_above_the_order_is_drawn_again() -> None:
    class Draws:
        left = [b"\xff" * 32, bytes(32), (7).to_bytes(32, "big")]  # noqa: RUF012

        def bytes(self, n: int) -> bytes:
            return self.left.pop(0)

    objects = GpObjects(Device().store.namespace(UUID(int=1)), Draws())
    handle = objects.allocate_transient(T.ECDSA_KEYPAIR, 256)
    objects.generate_key(handle, 256, value(A.ECC_CURVE, Curve.NIST_P256))
    assert numbers(objects, handle, A.ECC_PRIVATE_VALUE) == [7]
    assert Draws.left == []


def rsa_pair(objects: GpObjects, bits: int = 1024) -> int:
    handle = objects.allocate_transient(T.RSA_KEYPAIR, 2048)
    objects.generate_key(handle, bits)
    return handle


RSA = (
    A.RSA_MODULUS, A.RSA_PUBLIC_EXPONENT, A.RSA_PRIVATE_EXPONENT, A.RSA_PRIME1, A.RSA_PRIME2, A.RSA_EXPONENT1,
    A.RSA_EXPONENT2, A.RSA_COEFFICIENT,
)  # fmt: skip


@pytest.mark.parametrize("bits", [1024, 2048])
def test_a_generated_rsa_pair_is_one(objects: GpObjects, bits: int) -> None:
    handle = rsa_pair(objects, bits)
    n, e, d, p, q, dp, dq, u = numbers(objects, handle, *RSA)
    assert (n.bit_length(), e, objects.info(handle).object_size) == (bits, 65537, bits)
    assert p * q == n
    assert d * e % math.lcm(p - 1, q - 1) == 1
    assert (dp, dq, u * q % p) == (d % (p - 1), d % (q - 1), 1)
    assert pow(pow(0x1234, d, n), e, n) == 0x1234


@pytest.mark.parametrize("with_crt", [True, False])
def test_an_rsa_pair_is_made_of_its_numbers(objects: GpObjects, with_crt: bool) -> None:
    made = rsa_pair(objects)
    given = [reference(a, b"\0" + objects.buffer_attribute(made, a)) for a in (RSA if with_crt else RSA[:3])]
    handle = objects.allocate_transient(T.RSA_KEYPAIR, 1024)
    objects.populate(handle, *given)
    assert numbers(objects, handle, *RSA[:3]) == numbers(objects, made, *RSA[:3])
    if not with_crt:
        refused(TeeResult.ITEM_NOT_FOUND, objects.buffer_attribute, handle, A.RSA_PRIME1)


def test_numbers_that_do_not_go_together_are_refused_and_the_object_stays_empty(objects: GpObjects) -> None:
    pair = rsa_pair(objects)
    rsa = {a: objects.buffer_attribute(pair, a) for a in RSA}
    elsewhere = rsa_pair(objects)
    other_d = objects.buffer_attribute(elsewhere, A.RSA_PRIVATE_EXPONENT)
    point = ecc(Curve.NIST_P256)
    small, odd = reference(A.RSA_MODULUS, b"\xff" * 32), reference(A.RSA_PUBLIC_EXPONENT, b"\1\0\1")
    wrong: list[tuple[ObjectType, int, list[KeyAttribute]]] = [
        (T.RSA_KEYPAIR, 1024, [reference(a, other_d if a is A.RSA_PRIVATE_EXPONENT else b) for a, b in rsa.items()]),
        (T.RSA_KEYPAIR, 1024, [reference(a, rsa[a] if a is not A.RSA_PRIVATE_EXPONENT else other_d) for a in RSA[:3]]),
        (T.RSA_KEYPAIR, 1024, [reference(a, b"\1" if a is A.RSA_PRIME1 else b) for a, b in rsa.items()]),
        (T.RSA_KEYPAIR, 1024, [reference(a, b"" if a in RSA[3:] else b) for a, b in rsa.items()]),
        (
            T.RSA_PUBLIC_KEY,
            1024,
            [reference(A.RSA_MODULUS, rsa[A.RSA_MODULUS]), reference(A.RSA_PUBLIC_EXPONENT, b"\2")],
        ),
        (T.RSA_PUBLIC_KEY, 1024, [small, odd]),
        (T.ECDSA_KEYPAIR, 256, [reference(A.ECC_PRIVATE_VALUE, b"\7"), *point[1:]]),
        (T.ECDSA_KEYPAIR, 256, [reference(A.ECC_PRIVATE_VALUE, b""), *point[1:]]),
        (T.ECDSA_KEYPAIR, 256, [reference(A.ECC_PRIVATE_VALUE, b"\xff" * 32), *point[1:]]),
        (T.ECDSA_PUBLIC_KEY, 256, [point[1], reference(A.ECC_PUBLIC_VALUE_Y, b"\1"), point[3]]),
        (T.ECDSA_PUBLIC_KEY, 256, [*point[1:3], value(A.ECC_CURVE, 1)]),
        (T.AES, 256, [reference(A.SECRET_VALUE, bytes(17))]),
        (T.AES, 256, [reference(A.SECRET_VALUE, b"")]),
        (T.HMAC_SHA256, 1024, [reference(A.SECRET_VALUE, bytes(23))]),
    ]
    for kind, bits, attributes in wrong:
        handle = objects.allocate_transient(kind, bits)
        refused(TeeResult.BAD_PARAMETERS, objects.populate, handle, *attributes)
        assert objects.info(handle).handle_flags == 0, kind
    handle = objects.allocate_transient(T.ECDSA_KEYPAIR, 384)
    refused(TeeResult.BAD_PARAMETERS, objects.generate_key, handle, 384, value(A.ECC_CURVE, Curve.NIST_P256))
    refused(TeeResult.BAD_PARAMETERS, objects.generate_key, handle, 384, value(A.ECC_CURVE, 9))
    handle = objects.allocate_transient(T.RSA_KEYPAIR, 1024)
    refused(TeeResult.BAD_PARAMETERS, objects.generate_key, handle, 1024, reference(A.RSA_PUBLIC_EXPONENT, b"\5"))


def test_what_breaks_a_rule_panics(objects: GpObjects) -> None:
    empty, full = objects.allocate_transient(T.AES, 128), aes(objects)
    secret = reference(A.SECRET_VALUE, AES_256[:16])
    persistent = objects.create(b"id", ALL)
    public = objects.allocate_transient(T.ECDSA_PUBLIC_KEY, 256)
    pair = objects.allocate_transient(T.RSA_KEYPAIR, 1024)
    for handle in (99, 0, persistent):
        panics(0x807, objects.populate, handle, secret)
        panics(0x804, objects.generate_key, handle, 128)
        panics(0x808, objects.reset_transient, handle)
    panics(0x807, objects.populate, full, secret)
    panics(0x804, objects.generate_key, full, 256)
    panics(0x807, objects.populate, empty)
    panics(0x807, objects.populate, empty, secret, secret)
    panics(0x807, objects.populate, empty, secret, value(A.ECC_CURVE, 3))
    panics(0x807, objects.populate, empty, reference(A.SECRET_VALUE, AES_256))
    panics(0x807, objects.populate, empty, KeyAttribute(attribute=A.SECRET_VALUE, data=bytes(513)))
    panics(0x807, objects.populate, pair, *(reference(a, b"\3") for a in RSA[:4]))
    panics(0x804, objects.generate_key, empty, 256)
    panics(0x804, objects.generate_key, empty, 100)
    panics(0x804, objects.generate_key, empty, 128, secret)
    panics(0x804, objects.generate_key, public, 256, value(A.ECC_CURVE, 3))
    panics(0x804, objects.generate_key, objects.allocate_transient(T.ECDH_KEYPAIR, 256), 256)
    panics(0x803, objects.free_transient, persistent)
    panics(0x803, objects.free_transient, 99)
    panics(0x809, objects.copy_attributes, empty, empty)
    panics(0x809, objects.copy_attributes, full, full)
    panics(0x809, objects.copy_attributes, empty, persistent)
    panics(0x809, objects.copy_attributes, empty, full)
    panics(0x809, objects.copy_attributes, objects.allocate_transient(T.HMAC_SHA256, 256), full)
    panics(0x702, objects.buffer_attribute, empty, A.SECRET_VALUE)
    panics(0x702, objects.buffer_attribute, full, A.ECC_CURVE)
    panics(0x704, objects.value_attribute, full, A.SECRET_VALUE)
    panics(0x805, reference, A.ECC_CURVE, b"")
    panics(0x806, value, A.SECRET_VALUE, 1)
    panics(0x902, objects.create, b"new", ALL, b"", empty)
    panics(0x902, objects.create, b"new", ALL, b"", 99)
    objects.free_transient(0)
    assert objects.info(empty).handle_flags == 0


def test_a_freed_object_is_gone(objects: GpObjects) -> None:
    for away in (objects.free_transient, objects.close):
        handle = aes(objects)
        away(handle)
        panics(0x702, objects.buffer_attribute, handle, A.SECRET_VALUE)


def test_types_and_sizes_that_are_not_here_and_how_many_there_may_be(objects: GpObjects) -> None:
    for kind, bits in (
        (0xA0000045, 256),
        (T.AES, 512),
        (T.RSA_KEYPAIR, 512),
        (T.ECDSA_KEYPAIR, 160),
        (T.HMAC_SHA1, 72),
    ):
        refused(TeeResult.NOT_SUPPORTED, objects.allocate_transient, kind, bits)
    handles = [objects.allocate_transient(T.AES, 128) for _ in range(MAX_TRANSIENT_OBJECTS)]
    refused(TeeResult.OUT_OF_MEMORY, objects.allocate_transient, T.AES, 128)
    objects.free_transient(handles[0])
    objects.allocate_transient(T.AES, 128)


def test_a_protected_attribute_wants_the_usage_extractable_and_a_public_one_does_not(objects: GpObjects) -> None:
    handle = objects.allocate_transient(T.ECDSA_KEYPAIR, 256)
    objects.populate(handle, *ecc(Curve.NIST_P256))
    objects.restrict_usage(handle, EVERYTHING ^ Usage.EXTRACTABLE)
    panics(0x702, objects.buffer_attribute, handle, A.ECC_PRIVATE_VALUE)
    assert objects.buffer_attribute(handle, A.ECC_PUBLIC_VALUE_X).hex().upper() == KNOWN[Curve.NIST_P256][1]
    objects.restrict_usage(handle, EVERYTHING)
    assert objects.info(handle).object_usage == EVERYTHING ^ Usage.EXTRACTABLE, "what was taken does not come back"


def test_a_copy_has_what_both_allow_and_the_public_half_no_secret(objects: GpObjects) -> None:
    pair = objects.allocate_transient(T.ECDSA_KEYPAIR, 384)
    objects.populate(pair, *ecc(Curve.NIST_P384))
    objects.restrict_usage(pair, Usage.SIGN | Usage.VERIFY)
    public = objects.allocate_transient(T.ECDSA_PUBLIC_KEY, 521)
    objects.restrict_usage(public, Usage.VERIFY | Usage.EXTRACTABLE)
    objects.copy_attributes(public, pair)
    info = objects.info(public)
    assert (info.object_type, info.object_size, info.object_usage) == (T.ECDSA_PUBLIC_KEY, 384, Usage.VERIFY)
    assert objects.buffer_attribute(public, A.ECC_PUBLIC_VALUE_Y).hex().upper() == KNOWN[Curve.NIST_P384][2]
    assert public is not None
    key = objects._transients[public].key
    assert key is not None
    assert key.get(A.ECC_PRIVATE_VALUE) is None
    panics(0x809, objects.copy_attributes, objects.allocate_transient(T.ECDH_PUBLIC_KEY, 384), pair)


def test_6013_a_key_made_persistent_is_the_same_after_a_restart_and_encrypts(device: Device) -> None:
    objects = device.objects()
    key = aes(objects)
    objects.restrict_usage(key, Usage.EXTRACTABLE | Usage.ENCRYPT)
    objects.close(objects.create(b"key", ALL, b"and data", attributes=key))
    device.boot()
    objects = device.objects()
    handle = objects.open(b"key", READ)
    info = objects.info(handle)
    assert (info.object_type, info.object_size, info.max_object_size, info.object_usage) == (T.AES, 256, 256, 3)
    assert (info.data_size, info.handle_flags) == (8, 0x30001)
    assert objects.read(handle, 100) == b"and data"
    secret = objects.buffer_attribute(handle, A.SECRET_VALUE)
    encryptor = Cipher(algorithms.AES(secret), modes.ECB()).encryptor()
    assert (
        encryptor.update(bytes.fromhex("00112233445566778899aabbccddeeff")).hex() == "8ea2b7ca516745bfeafc49904b496089"
    )
    copy = objects.allocate_transient(T.AES, 256)
    objects.copy_attributes(copy, handle)
    assert (objects.info(copy).object_usage, objects.buffer_attribute(copy, A.SECRET_VALUE)) == (3, AES_256)


def test_data_of_a_key_object_changes_and_the_key_does_not(device: Device) -> None:
    objects = device.objects()
    pair = rsa_pair(objects)
    modulus = objects.buffer_attribute(pair, A.RSA_MODULUS)
    handle = objects.create(b"a", ALL, b"12345", attributes=pair)
    objects.write(handle, b"xy")
    objects.truncate(handle, 3)
    objects.rename(handle, b"b")
    objects.restrict_usage(handle, Usage.SIGN)
    objects.restrict_usage(handle, EVERYTHING)
    objects.close(handle)
    device.boot()
    objects = device.objects()
    handle = objects.open(b"b", READ | META)
    assert objects.read(handle, 9) == b"xy3"
    assert objects.buffer_attribute(handle, A.RSA_MODULUS) == modulus
    panics(0x702, objects.buffer_attribute, handle, A.RSA_PRIVATE_EXPONENT)
    another = objects.create(b"c", WRITE, attributes=handle)
    assert (objects.info(another).object_usage, objects.info(another).object_type) == (Usage.SIGN, T.RSA_KEYPAIR)
    enumerators = device.enumerators()
    number = enumerators.allocate()
    enumerators.start(number)
    seen = dict(enumerators.get_next(number) for _ in range(2))
    assert {name: info.object_type for name, info in seen.items()} == {b"b": T.RSA_KEYPAIR, b"c": T.RSA_KEYPAIR}
    objects.close(another)
    plain = objects.create(b"c", ALL | 0x400, b"data")
    assert (objects.info(plain).object_type, objects.read(plain, 9)) == (0xA00000BF, b"data"), "overwritten by data"
    refused(TeeResult.ITEM_NOT_FOUND, objects.buffer_attribute, plain, A.SECRET_VALUE)


@pytest.mark.parametrize("key", [b"", b"\0", b"\0\5abc", b"\0\3\x83\x00\x00", b"\xff\xff"])
def test_a_key_object_without_the_key_that_it_should_hold_is_corrupt(device: Device, key: bytes) -> None:
    store = device.store.namespace(UUID(int=1))
    with store.transaction() as transaction:
        transaction.put(b"\0id", bytes(4) + b"\2id" + key, kind="gp-key")
    refused(TeeResult.CORRUPT_OBJECT, device.objects().open, b"id", READ)


def test_a_stored_key_of_attributes_out_of_order_is_refused() -> None:
    one, two = reference(A.SECRET_VALUE, b"1"), reference(A.RSA_PRIME1, b"2")
    for attributes in ((two, one), (one, one)):
        with pytest.raises(TeeError, match="attributes are out of order"):
            Key(object_type=T.AES, size_bits=8, attributes=attributes)


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(list(T)),
    attributes=st.lists(
        st.builds(KeyAttribute, attribute=st.sampled_from(list(A)), data=st.binary(max_size=70), a=st.integers(0, 9)),
        max_size=9,
    ),
)
def test_any_attributes_are_a_key_or_refused_or_a_panic(kind: ObjectType, attributes: list[KeyAttribute]) -> None:
    objects = GpObjects(Device().store.namespace(UUID(int=1)))
    sizes: Any = RULES[kind].sizes_bits
    handle = objects.allocate_transient(kind, max(sizes))
    try:
        objects.populate(handle, *attributes)
    except TeeError as error:
        assert error.result is TeeResult.BAD_PARAMETERS
    except TaPanic as panic:
        assert panic.function.number == 0x807
    else:
        assert objects.info(handle).object_size in sizes
        return
    assert objects.info(handle).handle_flags == 0


def test_6010_seek_on_a_transient_object_panics_and_its_usage_can_be_restricted(objects: GpObjects) -> None:
    handle = aes(objects)
    objects.restrict_usage(handle, 0)
    assert objects.info(handle).object_usage == 0
    with pytest.raises(TaPanic) as caught:
        objects.seek(handle, 0, Whence.SET)
    assert (caught.value.function.number, caught.value.result) == (0xB02, TeeResult.BAD_PARAMETERS)
