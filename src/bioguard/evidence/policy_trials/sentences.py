"""The sentences that a person may be shown, whole: in the notice (policy VII.1), in an
explanation (policy VII.9) and in an incident (policy VI.3).

Written down a second time on purpose. The product's own are compared with these, so none can be added, left out or
turned around; a change of wording is made in both places.
"""

from bioguard.commands.policy import PolicyReply
from bioguard.records.audit_events import Cause, Entry
from bioguard.text import iso, word

PROFILES = {
    "standard": "a salted digest, a protected code and the encrypted template of each record",
    "digest-only": "a salted digest and a protected code of each record; no template in any form",
}


def notice_of(state: PolicyReply, *, place: str, profile: str, for_testing: bool) -> list[tuple[str, str]]:
    """The whole notice: headings and sentences, in order."""
    told = [  # never taken from bioguard.device.privacy_notice: it is what this is held against
        ("policy version", f"{state.version}"),
        ("what is stored", PROFILES[profile]),
        ("where", f"only on this device, in {place}, sealed under keys of the device"),
        ("why", "to unlock (1:1), to release keys (1:1), to identify (1:N): each only with your consent to it"),
        ("fingers", "yours may be compared with what others show, to judge those more strictly; never to find you"),
        ("for how long", f"{state.retention_days} days after enrollment, or until consent ends, whichever is first"),
        ("log", "what happened, without names or features; bodies are cleared after 30 days"),
        ("who gets it", "nobody: there is no upload, no sharing, no transfer; templates are never exported"),
        ("minimum age", f"{state.minimum_age} years"),
        ("your rights", "notice, access, rectify, erase, restrict, export, object, withdraw, explain; with your PIN"),
        ("answer", "within 7 days; at most 30 days, with a reason"),
        ("complaint", "to the operator of this device, or to your data protection authority"),
        ("without biometrics", "the PIN always works; refusing consent has no other effect"),
        ("simulator", "this device is simulated: the owner of the host can read everything"),
    ]
    testing = ("testing", "this device is for testing: callers choose how alike is enough")
    return [*told, testing] if for_testing else told


INCIDENTS = {
    Cause.TAMPERED: (
        "stored bytes of this device were changed from outside; the damaged record was not used, and nothing was "
        "disclosed: stored records are sealed under keys that are not in the store",
        "the damaged data are refused on every use; this incident is kept until it is acknowledged",
        "use the PIN; find out who can write to the device directory",
        "erase the damaged record and enroll again; if the store does not open, wipe the device",
    ),
    Cause.ROLLED_BACK: (
        "an older copy of this device's store, or another device's, was put in place; erased records or spent attempts "
        "could have come back, so the store was not opened",
        "the secure world does not start on it; this incident is kept until it is acknowledged",
        "use the PIN of the real device; find out who restored a backup",
        "put the newest store back, or wipe the device and enroll again",
    ),
    Cause.CLOCK_MOVED: (
        "the clock of this device moved by more than 40 days between two starts; records or log entries seem to be "
        "past their time, and may only seem so",
        "nothing was erased; what seems over is not used for any decision",
        "look at the clock of this host; find out who set it, or for how long the device was off",
        "if the time is right, run: bioguard purge --confirm; if it is wrong, set it and enroll again",
    ),
}
"""Situation and influence, measures, advice, remedy (policy VI.3)."""


REASONS = {
    Cause.ACCEPTED: "accepted: the sample was similar enough to an enrolled record",
    Cause.NOT_SIMILAR: "not-similar: the sample was not similar enough to any enrolled record",
    Cause.NO_CONSENT: "no-consent: there is no consent to this purpose",
    Cause.EXPIRED: "expired: the consent has expired",
    Cause.SUSPENDED: "suspended: the policy changed and the consent was not confirmed yet",
    Cause.OBJECTED: "objected: the person objected to this purpose",
    Cause.RESTRICTED: "restricted: the person's data are restricted",
    Cause.UNDERAGE: "underage: the minimum age was not attested",
    Cause.LOCKED: "locked: there were too many failed attempts before",
}
RATES = {
    False: "a fixed false match rate",
    True: "a false match rate that the caller chose: the device is FOR TESTING",
}
BASES = {None: "", 1: ", which is measured", 2: ", which is synthetic", 3: ", which is extrapolated"}


def explanation_of(entry: Entry, *, for_testing: bool) -> list[str]:
    """The whole explanation of one decision. Raises KeyError for a cause that no decision has."""
    if entry.cause is None:
        raise KeyError(entry.cause)
    return [
        f"decision {entry.sequence} at {iso(entry.wall_ms)}",
        f"kind: {word(entry.event)}, {word(entry.modality)}, purpose {word(entry.purpose)}",
        f"result: {REASONS[entry.cause]}",
        f"decided by comparison on this device alone, at {RATES[for_testing]}{BASES[entry.number]}; "
        "nobody else was asked",
        "instead: the PIN always works; ask the operator to look at it, or object with `bioguard consent object`",
    ]
