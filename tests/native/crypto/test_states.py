"""Which call is allowed when: every function on an operation of every class in every state, and sequences at random."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tee_sim.gp_objects.key_types import Curve, ObjectType
from tee_sim.shared.errors import TeeResult
from tee_sim.shared.gp_functions import BY_NUMBER
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
    PanickedError,
    RefusedError,
    Ta,
    panics,
)

T = ObjectType
BLOCK, NONCE, HASH = bytes(16), bytes(12), bytes(32)

# Arguments with which a function does its work, on every operation that may be in the right state.
ARGUMENTS: dict[F, tuple[object, ...]] = {
    F.DIGEST_UPDATE: (BLOCK,),
    F.DIGEST_DO_FINAL: (None, 0, ROOM),
    F.DIGEST_EXTRACT: (8,),
    F.CIPHER_INIT: (BLOCK,),
    F.CIPHER_UPDATE: (BLOCK, 0, ROOM),
    F.CIPHER_DO_FINAL: (BLOCK, 0, ROOM),
    F.MAC_INIT: (None,),
    F.MAC_UPDATE: (BLOCK,),
    F.MAC_COMPUTE_FINAL: (None, 0, ROOM),
    F.MAC_COMPARE_FINAL: (None, 0, b"another"),
    F.AE_INIT: (NONCE, 128, 0, 0),
    F.AE_UPDATE_AAD: (b"",),
    F.AE_UPDATE: (BLOCK, 0, ROOM),
    F.AE_ENCRYPT_FINAL: (BLOCK, 0, ROOM, 16),
    F.AE_DECRYPT_FINAL: (BLOCK, 0, ROOM, BLOCK),
    F.ASYMMETRIC_ENCRYPT: ([], BLOCK, ROOM),
    F.ASYMMETRIC_DECRYPT: ([], bytes(127) + b"\1", ROOM),
    F.ASYMMETRIC_SIGN_DIGEST: ([], HASH, ROOM),
    F.ASYMMETRIC_VERIFY_DIGEST: ([], HASH, bytes(64)),
    F.DERIVE_KEY: ([[0xF00004C0, 16, 0]], 0),
}

KINDS: dict[str, tuple[str, int, Callable[[Ta], int] | None]] = {
    "digest": ("SHA256", DIGEST, None),
    "cipher": ("AES_CBC_NOPAD", ENCRYPT, lambda ta: ta.secret(T.AES, BLOCK)),
    "mac": ("AES_CMAC", MAC, lambda ta: ta.secret(T.AES, BLOCK)),
    "encrypting": ("AES_GCM", ENCRYPT, lambda ta: ta.secret(T.AES, BLOCK)),
    "decrypting": ("AES_GCM", DECRYPT, lambda ta: ta.secret(T.AES, BLOCK)),
    "rsa encrypting": ("RSA_NOPAD", ENCRYPT, keys.rsa_public),
    "rsa decrypting": ("RSA_NOPAD", DECRYPT, keys.rsa_pair),
    "signing": ("ECDSA_SHA256", SIGN, lambda ta: keys.ec_pair(ta, T.ECDSA_KEYPAIR, Curve.NIST_P256)),
    "verifying": ("ECDSA_SHA256", VERIFY, lambda ta: keys.ec_public(ta, T.ECDSA_PUBLIC_KEY, Curve.NIST_P256)),
    "deriving": ("HKDF_SHA256_DERIVE_KEY", DERIVE, lambda ta: ta.secret(T.HKDF_IKM, BLOCK)),
}

# How a state is reached: the calls, on the kinds that have it.
INTO: dict[tuple[str, str], list[F]] = {
    ("digest", "active"): [F.DIGEST_UPDATE],
    ("digest", "extracting"): [F.DIGEST_EXTRACT],
    ("cipher", "active"): [F.CIPHER_INIT],
    ("mac", "active"): [F.MAC_INIT],
    ("encrypting", "started"): [F.AE_INIT],
    ("encrypting", "active"): [F.AE_INIT, F.AE_UPDATE],
    ("decrypting", "started"): [F.AE_INIT],
    ("decrypting", "active"): [F.AE_INIT, F.AE_UPDATE],
}
PLACES = [(kind, "initial") for kind in KINDS] + list(INTO)

# The specification, sections 6.3 to 6.8: what is no panic where.
ALLOWED: dict[F, set[tuple[str, str]]] = {
    F.DIGEST_UPDATE: {("digest", "initial"), ("digest", "active")},
    F.DIGEST_DO_FINAL: {("digest", "initial"), ("digest", "active"), ("digest", "extracting")},
    F.DIGEST_EXTRACT: {("digest", "initial"), ("digest", "active"), ("digest", "extracting")},
    F.CIPHER_INIT: {("cipher", "initial"), ("cipher", "active")},
    F.CIPHER_UPDATE: {("cipher", "active")},
    F.CIPHER_DO_FINAL: {("cipher", "active")},
    F.MAC_INIT: {("mac", "initial"), ("mac", "active")},
    F.MAC_UPDATE: {("mac", "active")},
    F.MAC_COMPUTE_FINAL: {("mac", "active")},
    F.MAC_COMPARE_FINAL: {("mac", "active")},
    F.AE_INIT: {(kind, state) for kind in ("encrypting", "decrypting") for state in ("initial", "started")},
    F.AE_UPDATE_AAD: {("encrypting", "started"), ("decrypting", "started")},
    F.AE_UPDATE: {(kind, state) for kind in ("encrypting", "decrypting") for state in ("started", "active")},
    F.AE_ENCRYPT_FINAL: {("encrypting", "started"), ("encrypting", "active")},
    F.AE_DECRYPT_FINAL: {("decrypting", "started"), ("decrypting", "active")},
    F.ASYMMETRIC_ENCRYPT: {("rsa encrypting", "initial")},
    F.ASYMMETRIC_DECRYPT: {("rsa decrypting", "initial")},
    F.ASYMMETRIC_SIGN_DIGEST: {("signing", "initial")},
    F.ASYMMETRIC_VERIFY_DIGEST: {("verifying", "initial")},
    F.DERIVE_KEY: {("deriving", "initial")},
}


def arguments(ta: Ta, function: F) -> list[object]:
    given = list(ARGUMENTS[function])
    if function is F.DERIVE_KEY:
        given[-1] = ta.objects.allocate_transient(T.GENERIC_SECRET, 256)
    return given


def placed(ta: Ta, kind: str, state: str, *, keyed: bool = True) -> int:
    name, mode, key = KINDS[kind]
    if key is None or not keyed:
        operation = ta.operation(name, mode, max_bits=1024 if name == "RSA_NOPAD" else 256)
    else:
        operation = ta.operation(name, mode, key(ta))
    for function in INTO.get((kind, state), []):
        ta.call(function, operation, *arguments(ta, function))
    return operation


@pytest.mark.parametrize("function", list(ALLOWED), ids=lambda one: one.c_name)
def test_a_function_panics_outside_its_states(function: F) -> None:
    for place in PLACES:
        ta = Ta()
        operation = placed(ta, *place)
        call = (function, operation, *arguments(ta, function))
        if place not in ALLOWED[function]:
            panics(ta.call, *call)
            continue
        try:
            ta.call(*call)
        except RefusedError as error:
            assert error.result in (TeeResult.MAC_INVALID, TeeResult.SIGNATURE_INVALID)


@pytest.mark.parametrize("function", list(ALLOWED), ids=lambda one: one.c_name)
def test_a_function_panics_without_a_key_or_an_operation(function: F) -> None:
    for kind, _ in ALLOWED[function]:
        if kind != "digest":
            ta = Ta()
            panics(ta.call, function, placed(ta, kind, "initial", keyed=False), *arguments(ta, function))
    for handle in (0, 1, (1 << 64) - 1):
        ta = Ta()
        panics(ta.call, function, handle, *arguments(ta, function))


def test_the_end_of_a_message_is_the_beginning_of_the_next() -> None:
    """MAC_INVALID ends it as well; SHORT_BUFFER does not."""
    for kind, state, function, words in (
        ("digest", "active", F.DIGEST_DO_FINAL, (None, 0, ROOM)),
        ("digest", "extracting", F.DIGEST_DO_FINAL, (None, 0, ROOM)),
        ("cipher", "active", F.CIPHER_DO_FINAL, (BLOCK, 0, ROOM)),
        ("mac", "active", F.MAC_COMPUTE_FINAL, (None, 0, ROOM)),
        ("mac", "active", F.MAC_COMPARE_FINAL, (None, 0, b"")),
        ("encrypting", "active", F.AE_ENCRYPT_FINAL, (b"", 0, 0, 16)),
        ("decrypting", "started", F.AE_DECRYPT_FINAL, (b"", 0, 0, b"")),
    ):
        ta = Ta()
        operation = placed(ta, kind, state)
        try:
            ta.call(function, operation, *words)
        except RefusedError as error:
            assert error.result == TeeResult.MAC_INVALID
        assert ta.call(F.GET_OPERATION_INFO_MULTIPLE, operation, ROOM)[6] == 0
        assert not ta.call(F.GET_OPERATION_INFO, operation)[7] & 0x20000 or kind == "digest"


# Sequences at random

_handles = st.integers(0, 6)
_sizes = st.sampled_from((0, 1, 15, 16, 17, 32, 33, 200))
_data = st.one_of(st.none(), _sizes.map(bytes), st.binary(max_size=40))
_rooms = st.one_of(st.none(), st.sampled_from((0, 1, 15, 16, 20, 32, 64, 128, 1 << 16)))
_counts = st.sampled_from((0, 0, 0, 1, 16))
_words = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from((0xD0000930, 0xD0000643, 0xD0000141, 0xD0000241, 0xD0000931)), st.binary(max_size=33)
        ),
        st.tuples(st.sampled_from((0xF0000A30, 0xF0000004, 0xF00004C0, 0xF0000B46)), st.integers(0, 300), st.just(0)),
    ).map(list),
    max_size=3,
)
_numbers = st.sampled_from(sorted(NUMBERS.values()))

SHAPES: dict[F, tuple[st.SearchStrategy[Any], ...]] = {
    F.ALLOCATE_OPERATION: (_numbers, st.integers(0, 7), st.sampled_from((0, 64, 128, 192, 256, 448, 521, 1024))),
    F.FREE_OPERATION: (_handles,),
    F.GET_OPERATION_INFO: (_handles,),
    F.GET_OPERATION_INFO_MULTIPLE: (_handles, st.sampled_from((0, 31, 32, 40, 48))),
    F.RESET_OPERATION: (_handles,),
    F.SET_OPERATION_KEY: (_handles, _handles),
    F.SET_OPERATION_KEY2: (_handles, _handles, _handles),
    F.COPY_OPERATION: (_handles, _handles),
    F.IS_ALGORITHM_SUPPORTED: (_numbers, st.integers(0, 8)),
    F.DIGEST_UPDATE: (_handles, _data),
    F.DIGEST_DO_FINAL: (_handles, _data, _counts, _rooms),
    F.DIGEST_EXTRACT: (_handles, _rooms),
    F.CIPHER_INIT: (_handles, _data),
    F.CIPHER_UPDATE: (_handles, _data, _counts, _rooms),
    F.CIPHER_DO_FINAL: (_handles, _data, _counts, _rooms),
    F.MAC_INIT: (_handles, _data),
    F.MAC_UPDATE: (_handles, _data),
    F.MAC_COMPUTE_FINAL: (_handles, _data, _counts, _rooms),
    F.MAC_COMPARE_FINAL: (_handles, _data, _counts, _data),
    F.AE_INIT: (_handles, _data, st.sampled_from((0, 32, 64, 96, 128)), _counts, _counts),
    F.AE_UPDATE_AAD: (_handles, _data),
    F.AE_UPDATE: (_handles, _data, _counts, _rooms),
    F.AE_ENCRYPT_FINAL: (_handles, _data, _counts, _rooms, _rooms),
    F.AE_DECRYPT_FINAL: (_handles, _data, _counts, _rooms, _data),
    F.ASYMMETRIC_ENCRYPT: (_handles, _words, _data, _rooms),
    F.ASYMMETRIC_DECRYPT: (_handles, _words, _data, _rooms),
    F.ASYMMETRIC_SIGN_DIGEST: (_handles, _words, _data, _rooms),
    F.ASYMMETRIC_VERIFY_DIGEST: (_handles, _words, _data, _data),
    F.DERIVE_KEY: (_handles, _words, _handles),
}
_calls = st.sampled_from(list(SHAPES)).flatmap(lambda one: st.tuples(st.just(one), *SHAPES[one]))


def test_the_shapes_are_of_all_functions_of_section_6() -> None:
    assert set(SHAPES) == {one for one in BY_NUMBER.values() if 0xC01 <= one.number <= 0x1201}


def answers_as_its_row_says(ta: Ta, call: tuple[Any, ...]) -> None:
    function, *words = call
    try:
        ta.call(function, *words)
    except RefusedError as error:
        assert function.may_return(error.result)
        if error.result == TeeResult.SHORT_BUFFER:
            assert error.outputs
            assert all(type(size) is int and size >= 0 for size in error.outputs)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.lists(_calls, max_size=12))
def test_any_sequence_of_calls_gives_what_it_may_or_panics(kind: str, calls: list[tuple[Any, ...]]) -> None:
    """Operation 1 is of the kind and has its key; object handles are few, so that some of them are right."""
    ta = Ta()
    placed(ta, kind, "initial")
    for call in calls:
        with suppress(PanickedError):  # after which a host that is hostile goes on
            answers_as_its_row_says(ta, call)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_sequences_on_one_operation_reach_its_depths(data: st.DataObject) -> None:
    """Functions of its own class alone, so that few of them panic."""
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    ta = Ta()
    operation = placed(ta, kind, "initial")
    mine = [one for one, places in ALLOWED.items() if any(place[0] == kind for place in places)]
    for function in data.draw(st.lists(st.sampled_from([*mine, F.RESET_OPERATION]), max_size=10)):
        drawn = [data.draw(shape) for shape in SHAPES[function][1:]]
        with suppress(PanickedError):
            answers_as_its_row_says(ta, (function, operation, *drawn))
