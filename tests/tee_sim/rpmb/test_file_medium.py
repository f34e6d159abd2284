"""The image file under power cuts: every write cut, lost or torn by sectors; and damage."""

import random

import pytest

from tee_sim.normal.rpmb_chip.file_medium import CELLS_FROM, SLOT_BYTES, FileMedium
from tee_sim.shared.errors import TeeError, TeeResult

KEY = b"k" * 32
SECTOR = 512


class Recording:
    """A file that remembers what was synced and what was written since."""

    writable = True

    def __init__(self, raw: bytes = b"") -> None:
        self.now = bytearray(raw)
        self.synced = bytes(raw)
        self.open_writes: list[tuple[int, bytes]] = []
        self.cuts: list[tuple[int, bytes, list[tuple[int, bytes]]]] = []
        self.finished = 0

    def pread(self, size: int, offset: int) -> bytes:
        return bytes(self.now[offset : offset + size])

    def pwrite(self, raw: bytes, offset: int) -> None:
        _apply(self.now, offset, raw)
        self.open_writes.append((offset, raw))
        self.cuts.append((self.finished, self.synced, list(self.open_writes)))

    def sync(self) -> None:
        self.synced, self.open_writes = bytes(self.now), []
        self.cuts.append((self.finished, self.synced, []))

    def close(self) -> None: ...


def _apply(raw: bytearray, offset: int, data: bytes) -> None:
    raw.extend(bytes(max(0, offset + len(data) - len(raw))))
    raw[offset : offset + len(data)] = data


def images(synced: bytes, writes: list[tuple[int, bytes]], rng: random.Random) -> list[bytes]:
    """The file after a cut: all of the unsynced writes, none, and some sectors of them."""
    found = []
    for chance in (1.0, 0.0, 0.5, 0.5, 0.9):
        raw = bytearray(synced)
        for offset, data in writes:
            for at in range(0, len(data), SECTOR):
                if rng.random() < chance:
                    _apply(raw, offset + at, data[at : at + SECTOR])
        found.append(bytes(raw))
    return found


def test_every_cut_of_every_commit_is_before_or_after() -> None:
    rng, file = random.Random(1), Recording()
    medium = FileMedium(file)
    states = [(None, 0, [bytes(256)] * 6)]
    file.cuts.clear()
    for i in range(12):
        file.finished = i
        address, count = rng.randrange(4), rng.randint(1, 2)
        blocks = [bytes((i + 1,)) * 256] * count
        medium.commit(key=KEY, counter=i + 1, address=address, blocks=blocks)
        after = list(states[-1][2])
        after[address : address + count] = blocks
        states.append((KEY, i + 1, after))
    played = outcomes = 0
    for finished, synced, writes in file.cuts:
        for raw in images(synced, writes, rng):
            again = FileMedium(Recording(raw))
            state = (again.key, again.counter, [again.read_block(n) for n in range(6)])
            assert state in states[finished : finished + 2], (finished, len(writes))
            outcomes |= 1 << states[finished : finished + 2].index(state)
            played += 1
    assert (played, outcomes) == (len(file.cuts) * 5, 3)


def test_a_cut_of_the_very_first_write_leaves_a_new_device() -> None:
    file = Recording()
    FileMedium(file)
    for _, synced, writes in file.cuts:
        for raw in images(synced, writes, random.Random(2)):
            again = FileMedium(Recording(raw))
            assert (again.key, again.counter, again.block_count) == (None, 0, 512)


def image() -> bytes:
    file = Recording()
    medium = FileMedium(file)
    for i in range(3):
        medium.commit(key=KEY, counter=i + 1, address=i, blocks=[bytes((i,)) * 256])
    return bytes(file.now)


def test_a_damaged_block_is_a_media_error_and_others_read() -> None:
    raw = bytearray(image())
    raw[CELLS_FROM + 5] ^= 1
    medium = FileMedium(Recording(bytes(raw)))
    assert medium.read_block(2) == b"\2" * 256
    with pytest.raises(OSError, match="rpmb block does not match its digest"):
        medium.read_block(0)


def test_two_damaged_slots_are_not_an_empty_device() -> None:
    raw = bytearray(image())
    for slot in range(2):
        raw[slot * SLOT_BYTES + 9] ^= 1
    with pytest.raises(TeeError, match="rpmb image is damaged") as caught:
        FileMedium(Recording(bytes(raw)))
    assert caught.value.result == TeeResult.CORRUPT_OBJECT


@pytest.mark.parametrize("size", [0, 100_000, (16 << 20) + (128 << 10)])
def test_sizes_no_device_has(size: int) -> None:
    with pytest.raises(TeeError, match="rpmb size is a multiple of 128 KiB up to 16 MiB"):
        FileMedium(Recording(), size)
