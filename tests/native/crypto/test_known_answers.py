"""The published answers of each algorithm, whatever pieces the message comes in."""

from typing import Any

import pytest

from tee_sim.gp_api.algorithms import ALGORITHMS
from tee_sim.gp_objects.key_types import ObjectType
from tests.native.crypto.ta import DECRYPT, DIGEST, ENCRYPT, MAC, NUMBERS, ROOM, F, Ta, pieces, vectors

PIECES = (1, 7, 16, 33, 1 << 18)


def named(row: dict[str, Any]) -> str:
    return f"{row['algorithm']}-{row['source']}"


def hexed(row: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(row[name]) for name in names]


@pytest.mark.parametrize("row", vectors("digests"), ids=named)
def test_digest(row: dict[str, Any]) -> None:
    ta = Ta()
    message, output = hexed(row, "message", "output")
    operation = ta.operation(row["algorithm"], DIGEST)
    for size in PIECES:
        for piece in pieces(message, size):
            ta.call(F.DIGEST_UPDATE, operation, piece)
        assert ta.call(F.DIGEST_DO_FINAL, operation, None, 0, len(output)) == [output]
        for piece in pieces(message, size):
            ta.call(F.DIGEST_UPDATE, operation, piece)
        parts = [ta.call(F.DIGEST_EXTRACT, operation, size)[0] for _ in pieces(output, size)]
        assert b"".join(parts)[: len(output)] == output
        ta.call(F.RESET_OPERATION, operation)
    assert ta.call(F.DIGEST_DO_FINAL, operation, message, 0, len(output)) == [output]


@pytest.mark.parametrize("row", vectors("ciphers"), ids=named)
def test_cipher(row: dict[str, Any]) -> None:
    ta = Ta()
    iv, plain, cipher = hexed(row, "iv", "plain", "cipher")
    kind = next(iter(ALGORITHMS[NUMBERS[row["algorithm"]]].keys.values())).types[0]
    keys = [ta.secret(ObjectType(kind), bytes.fromhex(key)) for key in row["keys"]]
    for mode, given, expected in ((ENCRYPT, plain, cipher), (DECRYPT, cipher, plain)):
        operation = ta.operation(row["algorithm"], mode, *keys)
        for size in PIECES:
            ta.call(F.CIPHER_INIT, operation, iv)
            parts = [ta.call(F.CIPHER_UPDATE, operation, piece, 0, ROOM)[0] for piece in pieces(given, size)]
            parts += ta.call(F.CIPHER_DO_FINAL, operation, None, 0, ROOM)
            assert b"".join(parts) == expected
        ta.call(F.CIPHER_INIT, operation, iv)
        assert ta.call(F.CIPHER_DO_FINAL, operation, given, 0, len(expected)) == [expected]


@pytest.mark.parametrize("row", vectors("macs"), ids=named)
def test_mac(row: dict[str, Any]) -> None:
    ta = Ta()
    key, message, output = hexed(row, "key", "message", "output")
    kind = next(iter(ALGORITHMS[NUMBERS[row["algorithm"]]].keys.values())).types[0]
    operation = ta.operation(row["algorithm"], MAC, ta.secret(kind, key))
    for size in PIECES:
        for final, ahead, given in ((F.MAC_COMPUTE_FINAL, 0, len(output)), (F.MAC_COMPARE_FINAL, 0, output)):
            ta.call(F.MAC_INIT, operation, None)
            for piece in pieces(message, size):
                ta.call(F.MAC_UPDATE, operation, piece)
            assert ta.call(final, operation, None, ahead, given) == ([output] if given != output else [])
    ta.call(F.MAC_INIT, operation, None)
    assert ta.call(F.MAC_COMPUTE_FINAL, operation, message, 0, ROOM) == [output]


@pytest.mark.parametrize("row", vectors("authenticated"), ids=named)
def test_authenticated_encryption(row: dict[str, Any]) -> None:
    ta = Ta()
    key, nonce, aad, plain, cipher, tag = hexed(row, "key", "nonce", "aad", "plain", "cipher", "tag")
    handle = ta.secret(ObjectType.AES, key)
    for mode, given, expected in ((ENCRYPT, plain, cipher), (DECRYPT, cipher, plain)):
        operation = ta.operation(row["algorithm"], mode, handle)
        for size in PIECES:
            ta.call(F.AE_INIT, operation, nonce, 8 * len(tag), len(aad), len(plain))
            for piece in pieces(aad, size):
                ta.call(F.AE_UPDATE_AAD, operation, piece)
            *first, last = pieces(given, size) or [b""]
            parts = [ta.call(F.AE_UPDATE, operation, piece, 0, ROOM)[0] for piece in first]
            if mode == ENCRYPT:
                part, made = ta.call(F.AE_ENCRYPT_FINAL, operation, last, 0, ROOM, 16)
                assert made == tag
            else:
                (part,) = ta.call(F.AE_DECRYPT_FINAL, operation, last, 0, ROOM, tag)
            assert b"".join([*parts, part]) == expected
