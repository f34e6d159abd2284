"""ISharedSecret key agreement: the known answer of Android's own test, a second implementation, and disagreement."""

import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from bioguard.errors import InputRefused, IntegrityFailure
from bioguard.hal.shared_secret import (
    AGREEMENT_LABEL,
    CHECK_LABEL,
    SharingParameters,
    agree,
    check_value,
    ckdf,
    confirm,
)

B32 = st.binary(min_size=32, max_size=32)


def ckdf_by_hand(key: bytes, label: bytes, context: bytes, size: int) -> bytes:
    out = b""
    for i in range(1, -(-size // 16) + 1):
        mac = CMAC(AES(key))
        mac.update(i.to_bytes(4, "big") + label + b"\0" + context + (8 * size).to_bytes(4, "big"))
        out += mac.finalize()
    return out[:size]


def test_known_answer_of_the_android_implementation() -> None:
    """Value from system/keymint/tests/src/lib.rs, test_ckdf: "manually generated from Android C++ implementation"."""
    context = b"".join(bytes([i]) * 4 for i in range(4))
    assert ckdf(bytes(32), AGREEMENT_LABEL, context, 32).hex() == (
        "ac9af88a02241f53d43056a4676c42eef06825755e419e7bd20f4e57487717aa"
    )


def test_labels() -> None:
    assert (len(AGREEMENT_LABEL), len(CHECK_LABEL)) == (18, 27)


@given(B32, st.lists(st.tuples(st.one_of(st.just(b""), B32), B32), min_size=1, max_size=4, unique_by=lambda t: t[1]))
def test_agreement_does_not_depend_on_order_and_fits_a_second_implementation(key: bytes, raw: list) -> None:
    parties = [SharingParameters(seed, nonce) for seed, nonce in raw]
    agreed = agree(key, parties)
    assert agreed == agree(key, reversed(parties))
    context = b"".join(seed + nonce for seed, nonce in sorted(raw))
    assert agreed == ckdf_by_hand(key, b"KeymasterSharedMac", context, 32)
    assert check_value(agreed) == hmac.new(agreed, b"Keymaster HMAC Verification", "sha256").digest()
    assert confirm(agreed, [check_value(agreed)] * 3) == agreed


def test_a_party_with_another_key_is_found() -> None:
    party = SharingParameters(b"", bytes(32))
    ours, theirs = agree(bytes(32), [party]), agree(b"\1" * 32, [party])
    with pytest.raises(IntegrityFailure, match=r"^a party derived another token key$"):
        confirm(ours, [check_value(ours), check_value(theirs)])


def test_a_reused_nonce_is_refused() -> None:
    with pytest.raises(InputRefused, match=r"^every party needs a nonce of its own$"):
        agree(bytes(32), [SharingParameters(b"", bytes(32)), SharingParameters(bytes(32), bytes(32))])
    with pytest.raises(InputRefused, match=r"^every party needs a nonce of its own$"):
        agree(bytes(32), [])
    with pytest.raises(InputRefused, match="seed of 0 or 32 bytes and a nonce of 32"):
        SharingParameters(b"short", bytes(32))


def test_a_new_nonce_gives_a_new_key() -> None:
    assert agree(bytes(32), [SharingParameters(b"", bytes(32))]) != agree(
        bytes(32), [SharingParameters(b"", b"\1" + bytes(31))]
    )
