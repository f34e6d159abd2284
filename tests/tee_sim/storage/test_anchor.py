"""The anchor's record by itself: what binds it to its purpose and its device beside its key."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tee_sim.secure.storage.anchor import Anchor, AnchorRecord, DiskAnchorSlot
from tee_sim.secure.storage.directory_pages import PageRef
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rng import SeededRng
from tee_sim.testing.in_memory import MemoryBlobs

KEY, DEVICE, NONCE = bytes(range(32)), bytes(range(16)), b"n" * 12
RECORD = AnchorRecord(epoch=3, current=PageRef(0, b"k" * 32, b"h" * 32), generation=1, salt=b"s" * 32)


def slot_with(associated: bytes) -> DiskAnchorSlot:
    """A slot that holds the record, sealed with these associated data."""
    block = b"TSA1" + NONCE + AESGCM(KEY).encrypt(NONCE, RECORD.to_bytes(), associated)
    slot = DiskAnchorSlot(MemoryBlobs())
    slot.write(block + bytes(256 - len(block)))
    return slot


def anchor(slot: DiskAnchorSlot, device_id: bytes = DEVICE) -> Anchor:
    return Anchor(slot, KEY, device_id, SeededRng(b"anchor"))


def test_a_record_opens_under_its_label_and_device_alone() -> None:
    """The key is the same everywhere, so only the associated data can refuse (docs/formats/storage.md section 3)."""
    label = b"tee_sim anchor v1"
    assert anchor(slot_with(label + DEVICE)).read() == RECORD
    for other in (b"", label, DEVICE, b"tee_sim object v1" + DEVICE, label + b"x" * 16):
        with pytest.raises(TeeError, match="another device or damage") as caught:
            anchor(slot_with(other)).read()
        assert caught.value.result is TeeResult.SECURITY


def test_what_is_written_is_bound_to_the_device() -> None:
    slot = DiskAnchorSlot(MemoryBlobs())
    anchor(slot).write(RECORD)
    assert anchor(slot).read() == RECORD
    with pytest.raises(TeeError, match="another device or damage"):
        anchor(slot, b"x" * 16).read()
