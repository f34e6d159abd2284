"""What an export may hold (docs/formats/export.md), as a closed grammar: every key, and a pattern for every text.

Stricter than the published schema, which lets a reader accept what a later version adds. Here nothing is added: there
is no field in which a feature, a score or another person's name would have room.
"""

import re
from typing import Any

DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
ID, DIGEST, WHOLE = r"[0-9a-f]{32}", r"[0-9a-f]{64}", int
WORD = r"(?=.{1,24}$)[a-z]+(-[a-z]+)*"
MODEL = r"[ -~]{1,64}"
"""Of a comparison profile; where a device takes any model, as a file states it: no features have room in 64 signs."""
MAX_WHOLE = 1 << 48
"""No number that is told is larger than a time in milliseconds."""
WHY = (
    "templates, protected codes, keys and scores are not exported: they cannot be changed like a password, "
    "and nobody but this device's secure world can use them"
)


class Maybe:
    """A field that may be absent or null."""

    def __init__(self, grammar: Any) -> None:
        self.grammar = grammar


EXPORT: dict[str, Any] = {
    "schema": r"bioguard/personal-data/1",
    "user": r".{1,64}",
    "made": DATE,
    "device": {"clock": WORD, "randomness": WORD, "for_testing": bool},
    "templates": {"included": bool, "why": re.escape(WHY)},
    "policy": {"version": WHOLE, "retention_days": WHOLE, "log_days": WHOLE, "minimum_age": WHOLE},
    "consents": [
        {"modality": WORD, "purpose": WORD, "policy_version": WHOLE, "granted": DATE, "expires": DATE},
    ],
    "objections": [WORD],
    "restricted": bool,
    "age_attested": bool,
    "enrollments": [
        {
            "record_id": ID, "sensor": WHOLE, "modality": WORD, "position": WORD, "views": WHOLE, "profile": WORD,
            "enrolled": DATE, "digest": DIGEST, "extractor": Maybe(MODEL), "extractor_is": r"declared|stated|captured",
        },
    ],
    "requests": [
        {"number": WHOLE, "kind": WORD, "state": WORD, "opened": DATE, "due": DATE, "reason": Maybe(WORD)},
    ],
    "log": [
        {
            "number": WHOLE, "at": DATE, "event": WORD, "modality": Maybe(WORD), "purpose": Maybe(WORD),
            "cause": Maybe(WORD), "subject": Maybe(ID), "record_id": Maybe(ID), "digest": Maybe(DIGEST),
            "value": Maybe(WHOLE),
        },
    ],
}  # fmt: skip


def strangers(value: Any, grammar: Any = EXPORT, path: str = "export") -> list[str]:
    """Where a value is not what the grammar says."""
    if isinstance(grammar, Maybe):
        return [] if value is None else strangers(value, grammar.grammar, path)
    if isinstance(grammar, dict):
        return _fields(value, grammar, path)
    if isinstance(grammar, list):
        if not isinstance(value, list):
            return [path]
        return [odd for index, item in enumerate(value) for odd in strangers(item, grammar[0], f"{path}[{index}]")]
    if isinstance(grammar, str):
        return [] if isinstance(value, str) and re.fullmatch(grammar, value) else [path]
    return [] if type(value) is grammar and 0 <= value <= MAX_WHOLE else [path]


def _fields(value: Any, grammar: dict[str, Any], path: str) -> list[str]:
    if not isinstance(value, dict):
        return [path]
    missing = [name for name in grammar if name not in value and not isinstance(grammar[name], Maybe)]
    odd = [f"{path}.{name}" for name in (*(value.keys() - grammar.keys()), *missing)]
    if [name for name in grammar if name in value] != [name for name in value if name in grammar]:
        odd.append(f"the order of {path}")
    return odd + [
        inner for name in grammar if name in value for inner in strangers(value[name], grammar[name], f"{path}.{name}")
    ]
