"""A second reader of a device's directory, written from docs/formats/{storage,keys,rpmb,digest}.md alone.

It imports nothing of the product that it reads, so what the product calls encrypted, erased or absent has to be so by
the published format: with the fuses it opens the anchor, each page of the directory and each object, and it accounts
for every byte of every file (`read_device`). Whatever it cannot account for is a flaw, not a detail.
"""

from bioguard.evidence.second_reader.device import Contents, StoredObject, read_device
from bioguard.evidence.second_reader.digest import record_digest
from bioguard.evidence.second_reader.flaws import Unreadable
from bioguard.evidence.second_reader.keys import Ladder

__all__ = ["Contents", "Ladder", "StoredObject", "Unreadable", "read_device", "record_digest"]
