"""The salted digest: bytes, second implementation, vectors, refusals."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.encoding import RawEncoder
from nacl.hash import blake2b

from bioguard.device.applications import manifests
from bioguard.errors import InputRefused
from bioguard.trusted.biometric.salted_digest import message
from tee_sim.secure.made.call import Call
from tee_sim.secure.made.digests import AppDigests, salted_digest
from tee_sim.shared.rng import OsRng

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "digest").glob("*.json"))
PEPPER, SALT = bytes(range(32)), bytes(range(16))
PERSONALIZATION = next(m.digest for m in manifests() if m.name == "biometric")
Fields = dict[str, Any]
SAMPLE: Fields = {
    "record_id": b"record", "subject": b"subject", "modality": 2, "position": 0, "views": (b"one", b"two"),
}  # fmt: skip

records = st.fixed_dictionaries(
    {
        "record_id": st.binary(min_size=1, max_size=6),
        "subject": st.binary(min_size=1, max_size=6),
        "modality": st.integers(0, 255),
        "position": st.integers(0, 255),
        "views": st.lists(st.binary(min_size=1, max_size=6), min_size=1, max_size=3).map(tuple),
        "model_id": st.text(max_size=4),
        "model_version": st.integers(0, 2**32 - 1),
        "epoch": st.integers(0, 2**64 - 1),
        "counter": st.integers(0, 2**64 - 1),
    }
)


def commit(pepper: bytes, salt: bytes, record: bytes) -> bytes:
    return salted_digest(pepper, salt, PERSONALIZATION, record)


def checks(digest: bytes, pepper: bytes, salt: bytes, record: bytes) -> bool:
    return AppDigests(PERSONALIZATION, lambda: pepper, OsRng(), Call()).check(salt, record, digest)


def independent(pepper: bytes, salt: bytes, c: Fields) -> bytes:
    """docs/formats/digest.md written a second time: libsodium instead of hashlib, one field after the other."""
    message = b"\x01"
    for short in (c["record_id"], c["subject"]):
        message += len(short).to_bytes(2, "big") + short
    message += bytes([c["modality"], c["position"]])
    message += len(c["model_id"].encode()).to_bytes(2, "big") + c["model_id"].encode()
    message += c["model_version"].to_bytes(4, "big") + c["epoch"].to_bytes(8, "big") + c["counter"].to_bytes(8, "big")
    message += len(c["views"]).to_bytes(2, "big")
    for view in c["views"]:
        message += len(view).to_bytes(4, "big") + view
    return blake2b(message, digest_size=32, key=pepper, salt=salt, person=b"bg-commit-v1", encoder=RawEncoder)


def decode(data: bytes) -> Fields:
    """Read the encoding back: if this is possible without guessing, no two records share a message."""
    at = 1

    def take(n: int) -> bytes:
        nonlocal at
        at += n
        assert at <= len(data)
        return data[at - n : at]

    assert data[0] == 1
    record_id = take(*struct.unpack(">H", take(2)))
    subject = take(*struct.unpack(">H", take(2)))
    modality, position = take(2)
    model_id = take(*struct.unpack(">H", take(2))).decode()
    version, epoch, counter, n = struct.unpack(">IQQH", take(22))
    views = tuple(take(*struct.unpack(">I", take(4))) for _ in range(n))
    assert at == len(data)
    return {
        "record_id": record_id, "subject": subject, "modality": modality, "position": position, "views": views,
        "model_id": model_id, "model_version": version, "epoch": epoch, "counter": counter,
    }  # fmt: skip


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16), records)
def test_agrees_with_libsodium(pepper: bytes, salt: bytes, record: Fields) -> None:
    assert commit(pepper, salt, message(**record)) == independent(pepper, salt, record)


@given(records)
def test_message_can_be_read_back(record: Fields) -> None:
    assert decode(message(**record)) == record


def test_there_are_vectors() -> None:
    assert len(VECTORS) >= 6


@pytest.mark.parametrize("path", VECTORS, ids=lambda p: p.stem)
def test_vector(path: Path) -> None:
    vector = json.loads(path.read_text())
    fields = {k: bytes.fromhex(v) if k in ("record_id", "subject") else v for k, v in vector["commitment"].items()}
    record = message(**{**fields, "views": [bytes.fromhex(v) for v in fields["views"]]})
    pepper, salt, digest = (bytes.fromhex(vector[k]) for k in ("pepper", "salt", "digest"))
    if vector["expect"] == "ok":
        assert record.hex() == vector["encoding"]
        assert commit(pepper, salt, record) == digest
        assert checks(digest, pepper, salt, record)
    else:
        assert vector["expect"] == "mismatch"
        assert not checks(digest, pepper, salt, record)


@pytest.mark.parametrize(
    "changed",
    [
        {"record_id": b"recore"},
        {"subject": b"subjecs"},
        {"modality": 1},
        {"position": 1},
        {"views": (b"onet", b"wo")},
        {"views": (b"two", b"one")},
        {"views": (b"one",)},
        {"model_id": "m"},
        {"model_version": 1},
        {"epoch": 1},
        {"counter": 1},
    ],
)
def test_every_field_counts(changed: Fields) -> None:
    digest = commit(PEPPER, SALT, message(**SAMPLE))
    assert not checks(digest, PEPPER, SALT, message(**SAMPLE | changed))


def test_pepper_salt_and_every_digest_bit_count() -> None:
    digest = commit(PEPPER, SALT, message(**SAMPLE))
    assert checks(digest, PEPPER, SALT, message(**SAMPLE))
    wrong = [(digest, bytes(32), SALT), (digest, PEPPER, bytes(16)), (digest[:-1], PEPPER, SALT), (b"", PEPPER, SALT)]
    for bit in range(256):
        flipped = bytearray(digest)
        flipped[bit // 8] ^= 1 << bit % 8
        wrong.append((bytes(flipped), PEPPER, SALT))
    for bad, pepper, salt in wrong:
        assert not checks(bad, pepper, salt, message(**SAMPLE))


@pytest.mark.parametrize("salt", [b"", SALT[:-1], SALT + b"x"])
def test_a_salt_of_another_length_is_no_salt(salt: bytes) -> None:
    """BLAKE2b fills a short one up with zeros, so two salts would be one."""
    record = message(**SAMPLE)
    assert not checks(commit(PEPPER, salt[:16], record), PEPPER, salt, record)


@pytest.mark.parametrize(
    "field",
    [
        {"record_id": b""},
        {"subject": b""},
        {"record_id": bytes(65536)},
        {"modality": 256},
        {"position": -1},
        {"views": ()},
        {"views": (b"",)},
        {"model_id": "x" * 65536},
        {"model_version": 2**32},
        {"epoch": -1},
        {"counter": 2**64},
    ],
)
def test_field_out_of_range_is_refused(field: Fields) -> None:
    with pytest.raises(InputRefused, match=r"^a field of the record header is out of range$"):
        message(**SAMPLE | field)
