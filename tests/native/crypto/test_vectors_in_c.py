"""The same published answers through C: every algorithm of the vectors, both versions of the API, under the lock."""

from collections.abc import Sequence
from hashlib import new
from typing import Any, cast
from uuid import UUID

import pytest

from tee_sim.gp_api.algorithm import Algorithm
from tee_sim.gp_api.algorithms import ALGORITHMS
from tee_sim.gp_objects.attributes import KeyAttribute, reference
from tee_sim.gp_objects.key_types import RULES, Attribute, Curve, ObjectType
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.params import Param
from tee_sim.testing.machine_fixture import Tee
from tests.native.crypto import keys
from tests.native.crypto.ta import DECRYPT, DERIVE, DIGEST, ENCRYPT, MAC, NUMBERS, SIGN, VERIFY, Ta, vectors
from tests.native.crypto.test_known_answers import hexed, named
from tests.native.crypto.test_known_signatures import EDDSA_CTX, EDDSA_PREHASH, pair_of

APPLICATION = UUID("5d0a2c31-9b7e-4f66-8f04-1c7e6b93d260")
ONCE = 0


def number(value: int) -> bytes:
    return value.to_bytes(4, "little")


def counted(data: bytes) -> bytes:
    return number(len(data)) + data


def listed(attributes: Sequence[KeyAttribute | list[object]]) -> bytes:
    """Attributes of a key, or the words of a call."""
    made = number(len(attributes))
    for one in attributes:
        first, *rest = _words(one) if isinstance(one, KeyAttribute) else one
        made += number(cast("int", first))
        made += counted(rest[0]) if isinstance(rest[0], bytes) else number(cast("int", rest[0])) + number(0)
    return made


def _words(one: KeyAttribute) -> list[object]:
    return [int(one.attribute), one.a if one.attribute.is_value else one.data]


class Packing:
    """Stands for `Ta` where keys are made: a key is what the application makes it of."""

    def key(self, kind: ObjectType, *attributes: KeyAttribute) -> bytes:
        largest = max(size for size in range(8, 4097) if size in RULES[kind].sizes_bits)
        return number(kind) + number(largest) + listed(attributes)

    def secret(self, kind: ObjectType, data: bytes) -> bytes:
        (attribute,) = RULES[kind].required
        return number(kind) + number(8 * len(data)) + listed([reference(attribute, data)])


PACKING = cast("Ta", Packing())


def kind_of(name: str) -> ObjectType:
    return next(iter(ALGORITHMS[NUMBERS[name]].keys.values())).types[0]


def run(
    tee: Tee, name: str, mode: int, made: Sequence[object] = (), words: Sequence[list[object]] = (),
    max_bits: int = 0, tag_bits: int = 0, piece: int = ONCE,
    iv: bytes = b"", aad: bytes = b"", message: bytes = b"", compared: bytes = b"",
) -> bytes:  # fmt: skip
    """What comes out. Raises TeeError."""
    given = number(len(made)) + b"".join(cast("Sequence[bytes]", made)) + listed(list(words))
    given += b"".join(map(counted, (iv, aad, message, compared)))
    row = ALGORITHMS[NUMBERS[name]]
    bits = max_bits or largest_of(row)
    words_of_call = (
        Param.value(row.number, mode),
        Param.memref(given),
        Param.output(1 << 14),
        Param.value(bits, tag_bits << 16 | piece),
    )
    session = tee.context.open_session(APPLICATION)
    try:
        return session.invoke(0, words_of_call)[2].buffer
    finally:
        session.close()


def largest_of(row: Algorithm) -> int:
    """The largest maxKeySize; 0 for a digest."""
    return max((bits for mode in row.keys for bits in range(4097) if row.takes_size(mode, bits)), default=0)


@pytest.mark.parametrize("row", vectors("digests"), ids=named)
def test_digest(vector_machine: Tee, row: dict[str, Any]) -> None:
    message, output = hexed(row, "message", "output")
    for piece in (1, ONCE):
        assert run(vector_machine, row["algorithm"], DIGEST, message=message, piece=piece)[: len(output)] == output


@pytest.mark.parametrize("row", vectors("ciphers"), ids=named)
def test_cipher(vector_machine: Tee, row: dict[str, Any]) -> None:
    name = row["algorithm"]
    iv, plain, cipher = hexed(row, "iv", "plain", "cipher")
    made = [PACKING.secret(kind_of(name), bytes.fromhex(key)) for key in row["keys"]]
    for piece in (7, ONCE):
        assert run(vector_machine, name, ENCRYPT, made, iv=iv, message=plain, piece=piece) == cipher
        assert run(vector_machine, name, DECRYPT, made, iv=iv, message=cipher, piece=piece) == plain


