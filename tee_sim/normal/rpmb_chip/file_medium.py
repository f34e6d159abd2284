"""State of the simulated device in one file, atomic against power loss.

Layout (docs/formats/rpmb.md): two journal slots of `SLOT_BYTES`, then one cell of 288 bytes per block.

* A commit writes one slot, the older of the two, with the whole new state: key, counter, address, blocks and a digest.
  One fdatasync makes it durable. Then the blocks are copied to their cells, without a sync: the next commit's sync
  covers them before it overwrites a slot that might still be needed.
* At open both valid slots are replayed, the older one first: the newer slot may have reached the disk before the cells
  of the commit before it. A torn slot means the commit before it.
* A cell is a block and its SHA-256, so a flipped bit is a media error, as in flash with ECC, and not data.

The key is in the file in clear: this is the inside of a simulated chip, not storage of the secure world.
"""

import errno
import fcntl
import hashlib
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tee_sim.normal.private_files import UnsafeFile, create_file, open_file
from tee_sim.normal.rpmb_chip.chip import MAX_SIZE_BYTES, SIZE_UNIT_BYTES
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.rpmb_frames import BLOCK_BYTES

MAX_SLOT_BLOCKS = 32
_MAGIC = b"TSRPMB01"
_SLOT = struct.Struct(">8sQIB32sIHH")  # magic, sequence, size in blocks, has key, key, counter, address, block count
_DIGEST_BYTES = 32
SLOT_BYTES = 9 << 10
"""Header (61), 32 blocks of 256 bytes and a digest (32), rounded up to whole sectors."""
CELL_BYTES = BLOCK_BYTES + _DIGEST_BYTES
CELLS_FROM = 2 * SLOT_BYTES
MAX_FILE_BYTES = CELLS_FROM + MAX_SIZE_BYTES // BLOCK_BYTES * CELL_BYTES
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


class RawFile(Protocol):
    """The four operations on the file; crash tests record them."""

    @property
    def writable(self) -> bool: ...
    def pread(self, size: int, offset: int) -> bytes: ...
    def pwrite(self, raw: bytes, offset: int) -> None: ...
    def sync(self) -> None: ...
    def close(self) -> None: ...


class OsFile:
    """A locked regular file of ours alone. One process at a time.

    Args:
        create: make it if it is not there.
        read_only: never write it.

    Attributes:
        writable: False where it can only be read, as on a read-only mount.

    Raises:
        TeeError: BUSY if another process has it; CORRUPT_OBJECT if it is missing or something else stands in its place;
            STORAGE_NOT_AVAILABLE if it cannot be opened.
    """

    def __init__(self, path: Path, *, create: bool = True, read_only: bool = False) -> None:
        self.writable = not read_only
        try:
            directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                self._fd = self._open(directory, path.name, create)
            finally:
                os.close(directory)
        except UnsafeFile as unsafe:
            raise TeeError(TeeResult.CORRUPT_OBJECT, str(unsafe)) from unsafe
        except FileNotFoundError:
            raise TeeError(TeeResult.CORRUPT_OBJECT, f"{path.name} is missing") from None
        except OSError as error:
            raise TeeError(TeeResult.STORAGE_NOT_AVAILABLE, f"{path.name}: {error.strerror}") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise TeeError(TeeResult.BUSY, "the device is in use by another process") from None

    def _open(self, directory: int, name: str, create: bool) -> int:
        try:
            flags = os.O_RDWR if self.writable else os.O_RDONLY
            return open_file(directory, name, flags, most_bytes=MAX_FILE_BYTES)
        except FileNotFoundError:
            if not create:
                raise
            fd = create_file(directory, name)
            os.fsync(directory)
            return fd
        except OSError as error:
            if error.errno not in _READ_ONLY:
                raise
            self.writable = False
            return open_file(directory, name, most_bytes=MAX_FILE_BYTES)

    def pread(self, size: int, offset: int) -> bytes:
        return os.pread(self._fd, size, offset)

    def pwrite(self, raw: bytes, offset: int) -> None:
        while raw:
            written = os.pwrite(self._fd, raw, offset)
            raw, offset = raw[written:], offset + written

    def sync(self) -> None:
        os.fdatasync(self._fd)

    def close(self) -> None:
        os.close(self._fd)


def _cell(index: int, block: bytes) -> bytes:
    return block + hashlib.sha256(index.to_bytes(4, "big") + block).digest()


