"""The written format: an old store opens, and a reader made from docs/formats/storage.md alone reads it too."""

import hashlib
import hmac
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import cbor2
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tee_sim.secure.storage import rekey, verify

VECTOR = json.loads((Path(__file__).parents[2] / "vectors" / "storage" / "store-v2.json").read_text())
HUK, DEVICE_ID = bytes.fromhex(VECTOR["huk"]), bytes.fromhex(VECTOR["device_id"])
ROWS = {bytes.fromhex(name): bytes.fromhex(blob) for name, blob in VECTOR["rows"].items()}
OBJECTS = {name: bytes.fromhex(body) for name, body in VECTOR["objects"].items()}


def test_a_store_of_format_2_opens(world) -> None:  # type: ignore[no-untyped-def]
    world.huk, world.device_id, world.blobs.rows = HUK, DEVICE_ID, dict(ROWS)
    world.medium.key = bytes.fromhex(VECTOR["rpmb"]["key"])
    world.medium.counter = VECTOR["rpmb"]["counter"]
    world.medium.blocks[0] = bytes.fromhex(VECTOR["rpmb"]["block_0"])
    store = world.open()
    assert (store.epoch, verify(store)) == (VECTOR["epoch"], len(OBJECTS))
    assert store._record.next_salt is not None, "a renewal of keys was begun"
    list(rekey(store))
    found = {
        f"{ta}/{o.header.object_id.hex()}": o.body for ta in store.tree.info.counts for o in store.namespace(ta).load()
    }
    assert found == OBJECTS


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    return mac(mac(salt, key), info + b"\1")


def size_class(size: int) -> int:
    return min(c for k in range(8, 30) for c in (1 << k, 3 << (k - 1)) if c >= size)


class Reader:
    """Everything from the document; no code of the product."""

    def __init__(self) -> None:
        chip = hashlib.sha256(b"tee_sim chip id v1" + DEVICE_ID).digest()
        self.ssk = mac(HUK, chip + b"ONLY_FOR_tee_fs_ssk\0")
        root = mac(HUK, b"tee_sim root v1" + chip)
        anchor_key, self.name_key, self.filler_key = (
            hkdf(root, b"tee_sim v1", label + b"\0") for label in (b"store anchor", b"object names", b"absent digests")
        )
        block = bytes.fromhex(VECTOR["rpmb"]["block_0"])
        assert block[:4] == b"TSA1"
        assert not any(block[238:])
        raw = AESGCM(anchor_key).decrypt(block[4:16], block[16:238], b"tee_sim anchor v1" + DEVICE_ID)
        self.epoch, self.generation, pending, rotating = struct.unpack(">QIBB", raw[:14])
        assert (pending, rotating) == (0, 1)
        self.root = (0, raw[14:46], raw[46:78])
        self.seen = {b"p" + bytes(8)}
        self.salts = {self.generation: raw[142:174], self.generation + 1: raw[174:206]}

    def entries(self, ref: tuple[int, bytes, bytes]) -> Iterator[tuple[bytes, bytes]]:
        number, key, digest = ref
        name = b"p" + struct.pack(">Q", number)
        self.seen.add(name)
        blob = ROWS[name]
        assert blob[:32] == digest == hashlib.sha256(blob[32:]).digest()
        associated = b"tee_sim page v2" + DEVICE_ID + struct.pack(">Q", number)
        raw = AESGCM(key).decrypt(bytes(12), blob[32:], associated)
        level, count = struct.unpack_from(">BH", raw)
        at = 3 if number else 12 + 24 * raw[11]
        assert len(raw) == size_class(at + count * (153 if level else 363))
        for _ in range(count):
            name = raw[at + 1 : at + 1 + raw[at]]
            at += 1 + raw[at]
            if level:
                yield from self.entries(struct.unpack_from(">Q32s32s", raw, at))
                at += 72
            else:
                size = struct.unpack_from(">H", raw, at + 8)[0]
                yield name, raw[at : at + 70 + size]
                at += 70 + size
        assert not any(raw[at:])

    def body(self, name: bytes, entry: bytes) -> bytes:
        generation, size, _, nonce, wrapped = struct.unpack_from(">IIH12s48s", entry)
        header = entry[70:]
        uuid, object_id, version, _, _, digest, _ = cbor2.loads(header)
        assert uuid + object_id == name
        tsk = mac(self.ssk, UUID(bytes=uuid).bytes_le)
        wrapper = AESGCM(hkdf(tsk, self.salts[generation], b"tee_sim object wrap v1"))
        key = wrapper.decrypt(nonce, wrapped, b"tee_sim wrap v2" + DEVICE_ID + header)
        row_name = b"o" + mac(self.name_key, name)
        self.seen.add(row_name)
        row = ROWS[row_name]
        assert row[:40] == struct.pack(">Q", version) + (digest or mac(self.filler_key, header))
        padded = AESGCM(key).decrypt(row[40:52], row[52:], b"tee_sim object v2" + DEVICE_ID + header)
        body = padded[:size]
        assert padded == body.ljust(size_class(size), b"\0")
        return body


def test_a_second_reader_reads_every_object() -> None:
    reader = Reader()
    found = {
        f"{UUID(bytes=name[:16])}/{name[16:].hex()}": reader.body(name, entry)
        for name, entry in reader.entries(reader.root)
    }
    assert found == OBJECTS
    assert reader.seen == set(ROWS), "every row is accounted for"
    assert reader.epoch == VECTOR["epoch"]


def test_the_second_reader_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    name = next(n for n in ROWS if n[:1] == b"p" and n != b"p" + bytes(8))
    monkeypatch.setitem(ROWS, name, ROWS[name][:-1] + b"!")
    reader = Reader()
    with pytest.raises(AssertionError):
        list(reader.entries(reader.root))
