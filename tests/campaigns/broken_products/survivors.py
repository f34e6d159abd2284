"""Why the audit does not see a broken product. Each one that survives the campaign has its reason here."""

_NO_REPORT = (
    "The audit ends with an integrity error, exit status 7, before it writes a report: no pass, and no row says why"
)
_ENDED = "The core ends the application that believes such a token, so the trial has no answer: no pass, and no proof"
_DIGEST = "Open: no check makes the digest again from the samples, as docs/formats/digest.md says it is made"
_READER = "Green before the second reader was there; not played again"

REASONS: dict[str, str] = {
    "06-first-view": _DIGEST,
    "06-no-features": _DIGEST,
    "06-no-pepper": _DIGEST,
    "06-one-salt": _DIGEST,
    "06-plain-hash": _DIGEST,
    "06-short-digest": _DIGEST,
    "06-unsalted": _DIGEST,
    "08-counted": "Open: no check asks whether ids are random",
    "08-id-of-user": "Open: no check asks whether an id holds a piece of another",
    "08-name-in-log": "What is written there is the label, a salted hash: it names nobody without names.json",
    "08-no-salt": "Open: no name is given to two devices and compared",
    "08-salt-unused": "Open: no name is given to two devices and compared",
    "09-no-mac": _ENDED,
    "11-beside": "Open: objects of the log are not counted",
    "11-leaves-too": _NO_REPORT,
    "11-unlogged": _NO_REPORT,
    "13-future": "A token is from the future after a boot only, and then its MAC is of another boot: nothing changes",
    "13-no-mac": _ENDED,
    "17-hidden": _NO_REPORT,
    "17-wrong-leaf": _NO_REPORT,
    "02-attribute": "Open: the watched life does not look at extended attributes",
    "07-fuses-left-out": _READER,
    "07-key-of-the-nonce": _READER,
}
"""By id."""
