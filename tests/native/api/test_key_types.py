"""Every type of object with every attribute: what populate and generate take, and what may be copied to what."""

from functools import cache
from itertools import product
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa

from tee_sim.gp_objects.key_types import CRT, RULES, Attribute, Curve, KeyFamily, ObjectType, is_public, is_value
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.gp_functions import Function
from tests.native.api.native import META, PRIVATE, READ, App, Panicked, Refused

F, A, T = Function, Attribute, ObjectType
Words = dict[Attribute, list[object]]

# RFC 2409, section 6.1: 768 bits, generator 2.
DH_PRIME = bytes.fromhex(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
    "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A3620FFFFFFFFFFFFFFFF"
)
BITS = {KeyFamily.RSA: 1024, KeyFamily.DSA: 1024, KeyFamily.DH: 768, KeyFamily.ECC: 256}
"""Of the keys here; of the others, the smallest."""


@cache
def dsa_domain() -> dict[Attribute, bytes]:
    made = dsa.generate_parameters(1024).parameter_numbers()
    return {one: number.to_bytes((number.bit_length() + 7) // 8, "big") for one, number in
            ((A.DSA_PRIME, made.p), (A.DSA_SUBPRIME, made.q), (A.DSA_BASE, made.g))}  # fmt: skip


def bits_of(kind: ObjectType) -> int:
    rules = RULES[kind]
    return BITS.get(rules.family) or min(rules.sizes_bits)  # type: ignore[call-overload,no-any-return]


def parameters(kind: ObjectType) -> Words:
    """What generate needs for this type."""
    match RULES[kind].family:
        case KeyFamily.DSA:
            return {one: [one, held] for one, held in dsa_domain().items()}
        case KeyFamily.DH:
            return {A.DH_PRIME: [A.DH_PRIME, DH_PRIME], A.DH_BASE: [A.DH_BASE, b"\2"]}
        case KeyFamily.ECC:
            return {A.ECC_CURVE: [A.ECC_CURVE, int(Curve.NIST_P256), 0]}
    return {}


def words_of(app: App, handle: int, attribute: Attribute) -> list[object]:
    """An attribute of an object, as one may give it to another."""
    if is_value(attribute):
        return [attribute, *app.ask(F.GET_OBJECT_VALUE_ATTRIBUTE, handle, attribute)]
    return [attribute, app.one(F.GET_OBJECT_BUFFER_ATTRIBUTE, handle, attribute, 4096)]


def allocated(app: App, kind: ObjectType) -> int:
    return int(app.one(F.ALLOCATE_TRANSIENT_OBJECT, int(kind), bits_of(kind)))


def pair_of(kind: ObjectType) -> ObjectType:
    return next((pair for pair, rules in RULES.items() if rules.public is kind), kind)


@cache
def whole(kind: ObjectType) -> Words:
    """Every attribute that an object of this type has, of one key."""
    app, pair = App(), pair_of(kind)
    handle = allocated(app, pair)
    app.ask(F.GENERATE_KEY, handle, bits_of(pair), list(parameters(pair).values()))
    rules = RULES[kind]
    held = rules.required | (rules.optional if rules.family is KeyFamily.RSA else set())
    return {one: words_of(app, handle, one) for one in sorted(held)}


OPTIONAL = {
    A.DH_SUBPRIME: [A.DH_SUBPRIME, ((int.from_bytes(DH_PRIME, "big") - 1) // 2).to_bytes(96, "big")],
    A.DH_X_BITS: [A.DH_X_BITS, 767, 0],
}


def populated(kind: ObjectType, given: Words) -> tuple[App, int]:
    app = App()
    handle = allocated(app, kind)
    app.ask(F.POPULATE_TRANSIENT_OBJECT, handle, list(given.values()))
    return app, handle


ALL_TYPES = pytest.mark.parametrize("kind", T, ids=lambda kind: kind.name)


@ALL_TYPES
def test_a_whole_key_is_taken_and_read_again(kind: ObjectType) -> None:
    app, handle = populated(kind, whole(kind))
    info = app.ask(F.GET_OBJECT_INFO1, handle)
    assert info == [kind, bits_of(kind), bits_of(kind), 0xFFFFFFFF, 0, 0, 0x20000]
    for attribute in whole(kind):
        assert words_of(app, handle, attribute) == whole(kind)[attribute]


@ALL_TYPES
def test_each_attribute_is_needed_or_may_be_or_must_not(kind: ObjectType) -> None:
    for attribute in A:
        _judge(kind, attribute)


def _judge(kind: ObjectType, attribute: Attribute) -> None:
    rules, given = RULES[kind], dict(whole(kind))
    if attribute in CRT and kind is T.RSA_KEYPAIR:
        del given[attribute]  # all of them or none
        with pytest.raises(Panicked):
            populated(kind, given)
        populated(kind, {one: held for one, held in given.items() if one not in CRT})
    elif attribute in rules.required:
        del given[attribute]
        with pytest.raises(Panicked):
            populated(kind, given)
    elif attribute in rules.optional:
        app, handle = populated(kind, {**given, attribute: OPTIONAL[attribute]})
        assert words_of(app, handle, attribute) == OPTIONAL[attribute]
    else:
        extra: list[object] = [int(attribute), 1, 0] if is_value(attribute) else [int(attribute), b"\1"]
        with pytest.raises(Panicked):
            populated(kind, {**given, attribute: extra})


@ALL_TYPES
def test_a_value_that_is_wrong_is_refused_and_the_object_stays_empty(kind: ObjectType) -> None:
    app = App()
    handle = allocated(app, kind)
    wrong = {one: [held[0], b"\0" if len(held) == 2 else 0x777, *held[2:]] for one, held in whole(kind).items()}
    if RULES[kind].family is KeyFamily.SECRET and bits_of(kind) == 8:
        wrong = {one: [one, b""] for one in wrong}  # any byte is a secret
    with pytest.raises(Refused) as caught:
        app.ask(F.POPULATE_TRANSIENT_OBJECT, handle, list(wrong.values()))
    assert caught.value.result is TeeResult.BAD_PARAMETERS
    assert app.ask(F.GET_OBJECT_INFO1, handle)[1] == 0
    app.ask(F.POPULATE_TRANSIENT_OBJECT, handle, list(whole(kind).values()))


def _other(held: list[object]) -> list[object]:
    """The same attribute with its last bit changed."""
    data = held[1]
    assert isinstance(data, bytes)
    return [held[0], data[:-1] + bytes([data[-1] ^ 2])]


@pytest.mark.parametrize("kind", [t for t in T if RULES[t].public or t is T.DH_KEYPAIR], ids=lambda kind: kind.name)
def test_halves_that_do_not_go_together_are_no_pair(kind: ObjectType) -> None:
    for attribute, held in whole(kind).items():
        if is_value(attribute) or attribute in {A.DH_PRIME, A.DH_BASE, A.DSA_PRIME, A.DSA_SUBPRIME, A.DSA_BASE}:
            continue
        with pytest.raises(Refused) as caught:
            populated(kind, {**whole(kind), attribute: _other(held)})
        assert caught.value.result is TeeResult.BAD_PARAMETERS


@ALL_TYPES
def test_generate_takes_the_parameters_of_its_type(kind: ObjectType) -> None:
    rules = RULES[kind]
    for attribute in A:
        app = App()
        handle = allocated(app, kind)
        given = dict(parameters(kind))
        if rules.parameters is not None and attribute in rules.parameters:
            del given[attribute]
        elif attribute in rules.optional_parameters or attribute in given:
            continue
        else:
            given[attribute] = [int(attribute), 1, 0] if is_value(attribute) else [int(attribute), b"\1"]
        with pytest.raises(Panicked):
            app.ask(F.GENERATE_KEY, handle, bits_of(kind), list(given.values()))
    if rules.parameters is None:
        return
    app = App()
    first, second = allocated(app, kind), allocated(app, kind)
    for handle in (first, second):
        app.ask(F.GENERATE_KEY, handle, bits_of(kind), list(parameters(kind).values()))
        assert app.ask(F.GET_OBJECT_INFO1, handle)[:2] == [kind, bits_of(kind)]
    own = [one for one in rules.required if not is_public(one)]
    if bits_of(kind) > 8:
        assert all(words_of(app, first, one) != words_of(app, second, one) for one in own)


def test_optional_parameters_of_generate() -> None:
    app = App()
    handle = allocated(app, T.DH_KEYPAIR)
    given = [*parameters(T.DH_KEYPAIR).values(), [A.DH_X_BITS, 160, 0], OPTIONAL[A.DH_SUBPRIME]]
    app.ask(F.GENERATE_KEY, handle, 768, given)
    secret = app.one(F.GET_OBJECT_BUFFER_ATTRIBUTE, handle, int(A.DH_PRIVATE_VALUE), 96)
    assert len(secret) <= 20
    assert app.ask(F.GET_OBJECT_VALUE_ATTRIBUTE, handle, int(A.DH_X_BITS)) == [160, 0]
    public = app.one(F.GET_OBJECT_BUFFER_ATTRIBUTE, handle, int(A.DH_PUBLIC_VALUE), 96)
    prime = int.from_bytes(DH_PRIME, "big")
    assert int.from_bytes(public, "big") == pow(2, int.from_bytes(secret, "big"), prime)
    for exponent, bits in ((b"\1\0\1", 1024), (b"\0\3", 1024), (b"\3", 1027)):
        handle = app.one(F.ALLOCATE_TRANSIENT_OBJECT, int(T.RSA_KEYPAIR), bits)
        app.ask(F.GENERATE_KEY, handle, bits, [[A.RSA_PUBLIC_EXPONENT, exponent]])
        held = app.one(F.GET_OBJECT_BUFFER_ATTRIBUTE, handle, int(A.RSA_PUBLIC_EXPONENT), 9)
        assert int.from_bytes(held, "big") == int.from_bytes(exponent, "big")
        assert app.ask(F.GET_OBJECT_INFO1, handle)[1] == bits
    handle = allocated(app, T.RSA_KEYPAIR)
    with pytest.raises(Refused) as caught:
        app.ask(F.GENERATE_KEY, handle, 1024, [[A.RSA_PUBLIC_EXPONENT, b"\5"]])
    assert caught.value.result is TeeResult.BAD_PARAMETERS


@pytest.mark.parametrize("source", T, ids=lambda kind: kind.name)
def test_an_object_is_copied_to_its_own_type_and_a_pair_to_its_public_half(source: ObjectType) -> None:
    for kind in T:
        app, handle = populated(source, whole(source))
        largest = max(bits_of(source), bits_of(kind))
        sizes: Any = RULES[kind].sizes_bits
        if largest not in sizes:
            largest = max(sizes)
        copy = app.one(F.ALLOCATE_TRANSIENT_OBJECT, int(kind), largest)
        if kind in (source, RULES[source].public):
            app.ask(F.COPY_OBJECT_ATTRIBUTES1, copy, handle)
            for attribute in RULES[kind].required:
                assert words_of(app, copy, attribute) == whole(source)[attribute]
        else:
            with pytest.raises(Panicked):
                app.ask(F.COPY_OBJECT_ATTRIBUTES1, copy, handle)


@ALL_TYPES
def test_a_key_of_any_type_survives_the_reboot(kind: ObjectType) -> None:
    app, handle = populated(kind, whole(kind))
    app.ask(F.RESTRICT_OBJECT_USAGE1, handle, 0x5)
    app.ask(F.CREATE_PERSISTENT_OBJECT, PRIVATE, b"key", READ | META, handle, b"beside", 6)
    app = app.restarted()
    opened = app.one(F.OPEN_PERSISTENT_OBJECT, PRIVATE, b"key", READ)
    assert app.ask(F.GET_OBJECT_INFO1, opened) == [kind, bits_of(kind), bits_of(kind), 0x5, 6, 0, 0x30001]
    for attribute in whole(kind):
        assert words_of(app, opened, attribute) == whole(kind)[attribute]
    assert app.one(F.READ_OBJECT_DATA, opened, 9) == b"beside"


@pytest.mark.parametrize(("kind", "without", "having"), [(T.DES, 56, 64), (T.DES3, 112, 128), (T.DES3, 168, 192)])
def test_sizes_of_des_may_be_given_without_parity(kind: ObjectType, without: int, having: int) -> None:
    app = App()
    handle = app.one(F.ALLOCATE_TRANSIENT_OBJECT, int(kind), without)
    app.ask(F.GENERATE_KEY, handle, without, [])
    assert app.ask(F.GET_OBJECT_INFO1, handle)[1:3] == [having, having]
    assert len(app.one(F.GET_OBJECT_BUFFER_ATTRIBUTE, handle, int(A.SECRET_VALUE), 99)) * 8 == having


def test_types_of_the_specification_that_are_not_here() -> None:
    sm2 = {0xA0000045, 0xA1000045, 0xA0000046, 0xA1000046, 0xA0000047, 0xA1000047}
    for kind, bits in product(sm2 | {0xA00000BE, 0xA00000BF, 0xDEAD}, (8, 256)):
        with pytest.raises(Refused) as caught:
            App().ask(F.ALLOCATE_TRANSIENT_OBJECT, kind, bits)
        assert caught.value.result is TeeResult.NOT_SUPPORTED
