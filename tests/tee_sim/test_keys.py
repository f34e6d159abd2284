"""The key ladder against OP-TEE's known answers, and our own labels against a second implementation."""

import hashlib
import hmac
from uuid import UUID

import pytest

from tee_sim.secure.keys import KeyLadder, SubkeyUsage, huk_subkey, rpmb_key, ssk, tsk
from tee_sim.shared.errors import TeeError

HUK = bytes(16)
CID = bytes.fromhex("fe014e4d4d4330344742c8f6552a6115")
CHIP_ID = b"BEEF" * 8
TA = UUID("b689f2a7-8adf-477a-9f99-32e90c0ad0a2")
COMPAT_SSK = ssk(HUK, CHIP_ID)

KNOWN = {
    "rpmb key": (rpmb_key(HUK, CID, compat=False), "7df22a3d5b8f1d617e03da5711f8cb1fdba1553d2b0e3006125d672e22512ec7"),
    "rpmb key, compat": (rpmb_key(HUK, CID), "7143becb138217641d9729e819c344ef8a16733fa9c2583bff48c6b117d16493"),
    "ssk, compat": (COMPAT_SSK, "79b082214416d9f43a9be1cb6c4abaa5435c1a1a55b8ae51c3a6857460952147"),
    "ssk": (ssk(HUK, CHIP_ID, compat=False), "a3e7181c6eed030fd52f79537c56c4d07da92e56d374ff1dd2043350785b37d8"),
    "tsk": (tsk(COMPAT_SSK, TA), "933135f0eb92d4c9a3ad87a72ced010144cc0d3736824f7bfe988f544249b67b"),
    "tsk of the store": (tsk(COMPAT_SSK, None), "efa8fc65f1ff33c90da75ee3e2359acf9d981e99bed1b70b8f8517b09e5bb0d9"),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_answer(name: str) -> None:
    value, expected = KNOWN[name]
    assert value.hex() == expected


def test_subkeys_are_separated_by_usage_and_context() -> None:
    keys = {huk_subkey(HUK, usage, context) for usage in SubkeyUsage for context in (b"", b"x")}
    assert len(keys) == 2 * len(SubkeyUsage)


def test_derived_keys_equal_a_second_implementation_of_hkdf() -> None:
    device_id = bytes(range(16))
    ladder = KeyLadder(HUK, device_id)
    chip = hashlib.sha256(b"tee_sim chip id v1" + device_id).digest()
    root = hmac.digest(HUK, b"tee_sim root v1" + chip, "sha256")
    pseudo_random = hmac.digest(b"tee_sim v1", root, "sha256")
    expected = hmac.digest(pseudo_random, b"label\0context" + b"\x01", "sha256")
    assert ladder.derive("label", b"context") == expected


def test_keys_differ_by_device_and_label() -> None:
    one, two = KeyLadder(HUK, bytes(16)), KeyLadder(HUK, b"\1" + bytes(15))
    keys = [ladder.derive(label) for ladder in (one, two) for label in ("a", "b")]
    keys += [ladder.rpmb_key() for ladder in (one, two)]
    assert len(set(keys)) == 6


@pytest.mark.parametrize(("huk", "device_id"), [(bytes(15), bytes(16)), (bytes(16), bytes(15))])
def test_sizes_are_checked(huk: bytes, device_id: bytes) -> None:
    with pytest.raises(TeeError, match="must have"):
        KeyLadder(huk, device_id)
