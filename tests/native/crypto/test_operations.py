"""The generic functions: allocation, keys, what an operation says of itself, copies, and rooms that are too small."""

import tracemalloc
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tee_sim.gp_api.ae_states import MAX_COPIED_BYTES, Gcm
from tee_sim.gp_api.algorithm import Kind, Mode
from tee_sim.gp_api.algorithms import ALGORITHMS
from tee_sim.gp_api.operations import MAX_OPERATIONS
from tee_sim.gp_objects.constants import Flag
from tee_sim.gp_objects.key_types import RULES, Curve, ObjectType
from tee_sim.shared.errors import TeeError, TeeResult
from tests.native.crypto import keys
from tests.native.crypto.ta import DECRYPT, DERIVE, DIGEST, ENCRYPT, MAC, NUMBERS, ROOM, SIGN, F, Ta, panics, refused
from tests.native.crypto.test_states import BLOCK, KINDS, NONCE, placed

T = ObjectType
KEY_SET, INITIALIZED, TWO_KEYS, EXTRACTING = 0x40000, 0x20000, 0x80000, 0x100000


@pytest.mark.parametrize("row", ALGORITHMS.values(), ids=lambda row: row.name)
def test_each_algorithm_has_its_modes_and_sizes_and_no_others(row: Any) -> None:
    ta = Ta()
    for mode in range(8):
        if not row.has_mode(mode):
            refused(TeeResult.NOT_SUPPORTED, ta.call, F.ALLOCATE_OPERATION, row.number, mode, 256)
            continue
        sizes = [size for size in range(0, 4104, 1) if row.takes_size(Mode(mode), size)]
        assert sizes
        (handle,) = ta.call(F.ALLOCATE_OPERATION, row.number, mode, sizes[0])
        info = ta.call(F.GET_OPERATION_INFO, handle)
        assert info[:3] == [row.number, row.number >> 28 if row.number < 0xF0000000 else row.kind, mode]
        assert info[4:6] == [sizes[0], 0]
        if row.kind is not Kind.DIGEST:
            for size in (0, 7, 4097):
                refused(TeeResult.NOT_SUPPORTED, ta.call, F.ALLOCATE_OPERATION, row.number, mode, size)


def test_an_algorithm_that_is_not_here_is_not_supported() -> None:
    ta = Ta()
    for number in (0, 0x10000510, 0x60000045, 0x80000046, 0x5000000F, 0xFFFFFFFF):
        for mode in range(7):
            refused(TeeResult.NOT_SUPPORTED, ta.call, F.ALLOCATE_OPERATION, number, mode, 256)
        refused(TeeResult.NOT_SUPPORTED, ta.call, F.IS_ALGORITHM_SUPPORTED, number, 0)


def test_operations_are_64() -> None:
    ta = Ta()
    handles = [ta.operation("SHA256", DIGEST) for _ in range(MAX_OPERATIONS)]
    assert len(handles) == 64
    refused(TeeResult.OUT_OF_MEMORY, ta.call, F.ALLOCATE_OPERATION, NUMBERS["SHA256"], DIGEST, 0)
    ta.call(F.FREE_OPERATION, handles[0])
    assert ta.operation("SHA256", DIGEST) not in handles


def test_a_freed_operation_is_none() -> None:
    ta = Ta()
    handle = ta.operation("SHA256", DIGEST)
    assert ta.call(F.FREE_OPERATION, 0) == []
    ta.call(F.FREE_OPERATION, handle)
    for function in (F.FREE_OPERATION, F.GET_OPERATION_INFO, F.RESET_OPERATION):
        panics(ta.call, function, handle)
    panics(ta.call, F.GET_OPERATION_INFO_MULTIPLE, handle, 100)
    panics(ta.call, F.COPY_OPERATION, handle, handle)


