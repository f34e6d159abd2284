"""Text that may come from outside, as it can be shown: what a terminal would obey or hide is written as an escape.

File names, paths, user names and messages about them can hold control characters (a terminal's title, a cleared
screen, a forged line), characters that turn the order of a line around, and bytes that are no text. Whatever
`str.isprintable` denies is escaped: C0, DEL, C1, format and bidirectional controls, separators of lines and paragraphs,
surrogates, unassigned and private characters, spaces that are none of ASCII.
"""

import re

_WITHIN_JSON = re.compile(r"[^\n\x20-\x7e]")


def printable(text: str, *, keep: str = "") -> str:
    """The text with escapes as Python writes them: a backslash, then `x1b`, `n`, `u202e` or `U000e0001`.

    Args:
        keep: characters that stay as they are, for instance the newlines of a text of several lines.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode("ascii") for c in text)


def harmless_json(text: str) -> str:
    """JSON, as `json.dumps` writes it, with such characters as the escapes of JSON. It still says the same."""
    return _WITHIN_JSON.sub(lambda found: found[0] if found[0].isprintable() else _json_escape(found[0]), text)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))