@pytest.mark.parametrize("row", vectors("macs"), ids=named)
def test_mac(vector_machine: Tee, row: dict[str, Any]) -> None:
    name = row["algorithm"]
    key, message, output = hexed(row, "key", "message", "output")
    made = [PACKING.secret(kind_of(name), key)]
    assert run(vector_machine, name, MAC, made, message=message, piece=5) == output
    assert run(vector_machine, name, MAC, made, message=message, compared=output) == b""
    with pytest.raises(TeeError) as caught:
        run(vector_machine, name, MAC, made, message=message + b"!", compared=output)
    assert caught.value.result == TeeResult.MAC_INVALID


@pytest.mark.parametrize("row", vectors("authenticated"), ids=named)
def test_authenticated_encryption(vector_machine: Tee, row: dict[str, Any]) -> None:
    key, nonce, aad, plain, cipher, tag = hexed(row, "key", "nonce", "aad", "plain", "cipher", "tag")
    made, name = [PACKING.secret(ObjectType.AES, key)], row["algorithm"]
    words: dict[str, Any] = {"iv": nonce, "aad": aad, "tag_bits": 8 * len(tag), "piece": 6}
    assert run(vector_machine, name, ENCRYPT, made, message=plain, **words) == cipher + tag
    assert run(vector_machine, name, DECRYPT, made, message=cipher, compared=tag, **words) == plain
    with pytest.raises(TeeError) as caught:
        run(vector_machine, name, DECRYPT, made, message=cipher, compared=tag[:-1] + bytes([tag[-1] ^ 1]), **words)
    assert caught.value.result == TeeResult.MAC_INVALID


@pytest.mark.parametrize("row", vectors("signatures"), ids=named)
def test_signature(vector_machine: Tee, row: dict[str, Any]) -> None:
    name, signature = row["algorithm"], bytes.fromhex(row["signature"])
    message = new(row["digest"], b"sample").digest() if "digest" in row else bytes.fromhex(row["message"])
    words: list[list[object]] = [[EDDSA_CTX, bytes.fromhex(row["context"])]] if "context" in row else []
    words += [[EDDSA_PREHASH, 1]] if "prehash" in row else []
    made, bits = [pair_of(PACKING, row)], Curve[row["key"]["curve"]].size_bits if "curve" in row["key"] else 0
    common: dict[str, Any] = {"made": made, "words": words, "message": message, "max_bits": bits}
    run(vector_machine, name, VERIFY, compared=signature, **common)
    own = run(vector_machine, name, SIGN, **common)
    run(vector_machine, name, VERIFY, compared=own, **common)
    with pytest.raises(TeeError) as caught:
        run(vector_machine, name, VERIFY, compared=own[:-1], **common)
    assert caught.value.result == TeeResult.SIGNATURE_INVALID


@pytest.mark.parametrize("row", vectors("derivations"), ids=named)
def test_derivation(vector_machine: Tee, row: dict[str, Any]) -> None:
    name = row["algorithm"]
    key, output = hexed(row, "key", "output")
    words: list[list[object]]
    if name in ("X25519", "X448"):
        made = keys.bytes_pair(PACKING, name, key)
        words = [[int(Attribute[f"{name}_PUBLIC_VALUE"]), bytes.fromhex(row["other"])]]
    elif name.startswith("ECDH"):
        made, other = keys.ec_pair(PACKING, ObjectType.ECDH_KEYPAIR, Curve.NIST_P256, key), bytes.fromhex(row["other"])
        words = [[int(Attribute.ECC_PUBLIC_VALUE_X), other[:32]], [int(Attribute.ECC_PUBLIC_VALUE_Y), other[32:]]]
    elif name.startswith("PBKDF2"):
        made = PACKING.secret(ObjectType.PBKDF2_PASSWORD, key)
        words = [[0xD00002C2, bytes.fromhex(row["salt"])], [0xF00003C2, row["iterations"]], [0xF00004C2, len(output)]]
    else:
        new_names = name == "HKDF"
        made = PACKING.secret(ObjectType.HKDF if new_names else ObjectType.HKDF_IKM, key)
        salt, info, size = (0xD0000946, 0xD0000A46, 0xF0000C46) if new_names else (0xD00002C0, 0xD00003C0, 0xF00004C0)
        words = [[salt, bytes.fromhex(row["salt"])], [info, bytes.fromhex(row["info"])], [size, len(output)]]
        words += [[0xF0000B46, NUMBERS["SHA256"]]] if new_names else []
    bits = Curve.NIST_P256.size_bits if name.startswith("ECDH") else 0
    assert run(vector_machine, name, DERIVE, [made], words, max_bits=bits) == output