@pytest.mark.parametrize(
    ("name", "element", "supported"),
    [
        ("SHA256", 0, True),
        ("SHA256", 1, False),
        ("AES_GCM", 0, True),
        ("ECDSA_SHA256", 3, True),
        ("ECDSA_SHA256", 0x104, True),
        ("ECDSA_SHA256", 0, False),
        ("ECDSA_SHA256", 0x300, False),
        ("ECDH_DERIVE_SHARED_SECRET", 5, True),
        ("ED25519", 0x300, True),
        ("ED25519", 0, False),
        ("X448", 0x301, True),
    ],
)
def test_is_algorithm_supported(name: str, element: int, supported: bool) -> None:
    call = (F.IS_ALGORITHM_SUPPORTED, NUMBERS[name], element)
    if supported:
        assert Ta().call(*call) == []
    else:
        refused(TeeResult.NOT_SUPPORTED, Ta().call, *call)


# Keys


def test_what_an_operation_says_of_itself() -> None:
    ta = Ta()
    key = ta.secret(T.AES, BLOCK)
    cipher = ta.operation("AES_CBC_NOPAD", DECRYPT, max_bits=256)
    assert ta.call(F.GET_OPERATION_INFO, cipher) == [0x10000110, 1, 1, 0, 256, 0, 4, 0]
    ta.call(F.SET_OPERATION_KEY, cipher, key)
    assert ta.call(F.GET_OPERATION_INFO, cipher) == [0x10000110, 1, 1, 0, 256, 128, 4, KEY_SET]
    assert ta.call(F.GET_OPERATION_INFO_MULTIPLE, cipher, 40) == [0x10000110, 1, 1, 0, 256, KEY_SET, 0, [[128, 4]]]
    ta.call(F.CIPHER_INIT, cipher, BLOCK)
    assert ta.call(F.GET_OPERATION_INFO_MULTIPLE, cipher, 40)[5:7] == [KEY_SET | INITIALIZED, 1]
    ta.call(F.RESET_OPERATION, cipher)
    assert ta.call(F.GET_OPERATION_INFO_MULTIPLE, cipher, 40)[5:7] == [KEY_SET, 0]
    ta.call(F.SET_OPERATION_KEY, cipher, 0)
    assert ta.call(F.GET_OPERATION_INFO, cipher)[5:] == [0, 4, 0]
    panics(ta.call, F.RESET_OPERATION, cipher)


def test_what_operations_of_other_kinds_say() -> None:
    ta = Ta()
    digest = ta.operation("SHA384", DIGEST)
    assert ta.call(F.GET_OPERATION_INFO, digest) == [0x50000005, 5, 5, 48, 0, 0, 0, KEY_SET | INITIALIZED]
    assert ta.call(F.GET_OPERATION_INFO_MULTIPLE, digest, 32)[7] == []
    ta.call(F.DIGEST_EXTRACT, digest, 1)
    assert ta.call(F.GET_OPERATION_INFO_MULTIPLE, digest, 32)[5:7] == [KEY_SET | INITIALIZED | EXTRACTING, 2]
    first, second = ta.secret(T.AES, BLOCK), ta.secret(T.AES, bytes(15) + b"\1")
    unit = ta.operation("AES_XTS", ENCRYPT, first, second)
    assert ta.call(F.GET_OPERATION_INFO, unit) == [0x10000410, 1, 0, 0, 256, 0, 0, KEY_SET | TWO_KEYS]
    assert ta.call(F.GET_OPERATION_INFO_MULTIPLE, unit, 48)[7] == [[128, 2], [128, 2]]
    assert refused(TeeResult.SHORT_BUFFER, ta.call, F.GET_OPERATION_INFO_MULTIPLE, unit, 47) == [48]
    tagged = placed(ta, "encrypting", "initial")
    assert ta.call(F.GET_OPERATION_INFO, tagged)[3] == 0
    ta.call(F.AE_INIT, tagged, NONCE, 104, 0, 0)
    assert ta.call(F.GET_OPERATION_INFO_MULTIPLE, tagged, 40)[3:7] == [13, 128, KEY_SET | INITIALIZED, 0]


