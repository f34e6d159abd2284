"""Build the gallery of those who may be searched for, out of the search index.

Enforces: who does not consent to be searched for is not in it, so that nothing about them can be learned however a
search ends (POL-05).

Does not promise: to open a record. What the index holds was stored with the records, in the same transactions
(`search_index`); to open the nearest ones in a search would show the disk who they are.
"""

import numpy as np

from bioguard.records.sensor_props import SensorProps
from bioguard.trusted.biometric.gallery_index import GalleryIndex
from bioguard.trusted.biometric.search_segments import select
from bioguard.trusted.biometric.vault import Vault
from bioguard.trusted.policy.enforcement import PolicyEnforcer


def gallery(vault: Vault, policy: PolicyEnforcer, sensor: SensorProps) -> GalleryIndex:
    """The gallery of a sensor, as it is stored now.

    Raises:
        TeeError: CORRUPT_OBJECT if the index does not fit the records, or what the store raises.
    """
    records = vault.index.columns(sensor)
    versions = records.heads["policy"]
    open_now = [v for v in np.unique(versions).tolist() if policy.searchable_under(sensor.kind, v)]
    until_ms = np.where(np.isin(versions, open_now), records.heads["until_ms"].astype(np.int64), 0)
    kept = until_ms > policy.log.now_ms()
    records = select(records, kept)
    enrolled_s, which = np.unique(records.heads["enrolled_s"], return_inverse=True)
    ends_ms = np.array([policy.expires_ms(seconds) for seconds in enrolled_s.tolist()], np.int64)[which]
    index = GalleryIndex(sensor.kind, vault.encoder)
    index.extend(records, until_ms[kept], ends_ms)
    return index
