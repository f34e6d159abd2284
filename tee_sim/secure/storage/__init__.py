"""Secure storage of the trusted applications: sealed objects, an authenticated directory, an anchor against rollback.

    store = ObjectStore.open(blobs, rpmb, KeyLadder(huk, device_id), rng, create=True)
    mine = store.namespace(uuid)
    with mine.transaction() as change:
        change.put(b"id", b"secret", kind="record")
    mine.get(b"id").body

Promised: an application sees its own objects alone, and each of them as it was last written or not at all; a
transaction happened or did not, whatever the disk does and whenever the power fails; what was erased does not come
back with an older copy of the disk, where the anchor lies in an RPMB.

Not promised: that the disk answers (availability); that old ciphertext has left the flash (its key is gone instead);
and, without an RPMB or once its counter is spent, that the disk is the newest: a copy of the whole is as good as new.

Formats: docs/formats/storage.md. More on both: docs/storage.md.
"""

from tee_sim.secure.storage.maintenance import rekey, verify
from tee_sim.secure.storage.object_sealer import OpenedObject
from tee_sim.secure.storage.store import ObjectStore
from tee_sim.secure.storage.ta_store import StoreTransaction, TaStore

__all__ = ["ObjectStore", "OpenedObject", "StoreTransaction", "TaStore", "rekey", "verify"]