def test_keys_that_do_not_fit_are_panics() -> None:
    ta = Ta()
    wrong = [
        ta.secret(T.HMAC_SHA256, bytes(32)),  # of another type
        ta.secret(T.AES, bytes(32)),  # larger than the operation
        ta.secret(T.AES, BLOCK, usage=4),  # for another use
        ta.objects.allocate_transient(T.AES, 128),  # uninitialized
        ta.objects.create(b"data", Flag.ACCESS_READ, b"data"),  # no key
        99,
    ]
    cipher = ta.operation("AES_CBC_NOPAD", ENCRYPT, max_bits=192)
    for key in wrong:
        panics(ta.call, F.SET_OPERATION_KEY, cipher, key)
    right = ta.secret(T.AES, BLOCK)
    panics(ta.call, F.SET_OPERATION_KEY2, cipher, right, ta.secret(T.AES, BLOCK))
    panics(ta.call, F.SET_OPERATION_KEY, ta.operation("SHA1", DIGEST), right)
    panics(ta.call, F.SET_OPERATION_KEY, ta.operation("SHA1", DIGEST), 0)
    ta.call(F.SET_OPERATION_KEY, cipher, right)
    ta.call(F.CIPHER_INIT, cipher, BLOCK)
    panics(ta.call, F.SET_OPERATION_KEY, cipher, right)


def test_two_keys() -> None:
    ta = Ta()
    one, two = ta.secret(T.AES, BLOCK), ta.secret(T.AES, BLOCK)
    unit = ta.operation("AES_XTS", ENCRYPT, max_bits=256)
    panics(ta.call, F.SET_OPERATION_KEY, unit, one)
    panics(ta.call, F.SET_OPERATION_KEY2, unit, one, 0)
    panics(ta.call, F.SET_OPERATION_KEY2, unit, 0, one)
    refused(TeeResult.SECURITY, ta.call, F.SET_OPERATION_KEY2, unit, one, one)
    panics(ta.call, F.SET_OPERATION_KEY2, unit, one, ta.secret(T.AES, bytes(32)))
    ta.call(F.SET_OPERATION_KEY2, unit, one, two)  # two objects of one value: IEEE 1619 has such a vector
    ta.call(F.SET_OPERATION_KEY2, unit, 0, 0)
    panics(ta.call, F.CIPHER_INIT, unit, BLOCK)


def test_a_curve_that_the_algorithm_does_not_have() -> None:
    ta = Ta()
    pair = keys.ec_pair(ta, T.ECDSA_KEYPAIR, Curve.BSI_P256R1)
    ta.operation("ECDSA_SHA256", SIGN, pair)
    panics(ta.call, F.SET_OPERATION_KEY, ta.operation("ECDSA_P256", SIGN, max_bits=256), pair)


def test_the_operation_keeps_its_key_when_the_object_is_gone() -> None:
    ta = Ta()
    key = ta.secret(T.AES, BLOCK)
    mac = ta.operation("AES_CMAC", MAC, key)
    ta.objects.free_transient(key)
    ta.call(F.MAC_INIT, mac, None)
    assert len(ta.call(F.MAC_COMPUTE_FINAL, mac, b"text", 0, 16)[0]) == 16


