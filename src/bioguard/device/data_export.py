"""What a person gets of their data (policy VII.2, VII.6): one JSON object with a published schema.

Schema: `bioguard/report/schema/export.schema.json`. Templates, protected codes, keys and scores are never in it:
whoever held the file could use them against the person, and they cannot be changed like a password.
"""

from collections.abc import Iterable, Mapping, Sequence

from bioguard.commands.policy import ConsentsReply, PolicyReply
from bioguard.proofs.device_claims import AttestedSettings
from bioguard.records.audit_events import Entry
from bioguard.records.consent import Purpose
from bioguard.records.rights_requests import RightsRequest
from bioguard.records.scores import Basis
from bioguard.text import iso, word

NO_TEMPLATES = (
    "templates, protected codes, keys and scores are not exported: they cannot be changed like a password, "
    "and nobody but this device's secure world can use them"
)


def entry_fields(entry: Entry) -> dict[str, object]:
    """One log entry as plain values; `subject` stays a random id."""
    fields: dict[str, object] = {"number": entry.sequence, "at": iso(entry.wall_ms), "event": word(entry.event)}
    for name in ("modality", "purpose", "cause"):
        value = getattr(entry, name)
        if value is not None:
            fields[name] = word(value)
    for name in ("subject", "record_id", "digest"):
        value = getattr(entry, name)
        if value is not None:
            fields[name] = value.hex()
    if entry.number is not None:
        fields["value"] = entry.number
    return fields


def request_fields(request: RightsRequest) -> dict[str, object]:
    """One request of the register as plain values."""
    return {
        "number": request.number,
        "kind": word(request.kind),
        "state": word(request.state),
        "opened": iso(request.opened_ms),
        "due": iso(request.due_ms),
        "reason": word(request.reason) if request.reason else None,
    }


def decision_words(entry: Entry, *, for_testing: bool = False) -> list[str]:
    """The explanation of a decision, in coarse terms (policy VII.9): never a score or a threshold.

    Args:
        for_testing: whether the device lets callers choose the rate.
    """
    rate = (
        "a false match rate that the caller chose: the device is FOR TESTING"
        if for_testing
        else ("a fixed false match rate")
    )
    why = {
        "accepted": "the sample was similar enough to an enrolled record",
        "not-similar": "the sample was not similar enough to any enrolled record",
        "no-consent": "there is no consent to this purpose",
        "expired": "the consent has expired",
        "suspended": "the policy changed and the consent was not confirmed yet",
        "objected": "the person objected to this purpose",
        "restricted": "the person's data are restricted",
        "underage": "the minimum age was not attested",
        "locked": "there were too many failed attempts before",
    }
    founded = f", which is {Basis(entry.number).word}" if entry.number is not None else ""
    return [
        f"decision {entry.sequence} at {iso(entry.wall_ms)}",
        f"kind: {word(entry.event)}, {word(entry.modality)}, purpose {word(entry.purpose)}",
        f"result: {word(entry.cause)}: {why.get(word(entry.cause), word(entry.cause))}",
        f"decided by comparison on this device alone, at {rate}{founded}; nobody else was asked",
        "instead: the PIN always works; ask the operator to look at it, or object with `bioguard consent object`",
    ]


def export(
    *,
    user: str,
    device: AttestedSettings,
    made_ms: int,
    policy: PolicyReply,
    consents: ConsentsReply,
    records: Sequence[Mapping[str, object]],
    requests: Iterable[RightsRequest],
    entries: Iterable[Entry],
) -> dict[str, object]:
    """The export of one user."""
    return {
        "schema": "bioguard/personal-data/1",
        "user": user,
        "made": iso(made_ms),
        "device": {"clock": device.clock, "randomness": device.randomness, "for_testing": device.for_testing},
        "templates": {"included": False, "why": NO_TEMPLATES},
        "policy": {
            "version": policy.version,
            "retention_days": policy.retention_days,
            "log_days": policy.log_days,
            "minimum_age": policy.minimum_age,
        },
        "consents": [
            {
                "modality": word(g.modality),
                "purpose": word(g.purpose),
                "policy_version": g.policy_version,
                "granted": iso(g.granted_ms),
                "expires": iso(g.expires_ms),
            }
            for g in consents.grants
        ],
        "objections": [word(Purpose(p)) for p in consents.objections],
        "restricted": consents.restricted,
        "age_attested": consents.of_age,
        "enrollments": [dict(r) for r in records],
        "requests": [request_fields(r) for r in requests],
        "log": [entry_fields(e) for e in entries],
    }
