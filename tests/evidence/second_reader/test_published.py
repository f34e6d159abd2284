"""What a store may hold, which ids look drawn, and the digest by its format page."""

import hashlib
from dataclasses import replace
from typing import Any

import cbor2
import pytest

from bioguard.evidence.published_objects import UUIDS, look_drawn, profiles_agree, sealed_profiles, strange_objects
from bioguard.evidence.second_reader import Contents, Ladder, StoredObject, Unreadable, device, record_digest
from bioguard.trusted.biometric.salted_digest import message

USER, RECORD = bytes(range(16)), bytes(range(100, 116))
APPLICATION = bytes.fromhex(UUIDS["biometric"])


def _object(object_id: bytes, kind: str, owner: bytes = b"", body: object = None, **other: Any) -> StoredObject:
    return StoredObject(**{
        "name": b"", "application": APPLICATION, "object_id": object_id, "kind": kind, "owner": owner, "digest": b"",
        "ids": b"", "body": cbor2.dumps(body), "ciphertext": b"", "key": b"", "nonce": b"",
    } | other)  # fmt: skip


KEPT = (
    _object(b"U" + USER, "user", USER, [bytes(32), [[RECORD, 2, 0]]]),
    _object(b"R" + RECORD, "face", USER),
    _object(b"S\x02" + USER, "sensor", USER),
    _object(b"I\x01\0\0", "faceindex", b"", [0, 1, RECORD + USER + bytes(19), b"", b"", b"", b""]),
    *(_object(b"L" + first.to_bytes(8, "big"), "log") for first in (0, 32, 64)),
)


INDEX = "a faceindex index that is not of the records"


def _strange(*objects: StoredObject) -> list[str]:
    return strange_objects(Contents(objects=objects, pages=1, files={}, counter=1))


def test_what_is_published_is_not_strange() -> None:
    assert _strange(*KEPT) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (_object(b"Z" + RECORD, "shadow", USER), "an object of kind 'shadow'"),
        (_object(b"B" + bytes(8), "log"), "an object of kind 'log'"),
        (_object(b"L" + (97).to_bytes(8, "big"), "log"), "a piece of the log beside the log"),
        (_object(b"R" + USER, "face", USER), f"a record of {USER.hex()} that is in no list"),
        (_object(b"C" + RECORD, "consent", USER), "a consent under another id"),
        (_object(b"S\x01" + RECORD, "sensor", RECORD), "a sensor of nobody"),
        (_object(b"U" + RECORD, "user", USER, [bytes(32), []]), "a user under another id"),
        (replace(KEPT[2], application=bytes(16)), "an object of kind 'sensor'"),
        (_object(b"I\x02\x80\0", "faceindex", b"", [1, 1, RECORD + USER + bytes(19)]), INDEX),
        (_object(b"I\x01\0\0", "fingerindex", b"", [0, 1, RECORD + USER + bytes(19)]), INDEX.replace("face", "finger")),
        (_object(b"R" + bytes(16), "face", USER), INDEX),
    ],
)
def test_what_is_not_is(more: StoredObject, said: str) -> None:
    assert said in _strange(*KEPT, more)


def test_an_index_that_gives_a_record_to_somebody_else() -> None:
    index = _object(b"I\x01\0\0", "faceindex", b"", [0, 1, RECORD + RECORD + bytes(19)])
    assert _strange(*(o for o in KEPT if o.kind != "faceindex"), index) == [INDEX]


PROFILES = (b"faces", b"fingers")
DIGESTS = [hashlib.sha256(profile).digest() for profile in PROFILES]


def _with_profiles(sealed: tuple[bytes, ...], named: list[bytes], logged: list[tuple[int, bytes]]) -> Contents:
    entries = [[0, 0, event, bytes(16), None, 2, None, None, digest, None, None] for event, digest in logged]
    chunk = [[bytes(32), entry] for entry in [None, *entries]]
    device = [[1, 1, False, False, 50000, 100, named, []], 0, 1, bytes(32), [], False, list(sealed)]
    objects = (_object(b"D", "device", body=device), _object(b"L" + bytes(8), "log", body=[chunk]))
    return Contents(objects=objects, pages=(), files={}, counter=1)


@pytest.mark.parametrize(
    ("sealed", "named", "logged", "agree"),
    [
        (PROFILES, DIGESTS, DIGESTS, True),
        (PROFILES[:1], DIGESTS, DIGESTS, False),
        (PROFILES, DIGESTS[:1], DIGESTS, False),
        (PROFILES, DIGESTS, DIGESTS[1:], False),
        (PROFILES, DIGESTS[::-1], DIGESTS, False),
        ((), [], [], False),
    ],
)
def test_profiles_are_those_that_configuration_and_log_name(
    sealed: tuple[bytes, ...], named: list[bytes], logged: list[bytes], *, agree: bool
) -> None:
    others = [(31, bytes(32))]
    contents = _with_profiles(sealed, named, [*((6, digest) for digest in logged), *others])
    assert profiles_agree(contents) is agree
    assert sealed_profiles(contents) == DIGESTS[: len(sealed)]


def test_ids_that_say_something() -> None:
    drawn = [hashlib.sha256(bytes([i])).digest()[:16] for i in range(12)]
    assert look_drawn(drawn)
    assert not look_drawn([*drawn, drawn[3]])
    assert not look_drawn([*drawn, drawn[3][:12] + drawn[5][:4]])
    assert not look_drawn([*drawn, (7).to_bytes(16, "big")])
    assert not look_drawn([*drawn, drawn[0][:15] + b""])


def test_the_digest_is_the_one_that_the_product_makes() -> None:
    huk, device_id, salt, views = bytes(range(32)), bytes(range(16)), bytes(range(50, 66)), [b"one", b"another"]
    ladder = Ladder(huk, device_id)
    assert len(ladder.pepper(APPLICATION)) == 32
    header = {"record_id": RECORD, "subject": USER, "modality": 1, "position": 2}
    made = record_digest(ladder, APPLICATION, salt, **header, views=views)  # type: ignore[arg-type]
    said = message(**header, views=views)  # type: ignore[arg-type]
    expected = hashlib.blake2b(said, digest_size=32, key=ladder.pepper(APPLICATION), salt=salt, person=b"bg-commit-v1")
    assert made == expected.digest()


@pytest.mark.parametrize("values", [[bytes(range(32))] * 2, [bytes(32)], [b"k" * 12]])
def test_a_key_or_a_nonce_that_nobody_drew(values: list[bytes]) -> None:
    with pytest.raises(Unreadable, match=r"is used twice|is not random"):
        device._drawn(values, "the key of an object")
