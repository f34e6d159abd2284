"""The small files of a device's normal world: closed forms, byte for byte (storage format, section 7).

Written here and not taken from the product: one that widens its own would pass.
"""

import json
import re
from typing import Any, Final

from bioguard.evidence.second_reader.flaws import Unreadable, demand

_ID: Final = "[0-9a-f]{32}"
_NUMBER: Final = "(?:0|[1-9][0-9]{0,14})"
"""Milliseconds and counts, below 10^15."""


def _several(item: str) -> str:
    """What stands between the brackets of an array or object, one step in: nothing, or items on lines of their own."""
    return f"(?:\n  {item}(?:,\n  {item})*\n )?"


def _formed(field: str, content: str) -> str:
    return f'\\{{\n "format": 1,\n "{field}": {content}\n\\}}\n'


_NAME: Final = rf'"[^\W_][\w.@+-]{{0,63}}": \[\n   "{_ID}",\n   "{_ID}"\n  \]'
_PIN: Final = f'"{_ID}": "[0-9a-f]{{116}}"'
_TIMES: Final = (
    f'"{_ID}": \\{{\n   "credential_ms": (?:null|{_NUMBER}),\n   "biometric_ms": (?:null|{_NUMBER}),\n'
    f'   "failed_attempts": {_NUMBER}\n  \\}}'
)
_FILE_FLAW: Final = r"device\.(?:file|directory)_(?:kind|owner|mode|links|size)"
_TAMPERED: Final = (
    r"store\.(?:missing|version|corrupt|mac|names_altered)|incident\.damaged"
    rf"|device\.(?:names_damaged|pins_damaged|fuse_damaged|fuse_mode)|{_FILE_FLAW}"
)
_WHY: Final = "|".join(
    f'"cause": "{cause}",\n   "code": "(?:{codes})"'
    for cause, codes in {
        "TAMPERED": _TAMPERED,
        "ROLLED_BACK": r"store\.security",
        "CLOCK_MOVED": r"device\.clock_moved",
        "OVER_BUDGET": r"device\.over_budget",
    }.items()
)
_INCIDENT: Final = (
    rf'\{{\n   "number": [1-9][0-9]{{0,5}},\n   (?:{_WHY}),\n   "opened_ms": {_NUMBER},\n'
    r'   "acknowledged": (?:true|false)(?:,\n   "scripted": true)?' + "\n  \\}"
)
FORMS: Final = {
    "boot.simulated": f"{_ID}\n",
    "names.json": _formed("users", rf"\{{{_several(_NAME)}\}}"),
    "pins.json": _formed("handles", rf"\{{{_several(_PIN)}\}}"),
    "unlocks.json": f'\\{{\n "boot": "{_ID}",\n "users": \\{{{_several(_TIMES)}\\}}\n\\}}',
    "incidents.json": _formed("incidents", rf"\[{_several(_INCIDENT)}\]"),
}
_SORTED: Final = {"names.json": "users", "pins.json": "handles"}
"""The field whose keys are in order."""


def check_small_file(name: str, data: bytes) -> None:
    """One of `FORMS`, and no two ways to write the same. Raises Unreadable."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name} has another form") from error
    demand(re.fullmatch(FORMS[name], text), f"{name} has another form")
    if name.endswith(".json"):
        document: dict[str, Any] = json.loads(text)
        written = json.dumps(document, ensure_ascii=False, indent=1)
        demand(written == text.removesuffix("\n"), f"{name} says something twice")
        if name in _SORTED:
            keys = list(document[_SORTED[name]])
            demand(keys == sorted(keys), f"{name} is not in order")
        if name == "incidents.json":
            numbers = [incident["number"] for incident in document["incidents"]]
            demand(numbers == list(range(1, len(numbers) + 1)), f"{name} leaves out a number")
