"""Names that people would take for one another (Unicode Technical Standard #39), refused when a name is given.

The tables are those of Unicode's confusables.txt and Scripts.txt, as a library ships them. Only its data is read: its
code imports `urllib`.

Two names look alike if their skeletons are equal: each character is replaced by the prototype of all it can be confused
with, with and without regard to case. Names keep their case and are found by it; only a new name that differs from
another by case, or by look-alikes, is refused.
"""

import json
import pkgutil
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from functools import cache

from bioguard.errors import InputRefused, NotPermitted

_DATA = "confusable_homoglyphs"
_SHARED = frozenset({"COMMON", "INHERITED"})
"""Scripts of characters that many scripts use: digits, marks."""
_PALOCHKA = "\N{CYRILLIC SMALL LETTER PALOCHKA}"
"""Unicode's table takes it for an `i`; most fonts draw an `l`."""
_TOGETHER = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
"""What may stand in one name besides a single script: UTS #39 section 5.2, "Highly Restrictive"."""


def _table(name: str) -> dict[str, object]:
    data = pkgutil.get_data(_DATA, name)
    if data is None:
        raise FileNotFoundError(name)
    table: dict[str, object] = json.loads(data)
    return table


@cache
def _prototypes() -> dict[str, str]:
    """Character to what stands for all that look like it: a character, or a few (`m` is `rn`).

    The table lists each pair from both sides. A prototype is never mapped itself, so whatever has several neighbors is
    one; of a lone pair the longer, then the lower, serves as well as the one that Unicode chose.
    """
    table: dict[str, list[dict[str, str]]] = _table("confusables.json")  # type: ignore[assignment]
    found = {}
    for text, neighbors in table.items():
        other = neighbors[0]["c"]
        lone = len(table[other]) == 1 and (len(text), -ord(text[0])) > (len(other), -ord(other[0]))
        if len(text) == 1 and len(neighbors) == 1 and not lone:
            found[text] = other
    return found


@cache
def _ranges() -> tuple[list[int], list[tuple[int, str]]]:
    """Starts of ranges of code points; end and script of each."""
    table = _table("categories.json")
    names: list[str] = table["iso_15924_aliases"]  # type: ignore[assignment]
    rows: list[list[int]] = table["code_points_ranges"]  # type: ignore[assignment]
    return [row[0] for row in rows], [(row[1], names[row[2]]) for row in rows]


def _skeleton(name: str) -> str:
    known = _prototypes()
    return unicodedata.normalize("NFD", "".join(known.get(c, c) for c in unicodedata.normalize("NFD", name)))


def look(name: str) -> frozenset[str]:
    """What a name looks like, with and without regard to case. Two names look alike if they share one of these."""
    read = {name, name.replace(_PALOCHKA, "l")}
    return frozenset(s for n in read for s in (_skeleton(n).casefold(), _skeleton(n.casefold())))


def scripts(name: str) -> frozenset[str]:
    """The scripts of a name's characters, without those that many scripts share."""
    starts, ends = _ranges()
    found = set()
    for character in name:
        row = bisect_right(starts, ord(character)) - 1
        end, script = ends[row]
        found.add(script if ord(character) <= end else "UNKNOWN")
    return frozenset(found - _SHARED)


def code_points(name: str) -> str:
    """`U+0430 CYRILLIC SMALL LETTER A` for each character that is not ASCII."""
    odd = (c for c in name if not c.isascii())
    return ", ".join(f"U+{ord(c):04X} {unicodedata.name(c, 'without a name')}" for c in odd)


def _shown(name: str) -> str:
    return f"{name!r} ({code_points(name)})" if code_points(name) else repr(name)


def check_new_name(name: str, existing: Iterable[str]) -> None:
    """Refuse a name that people would misread.

    Raises:
        NotPermitted: `user.lookalike`: it looks like the name of another user.
        InputRefused: `user.mixed_scripts`: letters of several scripts that no language writes together.
    """
    mine = look(name)
    for other in existing:
        if mine & look(other):
            raise NotPermitted(
                f"{_shown(name)} looks like the user {_shown(other)}",
                hint="choose a name that nobody takes for the other one",
                code="user.lookalike",
            )
    used = scripts(name)
    if len(used) > 1 and not any(used <= together for together in _TOGETHER):
        raise InputRefused(
            f"{_shown(name)} mixes scripts: {', '.join(sorted(s.lower() for s in used))}",
            hint="write a name in one script",
            code="user.mixed_scripts",
        )