def test_des_counts_with_and_without_parity() -> None:
    ta = Ta()
    for name, kind, size, plain in (("DES_ECB_NOPAD", T.DES, 56, 64), ("DES3_CBC_NOPAD", T.DES3, 168, 192)):
        key = ta.secret(kind, bytes(range(plain // 8)))
        for max_bits in (size, plain):
            ta.call(F.SET_OPERATION_KEY, ta.operation(name, ENCRYPT, max_bits=max_bits), key)


# Copies


@pytest.mark.parametrize(
    "name",
    ["AES_ECB_NOPAD", "AES_CBC_NOPAD", "AES_CTR", "AES_CTS", "AES_XTS", "DES3_CBC_NOPAD", "SM4_CTR"],
)
@pytest.mark.parametrize("at", [0, 5, 16, 40])
def test_a_copied_cipher_goes_on_alone(name: str, at: int) -> None:
    ta = Ta()
    kind = T[name.split("_", maxsplit=1)[0]]
    size = max(one for one in (64, 128, 192, 256) if one in RULES[kind].sizes_bits) // 8
    made = [ta.secret(kind, bytes([fill]) * size) for fill in range(1, 3 if name == "AES_XTS" else 2)]
    message = bytes(range(80))
    for mode in (ENCRYPT, DECRYPT):
        first, second, whole = (ta.operation(name, mode, *made) for _ in range(3))
        iv = b"" if "ECB" in name else bytes(8 if "DES" in name else 16)
        for operation in (first, whole):
            ta.call(F.CIPHER_INIT, operation, iv)
        begun = ta.call(F.CIPHER_UPDATE, first, message[:at], 0, ROOM)[0]
        ta.call(F.COPY_OPERATION, second, first)
        ta.call(F.CIPHER_UPDATE, first, b"something else " * 3, 0, ROOM)
        expected = ta.call(F.CIPHER_DO_FINAL, whole, message, 0, ROOM)
        assert [begun + ta.call(F.CIPHER_DO_FINAL, second, message[at:], 0, ROOM)[0]] == expected


@pytest.mark.parametrize("kind", ["digest", "mac", "encrypting", "decrypting"])
def test_a_copied_message_goes_on_alone(kind: str) -> None:
    feed = {"digest": F.DIGEST_UPDATE, "mac": F.MAC_UPDATE}.get(kind, F.AE_UPDATE)
    rooms = (0, ROOM) if feed is F.AE_UPDATE else ()
    final, words = {
        "digest": (F.DIGEST_DO_FINAL, (None, 0, ROOM)),
        "mac": (F.MAC_COMPUTE_FINAL, (None, 0, ROOM)),
        "encrypting": (F.AE_ENCRYPT_FINAL, (b"", 0, 0, 16)),
        "decrypting": (F.AE_DECRYPT_FINAL, (b"", 0, 0, BLOCK)),
    }[kind]
    ta = Ta()
    state = "started" if kind.endswith("crypting") else "active"
    first, second = placed(ta, kind, state), placed(ta, kind, "initial")
    ta.call(feed, first, b"begun", *rooms)
    ta.call(F.COPY_OPERATION, second, first)
    ta.call(feed, second, b"gone on", *rooms)
    assert ta.call(F.GET_OPERATION_INFO, first)[7] == ta.call(F.GET_OPERATION_INFO, second)[7]
    ta.call(feed, first, b"gone on", *rooms)
    if kind == "decrypting":
        refused(TeeResult.MAC_INVALID, ta.call, final, first, *words)
        refused(TeeResult.MAC_INVALID, ta.call, final, second, *words)
    else:
        assert ta.call(final, first, *words) == ta.call(final, second, *words)


def test_a_copied_extraction_goes_on_alone() -> None:
    ta = Ta()
    for name, size in (("SHA256", 32), ("SHAKE128", 100)):
        first, second = ta.operation(name, DIGEST), ta.operation(name, DIGEST)
        whole = ta.call(F.DIGEST_DO_FINAL, first, b"message", 0, size)[0]
        ta.call(F.DIGEST_UPDATE, first, b"message")
        assert ta.call(F.DIGEST_EXTRACT, first, 5) == [whole[:5]]
        ta.call(F.COPY_OPERATION, second, first)
        ta.call(F.DIGEST_EXTRACT, first, 9)
        assert ta.call(F.DIGEST_EXTRACT, second, size - 5) == [whole[5:]]


def test_copies_that_are_panics() -> None:
    ta = Ta()
    key = ta.secret(T.AES, bytes(32))
    large, small = ta.operation("AES_CTR", ENCRYPT, key), ta.operation("AES_CTR", ENCRYPT, max_bits=128)
    panics(ta.call, F.COPY_OPERATION, small, large)
    panics(ta.call, F.COPY_OPERATION, ta.operation("AES_CTR", DECRYPT, max_bits=256), large)
    panics(ta.call, F.COPY_OPERATION, ta.operation("AES_CBC_NOPAD", ENCRYPT, max_bits=256), large)
    ta.call(F.COPY_OPERATION, large, small)
    panics(ta.call, F.CIPHER_INIT, large, BLOCK)  # the key is gone, as the source has none


def test_gcm_is_copied_up_to_a_bound() -> None:
    ta = Ta()
    first, second = placed(ta, "encrypting", "started"), placed(ta, "encrypting", "initial")
    half = bytes(MAX_COPIED_BYTES // 2)
    for _ in range(2):
        ta.call(F.AE_UPDATE, first, half, 0, len(half))
    ta.call(F.COPY_OPERATION, second, first)
    ta.call(F.AE_UPDATE, first, b"1", 0, 1)
    panics(ta.call, F.COPY_OPERATION, second, first)


def test_small_pieces_take_no_more_of_the_core_for_a_copy_than_their_bytes() -> None:
    pieces = 20_000
    tracemalloc.start()
    try:
        gcm = Gcm(bytes(16), bytes(12), 16, encrypts=True)
        for _ in range(pieces):
            gcm.update_aad(b"ad")
        sealed = b"".join(gcm.update(b"ab") for _ in range(pieces))
        before, _ = tracemalloc.get_traced_memory()
        copied = gcm.copy()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 2 * 4 * pieces  # objects of two bytes took 100 bytes each
    tag = gcm.tag()
    assert copied.tag() == tag
    assert sealed + tag == AESGCM(bytes(16)).encrypt(bytes(12), b"ab" * pieces, b"ad" * pieces)


# Rooms


@pytest.mark.parametrize("room", [None, 0, 1])
def test_a_room_that_is_too_small_changes_nothing(room: int | None) -> None:
    ta = Ta()
    for kind, state, function, words, needed in (
        ("digest", "active", F.DIGEST_DO_FINAL, (b"more", 0), [32]),
        ("cipher", "active", F.CIPHER_UPDATE, (bytes(40), 0), [32]),
        ("cipher", "active", F.CIPHER_UPDATE, (bytes(16), 16), [32]),
        ("cipher", "active", F.CIPHER_DO_FINAL, (bytes(32), 0), [32]),
        ("mac", "active", F.MAC_COMPUTE_FINAL, (b"more", 0), [16]),
        ("encrypting", "started", F.AE_UPDATE, (bytes(20), 0), [20]),
    ):
        operation = placed(ta, kind, state)
        assert refused(TeeResult.SHORT_BUFFER, ta.call, function, operation, *words, room) == needed
        # As if it had not been called: the same as an operation that it was not called on.
        other = placed(ta, kind, state)
        assert ta.call(function, operation, *words, ROOM) == ta.call(function, other, *words, ROOM)


def test_the_tag_has_a_room_of_its_own() -> None:
    ta = Ta()
    operation = placed(ta, "encrypting", "started")
    for rooms in ((5, 15), (4, 16), (4, None), (None, 16)):
        assert refused(TeeResult.SHORT_BUFFER, ta.call, F.AE_ENCRYPT_FINAL, operation, b"12345", 0, *rooms) == [5, 16]
    output, tag = ta.call(F.AE_ENCRYPT_FINAL, operation, b"12345", 0, 5, 16)
    assert (len(output), len(tag)) == (5, 16)
    back = placed(ta, "decrypting", "started")
    assert refused(TeeResult.SHORT_BUFFER, ta.call, F.AE_DECRYPT_FINAL, back, output, 0, 4, tag) == [5]
    assert ta.call(F.AE_DECRYPT_FINAL, back, output, 0, 5, tag) == [b"12345"]


def test_an_input_in_questions_is_the_input_in_one() -> None:
    """`ahead`: what the runtime does with inputs that are longer than a frame."""
    ta = Ta()
    message = bytes(range(96))
    for kind, final, tail in (
        ("digest", F.DIGEST_DO_FINAL, (ROOM,)),
        ("cipher", F.CIPHER_DO_FINAL, (ROOM,)),
        ("mac", F.MAC_COMPUTE_FINAL, (ROOM,)),
        ("encrypting", F.AE_ENCRYPT_FINAL, (ROOM, 16)),
    ):
        state = "started" if kind == "encrypting" else "active"
        whole, parts = placed(ta, kind, state), placed(ta, kind, state)
        expected = ta.call(final, whole, message, 0, *tail)
        begun = ta.call(final, parts, message[:64], 32, *tail)
        ended = ta.call(final, parts, message[64:], 0, *tail)
        assert [begun[0] + ended[0], *ended[1:]] == expected


def test_a_hash_is_extracted_until_it_is_spent() -> None:
    ta = Ta()
    digest = ta.operation("SHA1", DIGEST)
    whole = ta.call(F.DIGEST_DO_FINAL, digest, b"abc", 0, 20)[0]
    ta.call(F.DIGEST_UPDATE, digest, b"abc")
    assert ta.call(F.DIGEST_EXTRACT, digest, None) == [b""]
    assert ta.call(F.DIGEST_EXTRACT, digest, 15) == [whole[:15]]
    assert refused(TeeResult.SHORT_BUFFER, ta.call, F.DIGEST_DO_FINAL, digest, None, 0, 4) == [5]
    assert ta.call(F.DIGEST_EXTRACT, digest, 15) == [whole[15:]]
    assert ta.call(F.DIGEST_EXTRACT, digest, 15) == [b""]
    panics(ta.call, F.DIGEST_DO_FINAL, digest, b"more", 0, 20)
    assert ta.call(F.DIGEST_DO_FINAL, digest, None, 0, None) == [b""]
    assert ta.call(F.DIGEST_DO_FINAL, digest, b"abc", 0, 20) == [whole]


def test_every_kind_is_tried() -> None:
    tried = {next(row.kind for row in ALGORITHMS.values() if row.name == name) for name, *_ in KINDS.values()}
    assert tried == set(Kind)
    assert DERIVE in {mode for _, mode, _ in KINDS.values()}


@pytest.mark.parametrize(
    ("result", "of_the_second"),
    [
        (TeeResult.CORRUPT_OBJECT, TeeResult.CORRUPT_OBJECT_2),
        (TeeResult.STORAGE_NOT_AVAILABLE, TeeResult.STORAGE_NOT_AVAILABLE_2),
    ],
)
def test_a_stored_key_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, result: TeeResult, of_the_second: TeeResult
) -> None:
    """The operation keeps the key that it had."""
    ta = Ta()
    right, other = ta.secret(T.AES, BLOCK), ta.secret(T.AES, bytes(15) + b"2")
    read, broken = ta.objects.initialized, 77

    def initialized(handle: int) -> Any:
        if handle == broken:
            raise TeeError(result, "the disk")
        return read(handle)

    monkeypatch.setattr(ta.objects, "initialized", initialized)
    mac = ta.operation("AES_CMAC", MAC, right)
    refused(result, ta.call, F.SET_OPERATION_KEY, mac, broken)
    ta.call(F.MAC_INIT, mac, None)
    unit = ta.operation("AES_XTS", ENCRYPT, right, other)
    refused(result, ta.call, F.SET_OPERATION_KEY2, unit, broken, other)
    refused(of_the_second, ta.call, F.SET_OPERATION_KEY2, unit, right, broken)
    ta.call(F.CIPHER_INIT, unit, BLOCK)
