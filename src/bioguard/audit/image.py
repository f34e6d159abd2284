"""A copy of `storage.db` held against an erasure receipt. Needs no device and no key: nothing is decrypted."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from bioguard.audit.receipts import ErasureReceipt
from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.records_head import RecordsHead

__all__ = ["check_image"]


def check_image(path: Path, receipt: ErasureReceipt, head: RecordsHead) -> int:
    """Check that the image is the state that `head` names, and that none of its bytes are an erased id or digest.

    Returns:
        How many bytes were looked at.

    Raises:
        ProofInvalid: another state, something of an erased record is in it, or it is not a store.
    """
    try:
        image = path.read_bytes()
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            row = database.execute("SELECT ciphertext FROM page WHERE number = 0").fetchone()
    except (OSError, sqlite3.Error):
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
