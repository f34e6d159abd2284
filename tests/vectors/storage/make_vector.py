"""Write `store-v2.json`: a small store, made once by the product and kept.

The file is not to be made again within format version 2: a store written by an old release must open in a new one.
"""

import json
from pathlib import Path
from uuid import UUID

from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.secure.keys import KeyLadder
from tee_sim.secure.storage import ObjectStore, rekey
from tee_sim.shared.rng import SeededRng
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium

HUK, DEVICE_ID = bytes(range(32)), bytes(range(16))
TAS = (UUID("12345678-0000-0000-0000-000000000001"), UUID("12345678-0000-0000-0000-000000000002"))


def main() -> None:
    """Two applications, several leaves below one root, and a rotation of keys that was begun and not finished."""
    blobs, medium = MemoryBlobs(), MemoryMedium()
    store = ObjectStore.open(blobs, RpmbDevice(medium), KeyLadder(HUK, DEVICE_ID), SeededRng(b"vector"), create=True)
    for i in range(120):
        store.namespace(TAS[i % 2]).put(
            bytes((i,)) * (i % 5), bytes((i,)) * i, kind=f"kind{i % 3}", owner=bytes((i,)) * 16,
            commitment=bytes((i,)) * 32 if i % 2 else b"", ids=bytes((i,)) * 8 * (i % 5),
        )  # fmt: skip
    steps = rekey(store, batch=20)
    next(steps)
    steps.close()
    objects = {f"{ta}/{o.header.object_id.hex()}": o.body.hex() for ta in TAS for o in store.namespace(ta).load()}
    vector = {
        "comment": "made by make_vector.py; must open for ever in format version 2",
        "huk": HUK.hex(), "device_id": DEVICE_ID.hex(), "epoch": store.epoch,
        "rows": {name.hex(): blob.hex() for name, blob in sorted(blobs.rows.items())},
        "rpmb": {"counter": medium.counter, "key": (medium.key or b"").hex(), "block_0": medium.blocks[0].hex()},
        "objects": objects,
    }  # fmt: skip
    Path(__file__).with_name("store-v2.json").write_text(json.dumps(vector, indent=1) + "\n")


if __name__ == "__main__":
    main()
