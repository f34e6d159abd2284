"""Read the fingers that decisions about other people are held against, when nobody is being decided about.

Enforces: of a person who may not be compared with now no record is read (POL-10, POL-18, POL-20, POL-21): restricted,
objected, withdrawn and over are as if that finger were not there.

Does not promise: a cohort at every time. After a request that failed there is none until the next one that is no
decision; what cannot be read is left out. Decisions are those of a device without it then.
"""

from contextlib import suppress

from bioguard.match.fingerprint.cohort import LEAST_FINGERS
from bioguard.records.modality import Modality
from bioguard.trusted.biometric.cohort_places import places_of
from bioguard.trusted.biometric.device_cohort import DeviceCohort, Member
from bioguard.trusted.biometric.stored_objects import record_object
from bioguard.trusted.biometric.vault import Vault
from bioguard.trusted.policy.enforcement import PolicyEnforcer
from bioguard.trusted.policy.stored_objects import consent_object
from bioguard.trusted.refusal import Refused
from tee_sim.shared.errors import TeeError
from tee_sim.shared.ta_api import Store


def gather(store: Store, vault: Vault, policy: PolicyEnforcer) -> None:
    """Let the vault have them, unless it has and nothing has changed since."""
    if vault.cohort is None:
        fingers = places_of(vault.state, store)
        vault.cohort = DeviceCohort(_members(store, vault, policy, fingers) if len(fingers) >= LEAST_FINGERS else ())


def _members(store: Store, vault: Vault, policy: PolicyEnforcer, fingers: list[tuple[bytes, bytes]]) -> list[Member]:
    store.fetch([consent_object(user) for user, _ in fingers])
    until = {}
    for user, record_id in fingers:
        with suppress(TeeError):
            until[user, record_id] = policy.comparable_until(user, Modality.FINGERPRINT)
    allowed = [(*finger, until_ms) for finger, until_ms in until.items() if until_ms is not None]
    store.fetch([record_object(record_id) for _, record_id, _ in allowed])
    members = []
    for user, record_id, until_ms in allowed:
        with suppress(TeeError, Refused):
            record = vault.open_record(record_id)[1]
            members.append(Member(user, min(until_ms, policy.expires_ms(record.enrolled_s)), record))
    return members
