"""A copy of `storage.db` held against an erasure receipt. Needs no device and no key: nothing is decrypted."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from bioguard.errors import InputRefused
from bioguard.log.erasure_receipt import ErasureReceipt
from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.records_head import RecordsHead
from bioguard.user_files import read_input

MAX_IMAGE_BYTES = 1 << 30
"""Of 100 000 people; it is looked through in memory."""
_MAX_ROW_BYTES = 1 << 20
_MAX_STEPS = 1000
"""Of a thousand instructions each. Reading one page takes fifty; a view in the place of the table may take for ever."""


def check_image(path: Path, receipt: ErasureReceipt, head: RecordsHead) -> int:
    """Check that the image is the state that `head` names, and that none of its bytes are an erased id or digest.

    Returns:
        How many bytes were looked at.

    Raises:
        ProofInvalid: another state, something of an erased record is in it, or it is not a store.
    """
    try:
        image = read_input(path, most_bytes=MAX_IMAGE_BYTES)
        row = _root_page(image)
    except (InputRefused, sqlite3.Error, OverflowError, UnicodeDecodeError, MemoryError):
        raise ProofInvalid(f"{path.name} is not a store", hint="give a copy of the device's storage.db") from None
    if row is None or not isinstance(row[0], bytes) or hashlib.sha256(row[0]).digest() != head.store_root:
        raise ProofInvalid(
            f"{path.name} is of another moment than the receipt",
            hint="copy storage.db right after the receipt was made, before the device is used again",
        )
    for erasure in receipt.erasures:
        for what, wanted in (("id", erasure.entry.record_id or b""), ("digest", erasure.digest)):
            if wanted in image:
                raise ProofInvalid(
                    f"the {what} of the erased record {erasure.digest.hex()[:16]}... is in {path.name}",
                    hint="the erasure did not reach this file",
                )
    return len(image)


def _root_page(image: bytes) -> tuple[object, ...] | None:
    """The sealed root page. Whoever gave the image may have put anything into it: no file next to it is opened."""
    steps = iter(range(_MAX_STEPS))
    with closing(sqlite3.connect(":memory:")) as database:
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_ROW_BYTES)
        database.deserialize(image)
        database.set_progress_handler(lambda: next(steps, None) is None, 1000)
        database.execute("PRAGMA trusted_schema = OFF")
        row: tuple[object, ...] | None = database.execute("SELECT ciphertext FROM page WHERE number = 0").fetchone()
        return row
