"""Work on a whole store, over all its applications: renewing every key, and checking every row."""

from collections.abc import Iterator

from tee_sim.secure.storage.store import ObjectStore
from tee_sim.shared.blobs import page_name
from tee_sim.shared.errors import TeeError, TeeResult

_FIRST_AFTER_ANCHORS = b"b"
_SCANNED_NAMES = 1024


def rekey(store: ObjectStore, *, batch: int = 256) -> Iterator[int]:
    """Give every object a new key under a new key generation, then destroy the old generation.

    A generator: each step is one transaction of up to `batch` objects and yields how many are done. It may be
    abandoned or cut off at any step; both generations open until a later `rekey` has finished.
    """
    store.begin_rekey()
    done = 0
    for ta in list(store.tree.info.counts):
        for count in store.namespace(ta).renew(batch):
            done += count
            yield done
    store.finish_rekey()


def verify(store: ObjectStore) -> int:
    """Open every page and every object and account for every row. Return the number of objects.

    Raises:
        TeeError: CORRUPT_OBJECT for the first that does not fit, or for rows the directory does not know.
    """
    store.rows.clear()
    known = {page_name(number) for number in store.tree.page_numbers()}
    objects = 0
    for ta in store.tree.info.counts:
        for stored in store.namespace(ta).load():
            objects += 1
            known.add(store.name(stored.header))
    after = _FIRST_AFTER_ANCHORS
    while names := store.blobs.scan(after, _SCANNED_NAMES):
        if not known.issuperset(names):
            raise TeeError(TeeResult.CORRUPT_OBJECT, "the disk holds rows the directory does not know")
        after = names[-1]
    return objects
