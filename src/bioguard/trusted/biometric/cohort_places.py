"""Say whose fingers decisions about others are held against: kept with the device, changed with the records.

Enforces: nobody chooses it (`cohort.dilute`). Who stores a finger in place of another keeps the place; where one is
erased the next oldest takes it, when the next finger is stored, and until then at each start and change.
"""

from collections.abc import Collection
from dataclasses import replace

from bioguard.match.fingerprint.cohort import one_of_each
from bioguard.records.modality import Modality
from bioguard.trusted.biometric.stored_objects import CohortFinger, DeviceState
from tee_sim.shared.ta_api import Store

Places = list[tuple[bytes, bytes]]
"""Owner and record id of each finger."""


def places_of(state: DeviceState, store: Store) -> Places:
    """The fingers that cohorts are taken from."""
    return one_of_each([*_kept(state), *(_oldest(store) if state.cohort_short else [])])


def places_after(
    state: DeviceState, store: Store, user: bytes, gone: Collection[bytes], new: bytes | None
) -> DeviceState:
    """The device when records of a user have gone, and when a finger of the user is stored with that."""
    kept = _kept(state)
    left = [(owner, new if new and old in gone else old) for owner, old in kept if new or old not in gone]
    short = state.cohort_short or len(left) < len(kept)
    if new is not None:
        others = [one for one in _oldest(store) if one[1] not in gone] if short else []
        left, short = one_of_each([*left, *others, (user, new)]), False
    cohort = tuple(CohortFinger(user=owner, record_id=record_id) for owner, record_id in left)
    return replace(state, cohort=cohort, cohort_short=short)


def _kept(state: DeviceState) -> Places:
    return [(finger.user, finger.record_id) for finger in state.cohort]


def _oldest(store: Store) -> Places:
    """Every finger's record, in the order in which they were stored."""
    stored = (h for h in store.headers() if h.kind == Modality.FINGERPRINT.word)
    return [(h.owner, h.object_id[1:]) for h in sorted(stored, key=lambda header: header.version)]