class FileMedium:
    """`Medium` over one file.

    Args:
        file: opened file; an empty one becomes a new device.
        size_bytes: capacity of a new device, a multiple of 128 KiB up to 16 MiB.
        create: an empty file, or one that a power cut left in the very first commit, becomes a new device.

    Raises:
        TeeError: BAD_PARAMETERS for a size no device has; CORRUPT_OBJECT if neither slot is valid in a file that has
            something in it, or in any without `create`: falling back to an empty device would forget the counter.
    """

    def __init__(self, file: RawFile, size_bytes: int = SIZE_UNIT_BYTES, *, create: bool = True) -> None:
        if size_bytes % SIZE_UNIT_BYTES or not 0 < size_bytes <= MAX_SIZE_BYTES:
            raise TeeError(TeeResult.BAD_PARAMETERS, "rpmb size is a multiple of 128 KiB up to 16 MiB")
        self._file = file
        self._unwritten: dict[int, bytes] = {}
        self._sequence = 0
        self.key: bytes | None = None
        self.counter = 0
        self.block_count = size_bytes // BLOCK_BYTES
        slots = [file.pread(SLOT_BYTES, i * SLOT_BYTES) for i in range(2)]
        valid = [parsed for slot in slots if (parsed := _parse_slot(slot)) is not None]
        if valid:
            for parsed in sorted(valid, key=lambda parsed: parsed[0]):
                self._replay(parsed)
        elif create and not (any(slots[0]) or file.pread(1, CELLS_FROM)):
            # A power cut in the very first commit leaves one torn slot and nothing else; anything more is damage.
            self.commit(key=None, counter=0)
        else:
            raise TeeError(TeeResult.CORRUPT_OBJECT, "rpmb image is damaged", hint="restore is not possible; wipe it")

    def _replay(self, slot: tuple[int, int, bytes | None, int, int, list[bytes]]) -> None:
        self._sequence, self.block_count, self.key, self.counter, address, blocks = slot
        self._apply(address, blocks)

    def read_block(self, index: int) -> bytes:
        if index in self._unwritten:
            return self._unwritten[index]
        cell = self._file.pread(CELL_BYTES, CELLS_FROM + index * CELL_BYTES)
        if not any(cell):
            return bytes(BLOCK_BYTES)
        block = cell[:BLOCK_BYTES]
        if cell != _cell(index, block):
            raise OSError("rpmb block does not match its digest")
        return block

    def commit(self, *, key: bytes | None, counter: int, address: int = 0, blocks: Sequence[bytes] = ()) -> None:
        sequence = self._sequence + 1
        head = _SLOT.pack(
            _MAGIC, sequence, self.block_count, key is not None, key or bytes(32), counter, address, len(blocks)
        )
        body = head + b"".join(blocks)
        slot = body + bytes(SLOT_BYTES - _DIGEST_BYTES - len(body))
        self._file.pwrite(slot + hashlib.sha256(slot).digest(), (sequence & 1) * SLOT_BYTES)
        self._file.sync()
        self._sequence, self.key, self.counter = sequence, key, counter
        self._apply(address, blocks)

    def _apply(self, address: int, blocks: Sequence[bytes]) -> None:
        """Copy blocks to their cells, or know them if the file can only be read: the next writer copies them."""
        for i, block in enumerate(blocks, start=address):
            if self._file.writable:
                self._file.pwrite(_cell(i, block), CELLS_FROM + i * CELL_BYTES)
            else:
                self._unwritten[i] = block

    def close(self) -> None:
        """Release the file and its lock."""
        self._file.close()


def _parse_slot(raw: bytes) -> tuple[int, int, bytes | None, int, int, list[bytes]] | None:
    """Return sequence, size in blocks, key, counter, address and blocks of a valid slot."""
    if len(raw) != SLOT_BYTES or hashlib.sha256(raw[:-_DIGEST_BYTES]).digest() != raw[-_DIGEST_BYTES:]:
        return None
    magic, sequence, size, has_key, key, counter, address, count = _SLOT.unpack_from(raw)
    fits = count <= MAX_SLOT_BLOCKS and address + count <= size <= MAX_SIZE_BYTES // BLOCK_BYTES
    if magic != _MAGIC or has_key > 1 or not fits:
        return None
    blocks = [raw[_SLOT.size + i * BLOCK_BYTES :][:BLOCK_BYTES] for i in range(count)]
    return sequence, size, key if has_key else None, counter, address, blocks
