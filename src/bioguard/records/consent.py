"""Consent as data, and the one rule that reads it. Enforced inside the secure world, before every operation.

Rules:
* a grant names modality, purpose, policy version and expiry; it lives in the anchored store, with the user's others;
* a grant made under an older policy version is suspended until the user confirms it (policy VI, XI);
* an objection stops one purpose, a restriction stops all, withdrawal removes the grant;
* without an age attestation there is no grant at all (policy VIII).
"""

from collections.abc import Callable
from dataclasses import replace
from enum import IntEnum, unique
from typing import Annotated

from bioguard.records.modality import Modality
from tee_sim.shared.dataclass import dataclass
from tee_sim.shared.schema import U64, Items, Record, UpTo

DAY_MS = 86_400_000
MAX_MS = 1 << 48
"""Year 10889: wall times fit with room."""


@unique
class Purpose(IntEnum):
    """What a comparison is for. The secure world derives it from the request, the caller does not choose it."""

    UNLOCK = 1
    """1:1 without an operation id: opens the device."""
    KEY_USE = 2
    """1:1 with an operation id: releases a key operation."""
    IDENTIFY = 3
    """1:N: finds who it is."""


@unique
class Refusal(IntEnum):
    """Why an operation is not allowed."""

    NO_CONSENT = 1
    EXPIRED = 2
    SUSPENDED = 3
    OBJECTED = 4
    RESTRICTED = 5
    UNDERAGE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(Record):
    """One consent. expires_ms is wall time."""

    modality: Modality
    purpose: Purpose
    policy_version: Annotated[int, UpTo(65_535)]
    granted_ms: Annotated[int, UpTo(MAX_MS)]
    expires_ms: Annotated[int, UpTo(MAX_MS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentState(Record):
    """Everything one user decided.

    Attributes:
        grants: at most one for each modality and purpose.
        objections: purposes objected to.
        restricted: stored, but not processed.
        of_age: the user attested the minimum age.
        secure_user_id: Gatekeeper's id of this user, from the first PIN token presented; 0 before it.
    """

    grants: Annotated[tuple[Grant, ...], Items(6)] = ()
    objections: Annotated[tuple[int, ...], Items(3, UpTo(3))] = ()
    restricted: bool = False
    of_age: bool = False
    secure_user_id: Annotated[int, U64] = 0


def allowed(
    state: ConsentState, modality: Modality, purpose: Purpose | None, *, policy_version: int, now_ms: int
) -> Refusal | None:
    """Whether an operation may go on; None means yes.

    Args:
        purpose: of a comparison; None for an enrollment, which any live purpose of the modality allows.
    """
    if state.restricted:
        return Refusal.RESTRICTED
    if not state.of_age:
        return Refusal.UNDERAGE if state.grants else Refusal.NO_CONSENT
    matching = [g for g in state.grants if g.modality is modality and purpose in (None, g.purpose)]
    if not matching:
        return Refusal.NO_CONSENT
    tests: tuple[tuple[Refusal, Callable[[Grant], bool]], ...] = (
        (Refusal.OBJECTED, lambda g: int(g.purpose) not in state.objections),
        (Refusal.EXPIRED, lambda g: now_ms < g.expires_ms),
        (Refusal.SUSPENDED, lambda g: g.policy_version == policy_version),
    )
    for refusal, holds in tests:
        matching = [g for g in matching if holds(g)]
        if not matching:
            return refusal
    return None


def granted(state: ConsentState, grant: Grant) -> ConsentState:
    """The state with this grant instead of an older one of the same kind; an objection to its purpose is lifted."""
    kept = tuple(g for g in state.grants if (g.modality, g.purpose) != (grant.modality, grant.purpose))
    objections = tuple(p for p in state.objections if p != int(grant.purpose))
    return replace(state, grants=(*kept, grant), objections=objections, of_age=True)


def withdrawn(state: ConsentState, modality: Modality, purpose: Purpose) -> ConsentState:
    """The state without that grant."""
    return replace(state, grants=tuple(g for g in state.grants if (g.modality, g.purpose) != (modality, purpose)))


def purpose_ends_ms(state: ConsentState, modality: Modality) -> int:
    """When the last grant of the modality ends that could be used, now or after a confirmation or a lifted objection.

    0 where there is none: nothing of the modality may be kept, whatever the time.
    """
    return max((g.expires_ms for g in state.grants if g.modality is modality), default=0) if state.of_age else 0
