"""Which rows a command writes, as its manifest says it: then a commit that writes them tells next to nothing.

    writes = { 11 = ["S01*", "H L# S01* X01"] }

Each text is one commit: the ids of its rows, a letter and bytes in hexadecimal digits. At the end of an id, `*` is a
word of the request, the same in all ids of the commit, and `#` a number of eight bytes: that of the row used last, or
the next.
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final

MAX_COMMITS: Final = 16
MAX_CHARS: Final = 120
COMMIT: Final = r"[A-Za-z]([0-9a-f]{2})*[*#]?( [A-Za-z]([0-9a-f]{2})*[*#]?)*"
"""Of the text of one commit."""
_ROW: Final = re.compile(r"([A-Za-z])((?:[0-9a-f]{2})*)([*#]?)")
_NUMBER_BYTES: Final = 8


@lru_cache(maxsize=256)
def parse_commit(text: str) -> tuple[tuple[bytes, str], ...]:
    """Of each row the bytes that its id begins with, and what it ends in: `*`, `#` or nothing."""
    rows = (_ROW.fullmatch(row) for row in text.split(" "))
    return tuple((row[1].encode("ascii") + bytes.fromhex(row[2]), row[3]) for row in rows if row)


def matches(
    commit: tuple[tuple[bytes, str], ...],
    ids: Collection[bytes],
    words: Collection[bytes],
    numbered: Mapping[bytes, Collection[bytes]],
) -> bool:
    """Whether a commit writes exactly these rows.

    Args:
        ids: of the rows that it puts.
        words: of the request.
        numbered: by what they begin with, the ids with a number that may be put: the one used last, and the next.
    """
    if len(commit) != len(ids):
        return False
    return any(_fits(commit, set(ids), word, numbered) for word in (words or (b"",)))


def _fits(
    commit: tuple[tuple[bytes, str], ...], left: set[bytes], word: bytes, numbered: Mapping[bytes, Collection[bytes]]
) -> bool:
    for start, end in commit:
        if end == "#":
            found = next((i for i in left if i[:-_NUMBER_BYTES] == start and i in numbered.get(start, ())), None)
        else:
            exact = start + word if end else start
            found = exact if exact in left and (word or not end) else None
        if found is None:
            return False
        left.discard(found)
    return True
