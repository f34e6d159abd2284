"""Secure storage of the trusted applications: sealed objects, an authenticated directory, an anchor against rollback.

    store = ObjectStore.open(blobs, rpmb, huk, device_id, rng, create=True)
    mine = store.namespace(uuid)
    with mine.transaction() as change:
        change.put(b"id", b"secret", kind="record")
    mine.get(b"id").body

Formats: docs/formats/storage.md. What is promised and what is not: docs/storage.md.
"""

from tee_sim.secure.storage.store import ObjectStore
from tee_sim.secure.storage.ta_store import StoredObject, TaStore, Transaction

__all__ = ["ObjectStore", "StoredObject", "TaStore", "Transaction"]
