"""Why the audit does not see a broken product. Each one that survives the campaign has its reason here."""

_ENDED = "The core ends the application that believes such a token, so the trial has no answer: no pass, and no proof"
_OWN_ID = "The core ends the application that makes an id of its own: nobody can be enrolled, so no row answers"

REASONS: dict[str, str] = {
    "03-sockets": "The verdict on a lock that is not the known one is INCONCLUSIVE; other layers stop each attempt",
    "04-printed": "Nothing comes out: what Python prints goes nowhere from before the lock on",
    "08-counted": _OWN_ID,
    "08-id-of-user": _OWN_ID,
    "08-name-in-log": "What is written there is the label, a salted hash: it names nobody without names.json",
    "09-no-mac": _ENDED,
    "13-future": "A token is from the future after a boot only, and then its MAC is of another boot: nothing changes",
    "13-no-mac": _ENDED,
    "17-gallery": "A second control keeps the promise: no search looks at a record whose count of searches is gone",
}
"""By id."""
